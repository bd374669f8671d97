"""Fetch messages that were recovered outside RapidPro, as CSV files: Sender, Message, ReceivedOn.

Senders are ids of participants, never phone numbers: a file with a number is refused before anything of it is kept.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engagement.configuration.flow_choices import flow_name_of_url
from engagement.configuration.iso_times import read_iso_time
from engagement.configuration.participant_ids import find_strict_id_problem, match_prefixes
from engagement.configuration.raw_keys import RecoveredKeyNames
from engagement.foundation.errors import InputError, count_of, listing
from engagement.provenance import Metadata, encode_fresh_chain, text_value
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines
from engagement.sources.manifest import RawDataWriter
from engagement.sources.recovery_csv.model import RecoveryCSVSource
from engagement.sources.recovery_csv.rows import read_rows

_DATE_FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
_END_OF_DAY = re.compile(r"(\S+)\s+24:00(?::00)?")
_SHA_TAIL = len('"' + "0" * 64 + '"}]\n')

_logger = logging.getLogger(__name__)


def fetch_flows(source: RecoveryCSVSource, context: FetchContext) -> list[FetchedFlow]:
    """Read the files again; messages that are in Raw Data already keep their lines.

    Raises
    ------
    InputError
        A file has senders that are not ids, dates of another form or broken rows; the error names each row and column.
    """
    return [_fetch_file(url, source.recovered_keys, context) for url in source.flow_urls]


def _fetch_file(url: str, raw_keys: RecoveredKeyNames, context: FetchContext) -> FetchedFlow:
    name = flow_name_of_url(url)
    path = context.raw_data_file(name)
    configuration = context.project.configuration
    content = context.storage.read_bytes(url)
    messages, repeated = _read_messages(
        content, url, raw_keys, configuration.time_zone, configuration.participant_prefix
    )
    if repeated:
        _logger.warning(
            "Flow %r: %s repeated in the file, the same in every cell; each counts once",
            name,
            count_of(repeated, "row"),
        )
    before = path.read_bytes() if path.exists() else None
    known = {line[-_SHA_TAIL:]: line for line in (before or b"").splitlines(keepends=True)}
    lines = []
    for data in messages:
        line = _encode(data, context.metadata("recovery_csv"))
        lines.append(known.get(line[-_SHA_TAIL:], line))
    content = b"".join(lines)

    def write(writer: RawDataWriter) -> None:
        if content == before:
            _logger.info("Flow %r: unchanged", name)
            return
        writer.write(path, [content])
        _logger.info("Flow %r: %s written", name, count_of(len(lines), "message"))

    return FetchedFlow(name, path, len(lines), count_lines(path), write)


def _encode(data: Mapping[str, object], metadata: Metadata) -> bytes:
    return encode_fresh_chain([(data, metadata)]).encode("ascii") + b"\n"


def _read_messages(
    content: bytes, url: str, raw_keys: RecoveredKeyNames, zone: ZoneInfo, prefix: str
) -> tuple[list[dict[str, object]], int]:
    """Sort the messages by time, then run id, each once, and count the repeated rows."""
    rows, problems = read_rows(content, url, match_prefixes(prefix))
    text_key, time_key, run_id_key = raw_keys
    messages: dict[str, tuple[datetime, dict[str, object]]] = {}
    for row in rows:
        # The cells themselves are never shown: they are people's texts, and perhaps phone numbers.
        received_on = _parse_date(row.cells["ReceivedOn"], zone)
        found = list(_find_problems(row.cells["Sender"], received_on, prefix))
        problems += [f"{row.place}, column {column!r}: {problem}" for column, problem in found]
        if found or received_on is None:
            continue
        run_id = hashlib.sha256(json.dumps(row.cells, sort_keys=True).encode()).hexdigest()
        data: dict[str, object] = {
            "avf_phone_id": row.cells["Sender"],
            text_key: text_value(row.cells["Message"]),
            time_key: received_on.isoformat(),
            run_id_key: run_id,
        }
        messages[run_id] = (received_on, data)
    if problems:
        raise InputError(f"{url}: {listing(problems)}")
    in_order = sorted(messages.items(), key=lambda item: (item[1][0], item[0]))
    return [data for _, (_, data) in in_order], len(rows) - len(messages)


def _find_problems(sender: str, received_on: datetime | None, prefix: str) -> Iterator[tuple[str, str]]:
    problem = find_strict_id_problem(sender, prefix)
    if problem is not None:
        yield (
            "Sender",
            f"{problem}; expected '{prefix}<uuid>'. Replace it by the sender's id in the uuid table, outside of this file.",
        )
    if received_on is None:
        yield (
            "ReceivedOn",
            "not a date of this form; expected dd/mm/YYYY HH:MM or dd/mm/YYYY HH:MM:SS, or ISO 8601 with an offset, like "
            "2026-08-26T17:05:00+03:00. Mend it.",
        )


def _parse_date(text: str, zone: ZoneInfo) -> datetime | None:
    """Read a time in the project's zone, or None. 24:00 is the end of its day."""
    text = text.strip()
    end = _END_OF_DAY.fullmatch(text)
    for form in _DATE_FORMATS:
        try:
            # The zone is the project's.
            time = datetime.strptime(text if end is None else f"{end[1]} 00:00", form)  # noqa: DTZ007
            time = (time if end is None else time + timedelta(days=1)).replace(tzinfo=zone)
            # Later steps can't handle times outside the calendar.
            time.astimezone(UTC)
            return time
        except (ValueError, OverflowError):
            continue
    try:
        return read_iso_time(text).astimezone(zone)
    except (ValueError, OverflowError):
        return None
