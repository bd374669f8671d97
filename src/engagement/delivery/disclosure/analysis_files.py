"""The gate for analysis files: masks phone numbers in its tables and its report.

Its pictures contain only numbers and names of codes. Of other kinds of files the gate does not know what they say, so they
stay on this machine.
"""

import filecmp
import re
from pathlib import Path

from engagement.delivery.disclosure.findings import DisclosureFindings
from engagement.delivery.disclosure.pages import mask_page
from engagement.delivery.disclosure.tables import read_rows
from engagement.delivery.disclosure.texts import TextGate
from engagement.foundation.errors import InputError
from engagement.foundation.files import make_directory, open_for_writing, read_text, reading_csv, write_csv

_MESSAGE = "Message"
_PICTURES = (".png", ".svg", ".pdf")
# A number as the tables write it: a count, or a figure with all its digits. No phone number looks like 0.0546286339790734.
_is_number = re.compile(r"-?(?:[1-9][0-9]*|0(?=[.]))(?:[.][0-9]+)?(?:e[+-][0-9]+)?", re.ASCII).fullmatch
KNOWN_KINDS = frozenset({".csv", ".html", *_PICTURES})


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
    if path.suffix in _PICTURES:
        return path
    with reading_csv(path) as rows:
        header = next(rows, [])
    place = header.index(_MESSAGE) if _MESSAGE in header else None
    make_directory(copy.parent)
    write_csv(copy, header, (_pass_row(row, place, texts, name) for row in read_rows(path)))
    # Nothing was masked: the file itself.
    return path if place is None and filecmp.cmp(copy, path, shallow=False) else copy


def _pass_row(row: list[str], place: int | None, texts: TextGate, name: str) -> list[str]:
    """Pass a row: its message, at `place`, and whatever else is not a number of the analysis."""
    return [
        texts.pass_cell(cell, name, is_guarded=True)
        if position == place
        else cell
        if _is_number(cell)
        else texts.pass_text(cell, name)
        for position, cell in enumerate(row)
    ]
