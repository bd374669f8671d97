"""TracedData: an append-only record of who set what, where and when, chained by hashes.

A record is a sequence of updates. Each is encoded once, when it is appended or read, and its bytes are then only copied:
the text that is hashed is the text that is written. So a record holds its current values and encoded updates, and
its history is parsed when somebody asks for it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json.encoder import c_make_encoder, encode_basestring_ascii
from typing import Any

import msgspec

# A value that hides its key from the current values; the history keeps what was there.
HIDDEN = "#HIDDEN-VALUE-44dce0a0-e79c-48cf-8d8e-ec59137ef0d0"

# What JSONEncoder(sort_keys=True) makes anew for each text that it encodes, made once: for small data making it costs most.
# Nothing can be in a circle here, so that is not looked for: the first argument.
_iterate = c_make_encoder(None, None, encode_basestring_ascii, None, ": ", ", ", True, False, True)


def encode_json(value: Any) -> str:
    """JSON with sorted keys, exactly as `json.dumps(value, sort_keys=True)` writes it.

    >>> encode_json({"b": [1.0, None], "a": True})
    '{"a": true, "b": [1.0, null]}'
    """
    return "".join(_iterate(value, 0))


@dataclass(frozen=True)
class Metadata:
    """Who made an update (`user`), in which step (`source`), and when: ISO 8601 in UTC (older files: seconds since 1970)."""

    source: str
    timestamp: str | float
    user: str

    @cached_property
    def encoded(self) -> str:
        """The metadata as JSON with sorted keys."""
        return encode_json({"Source": self.source, "Timestamp": self.timestamp, "User": self.user})


@dataclass(frozen=True)
class Change:
    """One value that a key had: set by the update with that `sha`, inside the nested records named by `path`."""

    value: Any
    metadata: Metadata
    sha: str
    path: tuple[str, ...] = ()


class ChainError(ValueError):
    """An encoded record is not TracedData, or a hash of its chain is not that of its data. The text says where."""


class TracedData:
    """One record. `values` are its current values, to be read and not written: use `append`."""

    __slots__ = ("_encoded_updates", "newest_sha", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.newest_sha = ""
        self._encoded_updates: list[str] = []

    @classmethod
    def start(cls, data: Mapping[str, Any], metadata: Metadata) -> "TracedData":
        """Make a record of one update."""
        record = cls()
        record.append(data, metadata)
        return record

    def append(
        self,
        data: Mapping[str, Any],
        metadata: Metadata,
        nested: Mapping[str, "TracedData"] | None = None,
    ) -> None:
        """Add an update: values for some keys (`HIDDEN` takes a key away) and other records joined to this one.

        The current values of the `nested` records apply first, then `data`. A nested record that changes later does not
        change this one. With neither data nor nested records nothing is added.
        """
        if not nested:
            self.append_encoded(data, encode_json(data), metadata)
            return
        keys = sorted(nested)
        names = [encode_basestring_ascii(key) for key in keys]
        encoded_nested = ", ".join([f"{name}: {nested[key].encode()}" for name, key in zip(names, keys, strict=True)])
        if data:
            hashed = encode_json({**data, **{key: nested[key].newest_sha for key in keys}})
        else:
            shas = [f'{name}: "{nested[key].newest_sha}"' for name, key in zip(names, keys, strict=True)]
            hashed = f"{{{', '.join(shas)}}}"
        for key in keys:
            self.values.update(nested[key].values)
        self._seal(hashed, encode_json(data) if data else "{}", f"{{{encoded_nested}}}", metadata.encoded)
        _apply(self.values, data)

    def append_encoded(self, data: Mapping[str, Any], encoded_data: str, metadata: Metadata) -> None:
        """Add an update whose data's JSON, with sorted keys, is at hand; without data nothing is added."""
        if not data:
            return
        self._seal(encoded_data, encoded_data, "{}", metadata.encoded)
        _apply(self.values, data)

    def _seal(self, hashed: str, data: str, nested: str, metadata: str) -> str:
        """Chain and keep one encoded update; returns its SHA."""
        sha = _sha(hashed, self.newest_sha)
        self._encoded_updates.append(
            f'{{"Data": {data}, "Metadata": {metadata}, "NestedTracedData": {nested}, "SHA": "{sha}"}}'
        )
        self.newest_sha = sha
        return sha

    def copy(self) -> "TracedData":
        """A record with the same past, to be continued on its own."""
        other = TracedData.__new__(TracedData)
        other.values = self.values.copy()
        other.newest_sha = self.newest_sha
        other._encoded_updates = self._encoded_updates.copy()
        return other

    def encode(self) -> str:
        """The record as one line of a TracedData file, without the line end: exactly json.dumps with sorted keys."""
        return "[" + ", ".join(reversed(self._encoded_updates)) + "]"

    def history(self, key: str | None = None) -> list[Change] | list[tuple[str, Change]]:
        """Every value that `key` ever had, oldest first; without a key, (key, change) of all keys."""
        changes = list(_changes(json.loads(self.encode()), ()))
        return changes if key is None else [change for name, change in changes if name == key]


