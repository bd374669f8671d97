"""Configuration that all sources of submissions share: forms, their flows, and their questions."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from engagement.configuration.model import Model, key
from engagement.configuration.problems import Problem
from engagement.configuration.raw_keys import category_of
from engagement.configuration.source_model import PlacedSource, RawDataSource, ResultKeys
from engagement.configuration.value_types import CountryCode, FlowName, ResultName


class Question(Model):
    """A question whose answers are kept. Each source type adds what it calls the question."""

    field: ResultName = key(
        "Field", "name of its answers in keys of the raw data: 'Age' for 'Age (Text) - leap_survey'", "Age"
    )


class SubmissionsForm(Model):
    """One form, post or list of files; its answers to episodes are one flow."""

    if TYPE_CHECKING:
        # Each type has its own questions.
        episode_questions: tuple[Question, ...]

    flow_name: FlowName = key("FlowName", "flow of its answers to episodes, in keys and in Raw Data/", "leap_s05")


class SubmissionsSource(RawDataSource):
    """Base of sources of submissions. A subclass declares `forms` and `survey_questions`."""

    if TYPE_CHECKING:
        forms: tuple[SubmissionsForm, ...]
        survey_questions: tuple[Question, ...]

    flow_keys = ("Forms", "SurveyFlowName")
    result_keys = ResultKeys.ITS_OWN_FLOWS
    uses_uuid_table = True

    survey_flow_name: FlowName | None = key(
        "SurveyFlowName",
        "flow of the answers to SurveyQuestions, of all the forms, in keys and in Raw Data/",
        "leap_survey",
        None,
    )
    country: CountryCode | None = key(
        "Country", "country of phone numbers in national form, by its two letters", "KE", None
    )

    @property
    def activation_flow_names(self) -> tuple[str, ...]:
        """Names of the forms' flows."""
        return tuple(form.flow_name for form in self.forms)

    @property
    def survey_flow_names(self) -> tuple[str, ...]:
        """Name of the flow about participants, if there is one."""
        return () if self.survey_flow_name is None else (self.survey_flow_name,)

    def placed_flows(self) -> Iterator[tuple[str, str]]:
        """Its flows, each with its place in the source."""
        for number, form in enumerate(self.forms):
            yield f"{self.flow_keys[0]}[{number}].FlowName", form.flow_name
        if self.survey_flow_name is not None:
            yield "SurveyFlowName", self.survey_flow_name

    def placed_results(self) -> Iterator[tuple[str, str, str]]:
        """The place, flow and name of each question's answers, as keys have them."""
        for number, form in enumerate(self.forms):
            for position, question in enumerate(form.episode_questions):
                place = f"{self.flow_keys[0]}[{number}].EpisodeQuestions[{position}]"
                yield place, form.flow_name, category_of(question.field)
        if self.survey_flow_name is not None:
            for position, question in enumerate(self.survey_questions):
                yield f"SurveyQuestions[{position}]", self.survey_flow_name, category_of(question.field)

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find repeated fields, forms that nothing is kept of, and survey questions without a flow."""
        for at, source in sources:
            yield from source._find_question_problems(at)

    def _find_question_problems(self, at: str) -> Iterator[Problem]:
        if not self.forms:
            yield Problem(f"{at}.{self.flow_keys[0]}", "is empty; expected at least one. Add it.")
        for number, form in enumerate(self.forms):
            place = f"{at}.{self.flow_keys[0]}[{number}].EpisodeQuestions"
            yield from _find_repeated_fields(place, form.episode_questions)
            if not form.episode_questions and not self.survey_questions:
                yield Problem(place, "is empty, so that nothing of it is kept; expected a question. Add one.")
        yield from _find_repeated_fields(f"{at}.SurveyQuestions", self.survey_questions)
        if bool(self.survey_questions) != (self.survey_flow_name is not None):
            missing = "SurveyFlowName" if self.survey_questions else "SurveyQuestions"
            other = "SurveyQuestions" if self.survey_questions else "SurveyFlowName"
            yield Problem(f"{at}.{missing}", f"is missing; expected with {other}. Add it, or remove {other}.")


def _find_repeated_fields(at: str, questions: Sequence[Question]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, question in enumerate(questions):
        # Keys of raw data have capitals, so two may differ here and not there.
        known = first.setdefault(category_of(question.field), number)
        if known != number:
            yield Problem(f"{at}[{number}].Field", f"the same as [{known}].Field; expected each name once. Change one.")
