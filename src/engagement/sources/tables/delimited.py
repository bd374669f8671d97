"""Read the rows of a table in delimited text, or report all doubts about them. Nothing is guessed."""

import csv
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO, NamedTuple

from engagement.foundation.errors import InputError, count_of
from engagement.sources.tables.encodings import find_encoding
from engagement.sources.tables.headers import MOST_LINES_ABOVE, SEPARATORS, find_header
from engagement.sources.tables.lines import read_text_lines
from engagement.sources.tables.row_problems import RowProblems

# Longer than anything that people send, and shorter than the text after an unclosed quotation mark.
_LONGEST_CELL = 10_000
_MOST_LINE_ENDS = 5
# Where reading a cell ends, whatever is in it.
_LARGEST_CELL = 131_072
_LINE_END = re.compile(r"\r\n?|\n")


class TableRow(NamedTuple):
    """A row with as many cells as the header; its row in a spreadsheet, and its first line in the file.

    `dated` are the positions of cells that a workbook has as dates: as texts they are like 2026-08-26 17:05:00.
    """

    number: int
    line: int
    cells: list[str]
    dated: Sequence[int] = ()

    @property
    def place(self) -> str:
        """Describe the place, for a person with an editor or a spreadsheet."""
        return f"line {self.line}, row {self.number}"


class DelimitedTable:
    """A table in a file that is open for reading and can go back to its beginning.

    `where` names it in errors; `wanted` are the columns that it must have; `encoding` is the configured one, for text that is
    not UTF-8. `is_row` tells whether the cells of a line within a cell, at least one, begin a row that an unclosed quotation mark
    took in; `is_total` whether a row is a sum below the table, which is passed over. `problems` collects broken rows: call its `refuse` after the last row.
    """

    def __init__(
        self,
        file: IO[bytes],
        where: str,
        wanted: Sequence[str],
        encoding: str | None = None,
        is_row: Callable[[Sequence[str]], bool] | None = None,
        is_total: Callable[[Sequence[str]], bool] | None = None,
    ):
        self.where = where
        self.wanted = tuple(wanted)
        self.encoding = find_encoding(file, where, encoding)
        self.problems = RowProblems(where)
        self.repeated_headers = 0
        self._is_row = is_row
        self._is_total = is_total
        lines = read_text_lines(file, where, self.encoding)
        head = list(itertools.islice(lines, MOST_LINES_ABOVE))
        self.header, self.separator, self._header_number = find_header(head, where, wanted)
        self._needed = max((self.header.index(column) for column in wanted), default=-1) + 1
        self._lines = itertools.chain(head, lines)

    def position(self, column: str) -> int:
        """Return the position of a column among the cells."""
        return self.header.index(column)

    def rows(self) -> Iterator[TableRow]:
        """Yield the whole rows, once. Broken ones become problems.

        Empty ones and repeated headers are passed over.

        Raises
        ------
        InputError
            From here on the file can't be read: its encoding, or a quotation mark that is not closed.
        """
        count, width = 0, len(self.header)
        for number, line, cells in self._split():
            # Spreadsheets add empty rows, and empty cells at the end of a row.
            if number <= self._header_number or not any(map(str.strip, cells)):
                continue
            if len(cells) > width and not any(map(str.strip, cells[width:])):
                cells = cells[:width]
            # Joined files have their headers in the middle, perhaps with the second file's byte order mark.
            if cells[-1] == self.header[-1] and [cells[0].lstrip("\ufeff"), *cells[1:]] == self.header:
                self.repeated_headers += 1
                continue
            if self._is_total is not None and self._is_total(cells):
                continue
            count += 1
            problem = self._find_problem(cells)
            if problem is not None:
                self.problems.add(f"line {line}, row {number}: {problem}")
                continue
            if len(cells) < width:
                cells += [""] * (width - len(cells))
            yield TableRow(number, line, cells)
        if not count:
            self.problems.add(
                f"row {self._header_number}: a header and no row below it; expected at least one row. Get the file again; if there is "
                "nothing to read, leave it out."
            )

    def _split(self) -> Iterator[tuple[int, int, list[str]]]:
        """Read number, first line and cells of each row."""
        reader = csv.reader(self._lines, strict=True, delimiter=self.separator)
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
                fault = _say_fault(error, line, reader.line_num)
                raise InputError(f"{self.where}, line {line}: not CSV: {fault}") from None
            finally:
                csv.field_size_limit(limit)
            yield number, line, cells

    def _find_problem(self, cells: Sequence[str]) -> str | None:
        """Find errors in a row as a whole; its cells are never shown."""
        expected = SEPARATORS[self.separator]
        if len(cells) > len(self.header):
            return (
                f"{len(cells)} cells; expected {len(self.header)}, as in the header. Put a text with {expected} in it into double "
                "quotation marks."
            )
        if len(cells) == 1 and len(self.wanted) > 1:
            for other, name in SEPARATORS.items():
                if other != self.separator and cells[0].count(other) >= len(self.wanted) - 1:
                    return (
                        f"{name} stands between its cells; expected {expected}, as in the header. Use one of the two."
                    )
        for name, cell in zip(self.header, cells, strict=False):
            if len(cell) > _LONGEST_CELL or "\n" in cell or "\r" in cell:
                problem = self._find_cell_problem(f"column {name!r}" if name in self.wanted else "a column", cell)
                if problem is not None:
                    return problem
        if len(cells) < self._needed:
            return (
                f"{count_of(len(cells), 'cell')}; expected {self._needed}, as in the header. Add what is missing, or remove the row if "
                "it is not a message."
            )
        return None

    def _find_cell_problem(self, column: str, cell: str) -> str | None:
        within = _LINE_END.split(cell)[1:]
        # A long letter has line ends too; a row that was taken in has separators as well.
        may_be_rows = len(within) > _MOST_LINE_ENDS and any(
            line.count(self.separator) >= len(self.header) - 1 for line in within
        )
        if may_be_rows or (self._is_row is not None and any(map(self._is_row, self._split_lines(within)))):
            return (
                f"{column} holds the rows that follow, as a quotation mark that is not closed makes it; expected one text. "
                "Close it, or remove it."
            )
        if len(cell) > _LONGEST_CELL:
            return f"{column} has {len(cell)} characters; expected at most {_LONGEST_CELL}. See whether a quotation mark is not closed."
        return None

    def _split_lines(self, lines: Sequence[str]) -> Iterator[list[str]]:
        for line in lines:
            cells = next(csv.reader([line], delimiter=self.separator), [])
            if cells:
                yield cells


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
