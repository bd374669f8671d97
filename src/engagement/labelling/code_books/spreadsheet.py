"""Reading a spreadsheet of codes, or listing every problem in it by row and column.

One code a row. Columns may be in any order, under any of the names below; only one of the first two is required:

- display text (label, theme, code name): what coders see; without it the string value with blanks for _
- string value (code, code value): the code's name in the outputs; without it the display text in lower case with _ for blanks
- numeric value (number): a whole number; without it that of the existing scheme, or the next one
- match values (synonyms): what cleaners and tables call it; several between ; | , or line ends
- shortcut (key), colour (color), visible in coda (visible): as Coda shows it
- code type (type): Normal, Control or Meta; control code (control) and meta code (meta): which one it is
- code id (id): only where a code that exists gets another string value

A row named like a control code, such as NC, is that control code; a row that only looks like one, such as Stop, is
refused. Columns for people, such as description, definition, examples and notes, are skipped.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration import CodeType, ControlCode
from engagement.configuration.nearest import nearest
from engagement.foundation.errors import InputError, listing
from engagement.foundation.sheets import Row, Sheet, column_name, fold_name, read_sheet, split_cell
from engagement.labelling.code_books.building import NewCode

DISPLAY, STRING, NUMBER, MATCHES, SHORTCUT, _COLOUR, _VISIBLE, _TYPE, CONTROL, META, ID = (
    "display text", "string value", "numeric value", "match values", "shortcut", "colour", "visible in coda",
    "code type", "control code", "meta code", "code id",
)  # fmt: skip
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    DISPLAY: ("display", "label", "theme", "code name"),
    STRING: ("string", "code", "code value", "code string value"),
    NUMBER: ("number", "numeric", "numeric code"),
    MATCHES: ("match value", "matches", "synonyms"),
    SHORTCUT: ("key",),
    _COLOUR: ("color",),
    _VISIBLE: ("visible",),
    _TYPE: ("type",),
    CONTROL: ("control",),
    META: ("meta",),
    ID: ("id",),
}
_COLUMNS = {fold_name(name): column for column, names in _OTHER_NAMES.items() for name in (column, *names)}
_FOR_PEOPLE = frozenset(
    map(fold_name, ("description", "definition", "example", "examples", "explanation", "note", "notes", "comment", "comments"))
)  # fmt: skip
_YES, _NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"no", "n", "false", "0"})
_WHOLE_NUMBER = re.compile(r"([+-]?\d+)(?:[.,]0*)?")
_COLOUR_VALUE = re.compile(r"#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}|[a-zA-Z]+")
_NOT_A_WORD = re.compile(r"[^\w]+")


class _ProblemError(Exception):
    """A problem with one cell, without its place."""


@dataclass(frozen=True)
class CodeSheet:
    """A sheet's codes, and the place of each for messages."""

    path: Path
    headings: Mapping[str, str]
    rows: tuple[int, ...]
    codes: tuple[NewCode, ...]

    def place(self, position: int, column: str) -> str:
        """Name a code's cell; position and column are this module's, not the sheet's."""
        if position >= len(self.rows):
            return "the codes that are added"
        row = f"row {self.rows[position]}"
        return f"{row}, {self.headings[column]}" if column in self.headings else row


def read_code_sheet(
    path: Path, ignore_other_columns: bool = False, own_control_codes: Collection[str] = ()
) -> CodeSheet:
    """Read a sheet's codes; `own_control_codes` are allowed beside the pipeline's.

    Raises
    ------
    UsageError
        The file does not exist.
    InputError
        Lists every problem, by row and column.
    """
    sheet = read_sheet(path, "a sheet of codes")
    positions, problems = _find_columns(sheet, ignore_other_columns)
    if problems:
        raise InputError(f"{path}: {listing(problems)}\nCorrect the heading and run this again.")
    if not sheet.rows:
        raise InputError(f"{path}: no row under the heading; expected one per code. Add them.")
    headings = {column: column_name(sheet.header, position) for column, position in positions.items()}
    codes = []
    for row in sheet.rows:
        reader = _RowReader(row, positions, headings, own_control_codes)
        codes.append(reader.read())
        problems += reader.problems
    if problems:
        raise InputError(f"{path}: {listing(problems)}\nCorrect the sheet and run this again.")
    return CodeSheet(path, headings, tuple(row.number for row in sheet.rows), tuple(codes))


def _find_columns(sheet: Sheet, ignore_other_columns: bool) -> tuple[dict[str, int], list[str]]:
    positions: dict[str, int] = {}
    problems = []
    for position, heading in enumerate(sheet.header):
        column = _COLUMNS.get(fold_name(heading))
        where = f"row 1, column {position + 1}"
        if column in positions:
            first = sheet.header[positions[column]]
            problems.append(f"{where}: {heading!r} is the {column}, like {first!r}; expected one column. Remove one.")
        elif column is not None:
            positions[column] = position
        elif heading and fold_name(heading) not in _FOR_PEOPLE and not ignore_other_columns:
            problems.append(
                f"{where}: {heading!r} is not a column of codes{nearest(heading, [*_OTHER_NAMES])} "
                "Rename it, or pass --ignore-other-columns."
            )
    if DISPLAY not in positions and STRING not in positions:
        problems.append(f"row 1: no column {DISPLAY!r} and none {STRING!r}; expected one of them. Add it.")
    return positions, problems


