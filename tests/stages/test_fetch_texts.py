"""Whole texts: from archives, from what was known before, and from messages where a project asks for that."""

import contextlib
import json
import logging
import sqlite3
import subprocess
import sys

import pytest

from engagement.foundation.errors import ServiceError
from fake_rapidpro import Workspace, at, contact, message, once, run


@pytest.fixture
def workspace():
    """Four contacts, of whom three told their age; the server sends what was matched, and no more."""
    ages = {1: "25", 2: "31", 3: "40"}
    runs = [cut(run(number, "demog", of=number, age=age)) for number, age in ages.items()]
    sent = [message(number, number, f"nin {age} jir ah", number - 0.01) for number, age in ages.items()]
    contacts = [contact(number) for number in range(1, 5)]
    return Workspace(["s01e01", "s01e02", "demog"], contacts, runs, messages=sent, page_size=2)


def cut(row):
    """A live row as servers since the end of 2024 send it."""
    for value in row["values"].values():
        del value["input"]
    return row


def archived(row, **texts):
    """The same row as an archive has it; times are rounded where the server cut them off."""
    values = {
        key: {**value, "input": texts.get(key, value["value"]), "time": value["time"].replace("456Z", "457Z")}
        for key, value in row["values"].items()
    }
    return {**row, "values": values}


def texts_of(project, key="Age", flow="demog"):
    return [record.values.get(f"{key} (Text) - {flow}") for record in project.read(flow)]


def values_of(project, flow="demog"):
    return [record.values for record in project.read(flow)]


def messages_asked_for(workspace):
    return [request for request in workspace.requests if "messages.json" in request]


