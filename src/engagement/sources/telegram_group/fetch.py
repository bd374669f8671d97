"""Take in the exports of a Telegram group. Exports that were taken in already are not read again."""

import itertools
import json
import logging

from engagement.foundation.errors import count_of
from engagement.sources.context import FetchContext
from engagement.sources.fetched_flows import FetchedFlow
from engagement.sources.submissions.channels import open_channel
from engagement.sources.submissions.flows import hand_over, refuse_emptied
from engagement.sources.submissions.respondents import Participants, channel_respondent
from engagement.sources.submissions.store import SubmissionStore
from engagement.sources.submissions.submission import Answer, Submission
from engagement.sources.telegram_group.export_files import ExportFile, digest_of, open_exports
from engagement.sources.telegram_group.group_history import GroupHistory
from engagement.sources.telegram_group.messages import ExportedMessage
from engagement.sources.telegram_group.model import FIELD, TelegramGroupSource

TAKEN_IN = "exports"
_MESSAGES_A_PAGE = 500

_logger = logging.getLogger(__name__)


def fetch_flows(source: TelegramGroupSource, context: FetchContext) -> list[FetchedFlow]:
    """Bring the group's messages up to date."""
    store = open_channel(source, source.flow_name, FIELD, "telegram_group", context)
    with open_exports(source.export_urls, context.storage, context.data_root) as files:
        exports = describe_exports(source, files)
        if store.note(TAKEN_IN) == exports:
            _logger.info("Telegram group %r: %s, taken in before", source.flow_name, count_of(len(files), "export"))
        else:
            _take_in(source, files, store, context)
            store.keep_notes({TAKEN_IN: exports})
    return hand_over(source, [store], context)


def describe_exports(source: TelegramGroupSource, files: list[ExportFile]) -> str:
    """Describe all that the messages depend on: the exports and how they are read."""
    settings = [source.group_number, source.former_group_number, source.time_zone, sorted(source.bot_ids)]
    return json.dumps([settings, sorted([file.name, digest_of(file)] for file in files)])


def _take_in(
    source: TelegramGroupSource, files: list[ExportFile], store: SubmissionStore, context: FetchContext
) -> None:
    history = GroupHistory(source, files)
    held = store.versions()
    gone = history.find_gone(held)
    where = f"Telegram group {source.flow_name!r}"
    refuse_emptied(where, len(held), len(held) - len(gone), context)
    wanted = {number: digest for number, digest in history.kept() if held.get(history.key(number)) != _version(digest)}
    listed = {one.key for one in history.unreadable}
    readable_by_now = [one.key for one in store.set_aside() if one.key not in listed and one.key not in held]
    if gone or readable_by_now:
        store.drop({*gone, *readable_by_now})
    participants = Participants(context.uuid_table)
    changed = 0
    for page in itertools.batched(history.messages(wanted), _MESSAGES_A_PAGE):
        found = [_make_submission(message, history.key(message.number), source.flow_name) for message in page]
        uuids = participants.uuids(one.respondent for one in found)
        changed += store.put([(one, uuids[one.respondent]) for one in found])
    store.put([], history.unreadable)
    left_out = ", ".join(f"{reason}: {count}" for reason, count in sorted(history.left_out.items()))
    _logger.info(
        "%s: %s with %s; %d new or edited, %d gone%s",
        where,
        count_of(len(files), "export"),
        count_of(history.received, "message"),
        changed,
        len(gone),
        f"; left out: {left_out}" if left_out else "",
    )


def _make_submission(message: ExportedMessage, key: str, flow: str) -> Submission:
    return Submission(
        flow=flow,
        key=key,
        version=_version(message.digest()),
        time=message.time,
        # As RapidPro's URN has it, so that one person is one participant.
        respondent=channel_respondent("telegram", str(message.user)),
        episode=(Answer(FIELD, message.text, message.time),),
    )


def _version(digest: int) -> str:
    return f"{digest:016x}"
