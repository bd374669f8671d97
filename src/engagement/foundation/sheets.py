"""Sheets saved from spreadsheet programs: UTF-8 CSV, with or without a byte order mark; , ; or tabs."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError, UsageError

_SEPARATORS = (",", ";", "\t")
_BETWEEN_ITEMS = re.compile(r"[;|,\n]")


@dataclass(frozen=True)
class Row:
    """A row with as many cells as the heading; `number` is the spreadsheet program's."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A heading (row 1) and the non-empty rows; cells are trimmed."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(path: Path, what: str) -> Sheet:
    """Read a CSV file; `what` names the expected content in errors.

    Raises
    ------
    UsageError
        The file does not exist.
    InputError
        It is not a CSV file, is not UTF-8, has no heading, or has rows longer than the heading (all are listed).
    """
    text = _read(path, what)
    try:
        lines = max((_split(text, separator) for separator in _SEPARATORS), key=lambda lines: len(lines[0]))
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}; expected {what}. Save it as CSV again.") from None
    header = tuple(lines[0])
    if not any(header):
        raise InputError(f"{path}, row 1: empty; expected the heading of {what}. Put the columns' names there.")
    too_long = [number for number, cells in enumerate(lines, 1) if any(cells[len(header) :])]
    if too_long:
        numbers = ", ".join(map(str, too_long[:20])) + (", …" if len(too_long) > 20 else "")
        raise InputError(
            f"{path}: more cells than the heading's {len(header)} in row {numbers}; expected at most as many. "
            "Name the columns in row 1, or quote cells that hold a separator."
        )
    rows = (
        Row(number, (*cells[: len(header)], *[""] * (len(header) - len(cells))))
        for number, cells in enumerate(lines[1:], 2)
        if any(cells)
    )
    return Sheet(path, header, tuple(rows))


def _read(path: Path, what: str) -> str:
    if not path.is_file():
        raise UsageError(f"{path}: no such file; expected {what}. Check the path.")
    if path.suffix.lower() != ".csv":
        raise InputError(
            f"{path}: a file of type {path.suffix!r}; expected {what} as .csv. Save the sheet as 'CSV UTF-8'."
        )
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: could not be read: {error.strerror}. Check the file's permissions.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; expected {what}. Save the sheet as 'CSV UTF-8'.") from None


def _split(text: str, separator: str) -> list[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [[_trim(cell) for cell in line] for line in lines] or [[]]


def _trim(cell: str) -> str:
    """Normalise a cell's characters and line ends: programs that save a sheet again change both."""
    return unicodedata.normalize("NFC", cell.replace("\r\n", "\n").replace("\r", "\n")).strip()


def split_cell(cell: str) -> tuple[str, ...]:
    """Split a cell with several items between ; | , or line ends; each item once.

    >>> split_cell("man; male | lab,man")
    ('man', 'male', 'lab')
    """
    return tuple(dict.fromkeys(item for part in _BETWEEN_ITEMS.split(cell) if (item := part.strip())))


def fold_name(name: str) -> str:
    """Reduce a name to what its spellings share: letters and digits, ignoring case.

    >>> fold_name("Match-Values "), fold_name("match_values")
    ('matchvalues', 'matchvalues')
    """
    return "".join(character for character in name.casefold() if character.isalnum())


def column_name(header: Iterable[str], position: int) -> str:
    """Name a column in a message: by its heading, or by its number, starting from 1."""
    heading = tuple(header)[position]
    return f"column {heading!r}" if heading else f"column {position + 1}"
