"""Read the rows of a workbook's sheet (.xlsx) as texts, or report all doubts. Nothing is guessed."""

import contextlib
import io
import itertools
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time

from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.foundation.csv_cells import encode_line
from engagement.foundation.errors import InputError
from engagement.sources.tables.delimited import TableRow
from engagement.sources.tables.headers import MOST_LINES_ABOVE, find_header
from engagement.sources.tables.row_problems import RowProblems
from engagement.sources.tables.sheet_rows import SheetCell
from engagement.sources.tables.workbook_parts import SheetPart, open_workbook

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# A hundred thousand rows of survey answers take a tenth of it. Shared texts are in memory all at once.
_MOST_BYTES, _MOST_TEXT_BYTES = 512 << 20, 64 << 20
_NOT_READ_WHOLE = ("xl/worksheets/", "xl/media/")
# From here on not every whole number has a float of its own: digits may be lost.
_LARGEST_SURE = 2**53
# In place of a fault: the cell is a date.
_DATE = "a date"
# A sheet of Excel has no more.
_MOST_ROWS = 1 << 20


class XlsxTable:
    """A sheet of a workbook: the one named, else the only one. Used like `DelimitedTable`.

    `problems` collects broken rows: formulas without a value, errors of formulas, numbers that lost digits.
    """

    def __init__(self, content: bytes, where: str, wanted: Sequence[str], sheet: str | None = None):
        self.where = where
        self.wanted = tuple(wanted)
        self.problems = RowProblems(where)
        self.repeated_headers = 0
        _refuse_other_files(content, where)
        self._workbook = open_workbook(content, where)
        self._sheet = _choose_sheet(self._workbook.sheets, where, sheet)
        head = list(itertools.islice(self._read(), MOST_LINES_ABOVE))
        self.header, _, self._header_number = find_header(
            [_as_line(cells) for _, cells in head], f"{where}, sheet {self._sheet.title!r}", wanted, in_cells=True
        )
        self._wanted_positions = sorted(map(self.header.index, wanted))

    def position(self, column: str) -> int:
        """Return the position of a column among the cells."""
        return self.header.index(column)

    def rows(self) -> Iterator[TableRow]:
        """Yield the rows below the header, once, as texts. Broken ones become problems.

        Empty ones and repeated headers are passed over. Only wanted columns are looked at.
        """
        count, width = 0, len(self.header)
        for number, cells in self._read(self._header_number):
            texts = [text for text, _ in cells[:width]]
            texts += [""] * (width - len(texts))
            dated: list[int] = []
            faults: list[str] = []
            for position in self._wanted_positions:
                note = cells[position][1] if position < len(cells) else None
                if note is _DATE:
                    dated.append(position)
                elif note is not None:
                    faults.append(f"row {number}, column {self.header[position]!r}: {note}")
            if not faults and not any(map(str.strip, texts)):
                continue
            if texts == self.header:
                self.repeated_headers += 1
                continue
            count += 1
            for fault in faults:
                self.problems.add(fault)
            if not faults:
                yield TableRow(number, number, texts, dated)
        if not count:
            self.problems.add(
                f"row {self._header_number}: a header and no row below it; expected at least one row. Get the file again; if "
                "there is nothing to read, leave it out."
            )

    def _read(self, after: int = 0) -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
        """Read each row's number, and each cell's text with its fault or the note of a date."""
        expected = after + 1
        try:
            for number, cells in self._workbook.read_rows(self._sheet):
                if number > _MOST_ROWS:
                    raise ValueError("a row that no sheet has")
                if number < expected:
                    continue
                yield from ((missing, []) for missing in range(expected, number))
                yield number, [_read_cell(cell) for cell in cells]
                expected = number + 1
        except MemoryError:
            raise
        except Exception:
            # Whatever is wrong in a damaged sheet, the library lets it through as it is.
            raise InputError(
                f"{self.where}, sheet {self._sheet.title!r}: damaged; expected a sheet of an Excel workbook. Save it again, or get the "
                "file again."
            ) from None


def _refuse_other_files(content: bytes, where: str) -> None:
    """Refuse what is no workbook, and one that unpacks to far more than people write."""
    if content.startswith(_OLE):
        raise InputError(
            f"{where}: an old workbook (.xls), or one with a password; expected .xlsx without. Save it as 'Excel workbook (.xlsx)'."
        )
    sizes: list[tuple[str, int]] = []
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = [(entry.filename, entry.file_size) for entry in archive.infolist()]
    if not content.startswith(_ZIP) or not sizes:
        raise InputError(f"{where}: not an Excel workbook; expected .xlsx. Save it again, or get the file again.")
    # An archive with other sizes than it says breaks off while it is read.
    total = sum(size for _, size in sizes)
    # Only sheets are read row by row. Texts and styles are in memory all at once, whatever the part that holds them is called.
    whole = sum(size for name, size in sizes if not name.startswith(_NOT_READ_WHOLE))
    if total > _MOST_BYTES or whole > _MOST_TEXT_BYTES:
        raise InputError(
            f"{where}: {total >> 20} MB when unpacked; expected at most {_MOST_BYTES >> 20}, {_MOST_TEXT_BYTES >> 20} "
            "of texts. Part the table, or save it as CSV."
        )


def _choose_sheet(sheets: Sequence[SheetPart], where: str, wanted: str | None) -> SheetPart:
    found = [one for one in sheets if wanted is None or one.title == wanted]
    if len(found) == 1:
        return found[0]
    fault = f"no sheet {wanted!r}" if wanted is not None else f"{len(sheets)} sheets"
    expected = "one of them in Sheet" if wanted is None else "its name"
    shown = ", ".join(_show_sheet(one) for one in sheets[:10])
    raise InputError(f"{where}: {fault}; expected {expected}: {shown}. Change Sheet.")


def _show_sheet(sheet: SheetPart) -> str:
    """Name a sheet, and say if it is hidden; one named after a number stays unnamed."""
    shown = "(not shown, as it holds a phone number)" if holds_phone_number(sheet.title) else repr(sheet.title)
    return shown if sheet.state == "visible" else f"{shown} (hidden)"


def _read_cell(cell: SheetCell) -> tuple[str, str | None]:
    value = cell.value
    if cell.is_error:
        return "", "the error of a formula, like #NAME?; expected a value. Mend it in the sheet."
    if isinstance(value, str):
        return value, None
    if value is None:
        if cell.has_formula:
            return "", (
                "a formula whose value was not saved; expected a value. Open the file in a spreadsheet program and save it, or "
                "paste the values."
            )
        return "", None
    if isinstance(value, bool):
        return str(value).upper(), None
    if isinstance(value, float):
        if abs(value) >= _LARGEST_SURE:
            return "", "a number with so many digits that some are lost; expected it as text. Get the original file."
        return (str(int(value)) if value.is_integer() else repr(value)), None
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds" if value.microsecond else "seconds"), _DATE
    if isinstance(value, date | time):
        return value.isoformat(), _DATE if isinstance(value, date) else None
    if isinstance(value, int) and abs(value) >= _LARGEST_SURE:
        return "", "a number with so many digits that some are lost; expected it as text. Get the original file."
    return str(value), None


def _as_line(cells: Sequence[tuple[str, str | None]]) -> str:
    return encode_line([text for text, _ in cells])
