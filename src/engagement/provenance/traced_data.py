"""TracedData: an append-only record of who set what, where and when, chained by hashes.

A record is a sequence of updates. Each is encoded once, when appended or read, and only copied afterwards, so the
hashed text is the written text. A record holds its current values and encoded updates; its history is only parsed on
request.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]  # the first is CPython's own
from typing import Any

# A value that removes its key from the current values; the history keeps the old value.
HIDDEN = "#HIDDEN-VALUE-44dce0a0-e79c-48cf-8d8e-ec59137ef0d0"

# JSONEncoder(sort_keys=True) creates this anew for each text, which is the main cost for small data, so it is created
# once. Cycles are impossible here, so the first argument turns off the check.
_iterate = c_make_encoder(None, None, encode_basestring_ascii, None, ": ", ", ", True, False, True)


def encode_json(value: Any) -> str:
    """Encode as JSON with sorted keys, exactly like `json.dumps(value, sort_keys=True)`.

    >>> encode_json({"b": [1.0, None], "a": True})
    '{"a": true, "b": [1.0, null]}'
    """
    # Most values are texts, and setting up the encoder takes longer than one.
    return encode_basestring_ascii(value) if value.__class__ is str else "".join(_iterate(value, 0))


def text_value(text: str) -> str:
    """Return a person's text as a value.

    A text equal to the mark that hides a key gets an apostrophe, and hides nothing.

    >>> text_value("haa"), text_value(HIDDEN) == "'" + HIDDEN
    ('haa', True)
    """
    return f"'{HIDDEN}" if text == HIDDEN else text


@dataclass(frozen=True)
class Metadata:
    """An update's author (`user`), step (`source`) and UTC time (ISO 8601; in old files, Unix seconds)."""

    source: str
    timestamp: str | float
    user: str

    @cached_property
    def encoded(self) -> str:
        """Encode the metadata as JSON with sorted keys."""
        return encode_json({"Source": self.source, "Timestamp": self.timestamp, "User": self.user})

    @cached_property
    def encoded_bytes(self) -> bytes:
        """Encode it as bytes."""
        return self.encoded.encode()


@dataclass(frozen=True)
class Change:
    """One value that a key had, set by the update `sha` inside the nested records named by `path`."""

    value: Any
    metadata: Metadata
    sha: str
    path: tuple[str, ...] = ()


class Nested:
    """Records to join to others, encoded once for all; later changes to them have no effect."""

    __slots__ = ("encoded", "encoded_shas", "shas", "values")

    def __init__(self, records: Mapping[str, "TracedData"]) -> None:
        keys = sorted(records)
        self.shas = {key: records[key].newest_sha for key in keys}
        self.encoded_shas = encode_json(self.shas).encode()
        parts = [encode_basestring_ascii(key).encode() + b": " + records[key].encode_line()[:-1] for key in keys]
        self.encoded = b"{" + b", ".join(parts) + b"}"
        self.values: dict[str, Any] = {}
        for key in keys:
            self.values.update(records[key].values)


