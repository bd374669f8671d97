"""The whole writing back, over HTTP: who stopped, what was answered, and the groups of selections."""

import json
import logging

import fake_rapidpro
from chain_project import add_night
from example_project import coda_message, label
from write_back_project import EVERYBODY, QUIET, WRITE_BACK, expect_marks, uuids

ANSWERED = {number for number in EVERYBODY if number % 2 == 0}


def test_the_first_night_fills_groups_and_fields_and_the_second_sends_nothing(project, workspace):
    project.prepare(3, 4)
    project.write_back()
    expect_marks(workspace, 3, 4)
    assert workspace.values("gender_answered") == dict.fromkeys(uuids(*(ANSWERED - {4})), "yes")
    assert len(workspace.contacts) == 12
    workspace.requests.clear()
    project.write_back()
    assert workspace.requests == QUIET


def test_stop_is_written_first(project, workspace):
    project.prepare(3)
    project.write_back()
    writes = [
        (endpoint, document.get("group"), query.get("uuid"))
        for endpoint, query, document in workspace.writes
        if endpoint in ("contacts", "contact_actions")
    ]
    assert writes[0][:2] == ("contact_actions", workspace.groups[0]["uuid"])
    assert workspace.groups[0]["name"] == "stopped"
    assert writes[1] == ("contacts", None, "contact-3")


def test_who_stops_later_leaves_the_advert_and_only_that_is_sent(project, workspace):
    project.prepare(3)
    project.write_back()
    add_night(workspace, range(13, 14))
    project.prepare(3, 5)
    workspace.writes.clear()
    project.write_back()
    assert workspace.members("stopped") == uuids(3, 5)
    assert workspace.members("Advert") == uuids(*EVERYBODY, 13) - uuids(3, 5)
    assert workspace.values("advert")["contact-5"] == "no"
    sent = [
        (document.get("action"), document.get("contacts"), query.get("uuid")) for _, query, document in workspace.writes
    ]
    assert sent == [
        ("remove", ["contact-5"], None),
        ("add", ["contact-5"], None),
        (None, None, "contact-5"),
        ("add", ["contact-13"], None),
        (None, None, "contact-13"),
    ]


def test_an_advert_is_taken_back_from_whoever_stopped_even_if_the_state_is_lost(project, workspace):
    project.prepare()
    project.write_back()
    project.forget()
    project.prepare(7)
    workspace.writes.clear()
    project.write_back()
    expect_marks(workspace, 7)
    assert workspace.values("advert")["contact-7"] == "no"
    # The group and the field of STOP are made, too.
    assert len(workspace.writes) == 5


def test_a_group_holds_nobody_else_but_the_group_of_stop_may(project, workspace, capsys):
    project.prepare(3)
    project.write_back()
    by_name = {row["name"]: {"uuid": row["uuid"], "name": row["name"]} for row in workspace.groups}
    workspace.contacts[8]["groups"].append(by_name["stopped"])
    workspace.contacts[2]["groups"].append(by_name["Advert"])
    project.write_back("--full", "--dry-run")
    assert "to leave: 1 contact would change" in capsys.readouterr().out
    project.write_back("--full")
    assert workspace.members("stopped") == uuids(3, 9)
    assert workspace.members("Advert") == uuids(*EVERYBODY) - uuids(3)


def test_without_allow_clearing_a_stop_that_was_a_mistake_stays_in_rapidpro(project, workspace):
    project.prepare(3)
    project.write_back()
    project.stops.clear()
    project.prepare()
    project.write_back()
    assert workspace.members("stopped") == uuids(3)
    assert workspace.members("Advert") == uuids(*EVERYBODY)
    project.configure(WriteBack={**WRITE_BACK, "AllowClearing": True})
    project.write_back("--full")
    assert workspace.members("stopped") == set()
    assert workspace.values("consent_withdrawn") == {}


