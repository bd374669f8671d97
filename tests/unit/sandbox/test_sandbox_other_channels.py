"""The listening group's workbook and the telecom's export: as messy as such files are, and about the same people."""

import csv
import re
from datetime import datetime

import openpyxl
import pytest

from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.listening_group import NUMBER_COLUMN, make_members
from engagement.sandbox.other_channels import (
    add_other_channels,
    meanings_of_incoming_files,
    uuids_of_group,
    write_incoming_files,
)
from engagement.sandbox.outage import OUTAGE_BEGINS, OUTAGE_ENDS, arrived_part, sent_results
from engagement.sandbox.telecom import SHORT_CODE, make_sms
from engagement.sandbox.workspace import DEFAULT_SEED, make_season
from engagement.sources.number_cells import read_number_cell
from sandbox_season import cached_workspace

PARTICIPANTS, RUNS = make_season(DEFAULT_SEED)
WORKSPACE = cached_workspace(DEFAULT_SEED, 0)
DURING = ("2026-10-10T15:20", "2026-10-10T17:45")


@pytest.fixture
def demo(tmp_path):
    demo = DemoDirectory(tmp_path / "a demo")
    write_incoming_files(demo, DEFAULT_SEED)
    return demo


def rows_of(path):
    header, *rows = openpyxl.load_workbook(path).active.values
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_rapid_pro_got_no_sms_during_the_outage_but_other_messages():
    rows = [row for row in WORKSPACE.messages if DURING[0] <= row["created_on"] < DURING[1]]
    assert not [row for row in rows if (row["urn"] or "").startswith("tel:")]
    assert {row["urn"].partition(":")[0] for row in rows} == {"telegram", "whatsapp"}


def test_before_and_after_the_outage_everything_arrived():
    for run in RUNS:
        times = [run.created_on, *(result.time for result in run.results)]
        if all(time < OUTAGE_BEGINS or time >= OUTAGE_ENDS for time in times):
            assert arrived_part(run) is run


def test_a_survey_stops_at_the_answer_that_was_lost():
    cut = [run for run in RUNS if "activation" not in run.flow and arrived_part(run) is not run]
    assert cut
    for run in cut:
        arrived = arrived_part(run)
        assert arrived.completed_on is None
        lost = sent_results(run)[len(arrived.results) :]
        assert [OUTAGE_BEGINS <= result.time < OUTAGE_ENDS for result in lost] == [True]


def test_the_export_has_what_arrived_and_what_was_lost(demo):
    with demo.telecom_file.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    times = [datetime.strptime(row["ReceivedOn"], "%d/%m/%Y %H:%M:%S") for row in rows]  # noqa: DTZ007
    assert times == sorted(times)
    assert {(time.month, time.day) for time in times} == {(10, 10), (10, 11)}
    sms = make_sms(DEFAULT_SEED, RUNS)
    lost = [one for one in sms if OUTAGE_BEGINS <= one.time < OUTAGE_ENDS]
    assert len(rows) == len(sms)
    assert 20 <= len(lost) <= len(sms) / 2
    assert {row["Receiver"] for row in rows} == {SHORT_CODE, "402"}
    assert any("?" in row["Message"] for row in rows), "no emoji was lost"
    numbers = {urn.removeprefix("tel:+") for one in PARTICIPANTS for urn in one.urns}
    assert {row["Sender"] for row in rows} <= numbers


def test_the_group_has_people_who_write_and_others_under_one_uid_each(demo):
    members = make_members(DEFAULT_SEED, PARTICIPANTS)
    audience = WORKSPACE.uuid_mappings
    uuids = uuids_of_group(DEFAULT_SEED)
    known = {number for number in uuids if number in audience}
    assert len(uuids) == len(members)
    assert 0 < len(known) < len(uuids)
    assert all(uuids[number] == audience[number] for number in known)
    assert not {uuids[number] for number in uuids.keys() - known} & set(audience.values())
    cells = [str(row[NUMBER_COLUMN]) for row in rows_of(demo.group_file)[: len(members)]]
    assert [read_number_cell(cell, "SO").identities[-1] for cell in cells] == list(uuids)


def test_the_group_s_workbook_is_as_messy_as_such_files_are(demo):
    *rows, rounded, total = rows_of(demo.group_file)
    numbers = [row[NUMBER_COLUMN] for row in rows]
    assert {type(number) for number in numbers} == {int, str}
    assert {str(number)[0] for number in numbers} == {"0", "+", "2"}
    assert re.fullmatch(r"[\d.]+E\+11", rounded[NUMBER_COLUMN])
    assert total["No"] == "Total"
    assert sum(row["What keeps children from school?"] is None for row in rows) == 1


def test_coders_know_what_these_texts_mean(demo):
    meanings = {**meanings_of_incoming_files(DEFAULT_SEED), **WORKSPACE.meanings}
    with demo.telecom_file.open(newline="", encoding="utf-8") as file:
        texts = {row["Message"] for row in csv.DictReader(file) if row["Receiver"] == SHORT_CODE}
    for row in rows_of(demo.group_file)[:-2]:
        texts |= {str(row[column]) for column in ("What keeps children from school?", "Gender", "Age") if row[column]}
    assert not texts - meanings.keys()


def test_the_same_seed_makes_the_same_files(demo, tmp_path):
    other = DemoDirectory(tmp_path / "another")
    write_incoming_files(other, DEFAULT_SEED)
    assert other.telecom_file.read_bytes() == demo.telecom_file.read_bytes()
    assert other.group_file.read_bytes() == demo.group_file.read_bytes()


def test_the_recovery_file_is_a_source_once_it_is_there(demo):
    document = {"RawDataSources": [{"SourceType": "RapidPro"}], "RapidProKeyRemappings": []}

    def sources():
        return [source["SourceType"] for source in add_other_channels(document, demo)["RawDataSources"]]

    assert sources() == ["RapidPro", "Spreadsheet"]
    demo.recovered_file.write_text("Sender,Message,ReceivedOn\n")
    assert sources() == ["RapidPro", "Spreadsheet", "RecoveryCSV"]
