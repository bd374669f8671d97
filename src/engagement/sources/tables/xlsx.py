"""Read the rows of a workbook's sheet (.xlsx) as texts, or report all doubts. Nothing is guessed."""

import contextlib
import io
import itertools
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.foundation.csv_cells import encode_line
from engagement.foundation.errors import InputError
from engagement.sources.tables.delimited import TableRow
from engagement.sources.tables.headers import MOST_LINES_ABOVE, find_header
from engagement.sources.tables.row_problems import RowProblems

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
        self._values = _open(content, where, data_only=True)
        self._sheet = _choose_sheet(self._values, where, sheet)
        self._formulas = _open(content, where, data_only=False) if _has_formulas(content) else None
        head = list(itertools.islice(self._read(), MOST_LINES_ABOVE))
        self.header, _, self._header_number = find_header(
            [_as_line(cells) for _, cells in head], f"{where}, sheet {self._sheet!r}", wanted
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
        rows = _rows_of(self._values[self._sheet], after)
        written: Iterator[Sequence[Any]] = itertools.repeat(())
        if self._formulas is not None:
            written = _rows_of(self._formulas[self._sheet], after)
        try:
            for number, (row, formulas) in enumerate(zip(rows, written, strict=False), after + 1):
                if number > _MOST_ROWS:
                    raise ValueError("a row that no sheet has")
                if formulas:
                    yield number, [_read_cell(cell, formula) for cell, formula in itertools.zip_longest(row, formulas)]
                else:
                    yield number, [_read_cell(cell, None) for cell in row]
        except MemoryError:
            raise
        except Exception:
            # Whatever is wrong in a damaged sheet, the library lets it through as it is.
            raise InputError(
                f"{self.where}, sheet {self._sheet!r}: damaged; expected a sheet of an Excel workbook. Save it again, or get the "
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


def _open(content: bytes, where: str, data_only: bool) -> Any:
    # Few projects have workbooks.
    import openpyxl

    # Its warnings show values: a number in a cell with a date's format is one.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    try:
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data_only)
    except Exception as error:
        # Whatever is wrong in a damaged file, the library lets it through as it is.
        raise InputError(
            f"{where}: could not be read as a workbook ({type(error).__name__}); expected .xlsx. Save it again, or get the file "
            "again."
        ) from None


def _rows_of(sheet: Any, after: int) -> Iterator[Sequence[Any]]:
    # Many programs note a smaller table than they write: the library would leave out the rows beyond.
    sheet.reset_dimensions()
    rows: Iterator[Sequence[Any]] = sheet.iter_rows(min_row=after + 1)
    return rows


def _choose_sheet(workbook: Any, where: str, sheet: str | None) -> str:
    names: list[str] = [one.title for one in workbook.worksheets]
    if sheet is None and len(names) == 1:
        return names[0]
    if sheet in names:
        return str(sheet)
    found = f"no sheet {sheet!r}" if sheet is not None else f"{len(names)} sheets"
    expected = "one of them in Sheet" if sheet is None else "its name"
    shown = ", ".join(_show_sheet(one) for one in workbook.worksheets[:10])
    raise InputError(f"{where}: {found}; expected {expected}: {shown}. Change Sheet.")


def _show_sheet(sheet: Any) -> str:
    """Name a sheet, and say if it is hidden; one named after a number stays unnamed."""
    shown = "(not shown, as it holds a phone number)" if holds_phone_number(sheet.title) else repr(sheet.title)
    return shown if sheet.sheet_state == "visible" else f"{shown} (hidden)"


def _has_formulas(content: bytes) -> bool:
    """Tell whether a sheet has formulas: only then the workbook is read twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                with archive.open(name) as file:
                    before = b""
                    while block := file.read(1 << 20):
                        if b"<f>" in before + block or b"<f " in before + block:
                            return True
                        before = block[-2:]
    return False


def _read_cell(cell: Any, formula: Any) -> tuple[str, str | None]:
    value: Any = None if cell is None else cell.value
    if isinstance(value, str) and cell.data_type != "e":
        return value, None
    if value is None:
        if formula is not None and formula.data_type == "f":
            return "", (
                "a formula whose value was not saved; expected a value. Open the file in a spreadsheet program and save it, or "
                "paste the values."
            )
        return "", None
    if cell is not None and cell.data_type == "e":
        return "", "the error of a formula, like #NAME?; expected a value. Mend it in the sheet."
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
