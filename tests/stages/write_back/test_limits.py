"""Contacts that are made only where that is asked for, and runs that would change more than can be meant."""

import json
import logging

import pytest

from chain_project import add_night
from engagement.__main__ import main
from engagement.foundation.errors import LimitError
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from write_back_project import EVERYBODY, QUIET, WRITE_BACK, uuids

NUMBERS = {number: f"25261500{number:04}" for number in EVERYBODY}


def forget_contacts(project, workspace, *numbers):
    """Make participants ones whom another source alone knows, like a telecom's file; returns their ids."""
    (path,) = (project.data_root / "Contacts").glob("*.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    uids = {row["contact"]: row["participant"] for row in rows}
    kept = [row for row in rows if row["contact"] not in uuids(*numbers)]
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in kept))
    workspace.contacts[:] = [row for row in workspace.contacts if row["uuid"] not in uuids(*numbers)]
    return {number: uids[f"contact-{number}"] for number in numbers}


def know_numbers(monkeypatch, uids):
    """Have the uuid table tell these numbers, as one in Firestore does."""
    by_uid = {uid: NUMBERS[number] for number, uid in uids.items()}
    monkeypatch.setattr(
        EmbeddedUuidTable, "find_numbers", lambda self, asked: {uid: by_uid[uid] for uid in asked if uid in by_uid}
    )


def urns(workspace, group):
    return {row["urns"][0] for row in workspace.contacts if row["uuid"] in workspace.members(group)}


class TestCreate:
    """Unknown people get a contact only where `Create` asks for it."""

    def test_without_it_nobody_is_made_and_they_are_counted(self, project, workspace, monkeypatch, caplog):
        caplog.set_level(logging.INFO)
        project.prepare(3)
        know_numbers(monkeypatch, forget_contacts(project, workspace, 6, 7))
        project.write_back()
        assert len(workspace.contacts) == 10
        assert not any("urn" in query for _, query, _ in workspace.writes)
        assert "2 participants of selections without a contact in RapidPro: not written" in caplog.text

    def test_they_are_made_once_and_written_to_in_the_same_night(self, project, workspace, monkeypatch, caplog):
        caplog.set_level(logging.DEBUG)
        project.configure(WriteBack={**WRITE_BACK, "Create": True})
        project.prepare(3)
        know_numbers(monkeypatch, forget_contacts(project, workspace, 6, 7))
        project.write_back("--dry-run")
        assert workspace.writes == []
        project.write_back()
        assert len(workspace.contacts) == 12
        assert urns(workspace, "Advert") == {f"tel:+{NUMBERS[number]}" for number in EVERYBODY - {3}}
        assert len(workspace.values("advert")) == 11
        # STOP goes before them, and they before the advert.
        order = [(endpoint, "urn" in query, document.get("group")) for endpoint, query, document in workspace.writes]
        assert order.index(("contacts", True, None)) > order.index(("contacts", False, None))
        workspace.requests.clear()
        project.write_back()
        assert workspace.requests == QUIET
        assert sum("urn" in query for _, query, _ in workspace.writes) == 2
        expect_no_numbers(project, caplog)

    def test_one_whose_answer_got_lost_is_not_made_twice(self, project, workspace, monkeypatch):
        project.configure(WriteBack={**WRITE_BACK, "Create": True})
        project.prepare(3)
        know_numbers(monkeypatch, forget_contacts(project, workspace, 6))
        project.write_back()
        project.forget()
        project.write_back()
        assert len(workspace.contacts) == 12

    def test_who_withdrew_gets_no_contact(self, project, workspace, monkeypatch):
        project.configure(WriteBack={**WRITE_BACK, "Create": True})
        project.prepare(3, 6)
        know_numbers(monkeypatch, forget_contacts(project, workspace, 6))
        project.write_back()
        assert len(workspace.contacts) == 11

    def test_who_stops_after_being_made_is_marked_before_the_fetch_knows_the_contact(
        self, project, workspace, monkeypatch
    ):
        project.configure(WriteBack={**WRITE_BACK, "Create": True})
        project.prepare(3)
        know_numbers(monkeypatch, forget_contacts(project, workspace, 6))
        project.write_back()
        project.stops.add(6)
        texts = {r["values"]["rqa_s01e01_raw"]["value"]: r for r in workspace.runs if "rqa_s01e01_raw" in r["values"]}
        coded = project.data_root / "Coded Coda Files" / "EXAMPLE_s01e01.json"
        messages = json.loads(coded.read_text())
        for message in messages:
            if texts[message["Text"]]["contact"]["uuid"] == "contact-6":
                message["Labels"][0]["CodeID"] = "episode1-STOP"
        coded.write_text(json.dumps(messages))
        project.run("generate-outputs", *project.arguments(), "--jobs", "1")
        project.write_back()
        assert urns(workspace, "stopped") == {f"tel:+{NUMBERS[number]}" for number in (3, 6)}
        assert f"tel:+{NUMBERS[6]}" not in urns(workspace, "Advert")

    def test_a_table_that_tells_no_numbers_makes_nobody(self, project, workspace, caplog):
        project.configure(WriteBack={**WRITE_BACK, "Create": True})
        project.prepare(3)
        forget_contacts(project, workspace, 6)
        project.write_back()
        assert len(workspace.contacts) == 11
        assert "Create: 1 participant without a contact got none" in caplog.text


