"""Read the rows of one spreadsheet: who, when, and the texts of the questions' columns."""

import io
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engagement.configuration.participant_ids import find_strict_id_problem
from engagement.foundation.errors import InputError, count_of
from engagement.foundation.microseconds import count_microseconds
from engagement.sources.number_cells import read_number_cell
from engagement.sources.spreadsheet.model import SpreadsheetQuestion, SpreadsheetTable
from engagement.sources.spreadsheet.packed_rows import PackedRows
from engagement.sources.submissions.respondents import number_respondent
from engagement.sources.submissions.submission import Respondent
from engagement.sources.tables.delimited import DelimitedTable
from engagement.sources.tables.file_times import FileTimes
from engagement.sources.tables.times import TIME_FORMATS, TimeFormat, read_times
from engagement.sources.tables.xlsx import XlsxTable

# How Excel shows a number that it took to be one to calculate with.
_LOST_DIGITS = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
_CHANNEL = "spreadsheet"
# A cell with a date alone is the beginning of its day for a spreadsheet.
_MIDNIGHT = re.compile(r"[ T]00:00:00")
# How a workbook's dates are read as texts.
_OF_DATES: TimeFormat = "YYYY-mm-dd"
_MONTHS, _LONGEST_MONTH = 12, 31
_TIME_REASON = "its time is empty, or no date with a time of the day"

_logger = logging.getLogger(__name__)


class SpreadsheetRow(NamedTuple):
    """A row that can be used. `uid` is there if the file has uids; `texts` are in order of `columns`.

    `times` are the microseconds of its time in each format that it fits, one number if they are the same.
    """

    number: int
    respondent: Respondent
    uid: str | None
    times: int | dict[TimeFormat, int]
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

    def read(self, content: bytes, url: str) -> "FileRows":
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
        good = PackedRows(SpreadsheetRow)
        times = FileTimes(self.now, self.start)
        dates = _WorkbookDates()
        broken: list[BrokenRow] = []
        passed_over = _PassedOver()
        for row in rows.rows():
            cells = row.cells
            who, when = cells[person].strip(), _join_time([cells[at].strip() for at in time_positions])
            if not who and not when:
                # The totals below a table, or a remark.
                passed_over.add(row.number, has_answer=any(cells[at].strip() for at in text_positions))
                continue
            readings = dates.read(when, time_positions[0] in row.dated, self.zone)
            if not readings:
                broken.append(BrokenRow(row.number, _TIME_REASON))
                continue
            times.add(f"row {row.number}", readings)
            respondent, uid, reason = self._identify(who)
            if respondent is None:
                broken.append(BrokenRow(row.number, reason))
                continue
            texts = tuple([cells[at].strip() for at in text_positions])
            good.add(SpreadsheetRow(row.number, respondent, uid, _pack_times(readings), texts))
        rows.problems.refuse()
        form = self._choose_format(times, dates, url)
        self._log(url, rows.repeated_headers, passed_over, times.find_doubts(form))
        return FileRows(good, form, broken)

    def _identify(self, who: str) -> tuple[Respondent | None, str | None, str]:
        """Read who it is, or say why not; never show it."""
        if self.table.participant_column is not None:
            problem = find_strict_id_problem(who, self.prefix)
            return (None, None, f"its uid: {problem}") if problem else (Respondent((), _CHANNEL, _CHANNEL), who, "")
        if _LOST_DIGITS.fullmatch(who):
            return None, None, "its phone number lost digits, like 2.5E+11"
        respondent = read_number_cell(who, self.country)
        return respondent, None, "" if respondent is not None else self._say_number_problem(who)

    def _say_number_problem(self, who: str) -> str:
        if not who:
            return "it has no phone number"
        if number_respondent(who, self.country) is None:
            return "its phone number is none"
        if self.country is None:
            return "its phone number has no country's code: set Country in the source, like 'KE'"
        return f"its phone number is none of {self.country}, and has no country's code"

    def _choose_format(self, times: FileTimes, dates: "_WorkbookDates", url: str) -> TimeFormat:
        configured = self.table.time_format
        form, unclear = times.choose_format() if configured == "auto" else (configured, None)
        if unclear is not None:
            raise InputError(f"{url}, {unclear}")
        misfits, first = times.find_misfits(form)
        if misfits:
            common = times.common_formats
            remedy = f"All fit {common[0]}: set TimeFormat to it" if common else "Mend them: a file has one format"
            raise InputError(
                f"{url}: {count_of(misfits, 'time')} of {times.count} not of the form {form}, first in {first}; expected all. {remedy}."
            )
        dates.refuse_turned(form, url)
        return form

    def _log(self, url: str, headers: int, passed_over: "_PassedOver", doubts: Iterable[str]) -> None:
        name = url.rpartition("/")[2]
        if headers:
            _logger.warning(
                "%s: the header stands %d times in it, which seems to be joined of several; passed over",
                name,
                headers + 1,
            )
        passed_over.log(name)
        for doubt in doubts:
            _logger.warning("%s: %s. Check TimeFormat, and the file", name, doubt)


