"""Cells of spreadsheets that need a second look: dates of workbooks, and numbers without their country's code."""

import datetime
import io
from pathlib import Path

import openpyxl
import pytest

from engagement.foundation.errors import InputError
from spreadsheet_project import AT, HEADER, ROWS, XLSX_HEADER, SpreadsheetProject, line, workbook


@pytest.fixture
def project(tmp_path: Path) -> SpreadsheetProject:
    return SpreadsheetProject(tmp_path)


def test_dates_of_a_workbook_need_no_format(project: SpreadsheetProject):
    project.table["TimeFormat"] = "dd/mm/YYYY"
    project.put(
        workbook(XLSX_HEADER, ["0712000001", AT, "haa", 25], ["0712000002", "21/03/2026 10:00", "maya", 25]),
        "groups.xlsx",
    )
    project.fetch()
    assert project.times() == ["2026-03-20T07:00:00+00:00", "2026-03-21T07:00:00+00:00"]


def test_dates_of_a_workbook_leave_the_format_to_its_texts(project: SpreadsheetProject):
    project.put(
        workbook(XLSX_HEADER, ["0712000001", AT, "haa", 25], ["0712000002", "3/21/2026 10:00", "maya", 25]),
        "groups.xlsx",
    )
    project.fetch()
    assert project.times() == ["2026-03-20T07:00:00+00:00", "2026-03-21T07:00:00+00:00"]


@pytest.mark.parametrize("settings", [{}, {"TimeFormat": "dd/mm/YYYY"}])
def test_dates_whose_day_and_month_a_program_swapped_are_refused(project: SpreadsheetProject, settings: dict[str, str]):
    project.table |= settings
    # Export of the 3rd to the 21st of April, opened by a program that writes the month first.
    turned = [datetime.datetime(2026, day, 4, 10, 0) for day in (3, 9, 12)]  # noqa: DTZ001 - cells have no zone
    rows = [["0712000001", time, "haa", 25] for time in (*turned, "13/4/2026 10:00", "21/4/2026 10:00")]
    project.put(workbook(XLSX_HEADER, *rows), "groups.xlsx")
    with pytest.raises(InputError, match="swapped the day and the month"):
        project.fetch()
    # Texts with the year first are never turned.
    rows[3:] = [["0712000001", f"2026-04-{day} 10:00", "haa", 25] for day in (13, 21)]
    project.table["TimeFormat"] = "auto"
    project.put(workbook(XLSX_HEADER, *rows), "groups.xlsx")
    project.fetch()
    assert len(project.times()) == 5


@pytest.mark.parametrize("number", ["0712000001", "712000001", "(0712) 000-001", "'0712000001", '"=""0712000001"""'])
def test_a_national_number_without_its_country_is_set_aside(
    project: SpreadsheetProject, caplog: pytest.LogCaptureFixture, number: str
):
    del project.source["Country"]
    rows = [line(number) for number in range(150)]
    project.put(HEADER + "".join(rows) + f"{number},20/03/2026 10:00,haa,25\n254712000003,21/03/2026 10:00,b,\n")
    project.fetch()
    assert len(project.texts()) == 151
    assert "its phone number has no country's code: set Country in the source, like 'KE' (1)" in caplog.text
    assert "0712" not in caplog.text
    caplog.clear()
    project.source["Country"] = "KE"
    project.fetch()
    assert len(project.texts()) == 152
    assert "set aside" not in caplog.text


def test_a_number_of_no_country_is_set_aside_though_the_country_is_known(
    project: SpreadsheetProject, caplog: pytest.LogCaptureFixture
):
    project.put(HEADER + "".join(ROWS) + "00712,20/03/2026 10:00,haa,25\n")
    project.fetch()
    project.put(HEADER + "".join(ROWS) + "7120001,20/03/2026 10:00,haa,25\n")
    project.fetch()
    assert len(project.texts()) == 20
    assert "its phone number is none of KE, and has no country's code (1)" in caplog.text


def test_answers_without_respondent_and_time_are_told(project: SpreadsheetProject, caplog: pytest.LogCaptureFixture):
    book = openpyxl.Workbook()
    for row in (XLSX_HEADER, ["0712000001", AT, "haa", 25], [None, None, "maya", None], [None, None, None, None]):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("B2:B3")
    content = io.BytesIO()
    book.save(content)
    project.put(content.getvalue(), "groups.xlsx")
    project.fetch()
    assert (
        "groups.xlsx: 1 row with an answer, but without respondent and time, the first in row 3: not taken"
        in caplog.text
    )
    assert project.texts() == ["haa"]


def test_a_remark_below_a_table_is_not_told_as_an_answer(project: SpreadsheetProject, caplog: pytest.LogCaptureFixture):
    project.put("Note," + HEADER + "x," + ROWS[0] + "seen by the team,,,,\n")
    project.fetch()
    assert "not taken" not in caplog.text
