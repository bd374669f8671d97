"""The rows of a recovery CSV, or every reason why it can't be told for certain what they are. Nothing is guessed, nothing cut off."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engagement.errors import InputError

COLUMNS = ("Sender", "Message", "ReceivedOn")
_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Longer than anything that people send, and shorter than what a quotation mark takes in that is not closed.
_LONGEST_CELL = 10_000


@dataclass(frozen=True)
class Row:
    """A row by its header. `number` is what a spreadsheet counts (the header is row 1), `line` the line that it begins on."""

    number: int
    line: int
    cells: dict[str, str]

    @property
    def place(self) -> str:
        """Where it is, for a person with an editor or a spreadsheet."""
        return f"line {self.line}, row {self.number}"


def read_rows(content: bytes, url: str, id_start: str) -> tuple[list[Row], list[str]]:
    """Read the rows, and say of every row that is not whole what is wrong with it. `id_start` matches what ids begin with.

    Raises
    ------
    InputError
        The file as a whole can't be read: its encoding, its header, or a quotation mark that is not closed.
    """
    text = _decode(content, url)
    separator, header = _find_header(text, url)
    another_row = re.compile(rf'[\r\n]"?(?:{id_start})')
    rows: list[Row] = []
    problems: list[str] = []
    for number, line, cells in _split(text, url, separator):
        if number == 1 or not cells:
            continue
        problem = _find_problem(cells, header, separator, another_row)
        if problem is not None:
            problems.append(f"line {line}, row {number}: {problem}")
            continue
        padded = cells + [""] * (len(header) - len(cells))
        rows.append(Row(number, line, dict(zip(header, padded, strict=True))))
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
            "file; expected a CSV file in UTF-8. Save it anew, or get the file again."
        )
    return text


def _count_lines(before: str) -> int:
    return len(re.findall(r"\r\n?|\n", before)) + 1


def _find_header(text: str, url: str) -> tuple[str, list[str]]:
    """The separator that gives the header most of the columns, and the header."""
    headers = {separator: _first_row(text, separator) for separator in _SEPARATORS}
    separator = max(headers, key=lambda candidate: sum(column in headers[candidate] for column in COLUMNS))
    header = headers[separator]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(
            f"{url}, row 1: no column {', '.join(map(repr, missing))}; expected {', '.join(map(repr, COLUMNS))}, with a comma, a "
            "semicolon or a tab between them. Name the columns in the first row."
        )
    # Columns without a name are what spreadsheets add at the end.
    repeated = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if repeated:
        shown = ", ".join(repr(name) if name in COLUMNS else f"number {header.index(name) + 1}" for name in repeated)
        raise InputError(
            f"{url}, row 1: column {shown} stands there more than once; expected each name once. Rename or remove the others."
        )
    return separator, header


def _first_row(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator), [])
    except csv.Error:
        return []


def _split(text: str, url: str, separator: str) -> Iterator[tuple[int, int, list[str]]]:
    """Number, first line and cells of each row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    number = 0
    while True:
        number, line = number + 1, reader.line_num + 1
        try:
            yield number, line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line:
                fault = f"a quotation mark opens a cell that goes on to line {reader.line_num} and is not closed well"
                raise InputError(
                    f"{url}, line {line}: not CSV: {fault}; expected one that ends in its row. Close it, or remove it."
                ) from None
            raise InputError(f"{url}, line {line}: not CSV: {error}. Save the file anew as CSV.") from None


def _find_problem(
    cells: Sequence[str], header: Sequence[str], separator: str, another_row: re.Pattern[str]
) -> str | None:
    """What is wrong with a row as a whole; its cells are never shown."""
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
    return None
