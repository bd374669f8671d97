"""Fetch lists of submissions, a page of a few at a time."""

import itertools
import json
import os
import signal
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.submissions.flows import hand_over, open_form, refuse_emptied
from engagement.sources.submissions.model import Question
from engagement.sources.submissions.respondents import Participants, channel_respondent, number_respondent
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import Answer, Submission, UnreadableSubmission

from .model import ListForm, SubmissionListSource

PAGE = 3


def fetch_flows(source: SubmissionListSource, context: FetchContext) -> list[FetchedFlow]:
    """Bring the stores up to date."""
    participants = Participants(context.uuid_table)
    stores = []
    for form in source.forms:
        store = open_form(source, form, context)
        stores.append(store)
        _fetch(source, form, store, participants, context)
    return hand_over(source, stores, context)


def _fetch(
    source: SubmissionListSource,
    form: ListForm,
    store: SubmissionStore,
    participants: Participants,
    context: FetchContext,
) -> None:
    listed = json.loads(context.storage.read_bytes(form.url))
    held = store.versions()
    refuse_emptied(f"list {form.flow_name}", len(held), len(listed), context)
    new = [row for row in listed if held.get(row["Key"]) != row["Version"]]
    for number, page in enumerate(itertools.batched(new, PAGE), 1):
        read = [_read(row, form, source) for row in page]
        good = [one for one in read if isinstance(one, Submission)]
        uuids = participants.uuids(one.respondent for one in good)
        bad = [one for one in read if isinstance(one, UnreadableSubmission)]
        store.put([(one, uuids[one.respondent]) for one in good], bad)
        if os.environ.get("KILLED_AFTER") == str(number):
            os.kill(os.getpid(), signal.SIGKILL)
    store.drop(held.keys() - {row["Key"] for row in listed})


def _read(row: dict[str, Any], form: ListForm, source: SubmissionListSource) -> Submission | UnreadableSubmission:
    if "Time" not in row:
        return UnreadableSubmission(row["Key"], f"submission {row['Key']}", "it has no time")
    time = datetime.fromisoformat(row["Time"])
    who = number_respondent(row.get("Phone", ""), source.country) or channel_respondent("list", row["Key"])

    def answers(questions: Sequence[Question]) -> tuple[Answer, ...]:
        return tuple(Answer(one.field, row[one.field], time) for one in questions if one.field in row)

    episode, survey = answers(form.episode_questions), answers(source.survey_questions)
    return Submission(form.flow_name, row["Key"], row["Version"], time, who, episode, survey)