class _PassedOver:
    """Counts the rows without respondent and time, and those of them with an answer."""

    def __init__(self) -> None:
        self._count = self._with_answer = self._first = 0

    def add(self, number: int, has_answer: bool) -> None:
        """Count a row."""
        self._count += 1
        self._with_answer += has_answer
        if has_answer and not self._first:
            self._first = number

    def log(self, name: str) -> None:
        """Say how many there are in a file."""
        if self._count:
            _logger.info("%s: %s without respondent and time passed over", name, count_of(self._count, "row"))
        if self._with_answer:
            _logger.warning(
                "%s: %s with an answer, but without respondent and time, the first in row %d: not taken. If cells are merged, part them",
                name,
                count_of(self._with_answer, "row"),
                self._first,
            )


class FileRows(NamedTuple):
    """The rows of a file, the format of their times, and the rows that can't be used."""

    good: PackedRows[SpreadsheetRow]
    form: TimeFormat
    broken: list[BrokenRow]


class _WorkbookDates:
    """Tells the cells of a workbook that are dates from those that are texts: a date needs no format."""

    def __init__(self) -> None:
        self._latest_dated = 0
        self._earliest_written: dict[TimeFormat, int] = {}

    def read(self, text: str, is_dated: bool, zone: ZoneInfo) -> dict[TimeFormat, datetime]:
        """Read a time in each format that it fits; a date fits all of them."""
        readings = read_times(text, zone)
        if is_dated and (time := readings.get(_OF_DATES)) is not None:
            self._latest_dated = max(self._latest_dated, time.day)
            return dict.fromkeys(TIME_FORMATS, time)
        # Texts with the year first, or with an offset, are never turned.
        for form, time in readings.items() if _OF_DATES not in readings else ():
            self._earliest_written[form] = min(self._earliest_written.get(form, _LONGEST_MONTH), time.day)
        return readings

    def refuse_turned(self, form: TimeFormat, url: str) -> None:
        """Refuse dates whose day and month a program seems to have swapped.

        Raises
        ------
        InputError
            All days up to the 12th are dates, and all later ones are texts.
        """
        if 0 < self._latest_dated <= _MONTHS < self._earliest_written.get(form, 0):
            raise InputError(
                f"{url}: all times up to the {_MONTHS}th of a month are dates and all later ones are texts, as if a program had swapped "
                "the day and the month of the former; expected one kind. Get the file again as it was exported."
            )


def _pack_times(readings: dict[TimeFormat, datetime]) -> int | dict[TimeFormat, int]:
    times = list(readings.values())
    if times.count(times[0]) == len(times):
        return count_microseconds(times[0])
    return {form: count_microseconds(time) for form, time in readings.items()}


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
