"""Read the rows of one spreadsheet: who, when, and the texts of the questions' columns."""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engagement.configuration.participant_ids import find_strict_id_problem
from engagement.foundation.errors import InputError, count_of
from engagement.sources.spreadsheet.model import SpreadsheetQuestion, SpreadsheetTable
from engagement.sources.submissions.respondents import number_respondent
from engagement.sources.submissions.submission import Respondent
from engagement.sources.tables.delimited import DelimitedTable
from engagement.sources.tables.time_doubts import find_time_doubts
from engagement.sources.tables.times import TimeFormat, choose_format, find_common_formats, read_times
from engagement.sources.tables.xlsx import XlsxTable

# How Excel shows a number that it took to be one to calculate with.
_LOST_DIGITS = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
_CHANNEL = "spreadsheet"
# A cell with a date alone is the beginning of its day for a spreadsheet.
_MIDNIGHT = re.compile(r"[ T]00:00:00")
_TIME_REASON = "its time is empty, or no date with a time of the day"

_logger = logging.getLogger(__name__)


class SpreadsheetRow(NamedTuple):
    """A row that can be used. `uid` is there if the file has uids; `texts` are in order of `columns`."""

    number: int
    respondent: Respondent
    uid: str | None
    time: datetime
    texts: tuple[str, ...]


class BrokenRow(NamedTuple):
    """A row that can't be used, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class SpreadsheetReader:
    """What reading the files of a table needs to know. `columns` are those with texts, each once."""

    table: SpreadsheetTable
    columns: tuple[str, ...]
    country: str | None
    zone: ZoneInfo
    prefix: str
    now: datetime
    start: datetime

    def read(self, content: bytes, url: str) -> tuple[list[SpreadsheetRow], list[BrokenRow]]:
        """Read the rows in the order of the file; log what is odd about it.

        Raises
        ------
        InputError
            It is not such a table, or its times have no format in common.
        """
        wanted = wanted_columns(self.table, self.columns)
        rows = open_table(content, url, wanted, self.table)
        person = rows.position(wanted[0])
        time_positions = [rows.position(column) for column in self.table.time_columns]
        text_positions = [rows.position(column) for column in self.columns]
        found: list[tuple[int, str, tuple[str, ...]]] = []
        times: list[tuple[str, dict[TimeFormat, datetime]]] = []
        broken: list[BrokenRow] = []
        passed_over = 0
        for row in rows.rows():
            cells = row.cells
            who, when = cells[person].strip(), _join_time([cells[at].strip() for at in time_positions])
            if not who and not when:
                # The totals below a table, or a remark.
                passed_over += 1
                continue
            readings = read_times(when, self.zone)
            if not readings:
                broken.append(BrokenRow(row.number, _TIME_REASON))
                continue
            found.append((row.number, who, tuple(cells[at].strip() for at in text_positions)))
            times.append((f"row {row.number}", readings))
        rows.problems.refuse()
        form = self._choose_format(times, url)
        self._log(url, rows.repeated_headers, passed_over, times, form)
        good: list[SpreadsheetRow] = []
        for (number, who, texts), (_, readings) in zip(found, times, strict=True):
            respondent, uid, reason = self._identify(who)
            if respondent is None:
                broken.append(BrokenRow(number, reason))
            else:
                good.append(SpreadsheetRow(number, respondent, uid, readings[form], texts))
        return good, broken

    def _identify(self, who: str) -> tuple[Respondent | None, str | None, str]:
        """Read who it is, or say why not; never show it."""
        if self.table.participant_column is not None:
            problem = find_strict_id_problem(who, self.prefix)
            return (None, None, f"its uid: {problem}") if problem else (Respondent((), _CHANNEL, _CHANNEL), who, "")
        if _LOST_DIGITS.fullmatch(who):
            return None, None, "its phone number lost digits, like 2.5E+11"
        respondent = number_respondent(who, self.country)
        return respondent, None, "its phone number is none" if who else "it has no phone number"

    def _choose_format(self, times: Sequence[tuple[str, dict[TimeFormat, datetime]]], url: str) -> TimeFormat:
        readings = [readings for _, readings in times]
        configured = self.table.time_format
        form, unclear = choose_format(times) if configured == "auto" else (configured, None)
        if unclear is not None:
            raise InputError(f"{url}, {unclear}")
        others = [place for place, found in times if form not in found]
        if others:
            common = find_common_formats(readings)
            remedy = f"All fit {common[0]}: set TimeFormat to it" if common else "Mend them: a file has one format"
            raise InputError(
                f"{url}: {count_of(len(others), 'time')} of {len(times)} not of the form {form}, first in {others[0]}; expected all. "
                f"{remedy}."
            )
        return form

    def _log(
        self,
        url: str,
        headers: int,
        passed_over: int,
        times: Sequence[tuple[str, dict[TimeFormat, datetime]]],
        form: TimeFormat,
    ) -> None:
        name = url.rpartition("/")[2]
        if headers:
            _logger.warning(
                "%s: the header stands %d times in it, which seems to be joined of several; passed over",
                name,
                headers + 1,
            )
        if passed_over:
            _logger.info("%s: %s without respondent and time passed over", name, count_of(passed_over, "row"))
        for doubt in find_time_doubts(times, form, self.now, self.start):
            _logger.warning("%s: %s. Check TimeFormat, and the file", name, doubt)


def _join_time(cells: Sequence[str]) -> str:
    """Join a date and a time of the day; workbooks have cells with dates alone as midnight.

    >>> _join_time(["2026-08-26 00:00:00", "17:05:00"]), _join_time(["26/08/2026 17:05"])
    ('2026-08-26 17:05:00', '26/08/2026 17:05')
    """
    if len(cells) == 1:
        return cells[0]
    day, clock = cells
    if clock and (found := _MIDNIGHT.search(day)) is not None:
        day = day[: found.start()]
    return f"{day} {clock}".strip()


def text_columns(table: SpreadsheetTable, survey_questions: Sequence[SpreadsheetQuestion]) -> tuple[str, ...]:
    """List the columns of a table with answers, each once."""
    return tuple(dict.fromkeys(question.column for question in (*table.episode_questions, *survey_questions)))


def wanted_columns(table: SpreadsheetTable, columns: Sequence[str]) -> tuple[str, ...]:
    """List all columns that a file must have, the respondent's first."""
    person = table.phone_number_column or table.participant_column or ""
    return tuple(dict.fromkeys((person, *table.time_columns, *columns)))


def open_table(content: bytes, url: str, wanted: Sequence[str], table: SpreadsheetTable) -> DelimitedTable | XlsxTable:
    """Open a file and find its header.

    Raises
    ------
    InputError
        It is not such a table.
    """
    if url.lower().endswith(".xlsx") or content.startswith(b"PK\x03\x04"):
        return XlsxTable(content, url, wanted, table.sheet)
    return DelimitedTable(io.BytesIO(content), url, wanted, table.encoding)


def number_repeated(digests: Sequence[str]) -> Iterator[str]:
    """Make a key of each row's digest: the second row that is the same gets another one than the first.

    >>> list(number_repeated(["a", "b", "a"]))
    ['a-1', 'b-1', 'a-2']
    """
    counts: dict[str, int] = {}
    for digest in digests:
        counts[digest] = counts.get(digest, 0) + 1
        yield f"{digest}-{counts[digest]}"
