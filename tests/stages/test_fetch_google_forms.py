"""Fetch from Google Forms, from end to end: against a server whose forms change while they are read."""

import functools
import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import engagement
from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.retries import RetryPolicy
from engagement.stages import fetch_raw_data
from fake_google_forms import ACCOUNT, FORBIDDEN, ApiError, DroppedError, FakeGoogleForms, question, response
from google_forms_project import AGE, FORM, HEARD, PHONE, PICTURE, RADIO, WATER, GoogleFormsProject, answered, number_of

COUNT = 60


def id_of(number):
    return response(number)["responseId"]


@pytest.fixture
def server(monkeypatch):
    with FakeGoogleForms(page_size=25).running() as server:
        monkeypatch.setenv("FORMS_EMULATOR_HOST", server.address)
        monkeypatch.setattr(fetch_raw_data, "RetryPolicy", functools.partial(RetryPolicy, sleep=lambda _: None))
        yield server


@pytest.fixture
def project(tmp_path, server):
    project = GoogleFormsProject(tmp_path, server)
    project.form.add(*(answered(number) for number in range(COUNT)))
    return project


def raw_data(project):
    folder = project.data_root / "Raw Data"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def texts_of_disk(project):
    return b"".join(
        path.read_bytes() for path in project.folder.rglob("*") if path.is_file() and "embedded" not in path.parts
    )


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


class TestAnswers:
    @pytest.fixture(autouse=True)
    def one_response(self, project):
        project.form.responses = {}

    def test_several_values_stay_apart(self, project):
        project.form.add(
            answered(1, **{HEARD: ["Radio", "my cousin, in town; yes"]}), answered(2, **{HEARD: ["Radio"]})
        )
        project.fetch()
        assert project.texts("Heard", "forms_survey") == {
            id_of(1): "Radio\nmy cousin, in town; yes",
            id_of(2): "Radio",
        }

    def test_rows_of_a_grid_are_questions(self, project):
        project.form.add(answered(1, **{RADIO: "5"}))
        project.fetch()
        assert project.texts("Radio", "forms_survey") == {id_of(1): "5"}

    def test_several_questions_fill_one_field(self, project):
        project.form.items += [question("5a1b0011", "Which county?"), question("5a1b0012", "Which ward?")]
        project.source["SurveyQuestions"].append({"Field": "Place", "Questions": ["Which county?", "Which ward?"]})
        project.form.add(
            answered(1, **{"5a1b0011": "Kilifi", "5a1b0012": "Sokoni"}), answered(2, **{"5a1b0012": "Junju"})
        )
        project.fetch()
        assert project.texts("Place", "forms_survey") == {id_of(1): "Kilifi\nSokoni", id_of(2): "Junju"}

    def test_blank_responses_and_files_give_no_line(self, project):
        blank = answered(2, **{WATER: "  ", AGE: ""})
        only_file = response(3)
        only_file["answers"] = {
            PICTURE: {"questionId": PICTURE, "fileUploadAnswers": {"answers": [{"fileId": "1", "fileName": "me.jpg"}]}}
        }
        project.form.add(answered(1), blank, only_file, response(4))
        project.fetch()
        assert set(project.texts()) == {id_of(1)}
        assert project.run_ids("forms_survey") == [id_of(1)]
        assert b"me.jpg" not in texts_of_disk(project)

    def test_answers_to_deleted_questions_are_counted(self, project, caplog):
        caplog.set_level(logging.INFO)
        project.form.add(answered(1, **{"5a1b0099": "siri"}), answered(2, **{"5a1b0099": "siri", "5a1b0098": "siri"}))
        project.fetch()
        assert f"form {FORM} (flow 'forms_s05'): 3 answers to 2 questions that the form no longer has" in caplog.text
        assert "siri" not in caplog.text
        assert b"siri" not in texts_of_disk(project)

    def test_a_row_that_cannot_be_read_is_set_aside_and_taken_when_it_can(self, project):
        rows = [answered(number) for number in range(200)]
        project.form.add(*rows)
        project.form.add({**rows[7], "createTime": "siku ya pili"})
        project.fetch()
        assert id_of(7) not in project.texts()
        assert len(project.texts()) == 199
        assert b"siku" not in texts_of_disk(project)
        assert id_of(7).encode() in b"".join(path.read_bytes() for path in project.data_root.rglob("*set_aside*"))
        project.form.add(rows[7])
        project.fetch()
        assert len(project.texts()) == 200

    def test_a_known_response_that_cannot_be_read_now_is_kept(self, project):
        rows = [answered(number) for number in range(200)]
        project.form.add(*rows)
        project.fetch()
        project.form.add({**rows[7], "createTime": "siku ya pili"})
        project.fetch()
        assert len(project.texts()) == 200

    def test_many_rows_that_cannot_be_read_are_refused(self, project):
        project.form.add(
            *({**answered(number), "createTime": "siku"} for number in range(3)), *map(answered, range(3, 90))
        )
        with pytest.raises(ServiceError, match="can't be read"):
            project.fetch()
        assert not project.file("forms_s05").exists()


