"""How a list of submissions is configured: forms, each a JSON file that somebody edits."""

from typing import Literal

from engagement.configuration.model import key
from engagement.configuration.value_types import StorageUrl
from engagement.sources.submissions.model import Question, SubmissionsForm, SubmissionsSource


class ListForm(SubmissionsForm):
    """A file of submissions."""

    url: StorageUrl = key("URL", "the file", "gs://n/s05.json")
    episode_questions: tuple[Question, ...] = key("EpisodeQuestions", "questions of the episode", [], ())


class SubmissionListSource(SubmissionsSource):
    """Lists of submissions."""

    source_type: Literal["SubmissionList"] = key("SourceType", "'SubmissionList'", "SubmissionList")
    forms: tuple[ListForm, ...] = key("Forms", "the lists", [])
    survey_questions: tuple[Question, ...] = key("SurveyQuestions", "questions about participants", [], ())
