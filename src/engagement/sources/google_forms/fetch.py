"""Fetch all responses of a source's forms, and keep those that are new or changed.

Google promises no order, does not say what its filter by time compares, and leaves no trace of deleted responses. So the whole listing is
read each time: a thousand responses are one request.
"""

import logging
from collections.abc import Iterator, Mapping

from engagement.foundation.errors import ConfigurationError, count_of, listing
from engagement.services.google_forms.client import GoogleFormsClient, open_google_forms
from engagement.services.google_forms.rows import ResponsePage
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.google_forms.model import FormOfEpisode, FormRespondent, GoogleFormsSource
from engagement.sources.google_forms.questions import FormQuestions, FoundQuestions, find_questions
from engagement.sources.google_forms.reading import ResponseReader
from engagement.sources.google_forms.titles import TITLES, keep_titles, read_titles
from engagement.sources.submissions.flows import hand_over, open_form, refuse_emptied
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import UnreadableSubmission

_logger = logging.getLogger(__name__)


def fetch_flows(source: GoogleFormsSource, context: FetchContext) -> list[FetchedFlow]:
    """Read every form; what each becomes is written when all sources have arrived."""
    file = context.state_file(TITLES)
    kept = read_titles(file)
    with open_forms(source, context.storage, context.policy) as client:
        found = find_questions(source, {form.form_id: client.form(form.form_id) for form in source.forms}, kept)
        _report(source, found, context)
        keep_titles(file, kept, found.ids_by_title)
        participants = Participants(context.uuid_table)
        stores = []
        for form in source.forms:
            questions = found.forms[form.form_id]
            store = open_form(source, form, context, _describe(source, questions))
            _FormFetch(source, form, questions, store, participants, context).fetch(client)
            stores.append(store)
    return hand_over(source, stores, context)


def open_forms(source: GoogleFormsSource, storage: Storage, policy: RetryPolicy) -> GoogleFormsClient:
    """Open the forms with the service account that the source names."""
    credentials = read_credentials(storage, source.credentials_file_url)
    return open_google_forms(credentials, source.credentials_file_url, policy)


def _report(source: GoogleFormsSource, found: FoundQuestions, context: FetchContext) -> None:
    sources = context.project.configuration.raw_data_sources
    at = next(f"$.RawDataSources[{number}]" for number, other in enumerate(sources) if other is source)
    if found.errors:
        problems = [f"at {at}.{problem.at}: {problem.text}" for problem in found.errors]
        raise ConfigurationError(f"Google Forms: {listing(problems)}")
    for problem in found.warnings:
        _logger.warning("Google Forms: at %s.%s: %s", at, problem.at, problem.text)


def _describe(source: GoogleFormsSource, questions: FormQuestions) -> object:
    """Describe what lines depend on besides the form's settings: who answered, and ids of questions."""
    ids = [[one.field, *one.ids] for one in (*questions.episode, *questions.survey)]
    return [source.respondent.value, list(questions.phone), ids]


class _FormFetch:
    """One fetch of one form. `seen` are the responses that the listing has."""

    def __init__(
        self,
        source: GoogleFormsSource,
        form: FormOfEpisode,
        questions: FormQuestions,
        store: SubmissionStore,
        participants: Participants,
        context: FetchContext,
    ):
        self._source = source
        self._form = form
        self._store = store
        self._participants = participants
        self._context = context
        self._reader = ResponseReader(source, form, questions)
        self._versions = store.versions()
        self._seen: set[str] = set()
        self._new = 0
        self._name = f"Google Forms: form {form.form_id} (flow {form.flow_name!r})"

    def fetch(self, client: GoogleFormsClient) -> None:
        """Read the listing, and drop what it no longer has."""
        held = len(self._versions)
        was_named = self._read_all(client)
        refuse_emptied(self._name, held, len(self._seen), self._context)
        gone = self._find_gone()
        if gone and was_named:
            # A deletion between two pages makes the next one skip a response, as if it were deleted too.
            was_named = self._read_all(client)
            gone = self._find_gone()
        if gone and was_named:
            self._store.drop(gone)
        self._tell(len(gone) if was_named else 0)

    def _find_gone(self) -> set[str]:
        return {*self._versions, *(one.key for one in self._store.set_aside())} - self._seen

    def _read_all(self, client: GoogleFormsClient) -> bool:
        """Read all pages; returns whether every response has an id, so that those that are gone are known."""
        was_named = True
        with_emails = self._source.respondent is FormRespondent.EMAIL
        for number, page in enumerate(client.responses(self._form.form_id, with_emails), 1):
            self._keep(number, page)
            was_named &= all(one.response_id is not None for one in page.unreadable)
        return was_named

    def _keep(self, number: int, page: ResponsePage) -> None:
        submissions = []
        for row in page.rows:
            self._seen.add(row.response_id)
            version = row.last_submitted.text
            # A response can come twice, and the later one be the older.
            if version > self._versions.get(row.response_id, ""):
                self._versions[row.response_id] = version
                submissions.append(self._reader.read(row))
            else:
                self._reader.count_unlisted(row)
        unreadable = list(self._unreadable(number, page))
        self._seen.update(one.key for one in unreadable)
        if submissions or unreadable:
            uuids = self._participants.uuids(submission.respondent for submission in submissions)
            self._store.put([(one, uuids[one.respondent]) for one in submissions], unreadable)
        self._new += len(submissions)

    def _unreadable(self, number: int, page: ResponsePage) -> Iterator[UnreadableSubmission]:
        for lost in page.unreadable:
            place = f"page {number}, response {lost.number}"
            yield UnreadableSubmission(
                lost.response_id or place, lost.response_id or place, f"{lost.key}: {lost.reason}"
            )

    def _tell(self, gone: int) -> None:
        name = self._name
        _logger.info("%s: %s, %d new or edited, %d gone", name, count_of(len(self._seen), "response"), self._new, gone)
        if self._reader.unidentified and _is_identifying(self._source):
            what = "an e-mail address" if self._source.respondent is FormRespondent.EMAIL else "a usable phone number"
            _logger.info(
                "%s: %d of %s without %s; each of them is a participant of its own",
                name,
                self._reader.unidentified,
                count_of(self._new, "new response"),
                what,
            )
            self._context.counts["responses_without_identity"] += self._reader.unidentified
        unlisted: Mapping[str, int] = self._reader.unlisted
        if unlisted:
            _logger.info(
                "%s: %s to %s that the form no longer has",
                name,
                count_of(sum(unlisted.values()), "answer"),
                count_of(len(unlisted), "question"),
            )


def _is_identifying(source: GoogleFormsSource) -> bool:
    return source.respondent is FormRespondent.EMAIL or bool(source.phone_number_questions)
