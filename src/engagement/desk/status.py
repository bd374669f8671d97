"""Show how the last runs of the whole pipeline went: one project on a screen, or many in a table.

The exit status is 0 only if every last run succeeded, and with --max-age only if each last good night ended within so many
hours; else 11.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.custody.restore_drills.records import find_last_proven, read_records
from engagement.desk.statuses.page import write_page
from engagement.desk.statuses.projects import find_status
from engagement.desk.statuses.runs import (
    count_since_full_read,
    describe_run,
    find_drill_problem,
    find_problem,
    is_in_use,
    read_runs,
    time_of,
)
from engagement.desk.statuses.table import COLUMNS, align, describe, say_age, say_retention
from engagement.foundation.errors import InputError, UsageError, count_of, listing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument(
        "data_roots", type=Path, metavar="data-root", nargs="+", help="directory that holds a pipeline's data"
    )
    parser.add_argument(
        "--max-age", type=float, metavar="HOURS", help="how long ago the last good night may have ended"
    )
    parser.add_argument("--json", action="store_true", help="write the table as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write the table as a page")


def run(args: argparse.Namespace) -> None:
    """Describe the last runs, then what is wrong with them."""
    for data_root in args.data_roots:
        if not data_root.is_dir():
            raise UsageError(f"{data_root}: no such directory; expected the data root. Check the path.")
    if len(args.data_roots) == 1 and not args.json and args.html is None:
        _show_screen(args.data_roots[0], args.max_age)
        return
    now = datetime.now(UTC)
    statuses = [find_status(data_root, args.max_age, now) for data_root in args.data_roots]
    if args.json:
        sys.stdout.write(json.dumps([asdict(status) for status in statuses], indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.write(align([COLUMNS, *map(describe, statuses)]))
    if args.html is not None:
        write_page(statuses, args.html, now)
    problems = [
        f"{status.data_root}: {'' if status.run_id is None else f'run {status.run_id}: '}{status.problem}"
        for status in statuses
        if status.problem is not None
    ]
    if problems:
        raise InputError(f"Projects: {listing(problems)}")


def _show_screen(data_root: Path, max_age_hours: float | None) -> None:
    """Show the last run of one project, stage by stage."""
    runs = read_runs(data_root)
    if is_in_use(data_root):
        sys.stdout.write("A run is at work now; the last one before it:\n")
        # A run at work now has not ended, and is not judged.
        runs = [run for run in runs if run["ended"] is not None]
    if not runs:
        raise InputError(f"{data_root}: no run has ended yet; expected one. Start run_pipeline.sh.")
    now = datetime.now(UTC)
    sys.stdout.write("\n".join(describe_run(runs[-1])) + "\n")
    status = find_status(data_root, max_age_hours, now)
    sys.stdout.write("\n" + align([COLUMNS, describe(status)]))
    proven = find_last_proven(read_records(data_root))
    if proven is not None:
        hours = (now - time_of(proven.at)) / timedelta(hours=1)
        sys.stdout.write(f"\nLast proven restore: {say_age(hours)} ago, of {proven.archive}\n")
    retention = say_retention(status)
    if retention:
        sys.stdout.write(f"\n{retention}\n")
    since = count_since_full_read(data_root)
    if since is not None:
        said = "in the last run of stage 3" if since == 0 else f"{count_of(since, 'run')} of stage 3 ago"
        sys.stdout.write(f"\nLast full check of the inputs: {said}\n")
    problem = find_problem(runs, max_age_hours, now)
    if problem is not None:
        raise InputError(f"Run {runs[-1]['run_id']}: {problem}")
    problem = find_drill_problem(data_root)
    if problem is not None:
        raise InputError(f"{data_root}: {problem}")
