"""Check KoboToolbox sources: their settings, and the forms on the server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.foundation.errors import count_of
from engagement.services.container_needs import is_loopback
from engagement.services.kobo.client import KoboClient
from engagement.services.kobo.rows import FormContent
from engagement.services.storage.protocol import read_token
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.kobo_toolbox.answers import prefixes_of
from engagement.sources.kobo_toolbox.model import KoboQuestion, KoboToolboxSource
from engagement.sources.kobo_toolbox.nearest_paths import nearest_path
from engagement.sources.kobo_toolbox.reading import find_labels
from engagement.sources.kobo_toolbox.times import MessageTime
from engagement.sources.online_check import OnlineCheck

PlacedKobo = PlacedSource[KoboToolboxSource]
_MOST_NAMED = 10


def find_warnings(sources: Sequence[PlacedKobo], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find oddities in servers' addresses, and in how numbers are read."""
    for at, source in sources:
        if source.server.startswith("http://") and not is_loopback(source.server):
            yield Problem(
                f"{at}.Server", "http:// sends the token and all answers unencrypted; expected https://. Change it."
            )
        if source.phone_number_keys and source.country is None:
            yield Problem(
                at,
                "no Country, so that a number in national form, like 0712 000 004, is another participant than by SMS; expected "
                "the country's two letters. Add it.",
            )


def find_warnings_in_runs(sources: Sequence[PlacedKobo], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: answers are whole."""
    return ()


def ask(placed: PlacedKobo, check: OnlineCheck) -> None:
    """Ask the server for each form, and look for the configured questions in it."""
    at, source = placed
    findings = check.findings
    with findings.noted(f"{at}.TokenFileURL"):
        token = read_token(check.storage, source.token_file_url)
        with KoboClient(source.server, token, check.policy) as client:
            contents: dict[str, FormContent] = {}
            for number, form in enumerate(source.forms):
                place = f"{at}.Forms[{number}]"
                with findings.noted(f"{place}.Asset"):
                    content = client.form(form.asset)
                    findings.add_errors(_find_form_problems(place, content))
                    contents[form.asset] = content
                    client.count(form.asset)
                    findings.add_warnings(_find_form_warnings(place, source, content))
                    for question_number, question in enumerate(form.episode_questions):
                        question_place = f"{place}.EpisodeQuestions[{question_number}]"
                        _look_for(question_place, question, {form.asset: content}, client, check)
            if len(contents) == len(source.forms):
                for number, question in enumerate(source.survey_questions):
                    _look_for(f"{at}.SurveyQuestions[{number}]", question, contents, client, check)
                _look_for_keys(f"{at}.PhoneNumberKeys", source.phone_number_keys, contents, client, check)


def _find_form_problems(place: str, content: FormContent) -> Iterator[Problem]:
    if not content.is_survey:
        yield Problem(
            f"{place}.Asset", f"{content.name!r} is a block, template or collection; expected a form. Change it."
        )
    elif not content.is_deployed:
        yield Problem(
            f"{place}.Asset",
            f"form {content.name!r} was never deployed, so that nobody can answer it; expected one that is deployed. Deploy it, or "
            "remove it here.",
        )


def _find_form_warnings(place: str, source: KoboToolboxSource, content: FormContent) -> Iterator[Problem]:
    """Find questions that nothing reads, and forms that do not note the time of the answers."""
    read = {path for _, path in source.placed_keys()} | {*source.phone_number_keys}
    unread = [
        path
        for path, question in content.questions.items()
        if path not in read and not question.is_metadata and not question.is_file
    ]
    if unread:
        more = f" and {len(unread) - _MOST_NAMED} more" if len(unread) > _MOST_NAMED else ""
        yield Problem(
            place,
            f"{count_of(len(unread), 'question')} of form {content.name!r} read by nothing: "
            f"{', '.join(map(repr, unread[:_MOST_NAMED]))}{more}; expected each to be configured, unless it is left out on "
            "purpose, like a name. Add what is missing.",
        )
    kinds = {question.kind for question in content.questions.values()}
    if source.message_time is not MessageTime.SUBMISSION and not kinds & {MessageTime.START, MessageTime.END}:
        yield Problem(
            place,
            f"form {content.name!r} does not note when it is filled in, so that its answers get the time at which the server "
            f"received them; expected the metadata question {source.message_time.value!r}. Turn it on in the form's settings.",
        )


def _look_for(
    place: str, question: KoboQuestion, contents: Mapping[str, FormContent], client: KoboClient, check: OnlineCheck
) -> None:
    _look_for_keys(f"{place}.Keys", question.keys, contents, client, check)
    asked = [
        content.questions[path] for content in contents.values() for path in question.keys if path in content.questions
    ]
    if any(one.is_file for one in asked):
        check.findings.add_warnings(
            [
                Problem(
                    place,
                    "its answers are files, of which only the names come; expected a question with words. Change it.",
                )
            ]
        )
    if question.labels and asked and not any(find_labels(question, content) for content in contents.values()):
        check.findings.add_warnings(
            [Problem(f"{place}.Labels", "its answers are not chosen from a list, and have no labels. Remove it.")]
        )


def _look_for_keys(
    place: str, paths: Sequence[str], contents: Mapping[str, FormContent], client: KoboClient, check: OnlineCheck
) -> None:
    """Look for a question's paths in the forms, and in what earlier versions of them brought."""
    known = {path for content in contents.values() for path in content.questions}
    missing = [(number, path) for number, path in enumerate(paths) if path not in known]
    problems = [
        Problem(
            f"{place}[{number}]",
            f"no question of {'the form' if len(contents) == 1 else 'the forms'} has the path {path!r}, and no submission an "
            f"answer there; expected one of theirs{nearest_path(path, sorted(known))} Change or remove it.",
        )
        for number, path in missing
        if not any(_was_answered(client, asset, path) for asset in contents)
    ]
    # With another path that is right the question still has its answers.
    add = check.findings.add_errors if len(problems) == len(paths) else check.findings.add_warnings
    add(problems)


def _was_answered(client: KoboClient, asset: str, path: str) -> bool:
    # The answers of a repeat are within those of its group, where the server does not look.
    return any(client.has_answer(asset, prefix) for prefix in reversed(prefixes_of(path)))
