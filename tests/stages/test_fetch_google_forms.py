"""Fetch from Google Forms, from end to end: against a server whose forms change while they are read."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import engagement
from engagement.foundation.errors import ServiceError
from fake_google_forms import ApiError
from google_forms_project import COUNT, WATER, answered, answered_project, id_of, raw_data, serve_forms
from serving import DroppedError


@pytest.fixture
def server(monkeypatch):
    with serve_forms(monkeypatch) as server:
        yield server


@pytest.fixture
def project(tmp_path, server):
    return answered_project(tmp_path, server)


class TestFetch:
    def test_each_response_is_a_line_of_the_episode_and_one_of_the_survey(self, project):
        project.fetch()
        assert project.texts() == {id_of(number): f"biyo {number}" for number in range(COUNT)}
        assert project.texts("Age", "forms_survey") == {id_of(n): str(20 + n % 50) for n in range(COUNT)}
        # In order of time.
        assert project.run_ids("forms_s05") == [id_of(number) for number in range(COUNT)]
        assert project.participants() == project.participants("forms_survey")
        first = project.read("forms_s05")[0].values
        assert first["urn_type"] == "tel"
        assert first["operator_raw"] == "25261"
        assert first["S05 (Time) - forms_s05"] == "2026-03-02T07:00:00.123456+00:00"
        assert first["S05 (Run ID) - forms_s05"] == id_of(0)

    def test_nothing_new_changes_no_byte(self, project, server):
        project.fetch()
        before, asked = raw_data(project), len(server.requests)
        project.fetch(user="somebody-else@example.org")
        assert raw_data(project) == before
        # The form, and its three pages.
        assert len(server.requests) == 2 * asked == 8

    def test_additions_edits_and_deletions_are_followed(self, project):
        project.fetch()
        before = project.lines("forms_s05")
        project.form.remove(3)
        project.form.add(answered(100), answered(7, edited=500, **{WATER: "maji"}))
        project.fetch(user="somebody-else@example.org")
        after = project.lines("forms_s05")
        assert set(after) == set(before) - {id_of(3)} | {id_of(100)}
        # The others' lines stay as they were.
        assert {key for key in before if before[key] != after.get(key)} == {id_of(3), id_of(7)}
        assert project.texts()[id_of(7)] == "maji"
        # An edit does not move an answer to another episode.
        assert project.run_ids("forms_s05")[6] == id_of(7)
        assert id_of(3) not in project.run_ids("forms_survey")

    def test_an_edit_that_takes_an_answer_away_takes_it_away(self, project):
        project.fetch()
        row = answered(7, edited=500)
        del row["answers"][WATER]
        project.form.add(row)
        project.fetch()
        assert id_of(7) not in project.texts()
        assert id_of(7) in project.texts("Age", "forms_survey")

    def test_a_late_edit_within_the_same_microsecond_counts(self, project):
        row = answered(7)
        row["lastSubmittedTime"] = "2026-03-02T08:00:00.123456001Z"
        project.form.add(row)
        project.fetch()
        project.form.add({**answered(7, **{WATER: "maji"}), "lastSubmittedTime": "2026-03-02T08:00:00.123456002Z"})
        project.fetch()
        assert project.texts()[id_of(7)] == "maji"

    def test_a_deletion_between_pages_loses_nothing(self, project, server):
        project.fetch()
        # Without an order, the next page skips a row when one of the first is deleted.
        server.at_request(2, lambda: project.form.remove(*sorted_numbers(project)[:2]))
        gone = {id_of(number) for number in sorted_numbers(project)[:2]}
        project.fetch()
        assert set(project.texts()) == {id_of(number) for number in range(COUNT)}
        project.fetch()
        assert set(project.texts()) == {id_of(number) for number in range(COUNT)} - gone

    def test_an_addition_between_pages_doubles_nothing(self, project, server):
        server.at_request(2, lambda: project.form.add(*(answered(number) for number in range(200, 220))))
        project.fetch()
        project.fetch()
        assert sorted(project.run_ids("forms_s05")) == sorted(
            id_of(number) for number in [*range(COUNT), *range(200, 220)]
        )

    def test_the_newest_of_a_response_that_comes_twice_counts(self, project, server):
        server.repeated_rows = 5
        edited = [answered(number, edited=900, **{WATER: "maji"}) for number in range(COUNT)]
        server.at_request(2, lambda: project.form.add(*edited))
        project.fetch()
        assert len(project.run_ids("forms_s05")) == COUNT
        texts = list(project.texts().values())
        assert texts.count("maji") == COUNT - 20

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_weather_is_waited_for(self, project, server, status):
        server.fail(2, ApiError(status, "RESOURCE_EXHAUSTED", "Quota exceeded."))
        server.fail(4, DroppedError())
        project.fetch()
        assert len(project.texts()) == COUNT

    def test_a_refusal_in_the_middle_writes_nothing_and_the_next_run_goes_on(self, project, server):
        server.fail(3, ApiError(403, "PERMISSION_DENIED", "The caller does not have permission"))
        with pytest.raises(ServiceError, match="may not read this form"):
            project.fetch()
        assert not project.file("forms_s05").exists()
        project.fetch()
        assert len(project.texts()) == COUNT

    @pytest.mark.parametrize("left", [0, 40])
    def test_a_form_that_lost_many_responses_is_refused_before_anything_is_dropped(self, project, left):
        project.fetch()
        before = raw_data(project)
        for response_id in list(project.form.responses)[left:]:
            del project.form.responses[response_id]
        with pytest.raises(ServiceError, match="--accept-shrinkage"):
            project.fetch()
        assert raw_data(project) == before
        project.fetch("--accept-shrinkage")
        assert len(project.texts()) == left


def sorted_numbers(project):
    """The numbers of the responses in the server's order."""
    rows = sorted(project.form.responses, key=lambda key: hashlib.md5(key.encode()).hexdigest())
    numbers = {id_of(number): number for number in range(COUNT)}
    return [numbers[row] for row in rows]


