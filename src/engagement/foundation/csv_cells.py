"""Cells of CSV files: what is quoted, what a spreadsheet must not run, and reading them back. Every CSV is written through here.

Python's own writer leaves a cell with a bare CR unquoted before 3.12.3, and whoever reads it sees one row more. It is not used.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

_find_special = re.compile('[,"\r\n]').search
_find_special_but_comma = re.compile('["\r\n]').search
# What a spreadsheet passes over at the start of a cell: white space, control characters, and others without a width.
_PASSED_OVER = (
    "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000e0001\U000e0020-\U000e007f"
)
# Where full-width signs are typed, spreadsheets take them for the narrow ones.
_FORMULA = rf"(?:[{_PASSED_OVER}]*[=+\-@＝＋－＠]|[\t\r])"
_starts_formula = re.compile(_FORMULA).match
# Most lines are told at one look to hold none: a letter, a figure or a quote begins each of their cells.
_may_hold_formula = re.compile(r',[^0-9A-Za-z,"]').search
# Numbers are no formulas, and "-" is what the analysis writes where there is none.
_is_number = re.compile(r"-|[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?").fullmatch


def encode_cell(cell: str) -> str:
    r"""Return a cell as it stands in a CSV: quoted if it holds a comma, a quote, CR or LF.

    >>> encode_cell("maya"), encode_cell('wells, "deep" ones')
    ('maya', '"wells, ""deep"" ones"')
    """
    return cell if _find_special(cell) is None else '"' + cell.replace('"', '""') + '"'


def encode_line(cells: Sequence[str], quote_all: bool = False) -> str:
    r"""Return a line of a CSV with its line end, quoting where it is needed, or everywhere.

    >>> encode_line(["maya", "a\rb", ""])
    'maya,"a\rb",\n'
    """
    if quote_all:
        return '"' + '","'.join(cell.replace('"', '""') for cell in cells) + '"\n'
    line = ",".join(cells)
    if _find_special_but_comma(line) is None and line.count(",") == len(cells) - 1:
        # A line of one empty cell would read as no line.
        return line + "\n" if line else '""\n'
    return ",".join(map(encode_cell, cells)) + "\n"


def guard_cell(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula. For what people wrote, numbers included.

    >>> guard_cell("=1+1"), guard_cell(" ＝1+1"), guard_cell("maya")
    ("'=1+1", "' ＝1+1", 'maya')
    """
    return cell if _starts_formula(cell) is None else "'" + cell


def remove_guard(cell: str) -> str:
    """Return what `guard_cell` made the cell of.

    >>> remove_guard("'=1+1"), remove_guard("'maya'")
    ('=1+1', "'maya'")
    """
    return cell[1:] if cell.startswith("'") and _starts_formula(cell, 1) is not None else cell


def guard_line(cells: Sequence[str]) -> Sequence[str]:
    """Guard the cells of a line, but for those that are a number or "-": they were counted, and are to be read as numbers.

    >>> guard_line(["=1+1", "-3.2", "-", "-maya"])
    ["'=1+1", '-3.2', '-', "'-maya"]
    """
    if _may_hold_formula("," + ",".join(cells)) is None:
        return cells
    return [cell if _starts_formula(cell) is None or _is_number(cell) is not None else "'" + cell for cell in cells]


def read_lines(lines: Iterable[str]) -> Iterator[list[str]]:
    """Read the cells of each line of a CSV; `lines` come from a file that was opened with newline="".

    Raises
    ------
    csv.Error
        It is not CSV.
    """
    # A participant's texts, joined, can be longer than the 128 KiB that a cell may have by default.
    csv.field_size_limit(sys.maxsize)
    return csv.reader(lines, strict=True)
