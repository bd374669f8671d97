"""Read exports of received SMS. Phone numbers stay in memory."""

import functools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple
from zoneinfo import ZoneInfo

from engagement.configuration.participant_ids import find_strict_id_problem, split_participant_id
from engagement.desk.recovery.formats import ExportFormat
from engagement.desk.recovery.time_readings import Reading, TimeReadings
from engagement.foundation.errors import InputError, UsageError, count_of
from engagement.sources.number_cells import read_number_cell
from engagement.sources.submissions.submission import Respondent
from engagement.sources.tables.delimited import DelimitedTable
from engagement.sources.tables.file_times import FileTimes
from engagement.sources.tables.times import TIME_FORMATS, TimeFormat, find_common_formats, read_times
from engagement.sources.tables.xlsx import XlsxTable

_TOTAL = re.compile(r"\W*(?:grand |sub)?total\b", re.IGNORECASE)
_MOST_CELLS_OF_TOTALS = 2
# Longer ones may be somebody's number.
_SHORT_CODE = re.compile(r"[0-9]{2,6}|[A-Za-z]\w{0,10}")
_MOST_SHOWN = 20
_EXCEL_FORMAT: TimeFormat = "YYYY-mm-dd"
_LAST_MONTH = 12
# Where there is a problem, and nothing is used.
_NO_TIME = datetime.max.replace(tzinfo=UTC)


class ExportRow(NamedTuple):
    """A message that the telecom received. `sender` is a uid where the file has uids; `time` is aware."""

    sender: Respondent | str
    text: str
    time: datetime
    receiver: str


