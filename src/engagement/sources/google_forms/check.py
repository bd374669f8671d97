"""Check Google Forms: whether the account may read them, and whether they have the questions."""

from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration import PipelineConfiguration
from engagement.configuration.problems import Problem
from engagement.configuration.source_model import PlacedSource
from engagement.services.google_forms.rows import Form
from engagement.sources.answer_lengths import AnswerLengths
from engagement.sources.google_forms.fetch import open_forms
from engagement.sources.google_forms.model import FormRespondent, GoogleFormsSource
from engagement.sources.google_forms.questions import FoundQuestions, find_questions
from engagement.sources.online_check import OnlineCheck

PlacedGoogleForms = PlacedSource[GoogleFormsSource]


def find_warnings(sources: Sequence[PlacedGoogleForms], configuration: PipelineConfiguration) -> Iterator[Problem]:
    """Find forms whose respondents nobody can recognise."""
    for at, source in sources:
        if source.respondent is FormRespondent.NUMBER and not source.phone_number_questions:
            yield Problem(
                f"{at}.PhoneNumberQuestions",
                "is missing, so that each response is a participant of its own; expected the question for the phone number. Add it, "
                "or choose another Identity, if people should be recognised.",
            )


def find_warnings_in_runs(sources: Sequence[PlacedGoogleForms], lengths: AnswerLengths) -> Iterable[Problem]:
    """Find nothing: answers are whole."""
    return ()


def ask(placed: PlacedGoogleForms, check: OnlineCheck) -> None:
    """Ask for each form, for its questions, and for a page of its responses."""
    at, source = placed
    forms: dict[str, Form] = {}
    with check.findings.noted(f"{at}.CredentialsFileURL"), open_forms(source, check.storage, check.policy) as client:
        for number, form in enumerate(source.forms):
            with check.findings.noted(f"{at}.Forms[{number}].FormId"):
                asked = client.form(form.form_id)
                next(client.responses(form.form_id, page_size=1))
                forms[form.form_id] = asked
    if len(forms) < len(source.forms):
        return
    found = find_questions(source, forms, {})
    check.findings.add_errors(Problem(f"{at}.{problem.at}", problem.text) for problem in found.errors)
    check.findings.add_warnings(Problem(f"{at}.{problem.at}", problem.text) for problem in found.warnings)
    check.findings.add_warnings(_find_unread(at, source, forms, found))


def _find_unread(
    at: str, source: GoogleFormsSource, forms: dict[str, Form], found: FoundQuestions
) -> Iterator[Problem]:
    for number, form in enumerate(source.forms):
        questions = found.forms[form.form_id]
        read = {id_ for one in (*questions.episode, *questions.survey) for id_ in one.ids} | {*questions.phone}
        unread = [
            f"{question.title!r} ({question.question_id})"
            for question in forms[form.form_id].questions
            if question.question_id not in read and not question.takes_files
        ]
        if unread:
            yield Problem(
                f"{at}.Forms[{number}]",
                f"nothing reads {', '.join(unread)}; expected a field for each. Add them, or leave it be if nobody needs them.",
            )
