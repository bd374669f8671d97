"""Fetch KoboToolbox forms: list all submissions, take the new and edited ones, drop those gone.

No time of the API tells of an edit or a deletion, so each fetch lists all submissions, a thousand a page; only `_uuid`
changes with an edit.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

from engagement.foundation.errors import count_of
from engagement.services.kobo.client import KoboClient
from engagement.services.kobo.rows import FormContent, LostSubmission
from engagement.services.storage.protocol import read_token
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.kobo_toolbox.model import KoboForm, KoboToolboxSource
from engagement.sources.kobo_toolbox.reading import SubmissionReader, find_labels, keys_to_fetch
from engagement.sources.kobo_toolbox.reports import (
    FOUND_KEYS,
    FormContents,
    note_found_keys,
    read_found_keys,
    report_submissions,
    warn_of_missing_keys,
)
from engagement.sources.submissions.flows import hand_over, open_form, refuse_emptied
from engagement.sources.submissions.respondents import Participants
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import UnreadableSubmission

_logger = logging.getLogger(__name__)


class _Listed(NamedTuple):
    """Submissions of a form now: the versions of those to hold by key, and how many were rejected."""

    versions: dict[str, str]
    rejected: int


def fetch_flows(source: KoboToolboxSource, context: FetchContext) -> list[FetchedFlow]:
    """Bring the state of each form up to date, and hand over its flows."""
    token = read_token(context.storage, source.token_file_url)
    participants = Participants(context.uuid_table)
    with KoboClient(source.server, token, context.policy) as client:
        forms = FormContents(client)
        stores = []
        for form in source.forms:
            content = forms.find(form.asset) if _has_labels(source, form) else None
            reader = SubmissionReader(source, form, content)
            store = open_form(source, form, context, _describe_reading(source, form, content))
            _fetch_form(client, source, form, reader, store, context, participants)
            report_submissions(_where(source, form), reader)
            stores.append(store)
        warn_of_missing_keys(source, {store.flow: read_found_keys(store.note(FOUND_KEYS)) for store in stores}, forms)
    return hand_over(source, stores, context)


def _has_labels(source: KoboToolboxSource, form: KoboForm) -> bool:
    return any(question.labels for question in (*form.episode_questions, *source.survey_questions))


def _describe_reading(source: KoboToolboxSource, form: KoboForm, content: FormContent | None) -> object:
    """Describe what answers depend on besides their questions; a change fetches everything again."""
    questions = (*form.episode_questions, *source.survey_questions)
    labels = [] if content is None else [find_labels(one, content) for one in questions if one.labels]
    return [source.server, source.phone_number_keys, source.message_time, labels]


def _fetch_form(
    client: KoboClient,
    source: KoboToolboxSource,
    form: KoboForm,
    reader: SubmissionReader,
    store: SubmissionStore,
    context: FetchContext,
    participants: Participants,
) -> None:
    listed = _list(client, form, source.exclude_rejected)
    held = store.versions()
    refuse_emptied(_where(source, form), len(held), len(listed.versions) + listed.rejected, context)
    gone = {*held, *(one.key for one in store.set_aside())} - listed.versions.keys()
    if gone:
        store.drop(gone)
    runs = list(_find_runs(listed.versions, held))
    changed = 0
    for page in client.submissions(form.asset, runs, keys_to_fetch(source, form)):
        found, lost = [], [_describe(form, one) for one in page.unreadable]
        for row in page.rows:
            # A range may hold others by now; they are for the next fetch.
            if str(row.id) in listed.versions:
                try:
                    found.append(reader.read(row))
                except ValueError as error:
                    lost.append(_describe(form, LostSubmission(row.id, str(error))))
        uuids = participants.uuids(one.respondent for one in found)
        notes = {FOUND_KEYS: note_found_keys(store.note(FOUND_KEYS), reader.found_keys)}
        changed += store.put([(one, uuids[one.respondent]) for one in found], lost, notes)
    _logger.info(
        "%s: %s listed, %d new or edited, %d gone%s",
        _where(source, form),
        count_of(len(listed.versions) + listed.rejected, "submission"),
        changed,
        len(gone),
        f", {listed.rejected} rejected and left out" if listed.rejected else "",
    )


def _list(client: KoboClient, form: KoboForm, exclude_rejected: bool) -> _Listed:
    versions: dict[str, str] = {}
    rejected = 0
    for page in client.listing(form.asset):
        kept = {row.id: row.uuid or "" for row in page.rows if not (exclude_rejected and row.is_rejected)}
        rejected += len(page.rows) - len(kept)
        # Whatever is wrong with it, it is there: its answers are asked for.
        kept |= {row.id: "" for row in page.unreadable if row.id is not None}
        versions |= {str(number): kept[number] for number in sorted(kept)}
    return _Listed(versions, rejected)


def _find_runs(listed: dict[str, str], held: dict[str, str]) -> Iterator[list[int]]:
    """Find the ids to fetch, those next to each other in the listing together."""
    run: list[int] = []
    for key, version in listed.items():
        if held.get(key) != version:
            run.append(int(key))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _describe(form: KoboForm, lost: LostSubmission) -> UnreadableSubmission:
    # A submission without a number can't be asked for again by itself.
    key = "" if lost.id is None else str(lost.id)
    return UnreadableSubmission(key, f"submission {key or 'without an _id'} of form {form.asset}", lost.reason)


def _where(source: KoboToolboxSource, form: KoboForm) -> str:
    return f"KoboToolbox {source.server}: flow {form.flow_name!r}"
