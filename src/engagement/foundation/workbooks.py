"""Workbooks (.xlsx) for spreadsheet programs: texts of any script, and nothing that is ever run.

Sheets are written row by row, so memory does not grow with them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.foundation.files import explain_os_errors, make_directory, open_bytes_for_writing

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

# What Excel can hold; it counts characters as UTF-16 does, an emoji twice.
LONGEST_CELL = 32_767
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
_LONGEST_NAME, _REFUSED_IN_NAMES = 31, re.compile(r"[\[\]:*?/\\]")
_WIDEST_COLUMN, _NARROWEST_COLUMN = 60, 8
_LINE_END = re.compile("\r\n?")
# XML holds none of these, nor half a character, nor what Unicode calls no character.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Without leading zeros: those would be lost.
_is_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?").fullmatch
# The same for every run, so that the same tables make the same bytes.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class WorkbookSheet:
    """A sheet: its name, column names and rows, read once; columns `numbers` hold numbers where they can."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass
class WorkbookLosses:
    """What a workbook can't hold: counts of cells cut, characters replaced and columns left out."""

    cut_cells: int = 0
    replaced_characters: int = 0
    left_out_columns: int = 0

    def say(self) -> str:
        """Write them in words; "" if nothing was lost.

        >>> WorkbookLosses(cut_cells=2).say()
        '2 cell(s) cut at 32,767 characters'
        """
        told = (
            (self.cut_cells, f"cell(s) cut at {LONGEST_CELL:,} characters"),
            (self.replaced_characters, "control character(s) replaced"),
            (self.left_out_columns, f"column(s) after the first {MOST_COLUMNS:,} left out"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in told if count)


def is_number(cell: str) -> bool:
    """Tell whether a workbook can hold a cell as a number without changing what it says.

    >>> is_number("12.5"), is_number("007"), is_number("=1")
    (True, False, False)
    """
    return _is_number(cell) is not None


def fit_cell(text: str, losses: WorkbookLosses) -> str:
    r"""Make a text one that a cell can hold; count what is lost.

    >>> fit_cell("a\r\nb\x07", WorkbookLosses())
    'a\nb\ufffd'
    """
    if text.isprintable() and len(text) <= LONGEST_CELL // 2:
        return text
    text, replaced = _NOT_IN_XML.subn("\ufffd", _LINE_END.sub("\n", text))
    losses.replaced_characters += replaced
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * LONGEST_CELL:
        return text
    losses.cut_cells += 1
    # Half a character at the cut is left out.
    return encoded[: 2 * LONGEST_CELL].decode("utf-16-le", errors="ignore")


def write_workbook(path: Path, sheets: Iterable[WorkbookSheet]) -> WorkbookLosses:
    """Write a workbook, moved into place on success; return what it can't hold.

    A sheet with more rows than Excel has goes on in another.
    """
    from xlsxwriter import Workbook

    losses = WorkbookLosses()
    # The library keeps rows in files until the end. Not in /tmp: participants' texts do not belong there.
    scratch = path.with_name(path.name + ".rows")
    with explain_os_errors(path):
        shutil.rmtree(scratch, ignore_errors=True)
    make_directory(scratch)
    options = {
        "constant_memory": True, "tmpdir": str(scratch), "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "use_zip64": True,
    }  # fmt: skip
    try:
        with open_bytes_for_writing(path) as file:
            book = Workbook(file, options)
            book.set_properties({"created": _CREATED})
            names: set[str] = set()
            for sheet in sheets:
                _write_sheet(book, sheet, names, losses)
            book.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return losses


def make_sheet_name(wanted: str, taken: set[str]) -> str:
    """Make a name that Excel accepts and no other sheet has, and add it to `taken`.

    >>> names = set()
    >>> make_sheet_name("a/b", names), make_sheet_name("A_b", names)
    ('a_b', 'A_b 2')
    """
    plain = _REFUSED_IN_NAMES.sub("_", wanted).strip("'")[:_LONGEST_NAME] or "sheet"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        ending = f" {number}"
        name = plain[: _LONGEST_NAME - len(ending)] + ending
    taken.add(name.casefold())
    return name


def _write_sheet(book: Any, sheet: WorkbookSheet, names: set[str], losses: WorkbookLosses) -> None:
    losses.left_out_columns += max(0, len(sheet.header) - MOST_COLUMNS)
    rows = iter(sheet.rows)
    heading, plain = book.add_format({"bold": True}), book.add_format()
    first: Sequence[str] | None = None
    while True:
        page = book.add_worksheet(make_sheet_name(sheet.name, names))
        # Digits that are a text, like an age group, are no mistake to be marked green.
        page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
        page.freeze_panes(1, 1 if len(sheet.header) > 1 else 0)
        sample = [first] if first is not None else []
        sample += islice(rows, 200)
        for place, width in enumerate(_measure(sheet.header, sample)):
            page.set_column(place, place, width)
        _write_row(page, 0, sheet.header, frozenset(), losses, plain, heading)
        count = 0
        for count, row in enumerate(chain(sample, rows), 1):  # noqa: B007 - its last value is used
            _write_row(page, count, row, sheet.numbers, losses, plain)
            if count == MOST_ROWS - 1:
                break
        page.autofilter(0, 0, count, max(0, min(len(sheet.header), MOST_COLUMNS) - 1))
        first = next(rows, None)
        if first is None:
            return


def _measure(header: Sequence[str], sample: Sequence[Sequence[str]]) -> list[int]:
    """Choose each column's width from its name and first rows."""
    widths = [len(name) for name in header[:MOST_COLUMNS]]
    for row in sample:
        for place, cell in enumerate(row[: len(widths)]):
            widths[place] = max(widths[place], len(cell))
    return [min(_WIDEST_COLUMN, max(_NARROWEST_COLUMN, width + 2)) for width in widths]


def _write_row(
    page: Worksheet,
    number: int,
    row: Sequence[str],
    numbers: frozenset[int],
    losses: WorkbookLosses,
    plain: Any,
    style: Any = None,
) -> None:
    for place, cell in enumerate(row[:MOST_COLUMNS]):
        if not cell:
            continue
        if place in numbers and _is_number(cell):
            page.write_number(number, place, float(cell), style)
            continue
        text = fit_cell(cell, losses)
        if text.startswith("<r>"):
            # The library would take such a text for formatting of its own, and not escape it.
            page.write_rich_string(number, place, text[0], plain, text[1:])
        else:
            page.write_string(number, place, text, style)