class _RowReader:
    """Reads one row and notes every problem in its cells."""

    def __init__(
        self, row: Row, positions: Mapping[str, int], headings: Mapping[str, str], own_control_codes: Collection[str]
    ) -> None:
        self._control_codes = (*ControlCode, *own_control_codes)
        self._row = row
        self._positions = positions
        self._headings = headings
        self.problems: list[str] = []

    def read(self) -> NewCode:
        """Return the row's code; unusable if there are problems."""
        display, string_value = self._cell(DISPLAY), self._cell(STRING)
        if not display and not string_value:
            self.problems.append(f"row {self._row.number}: no {DISPLAY} and no {STRING}; expected one. Add it.")
        string_value = string_value or (display if display in self._control_codes else make_string_value(display))
        if display and not string_value:
            self.problems.append(
                f"row {self._row.number}, {self._headings[DISPLAY]}: {display!r} has no letter or digit; expected some, or "
                f"a {STRING}. Add it."
            )
        display = display or string_value.replace("_", " ")
        control = self._parse(CONTROL, self._parse_control)
        if control is None and string_value in self._control_codes:
            control = string_value
        meta = self._cell(META) or None
        code_type = self._parse(_TYPE, _parse_type)
        if code_type is CodeType.META and meta is None:
            meta = string_value
        kind = CodeType.CONTROL if control else CodeType.META if meta else CodeType.NORMAL
        if code_type not in (None, kind):
            self.problems.append(
                f"row {self._row.number}, {self._headings[_TYPE]}: {str(code_type)!r}, but it is a {kind} code by its "
                "other cells. Change one."
            )
        if control and self._cell(META):
            self.problems.append(
                f"row {self._row.number}: both a control code and a meta code; expected one. Remove one."
            )
        return NewCode(
            display_text=display,
            string_value=string_value,
            code_type=kind,
            control_code=control,
            meta_code=None if control else meta,
            code_id=self._cell(ID) or None,
            numeric_value=self._parse(NUMBER, _parse_number),
            shortcut=self._parse(SHORTCUT, _parse_shortcut) if self._cell(SHORTCUT) else self._empty(SHORTCUT),
            visible_in_coda=self._parse(_VISIBLE, _parse_yes_no),
            color=self._parse(_COLOUR, _parse_colour) if self._cell(_COLOUR) else self._empty(_COLOUR),
            match_values=split_cell(self._cell(MATCHES)) if MATCHES in self._positions else None,
        )

    def _parse_control(self, cell: str) -> str:
        if cell in self._control_codes:
            return cell
        if cell.upper() in self._control_codes:
            return cell.upper()
        raise _ProblemError(f"one of {', '.join(self._control_codes)}")

    def _cell(self, column: str) -> str:
        position = self._positions.get(column)
        return "" if position is None else self._row.cells[position]

    def _empty(self, column: str) -> str | None:
        """Return an empty value if the sheet has the column, None if it lacks it."""
        return "" if column in self._positions else None

    def _parse[Value](self, column: str, parse: Callable[[str], Value]) -> Value | None:
        cell = self._cell(column)
        if not cell:
            return None
        try:
            return parse(cell)
        except _ProblemError as problem:
            where = f"row {self._row.number}, {self._headings[column]}"
            self.problems.append(f"{where}: {cell!r}; expected {problem}. Correct the cell.")
            return None


def make_string_value(display_text: str) -> str:
    """Derive the name in the outputs from the name that coders see.

    >>> make_string_value("Price of water (high)")
    'price_of_water_high'
    """
    return _NOT_A_WORD.sub("_", display_text.casefold()).strip("_")


def _parse_number(cell: str) -> int:
    match = _WHOLE_NUMBER.fullmatch(cell)
    if match is None:
        raise _ProblemError("a whole number")
    return int(match[1])


def _parse_shortcut(cell: str) -> str:
    if len(cell) != 1:
        raise _ProblemError("one character")
    return cell


def _parse_colour(cell: str) -> str:
    if _COLOUR_VALUE.fullmatch(cell) is None:
        raise _ProblemError("a colour like '#b5d3ff' or 'lightblue'")
    return cell


def _parse_yes_no(cell: str) -> bool:
    folded = cell.casefold()
    if folded not in _YES | _NO:
        raise _ProblemError("'yes' or 'no'")
    return folded in _YES


def _parse_type(cell: str) -> CodeType:
    try:
        return CodeType(cell.capitalize())
    except ValueError:
        raise _ProblemError(" or ".join(repr(str(kind)) for kind in CodeType)) from None
