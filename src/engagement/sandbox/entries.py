"""Rows of a listing, encoded once and in order."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engagement.foundation.microseconds import count_microseconds
from engagement.sandbox.rows import ApiRow


@dataclass(frozen=True)
class Entry:
    """A row, encoded once; `position` orders it: microseconds since 1970, then a tie-breaker."""

    position: tuple[int, int]
    row: ApiRow
    encoded: bytes


class GrowingRows(list[ApiRow]):
    """Rows of a listing that grows: each new one becomes an entry, and one of the changes."""

    def __init__(self, entries: list[Entry], made: list[ApiRow]) -> None:
        super().__init__(entry.row for entry in entries)
        self._entries = entries
        self._made = made

    def append(self, row: ApiRow) -> None:
        """Add a row."""
        super().append(row)
        self._made.append(row)
        self._entries.append(Entry((0, len(self._entries)), row, encode(row)))


def oldest_first(rows: Iterable[ApiRow], time_key: str | None) -> list[Entry]:
    """Make a listing's entries, by their time or in the order given."""
    entries = [
        Entry((microseconds(row[time_key]) if time_key else 0, row.get("id", number)), row, encode(row))
        for number, row in enumerate(rows)
    ]
    return sorted(entries, key=lambda entry: entry.position)


def within(entries: Sequence[Entry], after: str | None, before: str | None) -> Sequence[Entry]:
    """Find the entries of a closed time range; none if a time can not be read."""
    try:
        first = 0 if after is None else bisect_left(entries, microseconds(after), key=lambda entry: entry.position[0])
        last = len(entries)
        if before is not None:
            last = bisect_right(entries, microseconds(before), key=lambda entry: entry.position[0])
    except ValueError:
        return []
    return entries[first:last]


def microseconds(time: str) -> int:
    """Return a time as the API writes it in microseconds since 1970."""
    moment = datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return count_microseconds(moment)


def encode(document: Any) -> bytes:
    """Encode a document as the API does."""
    return json.dumps(document, separators=(",", ":")).encode()
