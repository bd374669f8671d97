"""Read the rows of a recovery CSV, or report all doubts about them. Guesses and cuts nothing."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engagement.configuration.nearest import is_misspelling
from engagement.foundation.errors import InputError, count_of

COLUMNS = ("Sender", "Message", "ReceivedOn")
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Longer than anything that people send, and shorter than the text after an unclosed quotation mark.
_LONGEST_CELL = 10_000
# Where reading a cell ends, whatever is in it.
_LARGEST_CELL = 131_072
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class RecoveredRow:
    """A row by its header. `number` is its row in a spreadsheet (header: row 1), `line` its first line."""

    number: int
    line: int
    cells: dict[str, str]

    @property
    def place(self) -> str:
        """Describe the place, for a person with an editor or a spreadsheet."""
        return f"line {self.line}, row {self.number}"


def read_rows(content: bytes, url: str, id_start: str) -> tuple[list[RecoveredRow], list[str]]:
    """Read the rows, and report broken ones. `id_start` matches the beginning of ids.

    Raises
    ------
    InputError
        The file as a whole can't be read: its encoding, its header, or a quotation mark that is not closed.
    """
    text = _decode(content, url)
    separator, header = _find_header(text, url)
    another_row = re.compile(rf'[\r\n]"?(?:{id_start})')
    rows: list[RecoveredRow] = []
    problems: list[str] = []
    for number, line, cells in _split(text, url, separator):
        # Spreadsheets add empty rows, and empty cells at the end of a row.
        if number == 1 or not any(map(str.strip, cells)):
            continue
        if not any(map(str.strip, cells[len(header) :])):
            cells = cells[: len(header)]
        problem = _find_problem(cells, header, separator, another_row)
        if problem is not None:
            problems.append(f"line {line}, row {number}: {problem}")
            continue
        padded = cells + [""] * (len(header) - len(cells))
        rows.append(RecoveredRow(number, line, dict(zip(header, padded, strict=True))))
    return rows, problems


def _decode(content: bytes, url: str) -> str:
    encoding = "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "ignore")
        raise InputError(
            f"{url}, line {_count_lines(before)}: not {'UTF-16' if encoding == 'utf-16' else 'UTF-8'} text; expected a CSV file "
            "in UTF-8, or in UTF-16 with its byte order mark. Save it so: in Excel as 'CSV UTF-8 (comma delimited)'."
        ) from None
    if "\0" in text:
        line = _count_lines(text[: text.index("\0")])
        raise InputError(
            f"{url}, line {line}: a character that is no text (NUL), as in UTF-16 without its byte order mark or in a damaged "
            "file; expected a CSV file in UTF-8. Save it again, or get the file again."
        )
    return text


def _count_lines(before: str) -> int:
    return len(re.findall(r"\r\n?|\n", before)) + 1


def _find_header(text: str, url: str) -> tuple[str, list[str]]:
    """Find the separator that gives the header most of the columns, and the header."""
    headers = {separator: _first_row(text, separator) for separator in _SEPARATORS}
    separator = max(headers, key=lambda candidate: _count_columns(headers[candidate]))
    header = headers[separator]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        near = list(_find_near_columns(missing, header))
        remedy = "Rename " + " and ".join(near) if near else "Name the columns in the first row"
        raise InputError(
            f"{url}, row 1: no column {', '.join(map(repr, missing))}; expected {', '.join(map(repr, COLUMNS))}, with a comma, a "
            f"semicolon or a tab between them. {remedy}."
        )
    # Spreadsheets add columns without a name at the end.
    repeated = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if repeated:
        shown = ", ".join(repr(name) if name in COLUMNS else f"number {header.index(name) + 1}" for name in repeated)
        raise InputError(
            f"{url}, row 1: column {shown} stands there more than once; expected each name once. Rename or remove the others."
        )
    return separator, header


def _count_columns(header: Sequence[str]) -> tuple[int, int]:
    """Count the columns with the right names, and those whose names differ only in case and blanks."""
    alike = {_join_letters(name) for name in header}
    return sum(column in header for column in COLUMNS), sum(_join_letters(column) in alike for column in COLUMNS)


def _find_near_columns(missing: Sequence[str], header: Sequence[str]) -> Iterator[str]:
    """Guess a missing column. Other names are not shown: without a header they are a message."""
    for column in missing:
        for number, name in enumerate(header, 1):
            if _join_letters(name) == _join_letters(column):
                yield f"column {number}, {name!r}, to {column!r}"
                break
            if is_misspelling(name.strip(), column):
                yield f"column {number}, which is almost it, to {column!r}"
                break


def _join_letters(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name).casefold()


def _first_row(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator), [])
    except csv.Error:
        return []


def _split(text: str, url: str, separator: str) -> Iterator[tuple[int, int, list[str]]]:
    """Read number, first line and cells of each row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    number = 0
    while True:
        number, line = number + 1, reader.line_num + 1
        # Other readers of the same process may have raised the limit, which is one for all.
        limit = csv.field_size_limit(_LARGEST_CELL)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{url}, line {line}: not CSV: {_say_fault(error, line, reader.line_num)}") from None
        finally:
            csv.field_size_limit(limit)
        yield number, line, cells


def _say_fault(error: csv.Error, first: int, last: int) -> str:
    """Describe the error in the row from line `first`, in which the reader stopped on line `last`."""
    if last > first:
        return (
            f"a quotation mark opens a cell that goes on to line {last} and is not closed well; expected one that ends in its "
            "row. Close the quotation mark, or remove it."
        )
    if "end of data" in str(error):
        return (
            "a quotation mark opens a cell and is not closed; expected one behind the text as well. Close the quotation mark, or "
            "remove it."
        )
    if "field limit" in str(error):
        return f"a cell has more than {_LARGEST_CELL} characters; expected at most {_LONGEST_CELL}. See whether a quotation mark is not closed."
    if "expected after" in str(error):
        return (
            "text stands behind the quotation mark that closes a cell; expected the next cell or the end of the row. Write each "
            "quotation mark within a text twice."
        )
    return f"{error}; expected rows of cells. Save the file again as CSV."


def _find_problem(
    cells: Sequence[str], header: Sequence[str], separator: str, another_row: re.Pattern[str]
) -> str | None:
    """Find errors in a row as a whole; its cells are never shown."""
    if list(cells) == list(header):
        return "the header again; expected it once, in the first row. Remove it, and see whether two files were joined."
    if len(cells) > len(header):
        return (
            f"{len(cells)} cells; expected {len(header)}, as in the header. Put a text with {_SEPARATORS[separator]} in it into "
            "double quotation marks."
        )
    if len(cells) == 1:
        for other, name in _SEPARATORS.items():
            if other != separator and cells[0].count(other) >= len(COLUMNS) - 1:
                return f"{name} stands between its cells; expected {_SEPARATORS[separator]}, as in the header. Use one of the two."
    for name, cell in zip(header, cells, strict=False):
        column = f"column {name!r}" if name in COLUMNS else "a column"
        if another_row.search(cell):
            return (
                f"{column} holds the rows that follow, as a quotation mark that is not closed makes it; expected one text. "
                "Close it, or remove it."
            )
        if len(cell) > _LONGEST_CELL:
            return f"{column} has {len(cell)} characters; expected at most {_LONGEST_CELL}. See whether a quotation mark is not closed."
    needed = max(header.index(column) for column in COLUMNS) + 1
    if len(cells) < needed:
        return (
            f"{count_of(len(cells), 'cell')}; expected {needed}, as in the header. Add what is missing, or remove the row if it is "
            "not a message."
        )
    return None
