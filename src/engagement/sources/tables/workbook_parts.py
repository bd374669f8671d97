"""Open a workbook for reading cells: its sheets, shared texts, and formats of dates."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from engagement.foundation.errors import InputError
from engagement.sources.tables.sheet_rows import SheetRow, read_shared_texts, read_sheet_rows

# The most styles that Excel allows take less.
_MOST_PART_BYTES = 16 << 20


class SheetPart(NamedTuple):
    """A sheet: its title, whether it is visible, and its part of the file."""

    title: str
    state: str
    part: str


class _PartsArchive(zipfile.ZipFile):
    """A workbook's archive for openpyxl, which makes objects of what it reads.

    They take many times the size of a part.
    """

    def __init__(self, content: bytes, where: str):
        super().__init__(io.BytesIO(content))
        self._where = where

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """Read a part whole.

        Raises
        ------
        InputError
            It is larger than styles and lists of sheets are.
        """
        size = (name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)).file_size
        if size > _MOST_PART_BYTES:
            raise InputError(
                f"{self._where}: {size >> 20} MB of styles or lists of sheets when unpacked; expected at most {_MOST_PART_BYTES >> 20}. "
                "Copy the values into a new workbook, or save the table as CSV."
            )
        return super().read(name, pwd)


class OpenedWorkbook:
    """A workbook that was opened with `open_workbook`."""

    def __init__(self, reader: Any):
        self._reader = reader
        # Charts have sheets too.
        self.sheets = [
            SheetPart(sheet.name, sheet.state, part.target)
            for sheet, part in reader.parser.find_sheets()
            if part.target in reader.valid_files and "chartsheet" not in part.Type
        ]

    def read_rows(self, sheet: SheetPart) -> Iterator[SheetRow]:
        """Read a sheet's rows in the order of the file."""
        with self._reader.archive.open(sheet.part) as file:
            yield from read_sheet_rows(file, self._reader.wb, self._reader.shared_strings)


def open_workbook(content: bytes, where: str) -> OpenedWorkbook:
    """Open a workbook.

    Raises
    ------
    InputError
        It can't be read as one.
    """
    # Few projects have workbooks.
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.xml.constants import SHARED_STRINGS

    # Its warnings show values: a number in a cell with a date's format is one.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    try:
        # Its `read` would look through each sheet for its size, and make objects of all shared texts.
        reader = ExcelReader(io.BytesIO(content), read_only=True, keep_links=False)
        reader.archive = _PartsArchive(content, where)
        reader.read_manifest()
        shared = reader.package.find(SHARED_STRINGS)
        if shared is not None:
            with reader.archive.open(shared.PartName[1:]) as file:
                reader.shared_strings = read_shared_texts(file)
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        return OpenedWorkbook(reader)
    except (MemoryError, InputError):
        raise
    except Exception as error:
        # Whatever is wrong in a damaged file, the library lets it through as it is.
        raise InputError(
            f"{where}: could not be read as a workbook ({type(error).__name__}); expected .xlsx. Save it again, or get the file "
            "again."
        ) from None
