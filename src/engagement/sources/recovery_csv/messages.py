"""Read the messages of a recovery file. Senders are ids, never phone numbers."""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engagement.configuration.participant_ids import find_strict_id_problem, match_prefixes
from engagement.foundation.errors import InputError, count_of
from engagement.sources.recovery_csv.model import RecoveryCSVSource
from engagement.sources.tables.delimited import DelimitedTable
from engagement.sources.tables.file_times import FileTimes
from engagement.sources.tables.times import TimeFormat, read_times

COLUMNS = ("Sender", "Message", "ReceivedOn")

_logger = logging.getLogger(__name__)


class RecoveredMessage(NamedTuple):
    """A recovered message."""

    sender: str
    text: str
    time: datetime


class FileReader(NamedTuple):
    """Reads files of a source. `now` and `start`, of the project, are for doubts about times."""

    source: RecoveryCSVSource
    zone: ZoneInfo
    prefix: str
    now: datetime
    start: datetime

    def read(self, content: bytes, url: str, name: str) -> list[RecoveredMessage]:
        """Read the messages in the order of the file, which is flow `name`; log what is odd about it.

        Raises
        ------
        InputError
            Senders are not ids, times have another format, or rows are broken; the error names row and column of each.
        """
        id_start = re.compile(f"(?:{match_prefixes(self.prefix)})")
        table = DelimitedTable(
            io.BytesIO(content),
            url,
            COLUMNS,
            self.source.encoding,
            lambda cells: sender < len(cells) and id_start.match(cells[sender].lstrip('"')) is not None,
        )
        sender, text, received_on = map(table.position, COLUMNS)
        rows: list[tuple[str, str]] = []
        times: list[tuple[str, dict[TimeFormat, datetime]]] = []
        gathered = FileTimes(self.now, self.start)
        for row in table.rows():
            # The cells themselves are never shown: they are people's texts, and perhaps phone numbers.
            problem = find_strict_id_problem(row.cells[sender], self.prefix)
            if problem is not None:
                table.problems.add(
                    f"{row.place}, column 'Sender': {problem}; expected '{self.prefix}<uuid>'. Replace it by the sender's id in "
                    "the uuid table, outside of this file."
                )
            rows.append((row.cells[sender], row.cells[text]))
            readings = read_times(row.cells[received_on], self.zone)
            times.append((row.place, readings))
            gathered.add(row.place, readings)
        configured = self.source.time_format
        form, unclear = gathered.choose_format() if configured == "auto" else (configured, None)
        for problem in _find_time_problems(times, form, gathered.common_formats):
            table.problems.add(problem)
        table.problems.refuse()
        if unclear is not None:
            raise InputError(f"{url}, {unclear}")
        if table.repeated_headers:
            _logger.warning(
                "Flow %r: the header stands %s in the file, which seems to be joined of several; passed over",
                name,
                f"{table.repeated_headers + 1} times",
            )
        for doubt in gathered.find_doubts(form):
            _logger.warning("Flow %r: %s. Check TimeFormat, and the file", name, doubt)
        return [
            RecoveredMessage(person, words, found[form])
            for (person, words), (_, found) in zip(rows, times, strict=True)
        ]


def _find_time_problems(
    times: Sequence[tuple[str, dict[TimeFormat, datetime]]], form: TimeFormat, others: Sequence[TimeFormat]
) -> Iterator[str]:
    """Find times that are not of the file's format; `others` are formats that all of them fit."""
    hint = f"All {count_of(len(times), 'time')} fit {others[0]}: set TimeFormat to it" if others else "Mend it"
    for place, found in times:
        if form not in found:
            yield (
                f"{place}, column 'ReceivedOn': not a date of this form; expected {form} HH:MM or {form} HH:MM:SS, or ISO 8601 "
                f"with an offset, like 2026-08-26T17:05:00+03:00. {hint}."
            )
