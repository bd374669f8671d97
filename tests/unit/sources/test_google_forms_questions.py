"""Titles of questions become ids, and stay what they were: renamed, doubled, deleted, asked again."""

import json

import pytest

from engagement.services.google_forms.rows import Form, ListedQuestion
from engagement.sources.google_forms.model import GoogleFormsSource
from engagement.sources.google_forms.questions import find_questions

FORM, OTHER = "1InventedFormOne", "1InventedFormTwo"


def make_source(*, episode=None, survey=(), phone=(), forms=(FORM,)):
    """A source whose forms ask the same about an episode."""
    return GoogleFormsSource.model_validate_json(
        json.dumps(
            {
                "SourceType": "GoogleForms",
                "CredentialsFileURL": "gs://keys/forms.json",
                "SurveyFlowName": "forms_survey",
                "Forms": [
                    {
                        "FlowName": f"flow_{form}",
                        "FormId": form,
                        "EpisodeQuestions": [{"Field": "S05", **(episode or {"Questions": ["Why?"]})}],
                    }
                    for form in forms
                ],
                "SurveyQuestions": [{"Field": "Age", **one} for one in survey],
                "PhoneNumberQuestions": list(phone),
            }
        )
    )


def make_form(form_id=FORM, files=(), **titles):
    """A form with questions q1="Why?"."""
    questions = [
        ListedQuestion(id_.removeprefix("q"), title, f"item {id_}", id_ in files) for id_, title in titles.items()
    ]
    return Form(form_id, "Invented", tuple(questions))


def find(source, *forms, kept=None):
    return find_questions(source, {form.form_id: form for form in forms}, kept or {})


def ids(found, form=FORM):
    return [one.ids for one in found.forms[form].episode]


def told(problems):
    return [f"{problem.at}: {problem.text}" for problem in problems]


# The titles that a form has now, the ids that were kept, the ids that are read, and what is told.
LIVES = [
    # As configured, for the first time and later.
    ({"q1": "Why?"}, {}, ("1",), [], []),
    ({"q1": "Why?", "q2": "How?"}, {"Why?": ["1"]}, ("1",), [], []),
    # Blanks do not count.
    ({"q1": "Why?"}, {}, ("1",), [], []),
    # Renamed: by its id.
    ({"q1": "Why not?"}, {"Why?": ["1"]}, ("1",), [], ["is called 'Why not?' now; expected 'Why?'"]),
    # Deleted: the earlier answers stay.
    ({"q2": "How?"}, {"Why?": ["1"]}, ("1",), [], ["question 'Why?' (1) of form 1InventedFormOne is deleted"]),
    # Deleted, and asked again under the same title.
    ({"q2": "Why?"}, {"Why?": ["1"]}, ("1", "2"), [], ["is another question now (2), and the earlier one (1) is deleted"]),
    ({"q2": "Why?"}, {"Why?": ["1", "2"]}, ("1", "2"), [], []),
    # Another one took over the title: which one is meant?
    ({"q1": "Old", "q2": "Why?"}, {"Why?": ["1"]}, None, ["'Why?' was question 1 of form 1InventedFormOne, which is called 'Old' now"], []),
    ({"q1": "Why?", "q2": "Why?"}, {}, None, ["has 2 questions 'Why?': 1 (item item q1), 2 (item item q2)"], []),
    ({"q1": "Why?", "q2": "Why?"}, {"Why?": ["1"]}, None, ["has 2 questions 'Why?'"], []),
    # Never there.
    ({"q1": "Why"}, {}, (), ["has no question 'Why?'; expected one; nearest: 'Why'."], []),
    ({}, {}, (), ["has no question 'Why?'; expected one. Change it."], []),
]  # fmt: skip


