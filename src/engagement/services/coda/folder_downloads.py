"""Downloads from a folder's segments, of which only what changed is decoded in full."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from engagement.services.coda.downloads import Download, find_copies, note_segment, sort_out
from engagement.services.coda.format import (
    MessageDocument,
    MessageMark,
    find_newest_update,
    is_usable,
    parse_time,
    read_message_documents,
)

_decode_marks = msgspec.json.Decoder(list[MessageMark]).decode
_cut = msgspec.json.Decoder(list[msgspec.Raw]).decode


def read_everything(segments: Iterable[tuple[str, Path]], remedy: str) -> Download:
    """Read all messages of some segments, each with its file."""
    found = ((segment, *document) for segment, path in segments for document in _read_slowly(path, remedy))
    return sort_out(found, None)


def read_changes(segments: Iterable[tuple[str, Path]], since: datetime, remedy: str) -> Download:
    """Read the messages that were updated since a time; `moment` is the newest update of all."""
    messages: list[MessageDocument] = []
    set_aside: list[str] = []
    moments: set[datetime] = set()
    places: dict[str, tuple[str, ...]] = {}
    for segment, path in segments:
        marks = _read_marks(path)
        if marks is None:
            part = sort_out(((segment, *document) for document in _read_slowly(path, remedy)), None)
            set_aside += part.set_aside
            moments.update(filter(None, [find_newest_update(part.messages)]))
            updates = [(message.get("LastUpdated"), message) for message in part.messages]
            messages += [message for updated, message in updates if updated and parse_time(updated) >= since]
            note_segment(places, (message["MessageID"] for message in part.messages), segment)
            continue
        times = {updated: parse_time(updated) for updated in {mark.last_updated for mark, _ in marks} if updated}
        moments.update(times.values())
        messages += [
            json.loads(bytes(document))
            for mark, document in marks
            if mark.last_updated and times[mark.last_updated] >= since
        ]
        note_segment(places, (mark.message_id for mark, _ in marks), segment)
    return Download(messages, max(moments, default=None), tuple(set_aside), find_copies(places))


def _read_slowly(path: Path, remedy: str) -> Iterator[tuple[str, Any]]:
    for position, document in enumerate(read_message_documents(path, remedy), start=1):
        yield f"{path}, message {position}", document


def _read_marks(path: Path) -> Sequence[tuple[MessageMark, msgspec.Raw]] | None:
    """Read the marks of a file's messages, each with its bytes.

    Returns None if one of them is unusable, or the file is.
    """
    try:
        content = path.read_bytes() if path.is_file() else b""
        # What is skipped is not looked at.
        if not content.isascii():
            return None
        marks = _decode_marks(content)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    return list(zip(marks, _cut(content), strict=True)) if all(map(is_usable, marks)) else None
