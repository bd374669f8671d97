"""CSV cells: quoting, guarding against formulas, and reading back; used for every CSV.

Python's own writer is not used: before 3.12.3 it leaves a cell with a bare CR unquoted, which readers take for an extra
row.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence

_find_special = re.compile('[,"\r\n]').search
_find_special_but_comma = re.compile('["\r\n]').search
# Characters that a spreadsheet ignores at the start of a cell: white space, controls, and others without width.
_PASSED_OVER = (
    "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000e0001\U000e0020-\U000e007f"
)
# Where people type full-width signs, spreadsheets treat them like the narrow ones.
_FORMULA = rf"(?:[{_PASSED_OVER}]*[=+\-@＝＋－＠]|[\t\r])"
_starts_formula = re.compile(_FORMULA).match
# One look clears most lines: each cell begins with a letter, a digit or a quote.
_may_hold_formula = re.compile(r',[^0-9A-Za-z,"]').search
# Numbers are not formulas, and the analysis writes "-" for a missing number.
_is_number = re.compile(r"-|[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?").fullmatch


def encode_cell(cell: str) -> str:
    r"""Return a cell as written in a CSV: quoted if it contains a comma, a quote, CR or LF.

    >>> encode_cell("maya"), encode_cell('wells, "deep" ones')
    ('maya', '"wells, ""deep"" ones"')
    """
    return cell if _find_special(cell) is None else '"' + cell.replace('"', '""') + '"'


def encode_line(cells: Sequence[str], quote_all: bool = False) -> str:
    r"""Return a line of a CSV with its line end, quoting cells if needed, or all.

    >>> encode_line(["maya", "a\rb", ""])
    'maya,"a\rb",\n'
    """
    if quote_all:
        return '"' + '","'.join(cell.replace('"', '""') for cell in cells) + '"\n'
    line = ",".join(cells)
    if _find_special_but_comma(line) is None and line.count(",") == len(cells) - 1:
        # A line with one empty cell would count as no line.
        return line + "\n" if line else '""\n'
    return ",".join(map(encode_cell, cells)) + "\n"


def guard_cell(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    Use it for people's texts, including numbers.

    >>> guard_cell("=1+1"), guard_cell(" ＝1+1"), guard_cell("maya")
    ("'=1+1", "' ＝1+1", 'maya')
    """
    return cell if _starts_formula(cell) is None else "'" + cell


def remove_guard(cell: str) -> str:
    """Undo `guard_cell`.

    >>> remove_guard("'=1+1"), remove_guard("'maya'")
    ('=1+1', "'maya'")
    """
    return cell[1:] if cell.startswith("'") and _starts_formula(cell, 1) is not None else cell


def guard_line(cells: Sequence[str]) -> Sequence[str]:
    """Guard a line's cells except numbers and "-", which are results and must stay readable as numbers.

    >>> guard_line(["=1+1", "-3.2", "-", "-maya"])
    ["'=1+1", '-3.2', '-', "'-maya"]
    """
    if _may_hold_formula("," + ",".join(cells)) is None:
        return cells
    return [cell if _starts_formula(cell) is None or _is_number(cell) is not None else "'" + cell for cell in cells]


def read_lines(lines: Iterable[str]) -> Iterator[list[str]]:
    """Read each line's cells; `lines` come from a CSV file opened with newline="".

    Raises
    ------
    csv.Error
        The text is not CSV.
    """
    # A participant's texts, joined, can be longer than the default limit of 128 KiB.
    csv.field_size_limit(sys.maxsize)
    return csv.reader(lines, strict=True)
