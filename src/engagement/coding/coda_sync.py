"""Keeping the files of Coda messages and Coda itself in step: what to keep of a download, what to add."""

from collections.abc import Collection, Iterable
from datetime import datetime

from engagement.services.coda_format import Message, parse_time


def merge_messages(previous: Iterable[Message], downloaded: Iterable[Message]) -> list[Message]:
    """Put downloaded messages in the place of their previous versions, and new ones beside them.

    The result is sorted by SequenceNumber; messages without one come last, by time of creation, then id.
    """
    merged = {message["MessageID"]: message for message in previous}
    merged.update((message["MessageID"], message) for message in downloaded)
    return sorted(merged.values(), key=_place_in_dataset)


def choose_new_messages(candidates: Iterable[Message], known_ids: Collection[str]) -> list[Message]:
    """Keep the candidates that are not known yet, in the order in which they get their numbers: as they were created."""
    new = [message for message in candidates if message["MessageID"] not in known_ids]
    return sorted(new, key=_place_by_creation)


def _place_in_dataset(message: Message) -> tuple[bool, int, datetime, str]:
    number = message.get("SequenceNumber")
    return (number is None, number or 0, *_place_by_creation(message))


def _place_by_creation(message: Message) -> tuple[datetime, str]:
    return parse_time(message["CreationDateTimeUTC"]), message["MessageID"]
