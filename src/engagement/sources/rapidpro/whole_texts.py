"""Look up whole texts of answers among the messages, if the server sends only the matched parts.

Only with `"FullTexts": true`. Lists, once a fetch, the messages since the first answer with an unknown text; none if no answer
is new. They are kept until the answers have their texts, and no longer; only the contact's uuid says who sent them.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engagement.foundation.errors import count_of
from engagement.provenance import Metadata
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.rapidpro.rows import RapidProMessage
from engagement.services.read_ahead import read_ahead
from engagement.sources.rapidpro.flow_runs import FlowRuns
from engagement.sources.rapidpro.line_texts import LineTexts
from engagement.sources.rapidpro.listings import OVERLAP
from engagement.sources.rapidpro.message_matching import LONGEST_WAIT, MatchedAnswer, SentText, find_texts
from engagement.sources.rapidpro.state.run_store import KeptRun, RunStore
from engagement.sources.rapidpro.state.text_store import TextStore

# The server lists messages newest first: one that changes meanwhile moves to a later time range, and comes with that.
_STRETCH = timedelta(days=7)
_LONGEST_WAIT = timedelta(microseconds=LONGEST_WAIT)

_logger = logging.getLogger(__name__)


def begin_to_look_up(store: RunStore, flow: FlowRuns, are_looked_up: bool) -> None:
    """Start to look up the texts of a flow, including those of its held runs; or stop."""
    flow.are_texts_looked_up = are_looked_up
    if store.are_texts_looked_up(flow.id) == are_looked_up:
        return
    texts, in_lines = TextStore(store), LineTexts(flow.name)
    with store.transaction():
        for batch in store.batches(flow.id) if are_looked_up else ():
            # Archives have the whole text already.
            live = [run for run in batch if not run.is_archived]
            texts.mark(flow.id, [run._replace(texts_from=_first_without_text(in_lines, run)) for run in live])
        texts.keep_whether_looked_up(flow.id, are_looked_up)


def _first_without_text(in_lines: LineTexts, run: KeptRun) -> int | None:
    results = in_lines.read(run.text).values()
    return min((result.time for result in results if result.value and result.text == result.value), default=None)


def look_up(client: RapidProClient, store: RunStore, flows: Sequence[FlowRuns], metadata: Metadata) -> None:
    """Complete answers that came without their whole texts, from their messages."""
    texts = TextStore(store)
    first = texts.first_time()
    if first is None:
        return
    messages = _read_messages(client, store, texts, first - _LONGEST_WAIT)
    in_lines = {flow.id: LineTexts(flow.name) for flow in flows}
    found = missing = 0
    for runs_of in texts.runs_by_contact():
        messages_of = texts.messages_of(runs_of)
        with store.transaction():
            for contact, runs in runs_of.items():
                here, not_here = _complete(store, in_lines, runs, messages_of.get(contact, []), metadata)
                found, missing = found + here, missing + not_here
    with store.transaction():
        texts.drop_messages()
    _logger.info(
        "RapidPro %s: the whole texts of %s found among %s, those of %d not",
        client.domain,
        count_of(found, "answer"),
        count_of(messages, "message"),
        missing,
    )


def _read_messages(client: RapidProClient, store: RunStore, texts: TextStore, first: datetime) -> int:
    """Hold all messages since a time from contacts whose texts are looked up; returns how many came."""
    stretch = texts.stretch()
    if stretch is not None and stretch[0] <= first:
        # A look-up was not completed.
        first, begin = stretch[0], max(stretch[0], stretch[1] - OVERLAP)
    else:
        begin = first
        with store.transaction():
            texts.drop_messages()
    newest = texts.newest_row() or begin
    came = 0
    while True:
        end = begin + _STRETCH if begin + _STRETCH < newest else None
        for page in read_ahead(client.messages(begin, end)):
            with store.transaction():
                came += len(page.rows)
                texts.keep_messages(_wanted(texts, page.rows))
        if end is None:
            return came
        with store.transaction():
            texts.keep_stretch(first, end)
        begin = end


def _wanted(texts: TextStore, rows: Sequence[RapidProMessage]) -> Iterable[tuple[str, datetime, str]]:
    contacts = texts.contacts_among({row.contact.uuid for row in rows})
    return [
        (row.contact.uuid, row.created_on, row.text)
        for row in rows
        if row.direction == "in" and row.text and row.contact.uuid in contacts
    ]


def _complete(
    store: RunStore,
    in_lines: dict[int, LineTexts],
    runs: Sequence[tuple[int, KeptRun]],
    messages: Sequence[SentText],
    metadata: Metadata,
) -> tuple[int, int]:
    """Complete the runs of one contact; returns how many texts were found, and how many were not."""
    runs = [(flow, run) for flow, run in runs if flow in in_lines]
    answers: list[MatchedAnswer] = []
    places: list[tuple[int, str]] = []
    for position, (flow, run) in enumerate(runs):
        for category, result in in_lines[flow].read(run.text).items():
            if result.value:
                answers.append(MatchedAnswer(result.time, result.value))
                places.append((position, category))
    new: list[dict[str, str]] = [{} for _ in runs]
    found = missing = 0
    for (position, category), answer, text in zip(places, answers, find_texts(answers, messages), strict=True):
        if answer.time >= (runs[position][1].texts_from or 0):
            found, missing = found + (text is not None), missing + (text is None)
            if text is not None:
                new[position][category] = text
    for (flow, run), texts in zip(runs, new, strict=True):
        line = in_lines[flow].replace(run.text, texts, metadata)
        kept = run._replace(text=line, texts_from=None)
        if line == run.text:
            store.keep_as_they_are(flow, [kept])
        else:
            store.keep_lines(flow, [kept])
    return found, missing