def _apply(values: dict[str, Any], data: Mapping[str, Any]) -> None:
    values.update(data)
    # Rare enough that one look at the values is cheaper than a test for each key.
    if HIDDEN in data.values():
        for key, value in data.items():
            if value == HIDDEN:
                del values[key]


def _sha(encoded_data: str, previous: str) -> str:
    return hashlib.sha256(f'{{"data": {encoded_data}, "prev_sha": "{previous}"}}'.encode("ascii")).hexdigest()


def _changes(updates: Sequence[Mapping[str, Any]], path: tuple[str, ...]) -> Iterator[tuple[str, Change]]:
    """All changes of decoded updates (newest first), oldest first; nested records come before their update's own data."""
    waiting: list[tuple[Mapping[str, Any], tuple[str, ...], bool]] = [(update, path, False) for update in updates]
    while waiting:
        update, path, opened = waiting.pop()
        if not opened:
            waiting.append((update, path, True))
            for key in sorted(update["NestedTracedData"], reverse=True):
                waiting.extend((inner, (*path, key), False) for inner in update["NestedTracedData"][key])
            continue
        metadata = _metadata_of(update)
        for key, value in update["Data"].items():
            yield key, Change(value, metadata, update["SHA"], path)


def _metadata_of(update: Mapping[str, Any]) -> Metadata:
    given = update["Metadata"]
    return Metadata(given["Source"], given["Timestamp"], given["User"])


def encode_lines(records: Iterable[TracedData]) -> bytes:
    """The lines of several records as they stand in a TracedData file."""
    return "".join([f"{record.encode()}\n" for record in records]).encode("ascii")


def encode_fresh_chain(updates: Iterable[tuple[Mapping[str, Any], Metadata]]) -> str:
    """Encode a new record of several updates, oldest first, as one line without the line end."""
    record = TracedData()
    for data, metadata in updates:
        record.append(data, metadata)
    return record.encode()


def decode(line: str | bytes) -> TracedData:
    """Read one line of a TracedData file and verify its chain, nested records included.

    Raises
    ------
    ChainError
        It is not JSON, not of the shape of TracedData, or a SHA does not fit; says which update and keys.
    """
    record = _decode_as_written(line.encode() if isinstance(line, str) else line)
    if record is not None:
        return record
    try:
        updates = json.loads(line)
    except ValueError:
        raise ChainError("not JSON; expected a list of updates") from None
    except RecursionError:
        raise ChainError("records are nested too deeply; expected at most some hundred levels") from None
    return _build(updates)


class _Update(
    msgspec.Struct, rename={"data": "Data", "metadata": "Metadata", "nested": "NestedTracedData", "sha": "SHA"}
):
    """One update of a line, with its parts as they are written."""

    data: msgspec.Raw
    metadata: msgspec.Raw
    nested: msgspec.Raw
    sha: str


_update_decoder = msgspec.json.Decoder(list[_Update])
_data_decoder = msgspec.json.Decoder(dict[str, Any])


