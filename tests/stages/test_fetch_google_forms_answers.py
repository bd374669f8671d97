"""What becomes of a response to a Google form: answers, respondents, and questions whose titles change."""

import logging

import pytest

from engagement.foundation.errors import ConfigurationError, ServiceError
from fake_google_forms import question, response
from google_forms_project import (
    AGE,
    COUNT,
    FORM,
    HEARD,
    PHONE,
    PICTURE,
    RADIO,
    WATER,
    answered,
    answered_project,
    id_of,
    number_of,
    raw_data,
    serve_forms,
    texts_of_disk,
)


@pytest.fixture
def server(monkeypatch):
    with serve_forms(monkeypatch) as server:
        yield server


@pytest.fixture
def project(tmp_path, server):
    return answered_project(tmp_path, server)


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
        assert f"form {FORM} (flow 'forms_s05'): 2 of 3 new responses without a usable phone number" in caplog.text
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