class TestRespondents:
    def test_one_number_is_one_participant_however_it_is_written(self, project):
        project.source["Country"] = "SO"
        project.form.responses = {}
        spellings = ["+252 61 5000001", "252615000001", "0615000001", "(061) 500-0001"]
        project.form.add(*(answered(number, **{PHONE: text}) for number, text in enumerate(spellings)))
        project.fetch()
        assert len(set(project.participants().values())) == 1

    def test_a_response_without_a_usable_number_is_a_participant_of_its_own(self, project, caplog):
        caplog.set_level(logging.INFO)
        project.form.responses = {}
        project.form.add(answered(1, **{PHONE: "I have none"}), answered(2, **{PHONE: "I have none"}), answered(3))
        project.fetch()
        assert len(set(project.participants().values())) == 3
        assert f"form {FORM} (flow 'forms_s05'): 2 of 3 new responses have no usable phone number" in caplog.text
        assert {record.values["urn_type"] for record in project.read("forms_s05")} == {"tel", "google_form"}
        assert b"I have none" not in texts_of_disk(project)

    def test_the_same_address_is_one_participant_only_where_it_says_who_answered(self, project):
        project.form.responses = {}
        del project.source["PhoneNumberQuestions"]
        emails = ["Amina@Example.org", "amina@example.org", None]
        project.form.add(*(answered(number, email=email) for number, email in enumerate(emails)))
        project.fetch()
        assert len(set(project.participants().values())) == 3
        project.source["Identity"] = "email"
        project.fetch("--accept-shrinkage")
        participants = project.participants()
        assert participants[id_of(0)] == participants[id_of(1)] != participants[id_of(2)]
        assert {record.values["urn_type"] for record in project.read("forms_s05")} == {"mailto", "google_form"}
        assert b"mina@" not in texts_of_disk(project).lower()

    def test_no_number_address_or_title_of_a_person_reaches_the_disk_or_the_log(self, project, caplog):
        caplog.set_level(logging.DEBUG)
        for number in range(COUNT):
            project.form.add(answered(number, email=f"person{number}@example.org"))
        project.fetch()
        shown = texts_of_disk(project) + caplog.text.encode()
        for number in range(COUNT):
            digits = number_of(number).removeprefix("+").encode()
            assert digits not in shown
            assert digits[3:] not in shown
        assert b"@example.org" not in shown.replace(b"tester@example.org", b"")
        assert b"private_key" not in shown
        assert b"invented-token" not in shown


class TestTitles:
    def test_a_renamed_question_is_read_by_its_id(self, project, caplog):
        project.fetch()
        before = raw_data(project)
        project.form.rename(WATER, "What do you say about water?")
        project.fetch()
        assert raw_data(project) == before
        assert "is called 'What do you say about water?' now" in caplog.text
        # The operator follows.
        caplog.clear()
        project.source["Forms"][0]["EpisodeQuestions"][0]["Questions"] = ["What do you say about water?"]
        project.fetch()
        assert raw_data(project) == before
        assert "is called" not in caplog.text

    def test_a_title_that_is_there_twice_is_refused_with_both_ids(self, project):
        project.form.items.append(question("5a1b0020", "What about water?"))
        with pytest.raises(ConfigurationError, match=rf"{WATER} .*5a1b0020 .*QuestionIds") as refused:
            project.fetch()
        assert "$.RawDataSources[0].Forms[0].EpisodeQuestions[0].Questions[0]" in str(refused.value)
        project.source["Forms"][0]["EpisodeQuestions"][0] = {"Field": "S05", "QuestionIds": [WATER]}
        project.fetch()
        assert len(project.texts()) == COUNT

    def test_all_misspelt_titles_are_told_at_once(self, project, server):
        project.source["Forms"][0]["EpisodeQuestions"][0]["Questions"] = ["What about watr?"]
        project.source["SurveyQuestions"][0]["Questions"] = ["How old are yu?"]
        with pytest.raises(ConfigurationError, match="2 problem") as refused:
            project.fetch()
        assert "nearest: 'What about water?'" in str(refused.value)
        assert "nearest: 'How old are you?'" in str(refused.value)
        assert not any("responses" in request for request in server.requests)

    def test_other_questions_read_all_responses_again(self, project):
        project.fetch()
        project.source["SurveyQuestions"] = [{"Field": "Water", "Questions": ["What about water?"]}]
        project.fetch()
        assert project.texts("Water", "forms_survey")[id_of(1)] == "biyo 1"


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


