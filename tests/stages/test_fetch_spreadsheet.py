"""Spreadsheets from end to end: what people fill in and export becomes submissions, and no number reaches the disk."""

import datetime
import io
import logging
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError, InputError, ServiceError
from spreadsheet_project import AT, HEADER, ROWS, XLSX_HEADER, SpreadsheetProject, line, workbook

UID = "avf-phone-uuid-1f0c2a34-53a4-4f6e-9a57-0d7c0a1f6f11"


@pytest.fixture
def project(tmp_path: Path) -> SpreadsheetProject:
    return SpreadsheetProject(tmp_path)


def test_rows_become_answers_of_two_flows(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS) + line(99, "", age="31"))
    project.fetch()
    assert project.texts() == ["haa"] * 20
    assert project.times() == ["2026-03-20T07:00:00+00:00"] * 20
    survey = [record.values["Age (Text) - groups_survey"] for record in project.read("groups_survey")]
    assert sorted(survey) == ["25"] * 20 + ["31"]
    assert len({record.values["avf_phone_id"] for record in project.read("groups_s05")}) == 20


def test_no_number_reaches_the_disk(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS))
    project.fetch()
    for path in project.data_root.rglob("*"):
        assert not path.is_file() or b"71200" not in path.read_bytes(), path


def test_appended_rows_come_and_a_file_saved_again_changes_no_byte(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS))
    project.fetch()
    before = project.file("groups_s05").read_bytes()
    # Sorted the other way, with ; and a column more.
    rows = [row.replace(",", ";").replace("\n", ";x\n") for row in (HEADER, *reversed(ROWS))]
    project.put("\ufeff" + "".join(rows))
    project.fetch(user="another@example.org")
    assert project.file("groups_s05").read_bytes() == before
    project.put(HEADER + "".join(ROWS) + line(50, "cusub"))
    project.fetch()
    assert len(project.texts()) == 21
    assert set(before.splitlines()) < set(project.file("groups_s05").read_bytes().splitlines())


def test_files_that_overlap_count_the_most_of_each_row(project: SpreadsheetProject):
    twice, thrice = line(1, "1") * 2, line(1, "1") * 3
    project.put(HEADER + twice + line(2), "a.csv")
    project.put((HEADER + line(3) + thrice).replace(",", "\t"), "b.tsv")
    project.fetch()
    assert sorted(project.texts()) == ["1", "1", "1", "haa", "haa"]


def test_the_same_number_is_one_participant_however_it_is_written(project: SpreadsheetProject):
    numbers = ["+254 712 000001", "0712000001", "254712000001", "712000001"]
    project.put(HEADER + "".join(f"{number},20/03/2026 10:0{at},a,\n" for at, number in enumerate(numbers)))
    project.fetch()
    assert len({record.values["avf_phone_id"] for record in project.read("groups_s05")}) == 1


def test_a_workbook_is_read_as_it_looks(project: SpreadsheetProject):
    project.put(
        workbook(
            ["Listening groups, March"],
            [],
            XLSX_HEADER,
            [254712000001, AT, "haa", 25],
            [254712000002.0, AT, 7.0, 25.5],
            ["0712 000003", AT, True, None],
            XLSX_HEADER,
            [],
            [None, None, "Total", 3],
        ),
        "groups.xlsx",
    )
    project.fetch()
    assert sorted(project.texts()) == ["7", "TRUE", "haa"]
    assert project.times() == ["2026-03-20T07:00:00+00:00"] * 3
    ages = [record.values["Age (Text) - groups_survey"] for record in project.read("groups_survey")]
    assert sorted(ages) == ["25", "25.5"]
    assert {record.values["operator_raw"] for record in project.read("groups_s05")} == {"25471"}


def test_a_workbook_and_its_export_as_text_are_the_same_rows(project: SpreadsheetProject):
    project.put(workbook(XLSX_HEADER, [254712000001, AT, "haa", 25]), "a.xlsx")
    project.put(HEADER + "254712000001,2026-03-20 10:00,haa,25\n", "b.csv")
    project.fetch()
    assert project.texts() == ["haa"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([[2.54712e20, AT, "haa", 25]], "row 2, column 'Mobile No': a number with so many digits"),
        ([["=1+1", AT, "haa", 25]], "row 2, column 'Mobile No': a formula whose value was not saved"),
        ([["#NAME?", AT, "haa", 25]], "row 2, column 'Mobile No': the error of a formula"),
        ([], "a header and no row below it"),
    ],
)
def test_cells_without_a_sure_value_are_refused(project: SpreadsheetProject, rows: list[list[Any]], told: str):
    project.put(workbook(XLSX_HEADER, *rows), "groups.xlsx")
    with pytest.raises(InputError) as raised:
        project.fetch()
    assert told in str(raised.value)
    assert not project.file("groups_s05").exists()


