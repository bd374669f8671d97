"""Our reader of sheets reads every kind of cell as openpyxl does, which we let read the rest of a workbook."""

import datetime
import io
import zipfile

import openpyxl
import pytest
import xlsxwriter

from engagement.sources.tables.workbook_parts import open_workbook

AT = datetime.datetime(2026, 8, 26, 17, 5, 0, 250_000)  # noqa: DTZ001 - cells have no zone
SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def write_with_xlsxwriter(constant_memory: bool = False, **settings: object) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "constant_memory": constant_memory, **settings})
    sheet = book.add_worksheet("Answers")
    day, clock, span = (book.add_format({"num_format": form}) for form in ("dd/mm/yyyy", "hh:mm", "[hh]:mm:ss"))
    sheet.write_row(0, 0, ["Mobile", "  Text ", "haa & <maya>", "haa\nmaya", "_x0041_", "نعم", ""])
    sheet.write_row(2, 1, [25, 25.5, 1e20, True, False, -3])
    sheet.write_datetime(4, 0, AT, day)
    sheet.write_datetime(4, 1, AT, clock)
    sheet.write_number(4, 2, 0.25, clock)
    sheet.write_number(4, 3, 1.5, span)
    sheet.write_number(4, 4, 254712000001, day)
    sheet.write_number(4, 5, 45, day)
    sheet.write_formula(5, 0, "=1+1", None, 2)
    sheet.write_formula(5, 1, "=A1", None, "Mobile")
    sheet.write_formula(5, 2, "=NA()", None, "#N/A")
    sheet.write_rich_string(6, 0, "one ", book.add_format({"bold": True}), "bold", " word")
    sheet.write_string(7, 30, "far to the right")
    book.close()
    return content.getvalue()


def write_with_openpyxl(write_only: bool) -> bytes:
    book = openpyxl.Workbook(write_only=write_only)
    sheet = book.create_sheet("Answers", 0)
    sheet.append(["Mobile", " Text ", "haa & <maya>", "haa\nmaya", None, 25, 25.5, True])
    sheet.append([AT, AT.date(), AT.time(), datetime.timedelta(hours=30), "=1+1"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def with_sheet_data(rows: str) -> bytes:
    """A workbook whose sheet is XML that few programs write."""
    content = io.BytesIO()
    before = zipfile.ZipFile(io.BytesIO(write_with_openpyxl(write_only=False)))
    with before, zipfile.ZipFile(content, "w") as after:
        for name in before.namelist():
            sheet = f"<worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>"
            after.writestr(name, sheet if name == SHEET else before.read(name))
    return content.getvalue()


def read_ours(content: bytes) -> list[tuple[int, int, object]]:
    workbook = open_workbook(content, "groups.xlsx")
    return [
        (number, column, "an error" if cell.is_error else cell.value)
        for number, cells in workbook.read_rows(workbook.sheets[0])
        for column, cell in enumerate(cells, 1)
        if cell.is_error or cell.value is not None
    ]


def read_theirs(content: bytes) -> list[tuple[int, int, object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
    sheet.reset_dimensions()
    return [
        (cell.row, cell.column, "an error" if cell.data_type == "e" else cell.value)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]


@pytest.mark.filterwarnings("ignore:Cell")
@pytest.mark.parametrize(
    "content",
    [
        write_with_xlsxwriter(),
        # Texts within the cells instead of shared ones.
        write_with_xlsxwriter(constant_memory=True),
        # The calendar of old Macs.
        write_with_xlsxwriter(date_1904=True),
        write_with_openpyxl(write_only=False),
        write_with_openpyxl(write_only=True),
        # Neither rows nor cells say where they are.
        with_sheet_data("<row><c><v>1</v></c><c t='str'><v>b</v></c></row><row/><row><c r='C3'><v>1</v></c><c><v>2</v></c></row>"),
        # How a text is read aloud is no part of it.
        with_sheet_data(
            "<row r='1.0'><c r='A1' t='inlineStr'><is><r><t>ha</t></r><r><t>a</t></r><rPh sb='0' eb='1'><t>x</t></rPh></is></c></row>"
        ),
        with_sheet_data("<row r='1'><c r='B1' t='d'><v>2026-08-26T17:05:00</v></c><c r='C1' t='s'><v></v></c><c r='D1' t='e'><v>#REF!</v></c></row>"),
        with_sheet_data("<row r='1'><c r='A1' t='inlineStr'><is><t>a</t></is></c><c r='B1' t='b'><v>1</v></c><c r='C1'><v>1E3</v></c></row>"),
    ],
)  # fmt: skip
def test_every_kind_of_cell_is_read_as_the_library_reads_it(content: bytes):
    found = read_ours(content)
    assert found == read_theirs(content)
    assert len(found) > 0


@pytest.mark.parametrize("place", ["1", "A1B", "AAAA1"])
def test_a_cell_at_no_place_is_damaged(place: str):
    with pytest.raises(ValueError, match="not a valid column|Invalid column"):
        read_ours(with_sheet_data(f"<row r='1'><c r='{place}'><v>1</v></c></row>"))