@pytest.mark.parametrize(("titles", "kept", "read", "errors", "warnings"), LIVES)
def test_a_title_stands_for_the_question_that_it_first_named(titles, kept, read, errors, warnings):
    found = find(make_source(), make_form(**titles), kept={FORM: kept})
    if read is not None:
        assert ids(found) == [read]
    for problems, texts in ((found.errors, errors), (found.warnings, warnings)):
        assert len(problems) == len(texts)
        assert all(text in problem for text, problem in zip(texts, told(problems), strict=True))
    assert all(
        problem.at == "Forms[0].EpisodeQuestions[0].Questions[0]" for problem in (*found.errors, *found.warnings)
    )


def test_ids_are_kept_by_title_for_the_next_fetch():
    found = find(make_source(survey=[{"Questions": ["How old?"]}]), make_form(q1="Why?", q2="How old?"))
    assert found.ids_by_title == {FORM: {"Why?": ["1"], "How old?": ["2"]}}


def test_a_title_that_is_there_twice_can_be_told_by_ids():
    found = find(make_source(episode={"QuestionIds": ["2", "1"]}), make_form(q1="Why?", q2="Why?"))
    assert (ids(found), found.errors, found.warnings) == ([("2", "1")], [], [])


def test_a_deleted_question_can_be_read_by_its_id():
    found = find(make_source(episode={"QuestionIds": ["7"]}), make_form(q1="Why?"))
    assert ids(found) == [("7",)]
    assert "QuestionIds[0]: no question has the id '7' now" in told(found.warnings)[0]


def test_each_misspelt_title_of_a_list_is_told():
    source = make_source(episode={"Questions": ["Which conty?", "Which ward?", "Which vilage?"]})
    found = find(source, make_form(q1="Which county?", q2="Which ward?", q3="Which village?"))
    assert [(problem.at, problem.text.partition(";")[0]) for problem in found.errors] == [
        ("Forms[0].EpisodeQuestions[0].Questions[0]", f"form {FORM} has no question 'Which conty?'"),
        ("Forms[0].EpisodeQuestions[0].Questions[2]", f"form {FORM} has no question 'Which vilage?'"),
    ]


def test_a_question_about_participants_is_found_under_the_title_of_each_form():
    source = make_source(survey=[{"Questions": ["How old?", "Age"]}], forms=(FORM, OTHER))
    found = find(source, make_form(q1="Why?", q2="Age"), make_form(OTHER, q1="Why?", q3="How old?"))
    assert [found.forms[form].survey[0].ids for form in (FORM, OTHER)] == [("2",), ("3",)]
    assert (found.errors, found.warnings) == ([], [])


def test_a_form_without_a_question_about_participants_is_told_and_a_title_of_no_form_is_refused():
    source = make_source(survey=[{"Questions": ["How old?", "Aged"]}], forms=(FORM, OTHER))
    found = find(source, make_form(q1="Why?"), make_form(OTHER, q1="Why?", q3="How old?"))
    assert told(found.errors) == [
        "SurveyQuestions[0].Questions[1]: none of the forms has a question 'Aged'; expected one; known: 'How old?', 'Why?'. Change it."
    ]
    assert "form 1InventedFormOne has none of these questions" in told(found.warnings)[0]


def test_a_question_that_takes_files_is_refused():
    found = find(make_source(), make_form(q1="Why?", files=["q1"]))
    assert "question 1 of form 1InventedFormOne takes files, which have no text" in told(found.errors)[0]


@pytest.mark.parametrize("by", [{"QuestionIds": ["2"]}, {"Questions": ["Number"]}])
def test_the_question_for_the_number_is_not_read_as_an_answer(by):
    # By its id, or after it was renamed.
    source = make_source(episode=by, phone=["Your number"])
    kept = {FORM: {"Your number": ["2"]}} if "Questions" in by else {}
    titles = {"q2": "Number"} if "Questions" in by else {"q2": "Your number"}
    found = find(source, make_form(**titles), kept=kept)
    assert any("question 2 is the one for the phone number" in problem for problem in told(found.errors))