def packed(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0old", "an old workbook"),
        (b"Mobile No,What?\n", "not an Excel workbook"),
        (packed(other=b"x"), "could not be read as a workbook"),
        (workbook(XLSX_HEADER)[:900], "not an Excel workbook"),
        (packed(xl__sharedStrings_xml=b"0" * (65 << 20)), "65 MB when unpacked"),
        # A part may have any name, and styles are in memory all at once, too.
        (packed(xl__words_xml=b"0" * (65 << 20)), "65 MB when unpacked"),
        (packed(xl__styles_xml=b"0" * (40 << 20), xl__words_xml=b"0" * (40 << 20)), "80 MB when unpacked"),
        (workbook(XLSX_HEADER, sheets=("March", "April")), "2 sheets; expected one of them in Sheet: 'March', 'April'"),
        (
            workbook(["Mobile", "Received On", "What?", "Age"]),
            "no column 'Mobile No'; expected 'Mobile No', 'Received On', 'What?', 'Age'. The other columns are 'Mobile'. Make",
        ),
    ],
)
def test_what_is_no_such_workbook_is_refused(project: SpreadsheetProject, content: bytes, told: str):
    project.put(content, "groups.xlsx")
    with pytest.raises(InputError) as raised:
        project.fetch()
    assert told in str(raised.value)


def test_a_sheet_is_chosen_by_name(project: SpreadsheetProject):
    project.table["Sheet"] = "March"
    project.put(workbook(XLSX_HEADER, ["0712000001", AT, "haa", 25], sheets=("March", "April")), "groups.xlsx")
    project.fetch()
    assert project.texts() == ["haa"]


@pytest.mark.parametrize(
    ("settings", "times", "told"),
    [
        ({}, ["3/2/2026 10:00"], "2026-02-03 10:00 if it is dd/mm/YYYY, 2026-03-02 10:00 if it is mm/dd/YYYY"),
        ({}, ["3/2/2026 10:00", "2026-02-03 10:00"], "not of the form"),
        (
            {"TimeFormat": "mm/dd/YYYY"},
            ["3/2/2026 10:00", "13/2/2026 10:00"],
            "1 time of 2 not of the form mm/dd/YYYY, first in row 3",
        ),
    ],
)
def test_times_that_could_be_others_are_refused(
    project: SpreadsheetProject, settings: dict[str, str], times: list[str], told: str
):
    project.table |= settings
    project.put(HEADER + "".join(line(at, time=time) for at, time in enumerate(times)))
    with pytest.raises(InputError) as raised:
        project.fetch()
    assert told in str(raised.value)


def test_date_and_time_in_two_columns_in_a_zone_of_their_own(project: SpreadsheetProject):
    project.table |= {"TimeColumns": ["Day", "Hour"], "TimeFormat": "mm/dd/YYYY", "TimeZone": "UTC"}
    project.put("Mobile No,Day,Hour,What?,Age\n0712000001,3/2/2026,10:00,haa,\n")
    project.fetch()
    assert project.times() == ["2026-03-02T10:00:00+00:00"]


def test_rows_that_can_not_be_read_are_set_aside(project: SpreadsheetProject, caplog: pytest.LogCaptureFixture):
    rows = [line(number) for number in range(250)]
    rows[7] = "2.54712E+11,20/03/2026 10:00,haa,25\n"
    rows[9] = line(9, time="soon")
    project.put(HEADER + "".join(rows) + ",,Total,250\n")
    project.fetch()
    assert len(project.texts()) == 248
    assert "its phone number lost digits, like 2.5E+11 (1)" in caplog.text
    assert "groups.csv, row 9" in caplog.text
    assert "2.54712E+11" not in caplog.text
    caplog.clear()
    project.put(HEADER + "".join(line(number) for number in range(250)))
    project.fetch()
    assert len(project.texts()) == 250
    assert "set aside" not in caplog.text


def test_many_rows_that_can_not_be_read_replace_nothing(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS) + line(50, time="soon") + "x,20/03/2026 10:00,haa,25\n")
    with pytest.raises(ServiceError, match="2 of 22 rows can't be read"):
        project.fetch()
    assert not project.file("groups_s05").exists()


def test_rows_that_can_not_be_read_are_named_in_their_order(
    project: SpreadsheetProject, caplog: pytest.LogCaptureFixture
):
    project.put(HEADER + "".join(ROWS[:7]) + "".join(line(50 + at, time="soon") for at in range(4)))
    with pytest.raises(ServiceError, match="4 of 11 rows can't be read"):
        project.fetch()
    (named,) = re.findall(r"They are (.*); all are in", caplog.text)
    assert [int(place.rsplit(" ", 1)[1]) for place in named.split("; ")] == [9, 10, 11, 12]


def test_uids_instead_of_numbers(project: SpreadsheetProject):
    del project.table["PhoneNumberColumn"]
    project.table["ParticipantColumn"] = "uid"
    project.put(f"uid,Received On,What?,Age\n{UID},20/03/2026 10:00,haa,25\n")
    project.fetch()
    (record,) = project.read("groups_s05")
    assert record.values["avf_phone_id"] == UID