class TestArchives:
    def test_an_archive_completes_what_came_live_with_the_same_modification(self, project, workspace, caplog):
        project.fetch()
        assert texts_of(project) == ["25", "31", "40"]
        rows, workspace.runs = workspace.runs, []
        workspace.archives = {"2026-03-01": [archived(row, age=f"{row['values']['age']['value']} jir") for row in rows]}
        with caplog.at_level(logging.INFO):
            project.fetch()
        assert texts_of(project) == ["25 jir", "31 jir", "40 jir"]
        assert "Flow 'demog': 3 runs held: 0 new, 3 changed" in caplog.text

    @pytest.mark.parametrize("order", ["live, archive", "archive, live", "archive", "both at once"])
    def test_whatever_came_first_raw_data_says_what_the_archives_say(self, project, workspace, order):
        live = workspace.runs
        archive = [archived(row, age=f"{row['values']['age']['value']} jir") for row in live]
        for what in order.split(", "):
            workspace.runs = live if what in ("live", "both at once") else []
            workspace.archives = {"2026-03-01": archive} if what in ("archive", "both at once") else workspace.archives
            project.fetch()
        found = values_of(project)
        assert [run["Age (Text) - demog"] for run in found] == ["25 jir", "31 jir", "40 jir"]
        assert {run["Age (Time) - demog"][-9:] for run in found} == {"457+00:00"}

    def test_lines_stay_where_an_archive_says_the_same(self, project, workspace):
        for row in workspace.runs:
            row["values"]["age"]["time"] = at(3)[:-4] + "000Z"
        project.fetch()
        before = project.file("demog").read_bytes()
        stamp = project.file("demog").stat().st_mtime_ns
        workspace.archives = {"2026-03-01": [archived(row) for row in workspace.runs]}
        workspace.runs = []
        project.fetch(user="somebody-else@example.org")
        assert project.file("demog").read_bytes() == before
        assert project.file("demog").stat().st_mtime_ns == stamp

    def test_archives_that_an_earlier_version_read_are_read_once_more(self, project, workspace):
        """It left out the texts of archives where a live row of the same modification had come."""
        project.fetch()
        (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
        make_version_2(state)
        workspace.archives = {"2026-03-01": [archived(row, age="jir") for row in workspace.runs]}
        project.fetch()
        assert texts_of(project) == ["jir"] * 3


def make_version_2(state):
    """Make a state what the version before would have left."""
    with contextlib.closing(sqlite3.connect(state)) as connection:
        connection.executescript(
            "DROP INDEX IF EXISTS contacts_by_participant; ALTER TABLE contacts DROP COLUMN line;"
            "DROP TABLE contact_file; DROP TABLE source;"
            "DROP INDEX to_look_up; DROP TABLE asked_for; DROP TABLE messages;"
            "ALTER TABLE runs DROP COLUMN is_archived; ALTER TABLE runs DROP COLUMN texts_from;"
            "ALTER TABLE waiting DROP COLUMN is_archived; ALTER TABLE flows DROP COLUMN full_texts;"
            "ALTER TABLE places DROP COLUMN go_on_from; ALTER TABLE places ADD COLUMN following TEXT;"
            "UPDATE places SET following = 'cursor=bz0yNTA%3D'; PRAGMA user_version = 2;"
        )


def test_a_state_of_the_version_before_is_kept(project, workspace, caplog):
    """RapidPro may have removed what it holds: nothing is fetched anew."""
    project.fetch()
    before = project.file("demog").read_bytes()
    (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
    make_version_2(state)
    workspace.runs = []
    project.file("demog").unlink()
    project.fetch()
    assert project.file("demog").read_bytes() == before
    assert "is fetched again" not in caplog.text


def test_a_text_that_came_once_stays_when_a_newer_version_comes_without(project, workspace):
    row = workspace.runs[0]
    row["values"]["age"]["input"] = "waxaan ahay 25 jir"
    project.fetch()
    cut(row)["modified_on"] = at(500)
    row["exit_type"] = "expired"
    row["values"]["gender"] = {**row["values"]["age"], "value": "nin", "name": "gender", "time": at(499)}
    workspace.runs[1]["values"]["age"] |= {"value": "32", "time": at(600)}
    workspace.runs[1]["modified_on"] = at(600)
    project.fetch()
    assert texts_of(project) == ["40", "waxaan ahay 25 jir", "32"]
    assert texts_of(project, "Gender")[1] == "nin"


class TestFullTexts:
    @pytest.fixture(autouse=True)
    def full_texts(self, project):
        project.source["FullTexts"] = True

    def test_they_come_from_the_messages(self, project, workspace, caplog):
        workspace.runs.append(cut(run(9, "s01e01", of=4, answer="haa")))
        with caplog.at_level(logging.INFO):
            project.fetch()
        assert texts_of(project) == ["nin 25 jir ah", "nin 31 jir ah", "nin 40 jir ah"]
        assert [run["Age (Value) - demog"] for run in values_of(project)] == ["25", "31", "40"]
        assert texts_of(project, "Answer", "s01e01") == ["haa"]
        assert "the whole texts of 3 answers found among 3 messages, those of 1 not" in caplog.text

    def test_a_fetch_without_new_answers_asks_for_no_messages(self, project, workspace):
        project.fetch()
        assert len(messages_asked_for(workspace)) == 2
        project.fetch()
        assert len(messages_asked_for(workspace)) == 2

    def test_a_new_answer_asks_for_the_messages_since_then(self, project, workspace):
        project.fetch()
        workspace.requests.clear()
        workspace.runs.append(cut(run(2000, "demog", of=4, age="50")))
        workspace.messages.append(message(2000, 4, "50 jir", 1999.9))
        project.fetch()
        assert texts_of(project)[-1] == "50 jir"
        assert len(messages_asked_for(workspace)) == 1
        assert "after=2026-03-02T18%3A05" in messages_asked_for(workspace)[0]

    def test_a_run_that_goes_on_keeps_its_texts_and_asks_for_the_new_ones(self, project, workspace):
        project.fetch()
        row = workspace.runs[0]
        row["values"]["gender"] = {**row["values"]["age"], "value": "nin", "name": "gender", "time": at(2000)}
        row["modified_on"] = at(2000)
        workspace.messages = [message(2000, 1, "Waxaan ahay nin", 1999.9)]
        workspace.requests.clear()
        project.fetch()
        assert texts_of(project)[-1] == "nin 25 jir ah"
        assert texts_of(project, "Gender")[-1] == "Waxaan ahay nin"
        assert "after=2026-03-02T18" in messages_asked_for(workspace)[0]

    def test_texts_of_runs_that_were_fetched_before_come_too(self, project, workspace):
        project.source["FullTexts"] = False
        project.fetch()
        assert texts_of(project) == ["25", "31", "40"]
        assert not messages_asked_for(workspace)
        project.source["FullTexts"] = True
        project.fetch()
        assert texts_of(project) == ["nin 25 jir ah", "nin 31 jir ah", "nin 40 jir ah"]
        project.source["FullTexts"] = False
        project.fetch()
        assert texts_of(project) == ["nin 25 jir ah", "nin 31 jir ah", "nin 40 jir ah"]

    def test_texts_of_runs_that_waited_for_their_contact_come_too(self, project, workspace):
        new = workspace.contacts.pop(0)
        project.fetch()
        workspace.contacts.append({**new, "modified_on": at(3000)})
        project.fetch()
        assert texts_of(project) == ["nin 25 jir ah", "nin 31 jir ah", "nin 40 jir ah"]

    def test_what_was_sent_to_a_contact_is_no_answer(self, project, workspace):
        workspace.messages = [message(1, 1, "Haddii aad tahay 25, qor 25", direction="out")]
        project.fetch()
        assert texts_of(project)[0] == "25"

    def test_archives_need_no_messages(self, project, workspace):
        workspace.archives = {"2026-03-01": [archived(row, age="whole") for row in workspace.runs]}
        workspace.runs = []
        project.fetch()
        assert texts_of(project) == ["whole"] * 3
        assert not messages_asked_for(workspace)

    def test_messages_of_many_weeks_are_asked_for_in_stretches_and_one_that_failed_goes_on(self, project, workspace):
        for week in range(1, 7):
            workspace.runs.append(cut(run(week * 10_080, "demog", of=4, age=str(week))))
            workspace.messages.append(message(week * 10_080, 4, f"{week} jir"))
        refuse = once("messages.json", lambda request: request.reply(400, b"{}"), skip=5)
        workspace.trouble.append(refuse)
        with pytest.raises(ServiceError):
            project.fetch()
        first = messages_asked_for(workspace)
        workspace.requests.clear()
        project.fetch()
        assert texts_of(project)[3:] == [f"{week} jir" for week in range(1, 7)]
        assert texts_of(project)[0] == "nin 25 jir ah"
        assert messages_asked_for(workspace)[0] > first[2]  # by time
        assert "before=" in first[0]
        assert "before=" not in messages_asked_for(workspace)[-1]

    def test_nothing_of_messages_stays_but_the_texts_of_answers(self, project, workspace):
        workspace.messages += [message(50, 1, "qof kale waxba kuma jiraan"), message(51, 4, "sir 4")]
        project.fetch()
        for path in project.data_root.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not [secret for secret in (b"25261500", b"Zzyzx", b"sir 4") if secret in content], path


def test_a_project_without_it_imports_nothing_of_it(project):
    code = (
        "import sys, argparse; from engagement.stages import fetch_raw_data as stage; parser = argparse.ArgumentParser();"
        "stage.add_arguments(parser); stage.run(parser.parse_args(sys.argv[1:]));"
        "print([name for name in sys.modules if 'whole_texts' in name or 'message_matching' in name])"
    )
    command = [sys.executable, "-c", code, *project.arguments()]
    ended = subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == []
