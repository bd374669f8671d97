"""Show how the last run of the whole pipeline went, on one screen.

The exit status is 0 only if it succeeded, and with --max-age only if it ended within so many hours; else 11.
"""

import argparse
import fcntl
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import read_json

# Clocks of machines that share a data root differ a little.
_CLOCKS_DIFFER = timedelta(minutes=5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("--max-age", type=float, metavar="HOURS", help="how long ago the last run may have ended")


def run(args: argparse.Namespace) -> None:
    """Describe the last run, then what is wrong with it."""
    if not args.data_root.is_dir():
        raise UsageError(f"{args.data_root}: no such directory; expected the data root. Check the path.")
    runs = _read_runs(args.data_root)
    if is_in_use(args.data_root):
        sys.stdout.write("A run is at work now; the last one before it:\n")
        # A run at work now has not ended, and is not judged.
        runs = [run for run in runs if run["ended"] is not None]
    if not runs:
        raise InputError(f"{args.data_root}: no run has ended yet; expected one. Start run_pipeline.sh.")
    last = runs[-1]
    sys.stdout.write("\n".join(describe_run(last)) + "\n")
    problem = find_problem(last, args.max_age, datetime.now(UTC))
    if problem is not None:
        raise InputError(f"Run {last['run_id']}: {problem}")


def _read_runs(data_root: Path) -> list[dict[str, Any]]:
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


def find_problem(run: Mapping[str, Any], max_age_hours: float | None, now: datetime) -> str | None:
    """Describe what is wrong with a run that is over, if anything."""
    if run["ended"] is None:
        return "was killed before its end; expected it to end. Look at its log, and run the pipeline again."
    if run["exit_status"] != 0:
        failed = [f"{stage['stage']} {stage['name']}" for stage in run["stages"] if stage["exit_status"] != 0]
        return (
            f"ended with status {run['exit_status']}, failed in {', '.join(failed) or 'no stage'}; expected status 0. "
            "Look at its log, and run the pipeline again."
        )
    age = now - datetime.fromisoformat(run["ended"])
    if age < -_CLOCKS_DIFFER:
        return f"ended in the future, at {run['ended']}; expected the past. Check this machine's clock."
    if max_age_hours is not None and age > timedelta(hours=max_age_hours):
        hours = age / timedelta(hours=1)
        return f"ended {hours:.1f} hours ago; expected at most {max_age_hours:g}. Check whether cron still starts it."
    return None
