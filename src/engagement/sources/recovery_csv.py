"""Messages that were recovered outside RapidPro, as CSV files: Sender, Message, ReceivedOn.

Senders are uuids, never phone numbers: a file with a number is refused before anything of it is kept.
"""

import csv
import hashlib
import io
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from engagement.configuration import RecoveryCSVSource
from engagement.configuration.pipeline_configuration import flow_name_of_url
from engagement.errors import InputError, listing
from engagement.provenance import Metadata, encode_fresh_chain, text_value
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow, count_lines
from engagement.sources.manifest import RawDataWriter

_COLUMNS = ("Sender", "Message", "ReceivedOn")
_UUID_START = "avf-phone-uuid-"
_DATE_FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
_SHA_TAIL = len('"' + "0" * 64 + '"}]\n')

_logger = logging.getLogger(__name__)


def fetch_recovery_csv(source: RecoveryCSVSource, context: FetchContext) -> list[FetchedFlow]:
    """Read the files anew; messages that are in Raw Data already keep their lines.

    Raises
    ------
    InputError
        A file has senders that are no uuids, or dates of another form: every row and column of it is named.
    """
    return [_fetch_file(url, context) for url in (*source.activation_flow_urls, *source.survey_flow_urls)]


def _fetch_file(url: str, context: FetchContext) -> FetchedFlow:
    name = flow_name_of_url(url)
    path = context.raw_data_file(name)
    zone = context.project.configuration.time_zone
    messages, repeated = _read_messages(context.storage.read_bytes(url), url, zone)
    if repeated:
        _logger.warning("Flow %r: %d rows stand more than once in the file, the same in every cell", name, repeated)
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
        _logger.info("Flow %r: %d messages written", name, len(lines))

    return FetchedFlow(name, path, len(lines), count_lines(path), write)


def _encode(data: Mapping[str, object], metadata: Metadata) -> bytes:
    return encode_fresh_chain([(data, metadata)]).encode("ascii") + b"\n"


def _read_messages(content: bytes, url: str, zone: ZoneInfo) -> tuple[list[dict[str, object]], int]:
    """The messages by time, then run id, each once, and how many rows were repetitions."""
    problems: list[str] = []
    messages: dict[str, tuple[datetime, dict[str, object]]] = {}
    rows = 0
    for number, row in _rows(content, url):
        rows += 1
        # The cells themselves are never shown: they are what people wrote, and perhaps phone numbers.
        found = list(_find_problems(row))
        received_on = None if found else _parse_date(row["ReceivedOn"])
        problems += [f"row {number}, column {column!r}: {problem}" for column, problem in found]
        if received_on is None:
            continue
        received_on = received_on.replace(tzinfo=zone)
        run_id = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        data = {
            "avf_phone_id": row["Sender"],
            "message": text_value(row["Message"]),
            "received_on": received_on.isoformat(),
            "run_id": run_id,
        }
        messages[run_id] = (received_on, data)
    if problems:
        raise InputError(f"{url}: {listing(problems)}")
    in_order = sorted(messages.items(), key=lambda item: (item[1][0], item[0]))
    return [data for _, (_, data) in in_order], rows - len(messages)


def _rows(content: bytes, url: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows by header, numbered as a spreadsheet numbers them: the header is row 1."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{url}, line {line}: not UTF-8 text; expected a CSV file in UTF-8. Save it so.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = [column for column in _COLUMNS if column not in header]
        if missing:
            raise InputError(
                f"{url}, row 1: no column {', '.join(map(repr, missing))}; expected {', '.join(map(repr, _COLUMNS))}. "
                "Name the columns in the first row."
            )
        for number, cells in enumerate(reader, 2):
            if cells:
                padded = cells + [""] * (len(header) - len(cells))
                yield number, dict(zip(header, padded, strict=False))
    except csv.Error as error:
        raise InputError(f"{url}, line {reader.line_num}: not CSV: {error}. Save the file anew as CSV.") from None


def _find_problems(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not row["Sender"].startswith(_UUID_START):
        kind = "looks like a phone number" if sum(map(str.isdigit, row["Sender"])) >= 6 else "is no participant's uuid"
        yield (
            "Sender",
            f"{kind}; expected '{_UUID_START}…'. Replace each number by its uuid in the uuid table, outside of this file.",
        )
    if _parse_date(row["ReceivedOn"]) is None:
        yield "ReceivedOn", "not a date of this form; expected dd/mm/YYYY HH:MM or dd/mm/YYYY HH:MM:SS. Mend it."


def _parse_date(text: str) -> datetime | None:
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007 - the zone is the project's
        except ValueError:
            continue
    return None
