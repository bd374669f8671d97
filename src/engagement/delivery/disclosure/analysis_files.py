"""The gate for analysis files: masks phone numbers in the messages of its tables and report.

Its pictures and other tables contain only numbers and names of codes.
"""

from pathlib import Path

from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.pages import mask_page
from engagement.delivery.disclosure.tables import read_rows
from engagement.delivery.disclosure.texts import TextGate
from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, open_for_writing, read_text, reading_csv, write_csv

_MESSAGE = "Message"


def pass_analysis_file(path: Path, name: str, copies: Path, findings: DisclosureFindings, lets_pass: bool) -> Path:
    """Return the file to upload for the analysis file `name`: itself, or a masked copy in `copies`."""
    texts = TextGate(findings, lets_pass)
    copy = copies / name
    if path.suffix == ".html":
        page = read_text(path, InputError, "a page of the analysis")
        make_directory(copy.parent)
        with open_for_writing(copy) as file:
            # Its messages are also in the tables, which record them.
            file.write(mask_page(page, texts.pass_text))
        return copy
    if path.suffix != ".csv":
        return path
    with reading_csv(path) as rows:
        header = next(rows, [])
    if _MESSAGE not in header:
        return path
    place = header.index(_MESSAGE)
    make_directory(copy.parent)
    write_csv(copy, header, (_pass_row(row, place, texts, name) for row in read_rows(path)))
    return copy


def _pass_row(row: list[str], place: int, texts: TextGate, name: str) -> list[str]:
    return [*row[:place], texts.pass_cell(row[place], name, is_guarded=True), *row[place + 1 :]]
