"""Remove archives, logs, records, messages and rows of the uuid table that are over age.

Of files it looks at times in names, and only at those that are surely this data root's. The newest of each kind always stays, and so does what
belongs to the newest run that succeeded. With --dry-run it lists what would go. Otherwise it leaves a receipt in
<data-root>/Runs/retention/. It may be killed at any moment, and repeated.
"""

import argparse
import contextlib
import itertools
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.configuration import load_pipeline_configuration, load_project
from engagement.configuration.problems import Problems
from engagement.configuration.retention import Retention, find_retention_problems
from engagement.custody.retention.due import find_due
from engagement.custody.retention.label_age import say_why_labels_are_old
from engagement.custody.retention.last_run import LastRetention, write_last_retention
from engagement.custody.retention.overdue import Overdue, OverdueFile, RetentionPlaces, find_overdue
from engagement.custody.retention.raw_texts import (
    MESSAGE,
    AgedMessages,
    choose_cut,
    find_aged,
    go_on,
    is_begun,
    remove_aged,
    say_aged,
)
from engagement.custody.retention.removal import (
    RetentionRequest,
    is_interrupted,
    read_receipts,
    remove_overdue,
    say_removed,
)
from engagement.foundation.errors import LimitError, UsageError, count_of, listing
from engagement.foundation.run_report import record_counts
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage, read_credentials

if TYPE_CHECKING:
    from engagement.services.uuid_tables.protocol import UuidTable

_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--user", required=True, help="who runs this, for the receipt")
    parser.add_argument("--pipeline-configuration", type=Path, required=True, help="pipeline configuration (JSON)")
    parser.add_argument("--data-root", type=Path, required=True, help="directory that holds all the pipeline's data")
    parser.add_argument("--backups-dir", type=Path, required=True, help="directory for the archives")
    parser.add_argument("--performance-logs-dir", type=Path, required=True, help="directory for logs and profiles")
    parser.add_argument("--credentials", type=Path, help="credentials of Coda (JSON), where RawTexts removes messages")
    parser.add_argument(
        "--uuid-table-credentials", type=Path, help="credentials that stage 2 has (JSON), where UuidTable removes rows"
    )
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
    if not args.dry_run:
        _expect_credentials(args, retention)
    now = datetime.now(UTC)
    places = RetentionPlaces(args.data_root, args.backups_dir, args.performance_logs_dir)
    overdue = find_overdue(places, retention, now)
    for line in overdue.stays:
        _logger.info("Stays: %s", line)
    old_labels = say_why_labels_are_old(args.data_root, now) if retention.raw_texts is not None else ""
    aged = None
    if args.dry_run or not old_labels:
        aged = look_for_aged(args.pipeline_configuration, args.data_root, retention, now)
    if old_labels:
        _logger.warning("Messages and rows of the uuid table stay for now: %s", old_labels)
    if args.dry_run:
        people = say_who_leaves(args.pipeline_configuration, args.data_root, retention, now, aged)
        for line in (*say_overdue(overdue), *(say_aged(aged) if aged is not None else ()), *people):
            _logger.info("Would remove %s", line)
        _logger.info("Nothing was removed: --dry-run")
        return
    if aged is not None and aged.count and not aged.younger:
        overdue.doubts.append(f"{count_of(aged.count, MESSAGE)}, and none is younger")
    _expect_some_to_stay(overdue, args.accept_all)
    if is_interrupted(args.data_root):
        _logger.info("An earlier removal was interrupted; this one goes on with it")
    periods = {name: period.text for name, period in retention.periods.items()}
    request = RetentionRequest(args.user, now.isoformat(timespec="seconds"), periods)
    with _open_table(args, retention) as table:
        receipts = [remove_overdue(args.data_root, overdue, request)]
        if retention.raw_texts is not None and not old_labels:
            receipts += _remove_messages(args, retention, aged, request)
            if table is not None:
                receipts += _remove_people(args, table, request)
    done = [receipt for receipt in receipts if receipt is not None]
    zone = load_pipeline_configuration(args.pipeline_configuration).time_zone
    due = find_due(args.data_root, retention, overdue, aged, now.astimezone(zone))
    write_last_retention(args.data_root, LastRetention(request.now, _count(done), due))
    if not done:
        earlier = read_receipts(args.data_root)
        last = f"; the last removal was on {earlier[-1]['Completed']}" if earlier else ""
        _logger.info("Nothing%s is older than the configuration keeps%s", " else" if old_labels else "", last)
        return
    for receipt in done:
        for line in say_removed(receipt):
            _logger.info("Removed %s", line)
    record_counts({f"removed_{kind.replace(' ', '_')}s": count for kind, count in _count(done).items()})


