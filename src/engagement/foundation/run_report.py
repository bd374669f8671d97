"""A stage's counts for the run's summary: whole numbers in the JSON file ENGAGEMENT_COUNTS_FILE.

run_pipeline.sh sets the variable; without it, nothing is written.
"""

import logging
import os
import re
import resource
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from engagement.foundation.errors import PipelineError
from engagement.foundation.files import read_json, write_json

# Pattern of run_pipeline.sh's run ids: the start time, and the commit that ran.
RUN_ID = r"(?P<time>\d{4}-\d\d-\d\dT\d{6}Z)-(?:[0-9a-f]{40}|unknown)"
_VARIABLE = "ENGAGEMENT_COUNTS_FILE"

_logger = logging.getLogger(__name__)


def time_of_run(run_id: str) -> datetime | None:
    """Return the time in a run id; None if it is not one of ours.

    >>> time_of_run("2026-11-22T020511Z-unknown"), time_of_run("notes")
    (datetime.datetime(2026, 11, 22, 2, 5, 11, tzinfo=datetime.timezone.utc), None)
    """
    named = re.fullmatch(RUN_ID, run_id)
    try:
        return datetime.strptime(named["time"], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC) if named else None
    except ValueError:
        return None


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