def expect_no_numbers(project, caplog):
    for path in project.data_root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [path for number in NUMBERS.values() if number.encode() in content]
    assert not any(number in caplog.text for number in NUMBERS.values())


class TestAtMost:
    """A run that would change more contacts than meant sends nothing."""

    def test_more_stops_before_the_first_write_and_says_how_many_of_what(self, project, workspace):
        project.configure(WriteBack={**WRITE_BACK, "AtMost": 11})
        project.prepare(3)
        with pytest.raises(LimitError) as caught:
            project.write_back()
        assert caught.value.exit_status == 13
        assert "12 contacts would change; expected 11 at most" in str(caught.value)
        assert "advert: group 'Advert': 11" in str(caught.value)
        assert "Withdrawn: group 'stopped': 1" in str(caught.value)
        assert workspace.writes == []
        assert not (project.data_root / "Hand-overs").exists()
        project.write_back("--accept-many")
        assert workspace.members("Advert") == uuids(*(EVERYBODY - {3}))

    def test_as_many_as_allowed_are_written_with_no_request_more(self, project, workspace):
        project.configure(WriteBack={**WRITE_BACK, "AtMost": 12})
        project.prepare(3)
        project.write_back()
        with_limit = list(workspace.requests)
        project.forget()
        for row in workspace.contacts:
            row["fields"], row["groups"] = {}, []
        workspace.groups.clear()
        workspace.fields.clear()
        workspace.requests.clear()
        project.configure(WriteBack=WRITE_BACK)
        project.write_back()
        assert sorted(with_limit) == sorted(workspace.requests)
        assert workspace.members("Advert") == uuids(*(EVERYBODY - {3}))

    def test_what_rapidpro_has_already_counts_for_nothing(self, project, workspace):
        project.prepare(3)
        project.write_back()
        project.forget()
        project.configure(WriteBack={**WRITE_BACK, "AtMost": 1})
        workspace.writes.clear()
        project.write_back()
        assert workspace.writes == []


class TestManyWithdrawals:
    """Labels or a list that would have everybody stop are a mistake."""

    @pytest.fixture
    def many(self, project, workspace):
        add_night(workspace, range(13, 61))
        return project

    def test_a_large_part_that_stops_at_once_is_refused_without_being_configured(self, many, workspace):
        many.prepare(*range(1, 31))
        with pytest.raises(LimitError, match="30 of 60 contacts would be marked as withdrawn for the first time"):
            many.write_back()
        assert workspace.writes == []
        many.write_back("--accept-many")
        assert workspace.members("stopped") == uuids(*range(1, 31))
        # Who was accepted is not asked about again.
        many.write_back()

    def test_some_tens_are_written(self, many, workspace):
        many.prepare(*range(1, 13))
        many.write_back()
        assert workspace.members("stopped") == uuids(*range(1, 13))


class TestHandOver:
    """A hand-over by hand keeps to the same limit."""

    @pytest.mark.parametrize("option", ["--to-group", "--to-field"])
    def test_it_sends_nothing_beyond_the_limit_unless_that_is_accepted(self, project, workspace, capsys, option):
        selection = {"Name": "later", "TookPartIn": ["any"], "To": {"Group": "Later", "Field": "later"}}
        project.configure(Contacts=[selection], WriteBack={"Withdrawn": WRITE_BACK["Withdrawn"], "AtMost": 10})
        project.prepare(3)
        paths = map(str, (project.chain.configuration, project.data_root, project.chain.credentials))
        command = ["contacts", *paths, "--for", "later", option]
        assert main(command) == 13
        told = capsys.readouterr().err
        assert "The selection: 11 contacts would change; expected 10 at most, as AtMost says. Nothing was sent." in told
        assert "ater': 11" in told
        assert workspace.writes == []
        assert main([*command, "--accept-many"]) == 0
        assert len(workspace.members("Later") | workspace.values("later").keys()) == 11
        # What RapidPro has already counts for nothing.
        workspace.writes.clear()
        assert main(command) == 0
        assert workspace.writes == []