def _decode_as_written(line: bytes) -> TracedData | None:
    """Read a line that is written exactly as we would, as raw runs are: its own bytes are hashed, and none made anew.

    None for all other lines, right and wrong: nested, written otherwise, or not verifying.
    """
    record = TracedData()
    sha = b""
    encoded: list[bytes] = []
    try:
        for update in reversed(_update_decoder.decode(line)):
            data, metadata = bytes(update.data), bytes(update.metadata)
            sha = hashlib.sha256(b'{"data": %b, "prev_sha": "%b"}' % (data, sha)).hexdigest().encode()
            if not _is_metadata_as_written(metadata):
                return None
            encoded.append(b'{"Data": %b, "Metadata": %b, "NestedTracedData": {}, "SHA": "%b"}' % (data, metadata, sha))
            _apply(record.values, _data_decoder.decode(data))
        encoded.reverse()
        whole = b", ".join(encoded)
        if not encoded or line.removesuffix(b"\n") != b"[%b]" % whole:
            return None
        record._encoded_updates.append(whole.decode("ascii"))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        return None
    record.newest_sha = sha.decode()
    return record


@lru_cache(maxsize=4096)
def _is_metadata_as_written(metadata: bytes) -> bool:
    try:
        document = json.loads(metadata)
        return set(document) == {"Source", "Timestamp", "User"} and encode_json(document).encode() == metadata
    except (ValueError, TypeError):
        return False


@dataclass
class _Frame:
    """A record that is being built from its decoded updates."""

    updates: Sequence[Any]
    key: str | None
    record: TracedData
    position: int
    nested: dict[str, TracedData]
    waiting: list[str]


def _frame(updates: Any, key: str | None) -> _Frame:
    if not isinstance(updates, list) or not updates:
        raise ChainError(f"{_at(key)}not a list of updates; expected at least one")
    return _Frame(updates, key, TracedData(), len(updates), {}, [])


def _at(key: str | None) -> str:
    return "" if key is None else f"nested key {key!r}: "


def _build(updates: Any) -> TracedData:
    # A stack of our own in place of recursion: how deep records nest is not ours to limit.
    frames = [_frame(updates, None)]
    while True:
        frame = frames[-1]
        if frame.waiting:
            key = frame.waiting.pop()
            frames.append(_frame(frame.updates[frame.position]["NestedTracedData"][key], key))
            continue
        if frame.position < len(frame.updates):
            _append_decoded(frame)
        if frame.position > 0:
            frame.position -= 1
            frame.nested = {}
            frame.waiting = sorted(_checked(frame)["NestedTracedData"], reverse=True)
            continue
        frames.pop()
        if not frames:
            return frame.record
        frames[-1].nested[frame.key or ""] = frame.record


def _checked(frame: _Frame) -> Mapping[str, Any]:
    update = frame.updates[frame.position]
    place = f"{_at(frame.key)}update {frame.position + 1} of {len(frame.updates)}"
    if not isinstance(update, dict) or set(update) != {"Data", "Metadata", "NestedTracedData", "SHA"}:
        raise ChainError(f"{place}: expected an object with Data, Metadata, NestedTracedData and SHA")
    if not isinstance(update["Data"], dict) or not isinstance(update["NestedTracedData"], dict):
        raise ChainError(f"{place}: Data and NestedTracedData should be objects")
    metadata = update["Metadata"]
    if not isinstance(metadata, dict) or set(metadata) != {"Source", "Timestamp", "User"}:
        raise ChainError(f"{place}: Metadata should be an object with Source, Timestamp and User")
    return update


def _append_decoded(frame: _Frame) -> None:
    update = frame.updates[frame.position]
    before = frame.record.newest_sha
    metadata = _metadata_of(update)
    data: dict[str, Any] = update["Data"]
    if data or frame.nested:
        frame.record.append(data, metadata, frame.nested)
    else:
        frame.record._seal("{}", "{}", "{}", metadata.encoded)
    if frame.record.newest_sha != update["SHA"]:
        keys = sorted([*data, *frame.nested])
        shown = ", ".join(map(repr, keys[:3])) + (", …" if len(keys) > 3 else "")
        expected = frame.record.newest_sha
        raise ChainError(
            f"{_at(frame.key)}update {frame.position + 1} of {len(frame.updates)}, key {shown or '(none)'}: "
            f"its SHA is {str(update['SHA'])[:12]!r}, its data and the SHA {before[:12]!r} before it give {expected[:12]!r}"
        )
