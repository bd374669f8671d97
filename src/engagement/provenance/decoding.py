"""Reading TracedData: decoding lines and verifying the hash of every update."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from engagement.provenance.traced_data import HIDDEN, TracedData, encode_json, metadata_of


class ChainError(ValueError):
    """An encoded record is not TracedData, or a hash does not match its data; the text says where."""


def decode(line: str | bytes) -> TracedData:
    """Read one line of a TracedData file and verify its chain, including nested records.

    Raises
    ------
    ChainError
        It is not JSON, does not have the form of TracedData, or a SHA does not match; says which update and keys.
    """
    record = _decode_as_written(line.encode() if isinstance(line, str) else line)
    if record is not None:
        return record
    try:
        updates = json.loads(line)
    except ValueError:
        raise ChainError("not JSON; expected a list of updates") from None
    except RecursionError:
        raise ChainError("records are nested too deeply; expected at most a few hundred levels") from None
    return _build(updates)


_HIDDEN = encode_json(HIDDEN).encode()
_decode_data = msgspec.json.Decoder(dict[str, Any]).decode
# What stands between the parts of a line in our own format. Within texts, quotation marks have a backslash before them.
_START, _BETWEEN_UPDATES, _END = b'[{"Data": ', b'"}, {"Data": ', b'"}]'
_BEFORE_METADATA, _BEFORE_SHA = b', "Metadata": ', b', "NestedTracedData": {}, "SHA": "'


def _decode_as_written(line: bytes) -> TracedData | None:
    """Read a line in exactly our own format, as raw runs are: hash its own bytes, without re-encoding.

    Returns None for every other line, correct or not: nested, formatted differently, or not verifying.
    """
    line = line.removesuffix(b"\n")
    if not (line.startswith(_START) and line.endswith(_END) and line.isascii()) or _HIDDEN in line:
        return None
    values: dict[str, Any] = {}
    sha = b""
    try:
        for update in reversed(line[len(_START) : -len(_END)].split(_BETWEEN_UPDATES)):
            rest, _, given_sha = update.rpartition(_BEFORE_SHA)
            data, _, metadata = rest.rpartition(_BEFORE_METADATA)
            sha = hashlib.sha256(b'{"data": %b, "prev_sha": "%b"}' % (data, sha)).hexdigest().encode()
            if sha != given_sha or not _is_metadata_as_written(metadata):
                return None
            values.update(_decode_data(data))
    except (msgspec.MsgspecError, RecursionError):
        return None
    return TracedData.of_verified(values, line[1:-1], sha)


@lru_cache(maxsize=4096)
def _is_metadata_as_written(metadata: bytes) -> bool:
    try:
        document = json.loads(metadata)
        return set(document) == {"Source", "Timestamp", "User"} and encode_json(document).encode() == metadata
    except (ValueError, TypeError):
        return False


@dataclass
class _Frame:
    """A record under construction from its decoded updates."""

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
    # Our own stack instead of recursion: nesting depth is not ours to limit.
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
    metadata = metadata_of(update)
    data: dict[str, Any] = update["Data"]
    if data or frame.nested:
        frame.record.append(data, metadata, frame.nested)
    else:
        frame.record.append_nothing(metadata)
    if frame.record.newest_sha != update["SHA"]:
        keys = sorted([*data, *frame.nested])
        shown = ", ".join(map(repr, keys[:3])) + (", …" if len(keys) > 3 else "")
        expected = frame.record.newest_sha
        raise ChainError(
            f"{_at(frame.key)}update {frame.position + 1} of {len(frame.updates)}, key {shown or '(none)'}: "
            f"its SHA is {str(update['SHA'])[:12]!r}, its data and the SHA {before[:12]!r} before it give {expected[:12]!r}"
        )
