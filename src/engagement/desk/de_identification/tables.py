"""Check a table with phone numbers, then write it again with uids. Both read it row by row."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from typing import IO, Literal

from engagement.configuration.participant_ids import holds_number
from engagement.foundation.csv_cells import encode_line
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import open_for_writing
from engagement.pipeline.coding.cleaning.phone_numbers import find_phone_numbers, mask_phone_numbers
from engagement.services.uuid_tables.protocol import UuidTable
from engagement.sources.holders import find_latest_holders
from engagement.sources.number_cells import read_number_cell
from engagement.sources.submissions.submission import Respondent
from engagement.sources.tables.delimited import DelimitedTable, TableRow
from engagement.sources.tables.xlsx import XlsxTable

WithoutNumber = Literal["refuse", "leave-out", "blank"]
# The table asks for its ids in smaller batches, and writes new ones at once.
_ROWS_A_BATCH = 10_000
_MOST_SHOWN = 20


@dataclass(frozen=True)
class ReplacementSettings:
    """What to replace: the column of numbers, and columns of texts in which numbers are masked."""

    column: str
    texts: tuple[str, ...] = ()
    country: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    without_number: WithoutNumber = "refuse"


@dataclass
class Checked:
    """Rows of a file, those without a usable number, and cells of other columns that seem to have one."""

    rows: int = 0
    without_number: int = 0
    shown: list[str] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)


def check_table(path: Path, settings: ReplacementSettings) -> Checked:
    """Read a file to its end, without asking or writing anything.

    Raises
    ------
    InputError
        It can't be read, rows are broken, or rows have no usable number and nothing was said about those.
    """
    checked = Checked()
    with _open(path) as file:
        table = _open_table(file, path, settings)
        _refuse_numbers_in_header(table.header, path)
        column = table.position(settings.column)
        others = [
            (position, _name_column(name, position))
            for position, name in enumerate(table.header)
            if position != column and name not in settings.texts
        ]
        for row in table.rows():
            checked.rows += 1
            if read_number_cell(row.cells[column], settings.country) is None:
                checked.without_number += 1
                if len(checked.shown) < _MOST_SHOWN:
                    checked.shown.append(row.place)
            for position, name in others:
                if row.cells[position] and find_phone_numbers(row.cells[position]):
                    checked.elsewhere[name] += 1
        table.problems.refuse()
    if checked.without_number and settings.without_number == "refuse":
        raise InputError(
            f"{path}, column {settings.column!r}: {checked.without_number} of {checked.rows} rows have no usable phone number: "
            f"{say_rows(checked)}; expected one in each, with its country's code or with --country. Correct them, or say with "
            "--without-number what becomes of these rows: leave-out or blank."
        )
    return checked


def say_rows(checked: Checked) -> str:
    """Name the rows without a number, the first of them by line."""
    rest = checked.without_number - len(checked.shown)
    return "; ".join(checked.shown) + (f"; and {rest} more" if rest else "")


def write_table(path: Path, output: Path, settings: ReplacementSettings, uuid_table: UuidTable) -> int:
    """Write a file that was checked with uids for its numbers; returns the number of rows."""
    count = 0
    with _open(path) as file, open_for_writing(output) as written:
        # From its first byte on for this user alone, whatever the mask is.
        os.fchmod(written.fileno(), 0o600)
        table = _open_table(file, path, settings)
        written.write(encode_line(table.header))
        for rows in batched(table.rows(), _ROWS_A_BATCH):
            for cells in _replace_numbers(rows, table, settings, uuid_table):
                written.write(encode_line(cells))
                count += 1
        table.problems.refuse()
    return count


def _replace_numbers(
    rows: tuple[TableRow, ...], table: DelimitedTable | XlsxTable, settings: ReplacementSettings, uuid_table: UuidTable
) -> Iterator[list[str]]:
    column = table.position(settings.column)
    texts = [table.position(name) for name in settings.texts]
    numbers = [read_number_cell(row.cells[column], settings.country) for row in rows]
    possible = {_name(number): number.identities for number in numbers if number is not None}
    found = find_latest_holders(uuid_table, possible)
    for row, number in zip(rows, numbers, strict=True):
        if number is None and settings.without_number != "blank":
            if settings.without_number == "refuse":
                table.problems.add(f"{row.place}: no usable phone number; the file changed while it was read")
            continue
        cells = list(row.cells)
        cells[column] = "" if number is None else found.latest[found.identities[_name(number)]][1]
        for position in texts:
            cells[position] = mask_phone_numbers(cells[position])
        yield cells


def _name(number: Respondent) -> str:
    # A number in national form has a possible id that the same one with a + has not.
    return " ".join(number.identities)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: could not be read: {error.strerror}. Check the file's permissions.") from None


def _open_table(file: IO[bytes], path: Path, settings: ReplacementSettings) -> DelimitedTable | XlsxTable:
    wanted = tuple(dict.fromkeys((settings.column, *settings.texts)))
    if path.suffix.lower() == ".xlsx":
        content = file.read()
        header = XlsxTable(content, str(path), wanted, settings.sheet).header
        # All columns are written: none may have lost something.
        return XlsxTable(content, str(path), tuple(filter(None, header)), settings.sheet)
    column = 0
    table = DelimitedTable(
        file,
        str(path),
        wanted,
        settings.encoding,
        # A line of a text may be a number, too, but no separator follows it.
        lambda cells: (
            column < len(cells) - 1 and read_number_cell(cells[column].strip('"'), settings.country) is not None
        ),
    )
    column = table.position(settings.column)
    return table


def _refuse_numbers_in_header(header: Sequence[str], path: Path) -> None:
    """Refuse columns that are named after phone numbers: the header is written as it is."""
    named = [str(number) for number, name in enumerate(header, 1) if find_phone_numbers(name)]
    if named:
        raise InputError(
            f"{path}: the name of column {', '.join(named)} holds a phone number or looks like one, so it is not shown; expected names "
            "without, as the header is written as it is. Rename the column, or remove it."
        )


def _name_column(name: str, position: int) -> str:
    # Where the header is a row of data, it may be somebody's number.
    return repr(name) if name and not holds_number(name) else f"number {position + 1}"
