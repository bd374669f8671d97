"""Outputs/message_counts.json: messages of each episode, so that a later run notices a sharp drop.

The file is in Outputs/, not in State/, so that it is replaced together with the files it counts and survives the loss of State/. A
message counts for the episode it was sent to, unless it is a test or was sent outside the project's time; coders' labels, such as
wrong scheme or STOP, change no count. The file also holds the settings that decide which messages are counted.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.configuration import Project
from engagement.configuration.field_names import UID_FIELD
from engagement.foundation.errors import InputError, count_of, listing
from engagement.foundation.files import read_json, write_json

_FILE = "message_counts.json"
_LEAST_SHARE = 0.9
# With few messages, one is already a large share.
_FEWEST_MISSING = 10
_COUNTED = "Counted by the episode that a message was sent to, before labels move any; the line 'Kept' counts after these moves."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MessageCounts:
    """Counts of messages by the raw field of the episode they were sent to.

    `settings` are JSON values by configuration key.
    """

    messages: Mapping[str, int]
    settings: Mapping[str, Any]


def write_message_counts(
    building: Path, current: Path, project: Project, sent: Mapping[str, int], is_accepted: bool
) -> None:
    """Write the counts to an Outputs folder, unless it has far fewer messages than the one it replaces.

    `sent` is the number of messages sent to each episode, by raw field. See `refuse_shrinkage`.
    """
    counts = count_messages(project, sent)
    refuse_shrinkage(current, read_message_counts(current), counts, is_accepted)
    write_json(building / _FILE, asdict(counts))


def count_messages(project: Project, sent: Mapping[str, int]) -> MessageCounts:
    """Count the messages of every episode of a project, zeros included."""
    messages = {plan.raw_field: sent.get(plan.raw_field, 0) for plan in project.coding_plans.rqa}
    settings = json.loads(json.dumps(dict(_choosing_settings(project))))
    return MessageCounts(messages, settings)


def _choosing_settings(project: Project) -> Iterator[tuple[str, object]]:
    """Yield the settings that decide which messages are counted, by configuration key."""
    configuration, episodes = project.configuration, project.coding_plans.rqa
    fields = {UID_FIELD, *(plan.raw_field for plan in episodes), *(plan.time_field for plan in episodes)}
    yield "RawDataSources", configuration.activation_flows
    yield (
        "TestContactUUIDs",
        [uuid for source in configuration.raw_data_sources for uuid in source.test_contacts],
    )
    yield (
        "RapidProKeyRemappings",
        [
            (remapping.rapid_pro_key, remapping.pipeline_key, remapping.is_activation_message)
            for remapping in configuration.rapid_pro_key_remappings
            if remapping.pipeline_key in fields
        ],
    )
    yield "TimestampRemappings", [remapping.model_dump(mode="json") for remapping in configuration.timestamp_remappings]
    yield "ProjectStartDate", configuration.project_start_date.isoformat()
    yield "ProjectEndDate", configuration.project_end_date.isoformat()
    yield "FilterTestMessages", configuration.filter_test_messages
    yield "RQACodingPlans", [(plan.raw_field, plan.time_field) for plan in episodes]
    yield "TestParticipantUUIDs", configuration.test_participant_uuids
    yield "Keys", configuration.recovered_keys


def _is_later(before: str, now: str) -> bool:
    return datetime.fromisoformat(now) > datetime.fromisoformat(before)


def _is_earlier(before: str, now: str) -> bool:
    return datetime.fromisoformat(now) < datetime.fromisoformat(before)


def _has_more(before: list[str], now: list[str]) -> bool:
    return bool(set(now) - set(before))


def _has_less(before: list[str], now: list[str]) -> bool:
    return bool(set(before) - set(now))


# Changes of a setting that can reduce the number of messages. For settings that are not listed, any change can.
_TAKES_AWAY: Mapping[str, Callable[[Any, Any], bool]] = {
    "RawDataSources": _has_less,
    "TestContactUUIDs": _has_more,
    "TestParticipantUUIDs": _has_more,
    "ProjectStartDate": _is_later,
    "ProjectEndDate": _is_earlier,
    "FilterTestMessages": lambda before, now: now and not before,
}


def _takes_away(key: str, before: Any, now: Any) -> bool:
    """Tell whether the change of a setting can explain missing messages."""
    return bool(before != now and _TAKES_AWAY.get(key, lambda *_: True)(before, now))


def read_message_counts(outputs: Path) -> MessageCounts | None:
    """Read the counts of an Outputs folder; None if they can't be read or an earlier version left none."""
    path = outputs / _FILE
    if not path.exists():
        return None
    try:
        document = read_json(path)
        messages = {str(raw_field): int(count) for raw_field, count in document["messages"].items()}
        return MessageCounts(messages, dict(document["settings"]))
    except (InputError, KeyError, TypeError, ValueError, AttributeError):
        log.warning("%s: can't be read, so missing messages would go unnoticed in this run", path)
        return None


