"""Fetches on top of earlier ones, end to end: what changed, the state, and fetches that stopped."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from engagement.foundation.errors import ConfigurationError, LockedError, ServiceError
from engagement.sources.manifest import digest_file, read_manifest
from fake_rapidpro import at, contact, once, run
from fetch_project import give_uuid, warnings_of


class TestLaterFetches:
    def test_nothing_new_asks_for_little_and_writes_nothing(self, project, workspace):
        workspace.runs += [
            run(number, "s01e01", of=1, modified=2000 + number, answer="x") for number in range(100, 200)
        ]
        project.fetch()
        first = len(workspace.requests)
        stamps = {path: path.stat().st_mtime_ns for path in (project.data_root / "Raw Data").iterdir()}
        workspace.page_size = 250
        project.fetch()
        # The workspace, flows, contacts, three flows' runs, archives, and the contact without a URN that a run waits for.
        assert len(workspace.requests) - first == 8
        assert {path: path.stat().st_mtime_ns for path in (project.data_root / "Raw Data").iterdir()} == stamps

    def test_new_and_modified_runs_come_and_the_others_keep_their_lines(self, project, workspace):
        project.fetch()
        before = project.lines("s01e01")
        workspace.runs.append(run(40, "s01e01", of=9, modified=3000, answer="cusub"))
        changed = workspace.runs[1]
        changed["modified_on"] = at(3001)
        changed["values"]["answer"]["input"] = "beddelay"
        project.fetch(user="somebody-else@example.org")
        after = project.lines("s01e01")
        assert list(after)[-2:] == [9040, 9002]
        assert {key for key in after if after[key] != before.get(key)} == {9040, 9002}
        assert len(json.loads(after[9002])) == 2  # a fresh chain: run, operator
        assert project.read("s01e01")[-1].values["Answer (Text) - s01e01"] == "beddelay"

    def test_rows_that_were_committed_late_are_found_within_a_day(self, project, workspace):
        project.fetch()
        workspace.runs.append(
            run(40, "s01e01", of=9, modified=5, answer="late")
        )  # modified before the newest that came
        project.fetch()
        assert 9040 in project.run_ids("s01e01")

    def test_a_run_id_stays_when_the_server_sends_none_any_more(self, project, workspace):
        project.fetch()
        del workspace.runs[0]["id"]
        workspace.runs[0]["modified_on"] = at(3000)
        project.fetch()
        assert project.run_ids("s01e01")[-1] == 9001

    def test_a_participant_keeps_the_uuid_of_the_urn_they_were_met_with(self, project, workspace):
        project.fetch()
        before = project.read("s01e01")[0].values["avf_phone_id"]
        workspace.contacts[0] = contact(1, "tel:+252907999999", modified=3000)
        workspace.runs.append(run(40, "s01e01", of=1, modified=3000, answer="cusub"))
        project.fetch()
        newest = project.read("s01e01")[-1].values
        assert (newest["avf_phone_id"], newest["operator_raw"]) == (before, "25261")

    def test_runs_of_a_deleted_contact_stay(self, project, workspace):
        project.fetch()
        del workspace.contacts[0]
        workspace.runs[0]["contact"] = {"uuid": "contact-1", "urn": "deleted:contact-1", "name": None}
        workspace.runs[0]["modified_on"] = at(3000)
        project.fetch()
        assert project.run_ids("s01e01")[-1] == 9001

    def test_a_run_is_written_when_its_contact_appears(self, project, workspace, caplog):
        workspace.runs.append(run(40, "s01e01", of=99, answer="haa"))
        project.fetch()
        assert 9040 not in project.run_ids("s01e01")
        assert any("contact-11, contact-99" in text and "2 runs left out" in text for text in warnings_of(caplog))
        workspace.contacts += [contact(99), contact(11, modified=300)]
        project.fetch()
        assert {9011, 9040} <= set(project.run_ids("s01e01"))

    def test_a_contact_that_writes_first_while_runs_are_read_is_known_in_the_same_fetch(self, project, workspace):
        def arrive(request):
            workspace.contacts.append(contact(99, modified=4000))
            workspace.runs.append(run(40, "s01e01", of=99, modified=4000, answer="haa"))
            return False

        workspace.trouble.append(once("runs.json", lambda request: arrive(request) or request.reply(503, b"")))
        project.fetch()
        assert 9040 in project.run_ids("s01e01")

    def test_other_test_contacts_change_only_their_runs(self, project, workspace):
        third = give_uuid(workspace, 3)
        project.fetch()
        before = project.lines("s01e01")
        project.source["TestContactUUIDs"] = [third]
        project.fetch()
        after = project.lines("s01e01")
        assert {key for key in after if after[key] != before[key]} == {9003}
        project.source["TestContactUUIDs"] = []
        project.fetch()
        assert b"test_run" not in project.file("s01e01").read_bytes()

    def test_a_changed_operator_scheme_changes_the_labels(self, project):
        project.fetch()
        scheme = json.loads((project.folder / "code_schemes" / "operator.json").read_text())
        scheme["SchemeID"] = "Scheme-operator-2"
        (project.folder / "code_schemes" / "operator.json").write_text(json.dumps(scheme))
        project.fetch()
        labels = [record.values["operator_coded"]["SchemeID"] for record in project.read("s01e01")]
        assert set(labels) == {"Scheme-operator-2"}

    def test_a_raw_data_file_that_was_removed_is_written_again(self, project):
        project.fetch()
        before = project.file("s01e01").read_bytes()
        project.file("s01e01").unlink()
        project.fetch()
        assert project.file("s01e01").read_bytes() == before

    def test_the_manifest_names_each_flow_as_it_is(self, project, workspace):
        for _ in range(2):
            project.fetch()
            assert read_manifest(project.data_root / "Raw Data") == {
                f"{flow}.jsonl": [digest_file(project.file(flow))] for flow in ("s01e01", "s01e02", "demog")
            }
            workspace.runs.append(run(40, "s01e01", of=9, modified=3000, answer="cusub"))


class TestState:
    @pytest.mark.parametrize("damage", ["another version", "not a database", "no lines"])
    def test_a_state_that_can_not_be_used_costs_a_full_fetch(self, project, caplog, damage):
        project.fetch()
        before = [record.values for record in project.read("s01e01")]
        (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
        if damage == "another version":
            with contextlib.closing(sqlite3.connect(state)) as connection:
                connection.execute("PRAGMA user_version = 99")
        elif damage == "no lines":
            state.with_suffix(".0.lines").unlink()
        else:
            state.write_bytes(b"this is not a database " * 100)
        project.fetch()
        assert [record.values for record in project.read("s01e01")] == before
        assert any("everything is fetched again" in text for text in warnings_of(caplog))

    def test_of_two_fetches_at_once_the_second_is_refused(self, project, workspace, caplog):
        refusals = []

        def fetch_again(request):
            workspace.trouble.clear()
            try:
                project.fetch()
            except LockedError as refusal:
                refusals.append(str(refusal))
            return False

        workspace.trouble.append(once("runs.json", fetch_again, skip=1))
        project.fetch()
        assert len(refusals) == 1
        assert "one fetch at a time" in refusals[0]
        assert project.run_ids("s01e01") == [9000 + number for number in range(1, 11)]
        assert not [text for text in warnings_of(caplog) if "is fetched again" in text]

    def test_far_fewer_runs_than_before_replace_nothing(self, project, workspace):
        project.fetch()
        before = {path: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}
        for state in (project.data_root / "State" / "fetch").iterdir():
            state.unlink()
        workspace.runs = [row for row in workspace.runs if row["uuid"] not in ("run-0001", "run-0002")]
        with pytest.raises(ServiceError, match="s01e01: 8 runs, 10 before") as refused:
            project.fetch()
        assert "--accept-shrinkage" in str(refused.value)
        assert {path: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()} == before
        project.fetch("--accept-shrinkage")
        assert len(project.run_ids("s01e01")) == 8

    def test_sources_that_share_a_contact_map_must_share_the_workspace(self, project):
        project.sources.append(
            {**project.source, "Domain": "other.example.org", "ActivationFlowNames": [], "SurveyFlowNames": ["x"]}
        )
        with pytest.raises(ConfigurationError, match="ContactsFileName"):
            project.fetch()


class TestGoingOn:
    """What a fetch does that follows one which did not end well: it was refused after two pages of runs."""

    @pytest.fixture
    def refused(self, project, workspace):
        def refuse():
            workspace.trouble.append(once("runs.json", lambda request: request.reply(400, b"{}"), skip=2))
            with pytest.raises(ServiceError, match="status 400"):
                project.fetch()
            assert not (project.data_root / "Raw Data").exists()
            workspace.requests.clear()

        return refuse

    def pages(self, workspace):
        return [request for request in workspace.requests if "uuid+of+s01e01" in request]

    def test_pages_that_arrived_are_not_asked_for_again(self, project, workspace, refused):
        refused()
        project.fetch()
        assert project.run_ids("s01e01") == [9000 + number for number in range(1, 11)]
        assert len(self.pages(workspace)) == 1

    def test_the_place_that_is_kept_is_a_time(self, project, workspace, refused):
        refused()
        project.fetch()
        assert "after=2026-03-01T09%3A08" in self.pages(workspace)[0]
        assert "cursor" not in self.pages(workspace)[0]

    def test_rows_of_one_time_that_change_before_the_next_night_hide_no_others(self, project, workspace, refused):
        for row in workspace.runs:
            row["modified_on"] = at(5)
        refused()
        for row in workspace.runs[:6]:
            row["modified_on"] = at(3000)
        project.fetch()
        assert sorted(project.run_ids("s01e01")) == [9000 + number for number in range(1, 11)]

    def test_among_rows_of_today_it_goes_back_a_day(self, project, workspace, refused):
        """Rows of the last minutes can be committed after later ones were read: pages do not tell that they were missing."""
        for position, row in enumerate(workspace.runs):
            moment = datetime.now(UTC) - timedelta(minutes=60 - position)
            row["modified_on"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        late = workspace.runs.pop(1)
        refused()
        workspace.runs.append(late)
        project.fetch()
        assert late["id"] in project.run_ids("s01e01")


def test_a_row_of_a_time_that_has_not_come_hides_no_later_ones(project, workspace):
    workspace.runs[3]["modified_on"] = "2036-01-01T00:00:00.000000Z"
    project.fetch()
    project.fetch()
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    workspace.runs.append({**run(40, "s01e01", of=9, answer="cusub"), "modified_on": moment})
    project.fetch()
    assert 9040 in project.run_ids("s01e01")


def test_a_fetch_that_is_killed_at_any_moment_is_completed_by_the_next(project, workspace):
    workspace.runs += [run(number, "s01e01", of=number % 9 + 1, answer="haa") for number in range(100, 160)]
    command = [sys.executable, "-m", "engagement", "fetch-raw-data", *project.arguments()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for answered in (4, 9, 14):
        begun = len(workspace.requests)
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while len(workspace.requests) - begun < answered and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.wait()
    project.fetch()
    expected = [9000 + number for number in (*range(1, 11), *range(100, 160))]
    assert project.run_ids("s01e01") == expected
    pages = [request for request in workspace.requests if "uuid+of+s01e01" in request]
    # Of a fetch that is killed three pages may be lost: the one in hand, the one that waits behind it, and the one on its way.
    assert len(pages) <= len(expected) / workspace.page_size + 1 + 3 * 3


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_fetch_that_is_told_to_wait_for_an_hour_stops_when_asked(project, workspace, stop):
    wait = {"Retry-After": "3000"}
    workspace.trouble.append(once("runs.json", lambda request: request.reply(429, b"{}", headers=wait), skip=1))
    command = [sys.executable, "-m", "engagement", "fetch-raw-data", *project.arguments()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process,
        contextlib.ExitStack() as end,
    ):
        end.callback(process.kill)
        assert any("trying again in" in line for line in process.stderr)
        process.send_signal(stop)
        _, rest = process.communicate(timeout=10)
    assert process.returncode in (130, -stop)
    assert "Traceback" not in rest
    project.fetch()
    assert len(project.run_ids("s01e01")) == 10
