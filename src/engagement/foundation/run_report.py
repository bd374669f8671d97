"""A stage's counts for the run's summary: whole numbers in the JSON file ENGAGEMENT_COUNTS_FILE.

run_pipeline.sh sets the variable; without it, nothing is written.
"""

import logging
import os
import resource
from collections.abc import Mapping
from pathlib import Path

from engagement.foundation.errors import PipelineError
from engagement.foundation.files import read_json, write_json

# Pattern of run_pipeline.sh's run ids: the start time, and the commit that ran.
RUN_ID = r"(?P<time>\d{4}-\d\d-\d\dT\d{6}Z)-(?:[0-9a-f]{40}|unknown)"
_VARIABLE = "ENGAGEMENT_COUNTS_FILE"

_logger = logging.getLogger(__name__)


def record_counts(counts: Mapping[str, int]) -> None:
    """Add counts to the stage's earlier ones; names are lower-case words joined by "_"."""
    if not os.environ.get(_VARIABLE):
        return
    path = Path(os.environ[_VARIABLE])
    try:
        told = read_json(path) if path.exists() else {}
        write_json(path, {**told, **counts})
    except PipelineError as error:
        # A stage's work matters more than its counts.
        _logger.warning("%s", error)


def record_peak_memory() -> None:
    """Record the peak memory of the stage's largest process, in MiB."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    record_counts({"peak_memory_mib": max(usage.ru_maxrss for usage in usages) // 1024})
