"""Names of files that can be tables."""

from pathlib import PurePath

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")


def is_table_name(name: str) -> bool:
    """Tell whether a file of this name in a folder is a table.

    >>> is_table_name("Groups.XLSX"), is_table_name("~$Groups.xlsx"), is_table_name("notes.docx")
    (True, False, False)
    """
    # Spreadsheet programs keep "~$groups.xlsx" beside an open workbook.
    return PurePath(name).suffix.lower() in ENDINGS and not name.startswith((".", "~$"))
