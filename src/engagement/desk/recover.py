"""Find the SMS that a telecom received and RapidPro lacks, and write a recovery file of them.

It compares exports of the telecom with Raw Data: the same participant, the same text, the same time. Phone numbers stay in memory; the
new file has uids. The exports are left as they are: remove them when they are no longer needed.
"""

import argparse
import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import compress
from pathlib import Path

from engagement.configuration import Project, load_project
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.desk.de_identification.places import check_file, refuse_data_root
from engagement.desk.recovery.arrived import read_messages
from engagement.desk.recovery.comparison import (
    MOST_LATE,
    ExportComparison,
    Outage,
    compare_messages,
    find_outages,
    write_table,
)
from engagement.desk.recovery.exports import ExportReader, ExportRow
from engagement.desk.recovery.formats import add_format_arguments, choose_format
from engagement.desk.recovery.joining import join_exports
from engagement.desk.recovery.senders import Senders, refuse_other_table
from engagement.foundation.csv_cells import encode_line
from engagement.foundation.errors import UsageError, count_of
from engagement.foundation.files import open_for_writing
from engagement.foundation.microseconds import count_microseconds
from engagement.services.credentials import load_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage, read_credentials
from engagement.services.uuid_tables.protocol import UuidExchange, open_uuid_table
from engagement.sources.forgotten_ids import leave_out_forgotten
from engagement.sources.held_back import read_held_back
from engagement.sources.recovery_csv.messages import COLUMNS

log = logging.getLogger(__name__)

_CHARTS = (".svg", ".png")
_DURATION = re.compile(r"(\d{1,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """Read a duration like 90s, 10m, 2h or 30d."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: not a duration; expected one like 90s, 10m, 2h or 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this command takes on its command line."""
    parser.add_argument("configuration", type=Path, help="pipeline configuration (JSON)")
    parser.add_argument("data_root", type=Path, metavar="data-root", help="directory that holds the pipeline's data")
    parser.add_argument("credentials", type=Path, help="credentials file (JSON)")
    parser.add_argument(
        "exports",
        type=Path,
        nargs="+",
        metavar="EXPORT",
        help="telecom's exports of received SMS, outside the data root",
    )
    parser.add_argument("--output", type=Path, metavar="FILE.csv", help="new recovery file with what is missing")
    parser.add_argument("--dry-run", action="store_true", help="show what is missing, and write nothing")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the traffic into a new file, .svg or .png")
    add_format_arguments(parser)
    parser.add_argument("--sheet", metavar="NAME", help="sheet of a workbook that has several")
    parser.add_argument(
        "--receiver", metavar="CODE", help="short code of this project; messages to others are left out"
    )
    parser.add_argument(
        "--window",
        type=parse_duration,
        default="10m",
        metavar="TIME",
        help="how far apart the two times of a message may be; by default %(default)s",
    )
    parser.add_argument(
        "--late",
        type=parse_duration,
        default="0d",
        metavar="TIME",
        help="how late the same text may have arrived, such as 30d; by default no later than --window",
    )
    parser.add_argument(
        "--without-number",
        choices=("refuse", "leave-out"),
        default="refuse",
        help="rows without a usable number: refuse the file (the default), or leave them out",
    )
    parser.add_argument(
        "--repeated-rows",
        choices=("keep", "leave-out"),
        default="keep",
        help="rows of a file that are the same as another: messages of their own (the default), or left out",
    )


def run(arguments: argparse.Namespace) -> None:
    """Read, compare, show, and write."""
    form = choose_format(arguments)
    _check_places(arguments)
    credentials, project = load_credentials(arguments.credentials), load_project(arguments.configuration)
    zone = project.configuration.time_zone
    reader = ExportReader(
        form,
        form.zone(zone),
        project.configuration.participant_prefix,
        arguments.receiver,
        arguments.without_number == "leave-out",
        arguments.sheet,
    )
    messages = _read_exports(reader, arguments)
    if not messages:
        sys.stdout.write("The exports have no message that counts. Nothing was written.\n")
        return
    first, last = (pick(message.time for message in messages) for pick in (min, max))
    raw = read_messages(
        project.configuration,
        arguments.data_root,
        count_microseconds(first - arguments.window),
        count_microseconds(last + max(arguments.window, arguments.late, MOST_LATE)),
    )
    policy = RetryPolicy()
    settings = project.configuration.phone_number_uuid_table
    with contextlib.ExitStack() as resources:
        key = read_credentials(open_storage(credentials, policy), settings.firebase_credentials_file_url)
        own = open_uuid_table(key, settings.table_name, policy, project.configuration.participant_prefix)
        resources.callback(own.close)
        refuse_other_table(own, settings.table_name, raw.participants)
        table: UuidExchange = own
        held_back = read_held_back(arguments.data_root)
        forgotten = held_back.forgotten
        if forgotten.marks_keys:
            now = datetime.now(UTC)
            table = leave_out_forgotten(own, settings.table_name, forgotten, now, accept_new_table=True)
        uids = Senders(table).find([message.sender for message in messages])
        if held_back:
            taken = [
                not held_back.holds_back(uid, message.time, [message.text])
                for uid, message in zip(uids, messages, strict=True)
            ]
            messages, uids = list(compress(messages, taken)), list(compress(uids, taken))
        found = compare_messages(messages, uids, raw, arguments.window, arguments.late, zone)
        outages = list(find_outages(found))
        sys.stdout.write("\n".join(_describe(found, outages, project)) + "\n")
        if found.total("missing") and not arguments.dry_run:
            _write(arguments.output, found, table)
    if arguments.chart is not None and not arguments.dry_run:
        # Few want it, and it takes a second to begin.
        from engagement.desk.recovery.chart import draw_traffic

        draw_traffic(
            arguments.chart, found.hours, outages, name_of_pipeline(project.configuration, arguments.configuration)
        )
        sys.stdout.write(f"{arguments.chart}: drawn\n")


def _check_places(arguments: argparse.Namespace) -> None:
    if not arguments.data_root.is_dir():
        raise UsageError(f"{arguments.data_root}: no such directory; expected the data root. Check the path.")
    if arguments.output is None and not arguments.dry_run:
        raise UsageError("no --output; expected a file for what is missing. Add it, or --dry-run to write nothing.")
    for path in arguments.exports:
        check_file(path)
        _refuse_inside(path, arguments.data_root)
    if arguments.chart is not None and arguments.chart.suffix.lower() not in _CHARTS:
        raise UsageError(f"--chart {arguments.chart}: expected {' or '.join(_CHARTS)}. Change its name.")
    new = [path for path in (arguments.output, arguments.chart) if path is not None]
    for path in new:
        refuse_data_root(path)
        _refuse_inside(path, arguments.data_root)
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path}: exists already; expected no such file. Remove it, or choose another name.")
        if not path.parent.is_dir():
            raise UsageError(f"{path.parent}: no such folder; expected one for the new file. Make it.")


