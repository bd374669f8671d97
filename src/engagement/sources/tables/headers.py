"""Find a table's header and its separator: the first row that has all the wanted columns."""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engagement.configuration.nearest import is_misspelling
from engagement.configuration.participant_ids import holds_number
from engagement.foundation.errors import InputError

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
# Above the header there may be a title and the date of the export.
MOST_LINES_ABOVE = 50
# One name alone may be what somebody wrote.
_COLUMNS_OF_A_HEADER = 2
_MOST_SHOWN = 20
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


class Header(NamedTuple):
    """The names of the columns. `number` is the header's row in a spreadsheet, from 1."""

    names: list[str]
    separator: str
    number: int


def find_header(lines: Sequence[str], where: str, wanted: Sequence[str], in_cells: bool = False) -> Header:
    """Find the header among the first lines of a table; `in_cells` if they come from a workbook.

    Raises
    ------
    InputError
        No row has all the wanted columns, or the one that has them has another name twice.
    """
    candidates = [
        Header(names, separator, number)
        for separator in SEPARATORS
        for number, names in enumerate(_split(lines, separator), 1)
    ] or [Header([], ",", 1)]
    header = max(candidates, key=lambda candidate: (*_count_columns(candidate.names, wanted), -candidate.number))
    names = header.names
    missing = [column for column in wanted if column not in names]
    if missing:
        between = "" if in_cells else ", with a comma, a semicolon, a tab or | between them"
        raise InputError(
            f"{where}, row {header.number}: no column {', '.join(map(repr, missing))}; expected {', '.join(map(repr, wanted))}"
            f"{between}. {_say_remedy(missing, names, wanted)}"
        )
    # Spreadsheets add columns without a name at the end.
    repeated = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if repeated:
        shown = ", ".join(repr(name) if name in wanted else f"number {names.index(name) + 1}" for name in repeated)
        raise InputError(
            f"{where}, row {header.number}: column {shown} stands there more than once; expected each name once. Rename or remove "
            "the others."
        )
    return header


def _split(lines: Sequence[str], separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, strict=True, delimiter=separator)
    except csv.Error:
        return


def _count_columns(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, int]:
    """Count the columns with the right names, and those whose names differ only in case and blanks."""
    alike = {_join_letters(name) for name in names}
    return sum(column in names for column in wanted), sum(_join_letters(column) in alike for column in wanted)


def _say_remedy(missing: Sequence[str], names: Sequence[str], wanted: Sequence[str]) -> str:
    """Say what to rename. Other columns are only named in a header: any other row has a message."""
    near = list(_find_near_columns(missing, names))
    others = [name for name in names if name.strip() and name not in wanted and not holds_number(name)][:_MOST_SHOWN]
    is_header = sum(column in names for column in wanted) >= _COLUMNS_OF_A_HEADER
    is_unclear = len(near) < len(missing)
    listed = f"The other columns are {', '.join(map(repr, others))}. " if is_unclear and is_header and others else ""
    if near:
        return f"{listed}Rename {' and '.join(near)}."
    if listed:
        return f"{listed}Make the names in the file and those asked for the same."
    return "Name the columns in the first row, or ask for those that it has."


def _find_near_columns(missing: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Guess a missing column. Other names are not shown: without a header they are a message."""
    for column in missing:
        for number, name in enumerate(names, 1):
            if _join_letters(name) == _join_letters(column):
                yield f"column {number}, {name!r}, to {column!r}"
                break
            if is_misspelling(name.strip(), column):
                yield f"column {number}, which is almost it, to {column!r}"
                break


def _join_letters(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name).casefold()
