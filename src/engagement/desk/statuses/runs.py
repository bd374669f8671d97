"""The runs of a data root, by the summaries that run_pipeline.sh writes."""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engagement.custody.restore_drills.records import DrillResult, read_records
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json

# Clocks of machines that share a data root differ a little.
_CLOCKS_DIFFER = timedelta(minutes=5)
_FETCH = 2


def read_runs(data_root: Path) -> list[dict[str, Any]]:
    """Read the summaries of all runs, the oldest first: a run id begins with its time."""
    runs = []
    for path in sorted((data_root / "Runs").glob("*.json")):
        summary = read_json(path)
        if not isinstance(summary, dict) or not {"run_id", "started", "ended", "exit_status", "stages"} <= set(summary):
            raise InputError(
                f"{path}: no summary of a run; expected one of run_pipeline.sh. Remove or restore the file."
            )
        runs.append(summary)
    return runs


def is_in_use(data_root: Path) -> bool:
    """Check if a run holds the data root's lock."""
    try:
        lock = (data_root / ".lock").open("rb")
    except FileNotFoundError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def describe_run(run: Mapping[str, Any]) -> Iterator[str]:
    """Return a run's summary as lines of text."""
    yield f"Run {run['run_id']}"
    yield f"started {run['started']}, ended {run['ended'] or 'never'}, exit status {run['exit_status']}"
    for stage in run["stages"]:
        memory = stage.get("peak_memory_mib")
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in stage.get("counts", {}).items())
        yield (
            f"  {stage['stage']} {stage['name']:<20} status {stage['exit_status']:>3} {stage['seconds']:>10.1f} s "
            f"{'?' if memory is None else memory:>7} MiB  {counts}"
        ).rstrip()


def failed_stages(run: Mapping[str, Any]) -> list[str]:
    """Name the stages of a run that failed, like "2 fetch raw data"."""
    return [f"{stage['stage']} {stage['name']}" for stage in run["stages"] if stage["exit_status"] != 0]


def find_last_good_night(runs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find the newest run that succeeded and fetched: to make one more archive by hand is no good night."""
    return next(
        (
            run
            for run in reversed(runs)
            if run["ended"] is not None
            and run["exit_status"] == 0
            and any(stage["stage"] == _FETCH for stage in run["stages"])
        ),
        None,
    )


def find_problem(runs: Sequence[Mapping[str, Any]], max_age_hours: float | None, now: datetime) -> str | None:
    """Describe what is wrong with the last of these ended runs, or the last good night's age."""
    run = runs[-1]
    if run["ended"] is None:
        return "was killed before its end; expected it to end. Look at its log, and run the pipeline again."
    if run["exit_status"] != 0:
        return (
            f"ended with status {run['exit_status']}, failed in {', '.join(failed_stages(run)) or 'no stage'}; expected status 0. "
            "Look at its log, and run the pipeline again."
        )
    ended = time_of(run["ended"])
    if ended - now > _CLOCKS_DIFFER:
        return f"ended in the future, at {run['ended']}; expected the past. Check this machine's clock."
    if max_age_hours is None:
        return None
    good = find_last_good_night(runs)
    if good is None:
        return "is no whole night, and none succeeded yet; expected one. Check whether cron starts the whole pipeline."
    age = (now - time_of(good["ended"])) / timedelta(hours=1)
    if age <= max_age_hours:
        return None
    what = "" if good is run else f"is no whole night, and the last one that succeeded, {good['run_id']}, "
    return f"{what}ended {age:.1f} hours ago; expected at most {max_age_hours:g}. Check whether cron still starts it."


def find_drill_problem(data_root: Path) -> str | None:
    """Describe the last restore drill, if it failed."""
    records = read_records(data_root)
    if not records or records[-1].result is not DrillResult.FAILED:
        return None
    last = records[-1]
    return (
        f"the restore drill of {last.at} failed: {last.reason.rstrip('.')}. Make a new archive with "
        "6_backup_data_root.sh --full, and run it with --drill."
    )


def count_since_full_read(data_root: Path) -> int | None:
    """Count the runs of stage 3 since one read every input; None if nobody knows.

    Reads the last run's manifest as plain JSON: a machine's own Python has none of the packages that check it.
    """
    last = max((data_root / "Runs" / "manifests").glob("*.json"), key=lambda path: path.name, default=None)
    if last is None:
        return None
    try:
        since = read_json(last, InputError).get("runs_since_full_read")
    except (InputError, OSError, AttributeError):
        return None
    return since if isinstance(since, int) else None


def time_of(text: str) -> datetime:
    """Read a summary's time; without an offset it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"a run's summary: the time is {text!r}; expected ISO 8601. Remove or restore the file."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
