"""Every source leaves out people who were forgotten, however their data comes."""

import json
import shutil

import pytest

from engagement.configuration import load_project
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.table import PLACES
from engagement.foundation.errors import InputError
from engagement.provenance import Metadata, encode_fresh_chain
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.forgotten import read_forgotten
from fetch_project import FetchProject

AMINA = "avf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11"
BILAN = "avf-phone-uuid-20000000-53a4-4f6e-9a57-0d7c0a1f6f11"
SINCE = "2026-05-01T00:00:00+00:00"
BUCKET = {"SourceType": "GCloudBucket", "ActivationFlowURLs": ["gs://recovered/old.jsonl"]}
RECOVERY = {"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/outage.csv"]}
TABLE = {
    "SourceType": "Spreadsheet",
    "Tables": [
        {
            "FlowName": "groups",
            "URLs": ["gs://recovered/groups.csv"],
            "ParticipantColumn": "uid",
            "TimeColumns": ["at"],
            "EpisodeQuestions": [{"Field": "S05", "Column": "text"}],
        }
    ],
}


@pytest.fixture
def project(tmp_path):
    project = FetchProject(tmp_path, "no-rapidpro.invalid")
    project.sources = [BUCKET, RECOVERY, TABLE]
    folder = tmp_path / "embedded" / "storage" / "recovered"
    folder.mkdir(parents=True)
    metadata = Metadata("earlier", "2025-01-01T00:00:00+00:00", "somebody")
    lines = [encode_fresh_chain([({"avf_phone_id": uid, "n": uid[15]}, metadata)]) + "\n" for uid in (AMINA, BILAN)]
    (folder / "old.jsonl").write_text("".join(lines))
    rows = [f"{uid},{uid[15]} sent,26/08/2026 08:15\n" for uid in (AMINA, BILAN)]
    (folder / "outage.csv").write_text("Sender,Message,ReceivedOn\n" + "".join(rows))
    (folder / "groups.csv").write_text(f"uid,at,text\n{AMINA},20/03/2026 10:00,haa\n{BILAN},20/03/2026 10:00,maya\n")
    return project


def people_in(project):
    return {
        path.stem: {json.loads(line)[-1]["Data"]["avf_phone_id"] for line in path.open()}
        for path in project.file("").parent.glob("*.jsonl")
    }


ALL = ("groups", "old", "outage")


def test_nobody_is_left_out_before_anybody_was_forgotten(project):
    project.fetch()
    assert people_in(project) == dict.fromkeys(ALL, {AMINA, BILAN})
    assert not (project.data_root / "Forgotten").exists()


def test_the_first_fetch_after_it_leaves_them_out_of_every_source(project):
    read_forgotten(project.data_root).add([AMINA], SINCE, None)
    project.fetch()
    assert people_in(project) == dict.fromkeys(ALL, {BILAN})
    files = [path for path in project.data_root.rglob("*") if path.is_file()]
    assert [path for path in files if AMINA.encode() in path.read_bytes()] == []


def test_until_a_time_what_was_sent_before_it_stays_out(project):
    read_forgotten(project.data_root).add([AMINA], SINCE, "2026-08-01T00:00:00+00:00")
    project.fetch()
    assert people_in(project) == {"groups": {BILAN}, "old": {BILAN}, "outage": {AMINA, BILAN}}


def test_what_was_fetched_is_removed_and_does_not_come_again(project):
    project.fetch()
    others = {name: [line for line in project.file(name).open() if AMINA not in line] for name in ALL}
    search = PersonSearch(load_project(project.folder / "pipeline_configuration.json"), project.data_root, (AMINA,))
    assert {item.kind for place in PLACES for item in place.find(search)} == {"run", "submission"}
    read_forgotten(project.data_root).add([AMINA], SINCE, None)
    for place in PLACES:
        if place.remove is not None:
            place.remove(search)
    assert [item for place in PLACES for item in place.find(search)] == []
    # Other people's lines keep their bytes, in this fetch and in one after a row was added. No table knows these uids.
    project.fetch("--accept-new-uuid-table")
    groups = project.folder / "embedded" / "storage" / "recovered" / "groups.csv"
    groups.write_text(groups.read_text() + f"{BILAN},21/03/2026 10:00,weli\n")
    project.fetch("--accept-shrinkage")
    assert {name: list(project.file(name).open())[:1] for name in ALL} == others
    assert people_in(project) == dict.fromkeys(ALL, {BILAN})


def forget_number(project, number, until):
    """Forget whoever has a number, and remove it from the uuid table; return the table."""
    table = EmbeddedUuidTable(project.folder / "embedded", "PROJECT")
    uids = list(table.find([number]).values())
    read_forgotten(project.data_root).add(uids, SINCE, until, table.marks_of(uids), table.marks_key)
    table.remove(uids)
    return table


@pytest.mark.parametrize("until", [None, "2026-04-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00"])
def test_a_number_that_left_the_uuid_table_is_known_before_it_gets_a_uid(project, until):
    table = {**TABLE["Tables"][0], "PhoneNumberColumn": "uid"}
    del table["ParticipantColumn"]
    project.sources = [{**TABLE, "Tables": [table]}]
    groups = project.folder / "embedded" / "storage" / "recovered" / "groups.csv"
    rows = "uid,at,text\n+252615000001,20/03/2026 10:00,haa\n+252615000002,20/03/2026 10:00,maya\n"
    groups.write_text(rows)
    project.fetch()
    amina, bilan = sorted(people_in(project)["groups"], key=lambda uid: uid not in lines_of(project, "haa"))
    table = forget_number(project, "252615000001", until)
    for path in ("Raw Data", "State"):
        shutil.rmtree(project.data_root / path)
    groups.write_text(f"{rows}+252615000001,21/04/2026 10:00,mar kale\n")
    project.fetch()
    again = people_in(project)["groups"] - {bilan}
    is_taken_again = until is not None and until < "2027"
    assert amina not in again
    assert lines_of(project, "haa") == ""
    assert len(again) == len(table.find(["252615000001"])) == is_taken_again
    assert ("mar kale" in project.file("groups").read_text()) == is_taken_again


def lines_of(project, text):
    return "".join(line for line in project.file("groups").open() if f'"{text}"' in line)


def test_a_lost_key_stops_the_fetch_rather_than_bring_them_back(project):
    read_forgotten(project.data_root).add([AMINA], SINCE, None)
    (project.data_root / "Forgotten" / "secret.key").unlink()
    with pytest.raises(InputError, match="secret.key: no such file"):
        project.fetch()


def test_no_uid_is_in_the_tombstones_and_later_contacts_belong_to_the_same_person(project):
    forgotten = read_forgotten(project.data_root)
    forgotten.add([AMINA, "contact-1"], SINCE, None)
    forgotten.add_contacts(AMINA, ["contact-2"])
    forgotten.add_contacts(BILAN, ["contact-3"])
    again = read_forgotten(project.data_root)
    assert again.find("contact-2") == again.find(AMINA) is not None
    assert again.find(BILAN) is again.find("contact-3") is None
    text = (project.data_root / "Forgotten" / "tombstones.json").read_text()
    assert not {part for part in (AMINA, "contact", "10000000") if part in text}
