"""Workbooks of other programs and damaged ones: no row is left out in silence, and nothing of them is shown."""

import datetime
import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from engagement.foundation.errors import InputError
from engagement.sources.tables.xlsx import XlsxTable

WANTED = ("Mobile", "Text")
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*sheets: str, hidden: int | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheets[0] if sheets else "Sheet"
    for name in sheets[1:]:
        book.create_sheet(name)
    if hidden is not None:
        book.worksheets[hidden].sheet_state = "hidden"
    for row in (WANTED, ("0712000001", "haa"), ("0712000002", "maya")):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def changed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with its sheet changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            part = before.read(name)
            after.writestr(name, change(part) if name == SHEET else part)
    return result.getvalue()


def with_row(row: bytes) -> bytes:
    return changed(workbook(), lambda part: part.replace(b"</sheetData>", row + b"</sheetData>"))


def read(content: bytes) -> list[list[str]]:
    return [row.cells for row in XlsxTable(content, "groups.xlsx", WANTED).rows()]


@pytest.mark.parametrize("noted", [b"A1", b"A1:B2", b"A1:A3", b"A1:XFD1048576"])
def test_rows_and_columns_beyond_the_size_that_the_file_notes_are_read(noted: bytes):
    content = changed(workbook(), lambda part: part.replace(b'ref="A1:B3"', b'ref="%s"' % noted))
    assert content != workbook()
    assert [row[:2] for row in read(content)] == [["0712000001", "haa"], ["0712000002", "maya"]]


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="4"><c r="A4" t="s"><v>999</v></c></row>',
        b'<row r="4"><c r="A4"><v>x0712000009</v></c></row>',
        b'<row r="4"><c r="A4" t="b"><v>q0712000009</v></c></row>',
        b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>',
        b'<row r="4"><c r="A4"',
        # A second row or cell in one place would be lost, as one above the last row would.
        b'<row r="3"><c r="A3"><v>712000009</v></c></row>',
        b'<row r="9"/><row r="4"><c r="A4"><v>712000009</v></c></row>',
        b'<row r="4"><c r="A4"><v>712000008</v></c><c r="A4"><v>712000009</v></c></row>',
    ],
)
def test_a_damaged_sheet_is_refused_without_its_content(row: bytes):
    with pytest.raises(InputError, match="sheet 'Sheet': damaged; expected a sheet") as refused:
        read(with_row(row))
    assert "0712" not in str(refused.value)


def test_bytes_that_do_not_unpack_are_damaged_too():
    content = bytearray(workbook())
    at = content.index(SHEET.encode()) + len(SHEET) + 40
    content[at : at + 60] = b"\xff" * 60
    with pytest.raises(InputError, match="groups.xlsx"):
        read(bytes(content))


def test_the_choice_of_a_sheet_tells_hidden_ones_and_shows_no_number():
    with pytest.raises(InputError) as refused:
        read(workbook("Answers", "0712 000 009", "Codes", hidden=2))
    assert "'Answers', (not shown, as it holds a phone number), 'Codes' (hidden)" in str(refused.value)


def test_a_cell_with_a_date_is_a_date():
    book = openpyxl.Workbook()
    book.active.append(WANTED)
    book.active.append((datetime.datetime(2026, 8, 26, 17, 5), datetime.time(17, 5)))  # noqa: DTZ001 - cells have no zone
    content = io.BytesIO()
    book.save(content)
    assert read(content.getvalue()) == [["2026-08-26 17:05:00", "17:05:00"]]


def test_a_number_in_a_cell_with_the_format_of_a_date_is_shown_by_nobody(recwarn: pytest.WarningsRecorder):
    book = openpyxl.Workbook()
    book.active.append(WANTED)
    book.active.append((254712000001, "haa"))
    book.active["A2"].number_format = "dd/mm/yyyy"
    content = io.BytesIO()
    book.save(content)
    table = XlsxTable(content.getvalue(), "groups.xlsx", WANTED)
    assert list(table.rows()) == []
    with pytest.raises(InputError, match="row 2, column 'Mobile'") as refused:
        table.problems.refuse()
    assert "712000001" not in str(refused.value) + "".join(str(one.message) for one in recwarn)


DOCTYPES = {
    "texts that multiply": b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 1000),
    "texts of other files": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
}


@pytest.mark.parametrize("name", DOCTYPES)
def test_a_sheet_with_texts_from_elsewhere_is_refused(name: str):
    def change(part: bytes) -> bytes:
        row = b'<row r="4"><c r="A4" t="inlineStr"><is><t>&a;</t></is></c></row></sheetData>'
        return part.replace(b"<worksheet", DOCTYPES[name] + b"<worksheet").replace(b"</sheetData>", row)

    with pytest.raises(InputError, match="damaged; expected a sheet"):
        read(changed(workbook(), change))


@pytest.mark.parametrize(
    ("part", "end", "filling"),
    [
        ("xl/styles.xml", b"</styleSheet>", b"<fonts/>"),
        ("xl/workbook.xml", b"</workbook>", b"<definedNames/>"),
        ("[Content_Types].xml", b"</Types>", b'<Default Extension="aaa" ContentType="a/b"/>'),
    ],
)
def test_styles_and_lists_that_would_fill_the_memory_are_refused(part: str, end: bytes, filling: bytes):
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as before,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            whole = before.read(name)
            more = filling * (1 + (17 << 20) // len(filling))
            after.writestr(name, whole.replace(end, more + end) if name == part else whole)
    with pytest.raises(InputError, match="17 MB of styles or lists of sheets when unpacked; expected at most 16"):
        read(content.getvalue())


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="B4" t="inlineStr"><is><t>one_x000D_ _x005F_x000D_ _xD83D_</t></is></c>',
        b'<c r="B4" t="str"><f>B1</f><v>one_x000D_ _x005F_x000D_ _xD83D_</v></c>',
    ],
)
def test_characters_that_xml_cannot_hold_are_decoded(cell: bytes):
    assert read(with_row(b'<row r="4">' + cell + b"</row>"))[-1][1] == "one\r _x000D_ _xD83D_"


def test_shared_texts_are_decoded():
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as before, zipfile.ZipFile(content, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b">maya<", b">ma_x000D_ya<"))
    assert read(content.getvalue())[-1][1] == "ma\rya"
