"""Configuration of Google Forms."""

import enum
from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.model import key
from engagement.configuration.plan_checks import find_repeated
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.configuration.value_types import StorageUrl, Text
from engagement.sources.google_forms.ids import FormId, QuestionId
from engagement.sources.submissions.model import Question, SubmissionsForm, SubmissionsSource


class FormRespondent(enum.StrEnum):
    """Definition of one participant of a form."""

    NUMBER = "number"
    EMAIL = "email"


class FormQuestion(Question):
    """Questions of a form, and the field of the raw data that their answers go to."""

    titles: tuple[Text, ...] = key(
        "Questions",
        "titles of the questions, as the form shows them; a grid's row is 'Grid title [Row title]'",
        ["What do you think about water in your area?"],
        (),
    )
    question_ids: tuple[QuestionId, ...] = key(
        "QuestionIds", "ids of questions, where several have the same title", ["5a1b0002"], ()
    )


class FormOfEpisode(SubmissionsForm):
    """A form with answers to an episode."""

    form_id: FormId = key(
        "FormId",
        "the form's id: behind '/forms/d/' in the address of the page where it is edited",
        "1InventedFormIdOfTheEditPage",
    )
    episode_questions: tuple[FormQuestion, ...] = key(
        "EpisodeQuestions",
        "its questions about the episode",
        [{"Field": "S05", "Questions": ["What do you think about water in your area?"]}],
        (),
    )


class GoogleFormsSource(SubmissionsSource):
    """Responses of Google Forms."""

    read_by_fetch_alone = frozenset({"credentials_file_url"})

    source_type: Literal["GoogleForms"] = key("SourceType", "'GoogleForms'", "GoogleForms")
    credentials_file_url: StorageUrl = key(
        "CredentialsFileURL",
        "gs:// or file:// address of the key of a service account that the forms are shared with",
        "gs://keys/forms.json",
    )
    forms: tuple[FormOfEpisode, ...] = key(
        "Forms",
        "the forms, each with its questions about an episode",
        [
            {
                "FlowName": "forms_s05",
                "FormId": "1InventedFormIdOfTheEditPage",
                "EpisodeQuestions": [{"Field": "S05", "Questions": ["What do you think about water in your area?"]}],
            }
        ],
        min_length=1,
    )
    survey_questions: tuple[FormQuestion, ...] = key(
        "SurveyQuestions",
        "questions about participants, the same for all forms",
        [{"Field": "Age", "Questions": ["How old are you?"]}],
        (),
    )
    respondent: FormRespondent = key(
        "Identity",
        "what a participant is: 'number', everybody with one phone number, answered to PhoneNumberQuestions; or 'email', everybody "
        "with the e-mail address that Google collected. Without it, each response is a participant",
        "email",
        FormRespondent.NUMBER,
    )
    phone_number_questions: tuple[Text, ...] = key(
        "PhoneNumberQuestions",
        "titles of the questions for the participant's phone number, of which the first usable answer counts",
        ["What is your phone number?"],
        (),
    )

    @property
    def token_file_urls(self) -> tuple[str, ...]:
        """Address of the service account's key."""
        return (self.credentials_file_url,)

    def placed_questions(self) -> Iterator[tuple[str, str | None, FormQuestion]]:
        """List its questions, each with its place in the source and its form; None if any form may have it."""
        for form_number, form in enumerate(self.forms):
            for number, question in enumerate(form.episode_questions):
                yield f"Forms[{form_number}].EpisodeQuestions[{number}]", form.form_id, question
        for number, question in enumerate(self.survey_questions):
            yield f"SurveyQuestions[{number}]", None, question

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find repeated forms, questions without title and id, and phone numbers on their way to the disk."""
        yield from super().find_problems(sources)
        forms = [
            (f"{at}.Forms[{number}].FormId", form.form_id)
            for at, source in sources
            for number, form in enumerate(source.forms)
        ]
        yield from find_repeated(forms, "form")
        for at, source in sources:
            yield from _find_problems_of(at, source)


def _find_problems_of(at: str, source: GoogleFormsSource) -> Iterator[Problem]:
    if source.respondent is FormRespondent.EMAIL and source.phone_number_questions:
        yield Problem(
            f"{at}.PhoneNumberQuestions",
            "there are some, though Identity is 'email'; expected one way to tell who answered. Remove one of the two.",
        )
    for place, _, question in source.placed_questions():
        if not question.titles and not question.question_ids:
            yield Problem(f"{at}.{place}", "neither Questions nor QuestionIds; expected a title or an id. Add one.")
        for number, title in enumerate(question.titles):
            if title in source.phone_number_questions:
                yield Problem(
                    f"{at}.{place}.Questions[{number}]",
                    f"{title!r} is in PhoneNumberQuestions, and numbers must not reach the raw data; expected another question. "
                    "Remove it in one of the two.",
                )
