"""Workbooks as another program reads them: texts exactly, nothing that runs, and what Excel can't hold is counted."""

import tracemalloc
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest

from engagement.foundation import workbooks
from engagement.foundation.errors import MachineError
from engagement.foundation.workbooks import LONGEST_CELL, WorkbookLosses, WorkbookSheet, write_workbook

SCRIPTS = ["ሰላም ለሁላችሁ", "ماء نظيف للجميع", "biyo nadiif ah", "😀 👩‍👩‍👧", " begins with a blank", "two\nlines"]
RUNNING = [
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-1+1",
    "＝1+1",
    '=HYPERLINK("http://example.org")',
    "{=1}",
    "http://example.org",
    "0612",
]
MARKUP = ["<r>", "<r><t>bold</t></r>", "<r>&</r>", "</t></is>", "&amp;", "]]>", "_x0041_"]


def write(tmp_path: Path, *sheets: WorkbookSheet) -> WorkbookLosses:
    return write_workbook(tmp_path / "book.xlsx", sheets)


def read(tmp_path: Path) -> dict[str, list[list[object]]]:
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    return {page.title: [[cell.value for cell in row] for row in page.iter_rows()] for page in book.worksheets}


def markup_of(tmp_path: Path) -> str:
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("text", [*SCRIPTS, *RUNNING, *MARKUP])
def test_a_text_comes_back_exactly_and_is_never_run(tmp_path, text):
    losses = write(tmp_path, WorkbookSheet("messages", ["Text"], [[text]]))
    # A literal _x0041_ is escaped as Excel does it; this reader leaves it as it stands in the file.
    expected = text.replace("_x0041_", "_x005F_x0041_")
    assert read(tmp_path) == {"messages": [["Text"], [expected]]}
    page = openpyxl.load_workbook(tmp_path / "book.xlsx").active
    assert page["A2"].data_type in ("s", "inlineStr")
    assert "<f>" not in markup_of(tmp_path)
    assert losses == WorkbookLosses()


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\ufffe", "\uffff", "\ud83d"])
def test_what_xml_can_not_hold_is_replaced_and_counted(tmp_path, character):
    losses = write(tmp_path, WorkbookSheet("messages", ["Text"], [[f"a{character}b"]]))
    assert read(tmp_path)["messages"][1] == ["a\ufffdb"]
    assert losses == WorkbookLosses(replaced_characters=1)
    ElementTree.fromstring(markup_of(tmp_path))


@pytest.mark.parametrize("letter", ["a", "ሰ", "😀"])
def test_a_cell_past_what_excel_holds_is_cut_between_characters_and_counted(tmp_path, letter):
    width = len(letter.encode("utf-16-le")) // 2
    fits = LONGEST_CELL // width
    losses = write(tmp_path, WorkbookSheet("messages", ["Text"], [[letter * fits], [letter * (fits + 1)]]))
    assert read(tmp_path)["messages"][1:] == [[letter * fits], [letter * fits]]
    assert losses == WorkbookLosses(cut_cells=1)
    assert losses.say() == "1 cell(s) cut at 32,767 characters"


def test_a_carriage_return_is_a_line_end(tmp_path):
    write(tmp_path, WorkbookSheet("messages", ["Text"], [["a\r\nb\rc"]]))
    assert read(tmp_path)["messages"][1] == ["a\nb\nc"]


def test_only_columns_of_numbers_hold_numbers(tmp_path):
    write(
        tmp_path,
        WorkbookSheet("shares", ["Value", "Share"], [["25", "2.5"], ["007", "-"], ["x", "1e-05"]], frozenset({1})),
    )
    assert read(tmp_path)["shares"][1:] == [["25", 2.5], ["007", "-"], ["x", 1e-05]]


def test_more_rows_than_a_sheet_has_go_on_in_another(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_ROWS", 301)
    write(tmp_path, WorkbookSheet("messages", ["Number"], ([str(number)] for number in range(601))))
    pages = read(tmp_path)
    assert {name: len(rows) for name, rows in pages.items()} == {"messages": 301, "messages 2": 301, "messages 3": 2}
    assert [row[0] for rows in pages.values() for row in rows[1:]] == [str(number) for number in range(601)]


def test_columns_past_the_last_are_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_COLUMNS", 2)
    losses = write(tmp_path, WorkbookSheet("messages", ["a", "b", "c"], [["1", "2", "3"]]))
    assert read(tmp_path)["messages"] == [["a", "b"], ["1", "2"]]
    assert losses == WorkbookLosses(left_out_columns=1)


def test_an_empty_table_has_its_header_and_the_same_tables_make_the_same_bytes(tmp_path):
    write(tmp_path, WorkbookSheet("empty", ["a"], []))
    assert read(tmp_path) == {"empty": [["a"]]}
    before = (tmp_path / "book.xlsx").read_bytes()
    write(tmp_path, WorkbookSheet("empty", ["a"], []))
    assert (tmp_path / "book.xlsx").read_bytes() == before
    assert openpyxl.load_workbook(tmp_path / "book.xlsx").properties.created.year == 2000


def test_memory_does_not_grow_with_the_rows(tmp_path):
    peaks = []
    for count in (500, 5000):
        tracemalloc.start()
        write(tmp_path, WorkbookSheet("messages", ["a"], ([f"{number} {'ሰላም' * 50}"] for number in range(count))))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_failed_workbook_leaves_the_old_one_and_nothing_else(tmp_path):
    write(tmp_path, WorkbookSheet("old", ["a"], []))

    def rows():
        yield ["1"]
        raise OSError(28, "No space left on device")

    with pytest.raises(MachineError, match=r"book\.xlsx: could not be written: No space left"):
        write(tmp_path, WorkbookSheet("new", ["a"], rows()))
    assert read(tmp_path) == {"old": [["a"]]}
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]