def run(project, command, *options):
    """Run a command of the desk on the project's configuration."""
    project.arguments()
    configuration = project.folder / "pipeline_configuration.json"
    if command == "check":
        return main(
            ["check", str(configuration), "--online", "--credentials", str(project.folder / "credentials.json")]
        )
    arguments = ["--pipeline-configuration", configuration, "--data-root", project.data_root]
    for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, project.folder / "credentials.json"]
    arguments += ["--backups-dir", project.folder / "backups", "--performance-logs-dir", project.folder / "logs"]
    return main([command, *map(str, arguments), *options])


def test_a_plan_tells_what_is_new_and_writes_nothing(project, capsys):
    assert run(project, "plan-run", "--first", "2", "--last", "2") == 0
    assert f"flow 'forms_s05': 0 responses held; {COUNT} new, 0 edited, 0 deleted" in capsys.readouterr().out
    assert not project.data_root.exists()
    project.fetch()
    project.form.remove(3)
    project.form.add(answered(7, edited=500, **{WATER: "maji"}), answered(100), answered(101))
    assert run(project, "plan-run", "--first", "2", "--last", "2") == 0
    assert f"flow 'forms_s05': {COUNT} responses held; 2 new, 1 edited, 1 deleted" in capsys.readouterr().out


def test_a_plan_goes_on_without_the_service(project, server, capsys):
    server.key_is_refused = True
    run(project, "plan-run", "--first", "2", "--last", "2")
    assert "flow 'forms_s05': could not find out what is new" in capsys.readouterr().out


def test_an_online_check_names_questions_that_are_missing_and_those_that_nothing_reads(project, capsys):
    run(project, "check")
    out = capsys.readouterr().out
    assert "$.RawDataSources[0]" not in "".join(line for line in out.splitlines() if line.startswith("ERROR"))
    assert "at $.RawDataSources[0].Forms[0]: nothing reads 'How often? [SMS]' (5a1b0006)" in out
    project.source["SurveyQuestions"][0]["Questions"] = ["How old are yu?"]
    assert run(project, "check") == 10
    out = capsys.readouterr().out
    assert "at $.RawDataSources[0].SurveyQuestions[0].Questions[0]: " in out
    assert "nearest: 'How old are you?'" in out


def test_an_online_check_tells_a_form_that_is_not_shared(project, server, capsys):
    server.fail(1, FORBIDDEN["not shared"])
    assert run(project, "check") != 0
    assert f"{ACCOUNT} may not read this form" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"Forms": [{"FormId": "1FAIpQLSinventedInvented"}]},
            "Forms[0].FormId: '1FAIpQLSinventedInvented' is no form's id",
        ),
        (
            {"Forms": [{"EpisodeQuestions": [{"Field": "S05"}]}]},
            "EpisodeQuestions[0]: neither Questions nor QuestionIds",
        ),
        ({"PhoneNumberQuestions": ["What about water?"]}, "'What about water?' is in PhoneNumberQuestions"),
        ({"Identity": "email"}, "PhoneNumberQuestions: there are some, though Identity is 'email'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(project, change, told):
    form = {**project.source["Forms"][0], **change.pop("Forms", [{}])[0]}
    project.source |= {**change, "Forms": [form]}
    with pytest.raises(ConfigurationError) as refused:
        project.fetch()
    assert told in str(refused.value)