class TracedData:
    """One record; `values` are its current values, read-only: use `append` to change them."""

    __slots__ = ("_encoded", "_pending", "_sha", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        # Encoded updates, oldest first, then pending ones: nobody may ever need them, as in messages that are
        # dropped.
        self._encoded: list[bytes] = []
        self._pending: list[tuple[Mapping[str, Any], bytes | None, Nested | None, bytes]] = []
        self._sha = b""

    @classmethod
    def start(cls, data: Mapping[str, Any], metadata: Metadata) -> "TracedData":
        """Create a record with one update."""
        record = cls()
        record.append(data, metadata)
        return record

    def append(
        self,
        data: Mapping[str, Any],
        metadata: Metadata,
        nested: "Mapping[str, TracedData] | Nested | None" = None,
        encoded_data: bytes | None = None,
    ) -> None:
        """Add an update: values for some keys (`HIDDEN` removes a key) and other records to join.

        The current values of the `nested` records apply first, then `data`, which must not change afterwards. Later
        changes to a nested record do not affect this one. `encoded_data` is the sorted JSON of data without hidden
        keys, if available. Without data and nested records, nothing is added.
        """
        values = self.values
        if nested:
            joined = nested if isinstance(nested, Nested) else Nested(nested)
            values.update(joined.values)
            self._pending.append((data, encoded_data, joined, metadata.encoded_bytes))
        elif data:
            self._pending.append((data, encoded_data, None, metadata.encoded_bytes))
        values.update(data)
        # Rare enough that one look at the values is cheaper than a test for each key.
        if encoded_data is None and HIDDEN in data.values():
            for key, value in data.items():
                if value == HIDDEN:
                    del values[key]

    def append_nothing(self, metadata: Metadata) -> None:
        """Add an update without data, as files from others contain them."""
        self._pending.append(({}, None, None, metadata.encoded_bytes))

    @property
    def newest_sha(self) -> str:
        """Return the hash of the newest update; "" for a record without one."""
        if self._pending:
            self._seal()
        return self._sha.decode()

    def _seal(self) -> None:
        """Chain and encode pending updates."""
        sha = self._sha
        for data, encoded, nested, metadata in self._pending:
            if encoded is None:
                encoded = encode_json(data).encode() if data else b"{}"
            hashed, joined = encoded, b"{}"
            if nested is not None:
                hashed = encode_json({**data, **nested.shas}).encode() if data else nested.encoded_shas
                joined = nested.encoded
            sha = hashlib.sha256(b"".join((b'{"data": ', hashed, b', "prev_sha": "', sha, b'"}'))).hexdigest().encode()
            parts = (
                b'{"Data": ', encoded, b', "Metadata": ', metadata, b', "NestedTracedData": ', joined, b', "SHA": "', sha, b'"}'
            )  # fmt: skip
            self._encoded.append(b"".join(parts))
        self._pending.clear()
        self._sha = sha

    def copy(self) -> "TracedData":
        """Copy the record with its history, to be continued separately."""
        other = TracedData.__new__(TracedData)
        other.values = self.values.copy()
        other._encoded = self._encoded.copy()
        other._pending = self._pending.copy()
        other._sha = self._sha
        return other

    def encode(self) -> str:
        """Encode the record as one line without the line end, exactly like json.dumps with sorted keys."""
        return self.encode_line()[:-1].decode()

    def encode_line(self) -> bytes:
        """Encode the record as one line of a TracedData file."""
        if self._pending:
            self._seal()
        return b"".join((b"[", b", ".join(reversed(self._encoded)), b"]\n"))

    def mentions(self, text: bytes) -> bool:
        """Tell whether its JSON contains a text."""
        if self._pending:
            self._seal()
        encoded = b", ".join(self._encoded)
        # Searching for one byte takes a tenth of the time.
        return text[:1] in encoded and text in encoded

    def history(self) -> list[tuple[str, Change]]:
        """Return every value that each key ever had, oldest first."""
        return list(_changes(json.loads(self.encode()), ()))

    @classmethod
    def of_verified(cls, values: dict[str, Any], encoded: bytes, sha: bytes) -> "TracedData":
        """Build a record from verified, encoded updates, newest first."""
        record = cls.__new__(cls)
        record.values, record._encoded, record._pending, record._sha = values, [encoded], [], sha
        return record


def _changes(updates: Sequence[Mapping[str, Any]], path: tuple[str, ...]) -> Iterator[tuple[str, Change]]:
    """Give all changes, oldest first, in decoded updates, which come newest first.

    Nested records precede their update's own data.
    """
    waiting: list[tuple[Mapping[str, Any], tuple[str, ...], bool]] = [(update, path, False) for update in updates]
    while waiting:
        update, path, opened = waiting.pop()
        if not opened:
            waiting.append((update, path, True))
            for key in sorted(update["NestedTracedData"], reverse=True):
                waiting.extend((inner, (*path, key), False) for inner in update["NestedTracedData"][key])
            continue
        metadata = metadata_of(update)
        for key, value in update["Data"].items():
            yield key, Change(value, metadata, update["SHA"], path)


def metadata_of(update: Mapping[str, Any]) -> Metadata:
    given = update["Metadata"]
    return Metadata(given["Source"], given["Timestamp"], given["User"])


def encode_fresh_chain(updates: Iterable[tuple[Mapping[str, Any], Metadata]]) -> str:
    """Encode a new record of several updates, oldest first, as one line without the line end."""
    record = TracedData()
    for data, metadata in updates:
        record.append(data, metadata)
    return record.encode()