@dataclass
class Export:
    """What a file has: its messages in its order, and what was left out."""

    messages: list[ExportRow] = field(default_factory=list)
    to_others: int = 0
    without_number: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ExportReader:
    """Reads exports of a format.

    `prefix` begins the project's uids; `receiver` is the short code that counts.
    """

    form: ExportFormat
    zone: ZoneInfo
    prefix: str
    receiver: str | None = None
    leaves_out: bool = False
    sheet: str | None = None

    def read(self, path: Path) -> Export:
        """Read a file to its end.

        Raises
        ------
        InputError
            It is no such table, or rows have no usable number or time: the error names them.
        """
        try:
            file = path.open("rb")
        except OSError as error:
            raise UsageError(f"{path}: could not be read: {error.strerror}. Check the file's permissions.") from None
        with file:
            return self._read_table(self._open_table(file, path), path)

    def _read_table(self, table: DelimitedTable | XlsxTable, path: Path) -> Export:
        number, text, time = map(table.position, (self.form.number, self.form.text, self.form.time))
        receiver = None if self.form.receiver is None else table.position(self.form.receiver)
        export = Export()
        receivers: set[str] = set()
        # People write often: each cell is read once, and each person is in memory once.
        read_sender = functools.cache(self._read_sender)
        rows: list[tuple[Respondent | str, str, str]] = []
        times = TimeReadings(self.zone)
        for row in table.rows():
            cells = row.cells
            if _is_total(cells):
                continue
            to = "" if receiver is None else sys.intern(cells[receiver].strip())
            receivers.add(to)
            if self.receiver is not None and to != self.receiver:
                export.to_others += 1
                continue
            sender = read_sender(cells[number])
            if sender is None:
                export.without_number.append(row.place)
                continue
            rows.append((sender, cells[text], to))
            times.add(row, read_times(cells[time], self.zone))
        self._refuse_senders(export, len(rows), path)
        self._check_receivers(receivers, export, path)
        chosen, problems = self._choose_times(times, path.suffix.lower() == ".xlsx")
        for problem in problems:
            table.problems.add(problem)
        table.problems.refuse()
        export.messages = [
            ExportRow(sender, words, when, to) for (sender, words, to), when in zip(rows, chosen, strict=True)
        ]
        return export

    def _open_table(self, file: IO[bytes], path: Path) -> DelimitedTable | XlsxTable:
        if path.suffix.lower() == ".xlsx":
            return XlsxTable(file.read(), str(path), self.form.columns, self.sheet)
        number = 0
        table = DelimitedTable(
            file,
            str(path),
            self.form.columns,
            self.form.encoding,
            # A line of a text may be a number, too, but no separator follows it.
            lambda cells: number < len(cells) - 1 and self._read_sender(cells[number].strip('"')) is not None,
            _is_total,
        )
        number = table.position(self.form.number)
        return table

    def _read_sender(self, cell: str) -> Respondent | str | None:
        if split_participant_id(cell.strip(), self.prefix)[0]:
            return cell.strip() if find_strict_id_problem(cell.strip(), self.prefix) is None else None
        return read_number_cell(cell, self.form.country)

    def _refuse_senders(self, export: Export, count: int, path: Path) -> None:
        if not export.without_number or self.leaves_out:
            return
        rest = len(export.without_number) - _MOST_SHOWN
        shown = "; ".join(export.without_number[:_MOST_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
        raise InputError(
            f"{path}, column {self.form.number!r}: {len(export.without_number)} of {count + len(export.without_number)} rows have "
            f"no usable phone number: {shown}; expected one in each, with its country's code or with --country. A spreadsheet "
            "program cuts them, as in 2.5E+11: ask the telecom for its original, or leave these rows out with --without-number "
            "leave-out."
        )

    def _check_receivers(self, receivers: set[str], export: Export, path: Path) -> None:
        named = sorted(
            code if _SHORT_CODE.fullmatch(code) else "one that is no short code" for code in receivers if code
        )
        if self.receiver is None:
            if len(receivers) > 1:
                raise InputError(
                    f"{path}, column {self.form.receiver!r}: messages to {len(receivers)} receivers: {', '.join(named[:10])}; "
                    "expected one. Say with --receiver which is this project's."
                )
        elif self.form.receiver is None:
            raise UsageError("--receiver: the format has no column of receivers; expected one. Add --receiver-column.")
        elif self.receiver not in receivers:
            raise InputError(
                f"{path}, column {self.form.receiver!r}: no message to {self.receiver!r}; it has {', '.join(named[:10]) or 'none'}. "
                "Check --receiver."
            )

    def _choose_times(self, times: TimeReadings, is_workbook: bool) -> tuple[Iterable[datetime], list[str]]:
        """Return each row's time, and the problems with them; with problems the times are of no use."""
        forms = self.form.time_formats
        if not times:
            return [], []
        if is_workbook:
            return _read_workbook_times(times, forms)
        if not forms:
            gathered = FileTimes()
            for place, found in times:
                gathered.add(place, found)
            form, unclear = gathered.choose_format()
            problems = [] if unclear is None else [unclear.replace("Set TimeFormat to", "Set --time-format to")]
        else:
            # The first one that fits all, else the one that fits most.
            form = max(forms, key=times.count_fitting)
            problems = []
        if times.count_fitting(form) < len(times):
            problems += _find_misfits(times, (form,))
        return times.in_format(form, _NO_TIME), problems


def _read_workbook_times(times: Sequence[Reading], forms: Sequence[TimeFormat]) -> tuple[list[datetime], list[str]]:
    # What the program knew to be a date has no other reading; the rest is text.
    texts = [(place, found) for place, found in times if _EXCEL_FORMAT not in found]
    dates = [found[_EXCEL_FORMAT] for _, found in times if _EXCEL_FORMAT in found]
    others = [form for form in forms if form != _EXCEL_FORMAT] or [
        form for form in find_common_formats([found for _, found in texts]) if form != _EXCEL_FORMAT
    ]
    form = next(
        (one for one in others if all(one in found for _, found in texts)), others[0] if others else _EXCEL_FORMAT
    )
    problems = list(_find_misfits(texts, (form,)))
    days = [found[form].day for _, found in texts if form in found]
    if days and dates and min(days) > _LAST_MONTH >= max(date.day for date in dates):
        # It took those that could be months for months, and turned them.
        problems.append(
            f"{count_of(len(dates), 'time')} up to the 12th as dates, {len(days)} after it as texts, so that day and month of the "
            "former have changed places; expected the telecom's own file. Ask for it"
        )
    return [found.get(_EXCEL_FORMAT) or found.get(form, _NO_TIME) for _, found in times], problems


def _find_misfits(times: Sequence[Reading], forms: tuple[TimeFormat, ...]) -> Iterator[str]:
    fitting = [form for form in TIME_FORMATS if times and all(form in found for _, found in times)]
    hint = f"All fit {fitting[0]}: use --time-format" if fitting else "Mend it, or use --time-format"
    for place, found in times:
        if not any(form in found for form in forms):
            yield f"{place}: not a time of this form; expected {' or '.join(forms)} HH:MM or HH:MM:SS. {hint}."


def _is_total(cells: Sequence[str]) -> bool:
    """Tell whether a row is a sum below the table."""
    filled = [cell for cell in cells if cell.strip()]
    return 0 < len(filled) <= _MOST_CELLS_OF_TOTALS and _TOTAL.match(filled[0]) is not None and cells[0] == filled[0]