def count_without(outputs: Path, gone: Mapping[str, int]) -> dict[str, int]:
    """Count what is left of an Outputs folder's messages, by raw field, when so many are meant to go."""
    counts = read_message_counts(outputs)
    return (
        {} if counts is None else {name: max(0, count - gone.get(name, 0)) for name, count in counts.messages.items()}
    )


def expect_fewer(outputs: Path, most: Mapping[str, int]) -> None:
    """Note that a later run need not find more than so many messages, by raw field. May be repeated."""
    counts = read_message_counts(outputs)
    if counts is not None:
        messages = {name: min(count, most.get(name, count)) for name, count in counts.messages.items()}
        write_json(outputs / _FILE, asdict(MessageCounts(messages, counts.settings)))


def refuse_shrinkage(outputs: Path, before: MessageCounts | None, now: MessageCounts, is_accepted: bool) -> None:
    """Refuse outputs with far fewer messages, of an episode or in total, than those they would replace.

    They are accepted, with a warning, if `is_accepted` is set or a changed setting can explain the drop.

    Raises
    ------
    InputError
        Names each episode with less than 90 % of its earlier messages, and at least 10 fewer.
    """
    fallen = [] if before is None else list(_find_fallen(before.messages, now.messages))
    if before is None or not fallen:
        return
    changed = _find_explanations(outputs, before.settings, now.settings)
    if not is_accepted and not changed:
        raise InputError(
            f"{outputs}: far fewer messages than the last run had; expected at least 90 %. {listing(fallen)}\n{_COUNTED}\n"
            "Nothing was replaced. Find out what is missing in Raw Data/. Use --accept-shrinkage to accept the smaller outputs."
        )
    reason, remedy = "--accept-shrinkage was given", "Check that these messages were meant to go."
    if not is_accepted:
        reason = f"changed since: {', '.join(changed)}"
        remedy = "Check that the change was meant to leave them out; if not, undo it and run stage 3 again."
    log.warning(
        "Far fewer messages than the last run had (%s): %s; expected at least 90 %%. %s %s",
        reason,
        ", ".join(fallen),
        _COUNTED,
        remedy,
    )


def _find_explanations(outputs: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List the changed keys that can explain missing messages; none if the last settings can't be read."""
    try:
        return [key for key, value in now.items() if key in before and _takes_away(key, before[key], value)]
    except (TypeError, ValueError):
        log.warning(
            "%s: its settings can't be read, so no change of the configuration explains anything", outputs / _FILE
        )
        return []


def _find_fallen(before: Mapping[str, int], now: Mapping[str, int]) -> Iterator[str]:
    counts = [(raw_field, now.get(raw_field, 0), count) for raw_field, count in before.items()]
    counts.append(("all episodes", sum(now.values()), sum(before.values())))
    for name, count, count_before in counts:
        if count < _LEAST_SHARE * count_before and count_before - count >= _FEWEST_MISSING:
            yield f"{name}: {count_of(count, 'message')}, {count_before:,} before"
