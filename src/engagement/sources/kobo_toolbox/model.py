"""Configuration of KoboToolbox forms."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from engagement.configuration.model import key
from engagement.configuration.plan_checks import find_repeated
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.configuration.value_types import Domain, StorageUrl, Text
from engagement.sources.kobo_toolbox.identifiers import ENUMERATORS_OWN, SERVERS_OWN, AssetId
from engagement.sources.kobo_toolbox.times import MessageTime
from engagement.sources.submissions.model import Question, SubmissionsForm, SubmissionsSource


class KoboQuestion(Question):
    """A question of a form, and the field of the raw data that its answers go to."""

    keys: tuple[Text, ...] = key(
        "Keys",
        "the question's paths, groups included: all that it has had, those of the oldest version of the form first; if a "
        "submission has two of them, the last counts",
        ["S05", "group_show/S05"],
        min_length=1,
    )
    labels: bool = key(
        "Labels",
        "whether chosen answers are kept by their labels, in the form's first language, in place of their names",
        True,
        False,
    )


class KoboForm(SubmissionsForm):
    """A form with answers to an episode."""

    asset: AssetId = key(
        "Asset", "the form's id: letters and digits behind '/forms/' in its address", "aBcD3fGh1jKlMn0pQrStUv"
    )
    episode_questions: tuple[KoboQuestion, ...] = key(
        "EpisodeQuestions",
        "its questions about the episode",
        [{"Field": "S05", "Keys": ["group_show/S05"]}],
        (),
    )


class KoboToolboxSource(SubmissionsSource):
    """Submissions of forms on a KoboToolbox server."""

    read_by_fetch_alone = frozenset({"token_file_url"})

    source_type: Literal["KoboToolbox"] = key("SourceType", "'KoboToolbox'", "KoboToolbox")
    server: Domain = key(
        "Server",
        "host of the KoboToolbox server, with a scheme and a port where they differ",
        "eu.kobotoolbox.org",
        "kf.kobotoolbox.org",
    )
    token_file_url: StorageUrl = key(
        "TokenFileURL",
        "gs:// or file:// address of a text file with an account's API key",
        "gs://keys/kobo_token.txt",
    )
    forms: tuple[KoboForm, ...] = key(
        "Forms",
        "the forms, each with its questions about an episode",
        [
            {
                "FlowName": "leap_s05",
                "Asset": "aBcD3fGh1jKlMn0pQrStUv",
                "EpisodeQuestions": [{"Field": "S05", "Keys": ["group_show/S05"]}],
            }
        ],
    )
    survey_questions: tuple[KoboQuestion, ...] = key(
        "SurveyQuestions",
        "questions about participants, the same for all forms",
        [{"Field": "Age", "Keys": ["age", "group_about/age"]}],
        (),
    )
    phone_number_keys: tuple[Text, ...] = key(
        "PhoneNumberKeys",
        "paths of the question for the participant's phone number, oldest first; without them each submission is a participant",
        ["group_about/phone"],
        (),
    )
    message_time: MessageTime = key(
        "MessageTime",
        "the time of the answers: 'end' or 'start' of filling in the form, or '_submission_time', when the server received it",
        "start",
        MessageTime.END,
    )
    exclude_rejected: bool = key(
        "ExcludeRejected", "whether submissions that a reviewer did not approve are left out", True, False
    )

    @property
    def token_file_urls(self) -> tuple[str, ...]:
        """Address of the file with the account's API key."""
        return (self.token_file_url,)

    def placed_keys(self) -> Iterator[tuple[str, str]]:
        """List the paths of its questions, each with its place in the source."""
        questions = [
            (f"Forms[{form_number}].EpisodeQuestions[{number}]", question)
            for form_number, form in enumerate(self.forms)
            for number, question in enumerate(form.episode_questions)
        ]
        questions += [(f"SurveyQuestions[{number}]", question) for number, question in enumerate(self.survey_questions)]
        for place, question in questions:
            yield from ((f"{place}.Keys[{number}]", path) for number, path in enumerate(question.keys))

    @classmethod
    def find_problems(cls, sources: Sequence[PlacedSource[Self]]) -> Iterator[Problem]:
        """Find forms that are there twice, whose answers about participants would count twice."""
        yield from super().find_problems(sources)
        forms = [
            (f"{at}.Forms[{number}].Asset", form.asset)
            for at, source in sources
            for number, form in enumerate(source.forms)
        ]
        yield from find_repeated(forms, "form")
        for at, source in sources:
            yield from _find_unusable_keys(at, source)


def _find_unusable_keys(at: str, source: KoboToolboxSource) -> Iterator[Problem]:
    """Find paths that would bring phone numbers to the disk, or that are no question to a participant."""
    phone_keys = [(f"PhoneNumberKeys[{number}]", path) for number, path in enumerate(source.phone_number_keys)]
    for place, path in source.placed_keys():
        if path in source.phone_number_keys:
            yield Problem(
                f"{at}.{place}",
                f"{path!r} is in PhoneNumberKeys, and numbers must not reach the raw data; expected another question. Remove it "
                "in one of the two.",
            )
    for place, path in (*phone_keys, *source.placed_keys()):
        if path in ENUMERATORS_OWN:
            yield Problem(
                f"{at}.{place}",
                f"{path!r} is the enumerator's, not the participant's; expected a question of the form. Change or remove it.",
            )
        elif SERVERS_OWN.fullmatch(path):
            yield Problem(
                f"{at}.{place}",
                f"{path!r} is a key of the server's own; expected the path of a question. Change or remove it.",
            )
