"""Synchronising Coda and the files of Coda messages: merging downloads, choosing messages to add."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from engagement.services.coda.format import MessageDocument, parse_time
from engagement.services.coda.labels import is_labelled

_NEVER = datetime.min.replace(tzinfo=UTC)


def merge_messages(previous: Iterable[MessageDocument], downloaded: Iterable[MessageDocument]) -> list[MessageDocument]:
    """Merge downloaded messages into the previous ones, replacing older versions.

    The result is sorted by SequenceNumber; messages without one come last, by creation time, then id.
    """
    merged = {message["MessageID"]: message for message in previous}
    for message_id, message in _join_copies(downloaded).items():
        old = merged.get(message_id)
        # Coda has this text twice, and we downloaded only one of the two: it is not a newer version of the other.
        is_copy = old is not None and _number(old) is not None and _number(message) not in (None, _number(old))
        merged[message_id] = max(message, old, key=_rank) if is_copy and old is not None else message
    return _sort(merged.values())


def _sort(messages: Collection[MessageDocument]) -> list[MessageDocument]:
    numbers = set(map(_number, messages))
    # Mostly each has a number of its own: then no time has to be read.
    is_numbered = None not in numbers and len(numbers) == len(messages)
    return sorted(messages, key=_number if is_numbered else _place_in_dataset)  # type: ignore[arg-type]  # none is None


def _join_copies(messages: Iterable[MessageDocument]) -> dict[str, MessageDocument]:
    """Return the messages by id; for duplicates, the copy that a coder labelled, or labelled last."""
    joined: dict[str, MessageDocument] = {}
    for message in messages:
        other = joined.get(message["MessageID"])
        joined[message["MessageID"]] = message if other is None else max(message, other, key=_rank)
    return joined


def _rank(message: MessageDocument) -> tuple[bool, datetime]:
    updated = message.get("LastUpdated")
    return is_labelled(message["Labels"]), parse_time(updated) if updated else _NEVER


def _number(message: MessageDocument) -> int | None:
    return message.get("SequenceNumber")


def choose_new_messages(candidates: Iterable[MessageDocument], known_ids: Collection[str]) -> list[MessageDocument]:
    """Keep unknown candidates, in creation order, which is how they are numbered."""
    new = [message for message in candidates if message["MessageID"] not in known_ids]
    return sorted(new, key=_place_by_creation)


def _place_in_dataset(message: MessageDocument) -> tuple[bool, int, datetime, str]:
    number = message.get("SequenceNumber")
    return (number is None, number or 0, *_place_by_creation(message))


def _place_by_creation(message: MessageDocument) -> tuple[datetime, str]:
    return parse_time(message["CreationDateTimeUTC"]), message["MessageID"]