def _count(receipts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for receipt in receipts:
        counts.update({one["Kind"]: one["Count"] for one in receipt["Removed"]})
    return dict(counts)


def look_for_aged(configuration: Path, data_root: Path, retention: Retention, now: datetime) -> AgedMessages | None:
    """Look for messages that are over age; None if the configuration keeps them, or the cut did not move."""
    if retention.raw_texts is None:
        return None
    project = load_project(configuration)
    cut = choose_cut(project, data_root, now)
    return None if cut is None else find_aged(project, data_root, cut)


def say_who_leaves(
    configuration: Path, data_root: Path, retention: Retention, now: datetime, aged: AgedMessages | None
) -> Iterator[str]:
    """Say how many leave the uuid table once the aged messages are gone; nothing if they stay."""
    if retention.uuid_table is None:
        return
    # Imported only where rows go: it looks for who withdrew, with numpy.
    from engagement.custody.retention.table_rows import find_aged_people, say_aged_people

    people = find_aged_people(load_project(configuration), data_root, now, None if aged is None else aged.cut)
    yield from say_aged_people(people) if people is not None else ()


def _expect_credentials(args: argparse.Namespace, retention: Retention) -> None:
    if retention.raw_texts is not None and args.credentials is None:
        raise UsageError(
            "Retention.RawTexts: no --credentials; expected those of Coda, which has texts, too. Give apply_retention.sh "
            "--coda-credentials."
        )
    if retention.uuid_table is not None and args.uuid_table_credentials is None:
        raise UsageError(
            "Retention.UuidTable: no --uuid-table-credentials; expected those that stage 2 has. Give them to apply_retention.sh."
        )


@contextlib.contextmanager
def _open_table(args: argparse.Namespace, retention: Retention) -> Iterator["UuidTable | None"]:
    """Open the uuid table, if rows are to go, before anything does; it must be the data root's."""
    if retention.uuid_table is None:
        yield None
        return
    # As above.
    from engagement.custody.retention.shared_table import refuse_shared_table
    from engagement.services.uuid_tables.protocol import open_uuid_table
    from engagement.sources.known_participants import refuse_table_without

    project, policy = load_project(args.pipeline_configuration), RetryPolicy()
    settings = project.configuration.phone_number_uuid_table
    storage = open_storage(load_credentials(args.uuid_table_credentials), policy)
    credentials = read_credentials(storage, settings.firebase_credentials_file_url)
    with contextlib.closing(open_uuid_table(credentials, settings.table_name, policy)) as table:
        refuse_table_without(table, project, args.data_root)
        if not retention.uuid_table_is_unshared:
            refuse_shared_table(table, project, args.data_root)
        yield table


def _remove_people(args: argparse.Namespace, table: "UuidTable", request: RetentionRequest) -> Iterator[dict[str, Any]]:
    # As above.
    from engagement.custody.retention.table_rows import remove_aged_people

    project, now = load_project(args.pipeline_configuration), datetime.fromisoformat(request.now)
    yield from remove_aged_people(project, args.data_root, table, now, request)


def _remove_messages(
    args: argparse.Namespace, retention: Retention, aged: AgedMessages | None, request: RetentionRequest
) -> Iterator[dict[str, Any] | None]:
    project = load_project(args.pipeline_configuration)
    coda = open_coda(load_credentials(args.credentials))
    if is_begun(args.data_root):
        _logger.info("An earlier removal of messages was interrupted; this one goes on with it")
        yield go_on(project, args.data_root, coda, request.now)
        # With what came in between, and what got too old.
        aged = look_for_aged(
            args.pipeline_configuration, args.data_root, retention, datetime.fromisoformat(request.now)
        )
    if aged is not None:
        yield remove_aged(project, args.data_root, coda, aged, request)


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
            f"Retention: {listing(overdue.doubts)}\nAll of it is over age; expected younger ones too, as in a data root in use. "
            "Nothing was removed. Check this machine's clock and the periods; if both are right, run apply_retention.sh with "
            "--accept-all."
        )