def test_blocking_is_done_once(project, workspace):
    project.configure(WriteBack={"Withdrawn": {"Field": "consent_withdrawn", "Block": True}})
    project.prepare(3, 4)
    project.write_back()
    assert {row["uuid"] for row in workspace.contacts if row.get("blocked")} == uuids(3, 4)
    assert workspace.values("consent_withdrawn") == dict.fromkeys(uuids(3, 4), "yes")
    workspace.requests.clear()
    project.write_back()
    assert workspace.requests == QUIET[:2]


def test_values_are_written_where_they_are_asked_for_and_over_other_ones(project, workspace):
    project.configure(
        WriteBack={"Demographics": [{"CodedField": "gender_coded", "Field": "gender", "Values": True}]}, Contacts=[]
    )
    workspace.fields.append({"key": "gender", "type": "text"})
    workspace.contacts[1]["fields"] = {"gender": "?"}
    coded = project.data_root / "Coded Coda Files"
    coded.mkdir(exist_ok=True)
    (coded / "EXAMPLE_gender.json").write_text(json.dumps(_gender_labels()))
    project.prepare()
    project.write_back()
    assert workspace.values("gender") == {
        f"contact-{number}": "woman" if number % 4 == 0 else "man" for number in ANSWERED
    }


def _gender_labels():
    return [coda_message("naag", label("gender", "woman")), coda_message("nin", label("gender", "man"))]


def test_what_a_flow_saved_is_not_overwritten_by_yes(project, workspace):
    workspace.fields.append({"key": "gender_answered", "type": "text"})
    workspace.contacts[1]["fields"] = {"gender_answered": "asked on the phone"}
    project.prepare()
    project.write_back()
    assert workspace.values("gender_answered")["contact-2"] == "asked on the phone"


def test_participants_without_a_relevant_answer_are_marked_until_they_have_one(project, workspace):
    project.configure(WriteBack={"NonRelevant": {"Group": "not relevant", "Field": "not_relevant"}}, Contacts=[])
    project.prepare()
    coded = project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json"
    document = coded.read_text()
    text = next(run["values"]["rqa_s01e01_raw"]["value"] for run in workspace.runs if run["uuid"] == "run-0006")
    messages = json.loads(document)
    for message in messages:
        if message["Text"] == text:
            message["Labels"][0]["CodeID"] = "episode1-NC"
    coded.write_text(json.dumps(messages))
    project.run("generate-outputs", *project.arguments(), "--jobs", "1")
    project.write_back()
    assert workspace.members("not relevant") == uuids(6)
    assert workspace.values("not_relevant") == {"contact-6": "yes"}
    project.prepare()
    project.write_back()
    assert workspace.members("not relevant") == set()
    assert workspace.values("not_relevant") == {"contact-6": "no"}


def test_being_in_its_own_group_does_not_take_anybody_out_of_a_selection_for_rested_people(project, workspace):
    rested = {"Name": "rested", "NotContactedForDays": 7, "To": {"Group": "Rested"}}
    later = {"Name": "later", "NotContactedForDays": 7, "To": {"Group": "Later"}}
    project.configure(Contacts=[rested], WriteBack={"Contacts": ["rested"]})
    project.prepare(3)
    for _ in range(2):
        project.write_back("--full")
        assert workspace.members("Rested") == uuids(*EVERYBODY) - uuids(3)
    project.configure(Contacts=[rested, later], WriteBack={"Contacts": ["rested", "later"]})
    project.write_back()
    assert workspace.members("Later") == set()


def test_test_contacts_are_left_alone(project, workspace):
    document = json.loads(project.chain.configuration.read_text())
    document["RawDataSources"][0]["TestContactUUIDs"] = ["00000000-0000-4000-8000-000000000003"]
    for row in workspace.contacts:
        row["uuid"] = row["uuid"].replace("contact-3", "00000000-0000-4000-8000-000000000003")
    for run in workspace.runs:
        run["contact"]["uuid"] = run["contact"]["uuid"].replace("contact-3", "00000000-0000-4000-8000-000000000003")
    project.configure(RawDataSources=document["RawDataSources"])
    project.stops = {4}
    texts = project.workspace.runs
    workspace.runs = [run for run in texts if not run["contact"]["uuid"].startswith("0")]
    project.prepare(4)
    project.write_back()
    assert not any("00000000" in json.dumps(write) for write in workspace.writes)