def _refuse_inside(path: Path, data_root: Path) -> None:
    if path.resolve().is_relative_to(data_root.resolve()):
        raise UsageError(f"{path}: in the data root; expected a place outside, which no archive holds. Move the file.")


@dataclass(frozen=True)
class _Counted:
    """A count with its words, for a warning."""

    count: int
    words: str


def _read_exports(reader: ExportReader, arguments: argparse.Namespace) -> list[ExportRow]:
    exports = [reader.read(path) for path in arguments.exports]
    joined = join_exports([export.messages for export in exports], arguments.repeated_rows == "leave-out")
    unusable = sum(len(export.without_number) for export in exports)
    to_others = sum(export.to_others for export in exports)
    if to_others:
        log.info("%s to other receivers left out", count_of(to_others, "message"))
    if joined.in_several:
        log.info("%s in several exports: each counts once", count_of(joined.in_several, "message"))
    repeated = (
        "left out" if arguments.repeated_rows == "leave-out" else "each counts; --repeated-rows leave-out drops them"
    )
    for one in (
        _Counted(unusable, "without a usable phone number left out: whether RapidPro has them can't be told"),
        _Counted(joined.repeated, f"the same as another of the file: {repeated}"),
    ):
        if one.count:
            log.warning("%s %s", count_of(one.count, "row"), one.words)
    return joined.messages


def _describe(found: ExportComparison, outages: Sequence[Outage], project: Project) -> Iterator[str]:
    zone = project.configuration.time_zone
    yield f"Messages by day and hour ({zone.key}):"
    yield from write_table(found.hours)
    yield (
        f"{count_of(found.total('received'), 'message')} received by the telecom: {found.total('matched'):,} in RapidPro, "
        f"{found.total('late'):,} there late, {found.total('recovered'):,} recovered before, {found.total('missing'):,} missing"
    )
    if found.total("doubled"):
        yield f"{count_of(found.total('doubled'), 'message')} in RapidPro once more than the telecom received them"
    if found.only_arrived:
        yield f"{count_of(found.only_arrived, 'message')} of the same people in RapidPro and in no export"
    if found.maybe_late:
        yield (
            f"{count_of(found.maybe_late, 'missing message')} may have arrived late: the same person's same text came within "
            f"{MOST_LATE.days} days. With --late {MOST_LATE.days}d they count as arrived."
        )
    for outage in outages:
        first, last = (time.astimezone(zone) for time in (outage.first, outage.last))
        yield (
            f"Outage from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}: {count_of(outage.messages, 'message')}, none of them in "
            "RapidPro"
        )
    is_none_there = found.total("missing") == found.total("received")
    if is_none_there:
        yield (
            "None of these messages arrived. Before you recover them, make sure that the project has flows of this receiver, and that "
            "stage 2 ran after these days."
        )
    elif not outages:
        yield "No outage: what is missing got lost one by one." if found.total("missing") else "No outage."
    if not found.total("missing"):
        yield "Nothing is missing, so no file is written."


def _write(output: Path, found: ExportComparison, table: UuidExchange) -> None:
    rows = found.rows_to_write()
    uids = Senders(table).get([found.messages[number].sender for number in rows])
    with open_for_writing(output) as file:
        # From its first byte on for this user alone, whatever the mask is.
        os.fchmod(file.fileno(), 0o600)
        file.write(encode_line(COLUMNS))
        for number, uid in zip(rows, uids, strict=True):
            message = found.messages[number]
            # With its offset, a time can be read in one way only.
            file.write(encode_line((uid, message.text, message.time.isoformat())))
    beside = len(rows) - found.total("missing")
    sys.stdout.write(f"{output}: {count_of(found.total('missing'), 'missing message')} written\n")
    if beside:
        sys.stdout.write(
            f"  and {beside} that RapidPro has, beside missing ones with the same text: stage 3 leaves them out again\n"
        )
