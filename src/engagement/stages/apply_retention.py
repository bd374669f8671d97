"""Remove archives, logs and records of runs that are older than the configuration keeps.

Looks at times in names, and only at files that are surely this data root's. The newest of each kind always stays, and so does what
belongs to the newest run that succeeded. With --dry-run it lists what would go. Otherwise it leaves a receipt in
<data-root>/Runs/retention/. It may be killed at any moment, and repeated.
"""

import argparse
import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engagement.configuration import load_pipeline_configuration
from engagement.configuration.problems import Problems
from engagement.configuration.retention import Retention, find_retention_problems
from engagement.custody.retention.overdue import Overdue, OverdueFile, RetentionPlaces, find_overdue
from engagement.custody.retention.removal import (
    RetentionRequest,
    is_interrupted,
    read_receipts,
    remove_overdue,
    say_removed,
)
from engagement.foundation.errors import LimitError, UsageError, listing
from engagement.foundation.run_report import record_counts

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this, for the receipt")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--backups-dir", type=Path, required=True, help="directory for the archives")
    parser.add_argument("--performance-logs-dir", type=Path, required=True, help="directory for logs and profiles")
    parser.add_argument("--dry-run", action="store_true", help="list what would go, and remove nothing")
    parser.add_argument(
        "--accept-all", action="store_true", help="remove what is over age even if only the newest file of a kind stays"
    )


def run(args: argparse.Namespace) -> None:
    """Find what is over age, and remove it."""
    retention = _read_retention(args.pipeline_configuration)
    if retention is None:
        _logger.info("Nothing is removed: the configuration has no Retention")
        return
    if not args.data_root.is_dir():
        raise UsageError(f"{args.data_root}: no such directory; expected the data root. Check the path.")
    now = datetime.now(UTC)
    places = RetentionPlaces(args.data_root, args.backups_dir, args.performance_logs_dir)
    overdue = find_overdue(places, retention, now)
    for line in overdue.stays:
        _logger.info("Stays: %s", line)
    if args.dry_run:
        for line in say_overdue(overdue):
            _logger.info("Would remove %s", line)
        _logger.info("Nothing was removed: --dry-run")
        return
    _expect_some_to_stay(overdue, args.accept_all)
    if is_interrupted(args.data_root):
        _logger.info("An earlier removal was interrupted; this one goes on with it")
    periods = {name: period.text for name, period in retention.periods.items()}
    request = RetentionRequest(args.user, now.isoformat(timespec="seconds"), periods)
    receipt = remove_overdue(args.data_root, overdue, request)
    if receipt is None:
        earlier = read_receipts(args.data_root)
        last = f"; the last removal was on {earlier[-1]['Completed']}" if earlier else ""
        _logger.info("Nothing is older than the configuration keeps%s", last)
        return
    for line in say_removed(receipt):
        _logger.info("Removed %s", line)
    record_counts({f"removed_{one['Kind'].replace(' ', '_')}s": one["Count"] for one in receipt["Removed"]})


def say_overdue(overdue: Overdue) -> Iterator[str]:
    """List what is over age: a line for each kind, with its count and the oldest, and one for each file."""
    counts = Counter(one.kind for one in overdue.files)
    for kind, files in itertools.groupby(overdue.files, key=_kind_of):
        found = list(files)
        oldest = found[0].at
        since = f", the oldest of {oldest:%Y-%m-%d %H:%M}Z" if oldest is not None else ""
        yield f"{counts[kind]:,} {kind}(s){since}:"
        yield from (str(one.path) for one in found)


def _kind_of(one: OverdueFile) -> str:
    return one.kind


def _read_retention(path: Path) -> Retention | None:
    configuration = load_pipeline_configuration(path)
    problems = Problems()
    problems.add(path, find_retention_problems(configuration.retention, configuration.backup))
    problems.refuse()
    return configuration.retention


def _expect_some_to_stay(overdue: Overdue, is_accepted: bool) -> None:
    """Raise if nearly everything would go: the clock may be wrong."""
    if overdue.doubts and not is_accepted:
        raise LimitError(
            f"Retention: {listing(overdue.doubts)}\nAll of it is over age; expected some that is younger, as of a data root in "
            "use. Nothing was removed. Check this machine's clock and the periods; if both are right, run apply_retention.sh with "
            "--accept-all."
        )
