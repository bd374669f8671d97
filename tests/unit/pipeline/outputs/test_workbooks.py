"""The tables of the analysis in one workbook: their definitions first, numbers as numbers, and made only when they changed."""

from pathlib import Path, PurePosixPath

import openpyxl
import pytest

from engagement.pipeline.outputs.columns import COLUMNS
from engagement.pipeline.outputs.workbooks import find_tables, update_analysis_workbook, write_table_workbook

TABLES = {
    "share_intervals.csv": "Dataset,Theme,Breakdown,Value,Participants,Share %,Low %,High %\ns01e01,1,age,25,3,12.5,-,\n",
    "engagement_counts.csv": "Dataset,Total Messages\n2026,7\n",
    "sample_messages.csv": "Episode,Code Scheme,Code,Message\ns01e01,s,01,'=1+1\ns01e01,s,02,12\n",
    "statistics/own.csv": "a,b\n1,x\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TABLES.items():
        path = tmp_path / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "new"


def read(path: Path) -> dict[str, list[tuple[object, ...]]]:
    book = openpyxl.load_workbook(path)
    return {page.title: list(page.iter_rows(values_only=True)) for page in book.worksheets}


def test_it_has_a_sheet_for_each_table_in_the_manuals_order_behind_the_definitions(folder, tmp_path):
    assert update_analysis_workbook(folder, tmp_path / "none")
    sheets = read(folder / "tables.xlsx")
    assert list(sheets) == ["definitions", "engagement_counts", "share_intervals", "sample_messages", "own"]
    meanings = {(row[0], row[1]): row[2] for row in sheets["definitions"][1:]}
    known = {(c.file.rpartition("/")[2][:-4], c.name): c.meaning for c in COLUMNS}
    assert meanings == {key: known[key] for key in known if key[0] in sheets}
    assert meanings["share_intervals", "Base"].startswith("participants with any Normal code")


def test_numbers_are_numbers_and_names_of_codes_and_texts_are_not(folder, tmp_path):
    update_analysis_workbook(folder, tmp_path / "none")
    sheets = read(folder / "tables.xlsx")
    assert sheets["share_intervals"][1] == ("s01e01", "1", "age", "25", 3, 12.5, "-", None)
    assert sheets["engagement_counts"][1] == ("2026", 7)
    assert sheets["sample_messages"][1:] == [("s01e01", "s", "01", "=1+1"), ("s01e01", "s", "02", "12")]


def test_the_workbook_of_unchanged_tables_is_taken_over_and_that_of_others_made(folder, tmp_path, monkeypatch):
    update_analysis_workbook(folder, tmp_path / "none")
    old = folder.rename(tmp_path / "old")
    folder.mkdir()
    for name, path in find_tables(old).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(path.read_bytes())
    assert not update_analysis_workbook(folder, old)
    assert (folder / "tables.xlsx").read_bytes() == (old / "tables.xlsx").read_bytes()
    (folder / "engagement_counts.csv").write_text("Dataset,Total Messages\n2026,8\n")
    assert update_analysis_workbook(folder, old)
    assert read(folder / "tables.xlsx")["engagement_counts"][1] == ("2026", 8)


def test_a_workbook_that_somebody_changed_is_made_again(folder, tmp_path):
    update_analysis_workbook(folder, tmp_path / "none")
    (folder / "tables.xlsx").write_bytes(b"PK")
    assert update_analysis_workbook(folder, folder)
    assert PurePosixPath("engagement_counts.csv") in find_tables(folder)


@pytest.mark.parametrize(("is_guarded", "expected"), [(True, "=1+1"), (False, "'=1+1")])
def test_only_the_pipelines_own_apostrophes_go(tmp_path, is_guarded, expected):
    (tmp_path / "messages.csv").write_text("uid,rqa_raw\na,'=1+1\n")
    write_table_workbook(tmp_path / "messages.csv", tmp_path / "messages.xlsx", is_guarded)
    sheets = read(tmp_path / "messages.xlsx")
    assert list(sheets) == ["messages", "definitions"]
    assert sheets["messages"] == [("uid", "rqa_raw"), ("a", expected)]


def test_what_a_workbook_can_not_hold_is_told(tmp_path, caplog):
    (tmp_path / "messages.csv").write_text(f"uid,rqa_raw\na,{'x' * 40_000}\n")
    write_table_workbook(tmp_path / "messages.csv", tmp_path / "messages.xlsx", is_guarded=False)
    assert "messages.xlsx: a workbook can't hold everything: 1 cell(s) cut at 32,767 characters" in caplog.text
