"""A download from Coda: its messages, what had to be set aside, and texts that are there twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engagement.services.coda.format import MessageDocument, find_problems_of


@dataclass(frozen=True)
class Download:
    """Messages of a dataset, as of one moment.

    With `moment` the next download begins: it brings everything that changed after this one. `set_aside` names each
    document that is no usable message, by its path, and says why. `copies` names the segments of each message, by
    MessageID, that came from several.
    """

    messages: list[MessageDocument]
    moment: datetime | None
    set_aside: tuple[str, ...]
    copies: Mapping[str, tuple[str, ...]]


def sort_out(found: Iterable[tuple[str, str, Any]], moment: datetime | None) -> Download:
    """Make a download of documents, each with its segment and its path.

    The problems show no values, as these may be what somebody wrote.
    """
    messages: list[MessageDocument] = []
    set_aside: list[str] = []
    segments: dict[str, tuple[str, ...]] = {}
    for segment, path, document in found:
        problems = find_problems_of(document)
        if problems:
            set_aside.append(f"{path}: {'; '.join(problems)}")
        else:
            messages.append(document)
            note_segment(segments, [document["MessageID"]], segment)
    return Download(messages, moment, tuple(set_aside), find_copies(segments))


def note_segment(segments: dict[str, tuple[str, ...]], message_ids: Iterable[str], segment: str) -> None:
    """Note that a segment has these messages."""
    alone = (segment,)
    for message_id in message_ids:
        others = segments.get(message_id)
        segments[message_id] = alone if others is None else (*others, segment)


def find_copies(segments: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Find the messages that came from several segments, or twice from one."""
    return {message_id: names for message_id, names in segments.items() if len(names) > 1}