PROGRAM = """if True:
    import os, sys
    from engagement.__main__ import main
    from engagement.sources.submissions.store import SubmissionStore
    put, left = SubmissionStore.put, [int(sys.argv[1])]
    def put_and_die(*arguments, **options):
        outcome = put(*arguments, **options)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        return outcome
    SubmissionStore.put = put_and_die
    sys.exit(main(["fetch-raw-data", *sys.argv[2:]]))
"""


@pytest.mark.parametrize("pages", [1, 3])
def test_a_killed_fetch_goes_on_and_gives_the_same(project, pages):
    environment = {**os.environ, "PYTHONPATH": str(Path(engagement.__file__).resolve().parents[1])}
    command = [sys.executable, "-c", PROGRAM, str(pages), *project.arguments()]
    killed = subprocess.run(command, env=environment, check=False)
    assert killed.returncode == -9
    assert not project.file("forms_s05").exists()
    project.fetch()
    assert project.texts() == {id_of(number): f"biyo {number}" for number in range(COUNT)}
    assert project.run_ids("forms_s05") == [id_of(number) for number in range(COUNT)]
    before = raw_data(project)
    project.fetch()
    assert raw_data(project) == before


def test_two_forms_share_the_survey_and_a_form_that_is_emptied_is_named(project, server):
    other = "1InventedFormOfTheSecondWeek"
    server.forms[other] = type(project.form)([dict(item) for item in project.form.items])
    server.forms[other].add(*(answered(number) for number in range(300, 330)))
    second = json.loads(json.dumps(project.source["Forms"][0]))
    second |= {"FlowName": "forms_s06", "FormId": other}
    project.source["Forms"].append(second)
    project.fetch()
    assert len(project.texts("S05", "forms_s06")) == 30
    assert len(project.texts("Age", "forms_survey")) == COUNT + 30
    server.forms[other].responses = {}
    with pytest.raises(ServiceError, match="forms_s06"):
        project.fetch()
