"""Read the rows of a workbook's sheet from its XML, block by block, in little memory.

What a cell means is left to openpyxl: its shared texts, its formats of dates, and its calendar.
"""

import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple
from xml.parsers import expat

_BLOCK_BYTES = 1 << 16
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
_ROW, _CELL, _VALUE, _FORMULA, _INLINE, _SHARED, _TEXT, _PHONETIC = (
    _NAMESPACE + name for name in ("row", "c", "v", "f", "is", "si", "t", "rPh")
)
_DIGITS = "0123456789"
_CODE = re.compile("_x([0-9A-Fa-f]{4})_")
_SURROGATES = range(0xD800, 0xE000)


class SheetCell(NamedTuple):
    """A cell's value; whether it is an error, of a formula or a date; whether it has a formula."""

    value: Any
    is_error: bool = False
    has_formula: bool = False


EMPTY = SheetCell(None)


class SheetRow(NamedTuple):
    """A row with its number, from 1. Cells that the sheet leaves out are empty."""

    number: int
    cells: list[SheetCell]


def read_sheet_rows(file: IO[bytes], workbook: Any, shared_texts: list[str]) -> Iterator[SheetRow]:
    """Read the rows in the order of the file.

    Raises
    ------
    Exception
        The sheet is damaged: whatever expat, zipfile or a value that is none raises.
    """
    parser = _SheetParser(workbook, shared_texts)
    while block := file.read(_BLOCK_BYTES):
        yield from parser.feed(block)
    yield from parser.feed(b"", is_last=True)


def read_shared_texts(file: IO[bytes]) -> list[str]:
    """Read the texts that the cells of a workbook share, without their formats and their readings aloud."""
    texts: list[str] = []
    parts: list[str] = []
    open_phonetics: list[str] = []
    parser = _create_parser()

    def start(name: str, _: dict[str, str]) -> None:
        if name == _TEXT and not open_phonetics:
            parser.CharacterDataHandler = parts.append
        elif name == _SHARED:
            parts.clear()
        elif name == _PHONETIC:
            open_phonetics.append(name)

    def end(name: str) -> None:
        if name == _TEXT:
            parser.CharacterDataHandler = None
        elif name == _SHARED:
            texts.append(_decode_text("".join(parts)))
        elif name == _PHONETIC:
            open_phonetics.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.ParseFile(file)
    return texts


class _SheetParser:
    """Collects the rows of a sheet while expat tells of its elements."""

    def __init__(self, workbook: Any, shared_texts: list[str]):
        self._values = _CellValues(workbook, shared_texts)
        self._expat = _create_parser()
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._rows: list[SheetRow] = []
        self._columns: dict[str, int] = {}
        self._number = 0
        self._cells: list[SheetCell] = []
        # Of the cell that is being read.
        self._attributes: dict[str, str] = {}
        self._value: str | None = None
        self._texts: list[str] = []
        self._inline: list[str] | None = None
        self._has_formula = self._is_phonetic = False

    def feed(self, block: bytes, is_last: bool = False) -> list[SheetRow]:
        """Parse a block; return the rows that end in it."""
        self._expat.Parse(block, is_last)
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _CELL:
            self._attributes = attributes
            self._value = self._inline = None
            self._has_formula = False
        elif name == _VALUE or (name == _TEXT and self._inline is not None and not self._is_phonetic):
            self._texts = []
            self._expat.CharacterDataHandler = self._texts.append
        elif name == _ROW:
            number = _read_row_number(attributes["r"]) if "r" in attributes else self._number + 1
            if number <= self._number:
                raise ValueError("a row that stands there twice, or not in its place")
            self._number = number
            self._cells = []
        elif name == _INLINE:
            self._inline = []
        elif name == _FORMULA:
            self._has_formula = True
        elif name == _PHONETIC:
            self._is_phonetic = True

    def _end(self, name: str) -> None:
        if name == _CELL:
            self._add_cell()
        elif name == _VALUE:
            self._expat.CharacterDataHandler = None
            self._value = "".join(self._texts)
        elif name == _TEXT and self._inline is not None and not self._is_phonetic:
            self._expat.CharacterDataHandler = None
            self._inline += self._texts
        elif name == _ROW:
            self._rows.append(SheetRow(self._number, self._cells))
        elif name == _PHONETIC:
            self._is_phonetic = False

    def _add_cell(self) -> None:
        attributes, cells = self._attributes, self._cells
        place = attributes.get("r")
        column = len(cells) + 1 if place is None else self._find_column(place)
        kind = attributes.get("t", "n")
        if kind == "inlineStr":
            value, is_error = None if self._inline is None else _decode_text("".join(self._inline)), False
        else:
            value, is_error = (
                self._values.read(self._value, kind, attributes.get("s", "0")) if self._value else (None, False)
            )
        if column <= len(cells) and cells[column - 1] is not EMPTY:
            raise ValueError("a cell that stands there twice")
        if column > len(cells) + 1:
            cells += [EMPTY] * (column - len(cells) - 1)
        cells[column - 1 : column] = [SheetCell(value, is_error, self._has_formula)]

    def _find_column(self, place: str) -> int:
        letters = place.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            from openpyxl.utils import column_index_from_string

            column = self._columns[letters] = column_index_from_string(letters)
        return column


class _CellValues:
    """Reads the texts of values by their cells' types and styles."""

    def __init__(self, workbook: Any, shared_texts: list[str]):
        from openpyxl.utils.datetime import from_excel, from_ISO8601

        self._from_excel, self._from_iso = from_excel, from_ISO8601
        self._shared_texts = shared_texts
        self._epoch = workbook.epoch
        self._dates = {str(style) for style in workbook._date_formats}
        self._durations = {str(style) for style in workbook._timedelta_formats}

    def read(self, text: str, kind: str, style: str) -> tuple[Any, bool]:
        """Read a value; also tell whether it is an error."""
        if kind == "n":
            number = float(text) if "." in text or "E" in text or "e" in text else int(text)
            if style not in self._dates:
                return number, False
            try:
                return self._from_excel(number, self._epoch, timedelta=style in self._durations), False
            except (OverflowError, ValueError):
                return None, True
        if kind == "s":
            return self._shared_texts[int(text)], False
        if kind == "b":
            return bool(int(text)), False
        if kind == "d":
            return self._from_iso(text), False
        return _decode_text(text), kind == "e"


def _create_parser() -> expat.XMLParserType:
    """Create a parser that refuses texts that come from elsewhere, or multiply."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type with texts of its own")


def _decode_text(text: str) -> str:
    """Decode the characters that XML can't hold, and the underscores that look like them.

    >>> _decode_text("one_x000D_"), _decode_text("_x005F_x000D_")
    ('one\\r', '_x000D_')
    """
    return _CODE.sub(_decode_character, text) if "_x" in text else text


def _decode_character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    # Halves of a pair would be no text.
    return found[0] if code in _SURROGATES else chr(code)


def _read_row_number(text: str) -> int:
    """Read a row's number; some programs write 4.0."""
    number = float(text)
    if not number.is_integer():
        raise ValueError("not a row's number")
    return int(number)