def test_numbers_in_a_column_of_uids_are_not_taken(project: SpreadsheetProject):
    del project.table["PhoneNumberColumn"]
    project.table["ParticipantColumn"] = "uid"
    project.put("uid,Received On,What?,Age\n" + "254712000001,20/03/2026 10:00,haa,25\n" * 2)
    with pytest.raises(ServiceError, match="2 of 2 rows can't be read"):
        project.fetch()


def test_a_shortened_file_replaces_nothing(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS))
    project.fetch()
    project.put(HEADER + "".join(ROWS[:10]))
    with pytest.raises(ServiceError, match="flow 'groups_s05': 10 submissions, 20 before"):
        project.fetch()
    assert len(project.texts()) == 20
    project.fetch("--accept-shrinkage")
    assert len(project.texts()) == 10


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_file_with_numbers_in_the_data_root_is_refused(project: SpreadsheetProject, is_linked: bool):
    folder = project.data_root / "Uploads"
    folder.mkdir(parents=True)
    (folder / "groups.csv").write_text(HEADER + "".join(ROWS))
    if is_linked:
        # As a container sees it: another path, the same file.
        os.link(folder / "groups.csv", project.uploads / "groups.csv")
    else:
        project.table["URLs"] = [f"file://{folder}/groups.csv"]
    with pytest.raises(ConfigurationError, match="a file with phone numbers in the data root"):
        project.fetch()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ParticipantColumn": "uid"}, "both of PhoneNumberColumn and ParticipantColumn"),
        ({"TimeColumns": []}, "TimeColumns: 0 columns; expected one"),
        ({"URLs": ["gs://uploads/groups/"]}, "gs://uploads/groups/: no such folder"),
        ({"URLs": []}, "URLs: is empty"),
    ],
)
def test_settings_that_can_not_be_are_refused(project: SpreadsheetProject, change: dict[str, Any], told: str):
    project.table |= change
    with pytest.raises(ConfigurationError, match=told):
        project.fetch()


def test_a_folder_on_this_machine_needs_no_slash(project: SpreadsheetProject):
    project.table["URLs"] = [f"file://{project.uploads}"]
    project.put(HEADER + "".join(ROWS))
    project.fetch()
    first = project.texts()
    project.table["URLs"] = [f"file://{project.uploads}/"]
    project.fetch()
    assert first
    assert project.texts() == first


def test_an_empty_folder_is_told(project: SpreadsheetProject):
    project.put("x", "~$groups.xlsx")
    with pytest.raises(ConfigurationError, match="no file that ends in"):
        project.fetch()


def test_unchanged_files_are_not_read_again(project: SpreadsheetProject, caplog: pytest.LogCaptureFixture):
    project.put(HEADER + "".join(ROWS))
    project.fetch()
    caplog.set_level(logging.INFO)
    project.fetch()
    assert "Flow 'groups_s05': 1 file as before" in caplog.text


def test_check_online_looks_for_the_columns(project: SpreadsheetProject, capsys: pytest.CaptureFixture[str]):
    project.put(HEADER.replace("What?", "what") + "".join(ROWS))
    project.arguments()
    arguments = ["check", str(project.folder / "pipeline_configuration.json"), "--online"]
    assert main([*arguments, "--credentials", str(project.folder / "credentials.json")]) == 10
    output = capsys.readouterr()
    assert "no column 'What?'" in output.out + output.err


def test_cells_with_dates_and_cells_with_times_are_one_time(project: SpreadsheetProject):
    day = datetime.date(2026, 3, 20)
    header = ["Mobile No", "Day", "Hour", "What?", "Age"]
    project.table["TimeColumns"] = ["Day", "Hour"]
    project.put(workbook(header, ["+254712000001", day, datetime.time(10, 0), "haa", 25]), "groups.xlsx")
    project.fetch()
    assert project.times() == ["2026-03-20T07:00:00+00:00"]


def test_a_file_named_by_a_number_is_refused_without_it(project: SpreadsheetProject):
    project.put(HEADER + "".join(ROWS), "group of 0712 000 001.csv")
    with pytest.raises(
        ConfigurationError, match="uploads/: 1 file name with what looks like a phone number"
    ) as refused:
        project.fetch()
    assert "000 001" not in str(refused.value)


@pytest.mark.parametrize("name", ["week #3.csv", "really?.csv", "50%20.csv", "two\nlines.csv", "a \x1b[31mb.csv"])
def test_files_of_a_folder_may_have_any_name(project: SpreadsheetProject, caplog: pytest.LogCaptureFixture, name: str):
    project.put(HEADER + "".join(ROWS), name)
    project.fetch()
    assert len(project.texts()) == len(ROWS)
    assert "\x1b" not in caplog.text


def test_the_address_of_a_file_that_would_be_cut_is_refused(project: SpreadsheetProject):
    project.table["URLs"] = [f"file://{project.uploads}/week #3.csv"]
    project.put(HEADER + "".join(ROWS), "week #3.csv")
    with pytest.raises(ConfigurationError, match="expected %23 and %3F in their place"):
        project.fetch()
    project.table["URLs"] = [f"file://{project.uploads}/week %233.csv"]
    project.fetch()
    assert len(project.texts()) == len(ROWS)
