"""What a stage tells of itself for the run's summary: whole numbers in the JSON file that ENGAGEMENT_COUNTS_FILE names.

run_pipeline.sh names a file; without the variable nothing is written.
"""

import logging
import os
import resource
from collections.abc import Mapping
from pathlib import Path

from engagement.foundation.errors import PipelineError
from engagement.foundation.files import read_json, write_json

# A pattern of the ids that run_pipeline.sh gives: when the run began, and the commit that ran.
RUN_ID = r"(?P<time>\d{4}-\d\d-\d\dT\d{6}Z)-(?:[0-9a-f]{40}|unknown)"
_VARIABLE = "ENGAGEMENT_COUNTS_FILE"

_logger = logging.getLogger(__name__)


def record_counts(counts: Mapping[str, int]) -> None:
    """Add counts to what the stage told before; their names are words in lower case joined by "_"."""
    if not os.environ.get(_VARIABLE):
        return
    path = Path(os.environ[_VARIABLE])
    try:
        told = read_json(path) if path.exists() else {}
        write_json(path, {**told, **counts})
    except PipelineError as error:
        # What a stage did is worth more than what it tells of it.
        _logger.warning("%s", error)


def record_peak_memory() -> None:
    """Add the most memory that the stage's largest process has held, in MiB."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    record_counts({"peak_memory_mib": max(usage.ru_maxrss for usage in usages) // 1024})