def test_a_contact_that_was_blocked_by_hand_is_not_asked_about_every_night(project, workspace):
    project.prepare(3)
    workspace.contacts[7]["blocked"] = True
    project.write_back()
    assert workspace.members("Advert") == uuids(*EVERYBODY) - uuids(3, 8)
    workspace.requests.clear()
    project.write_back()
    assert workspace.requests == QUIET


def test_stop_in_another_project_is_stop_here(project, workspace, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    project.prepare(3)
    other = project.data_root / "Contacts"
    uids = {row["contact"]: row["participant"] for path in other.glob("*.jsonl") for row in _rows(path)}
    (project.chain.configuration.parent / "elsewhere.csv").write_text(f"uid\n{uids['contact-5']}\n")
    project.configure(WithdrawnElsewhere={"Files": ["elsewhere.csv"]})
    project.write_back()
    expect_marks(workspace, 3, 5)
    assert "2 participants withdrew, 1 of them in another project" in caplog.text


def _rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_dry_run_says_what_would_change_and_writes_nothing(project, workspace, capsys):
    project.prepare(3)
    before = {path: path.read_bytes() for path in project.data_root.rglob("*") if path.is_file()}
    project.write_back("--dry-run")
    out = capsys.readouterr().out
    assert "1 participant withdrew" in out
    assert "Withdrawn: group 'stopped': 1 contact would change" in out
    assert "advert: group 'Advert': 11 contacts would change" in out
    assert project.posts == []
    assert before == {path: path.read_bytes() for path in project.data_root.rglob("*") if path.is_file()}
    project.write_back()
    project.write_back("--dry-run")
    assert "nothing would change" in capsys.readouterr().out


def test_what_was_written_is_recorded_without_numbers(project, workspace, caplog):
    caplog.set_level(logging.DEBUG)
    project.prepare(3)
    project.write_back()
    lines = [
        json.loads(line) for line in (project.data_root / "Hand-overs" / "write_back.jsonl").read_text().splitlines()
    ]
    assert [(line["event"], line["selection"], line["participants"]) for line in lines[:1]] == [
        ("begun", "Withdrawn", 1)
    ]
    assert lines[-1]["event"] == "done"
    assert lines[0]["by"] == "me"
    advert = [line for line in lines if line["selection"] == "advert" and line["event"] == "done"]
    assert [line["counts"]["changed"] for line in advert] == [11]
    for path in project.data_root.rglob("*"):
        if path.is_file():
            assert b"25261500" not in path.read_bytes(), path
    assert "25261500" not in caplog.text


def test_the_next_fetch_asks_for_changed_contacts_alone_and_for_no_run_again(project, workspace):
    day = 24 * 60
    workspace.contacts = [fake_rapidpro.contact(number, modified=number * day) for number in EVERYBODY]
    workspace.written_at = 13 * day
    project.configure(WriteBack={"Withdrawn": WRITE_BACK["Withdrawn"]})
    project.prepare(2, 3)
    workspace.page_size = 1
    asked = {}
    for night in ("quiet", "writing", "after", "later"):
        if night == "writing":
            project.write_back()
        workspace.requests.clear()
        project.run("fetch-raw-data", *project.arguments())
        asked[night] = [request.partition("?")[0] for request in workspace.requests]
        assert not any("uuid=" in request for request in workspace.requests)
    contacts = {night: paths.count("/api/v2/contacts.json") for night, paths in asked.items()}
    runs = {paths.count("/api/v2/runs.json") for paths in asked.values()}
    # A page has one contact here. Of the twelve, two were written to; the fetch begins a day before the newest it has.
    assert contacts["writing"] == contacts["quiet"] + 2
    assert contacts["after"] == contacts["later"] <= contacts["writing"]
    assert len(runs) == 1
