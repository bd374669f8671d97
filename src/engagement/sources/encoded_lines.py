"""Encoding records straight to JSON: what all sources that make their own lines share.

There are millions of runs, and those of one flow have the same few sets of keys. So the keys are sorted and encoded once a set,
and each value is encoded once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from json.encoder import encode_basestring_ascii as _encode

import msgspec

from engagement.provenance import HIDDEN, encode_json, text_value
from engagement.sources.operator_labels import OperatorLabels

# Length of the end of a line, with the hash of its oldest update: the record itself, whoever brought it and when.
SHA_TAIL = len('"' + "0" * 64 + '"}]\n')
_TIME = "the time of the label"
_MARK, _TEXT_OF_MARK = (encode_json(text).encode("ascii") for text in (HIDDEN, text_value(HIDDEN)))
_encoder = msgspec.json.Encoder()
_encode_list, _encode_lines = _encoder.encode, _encoder.encode_lines


@dataclass(frozen=True)
class LineTemplate:
    """JSON for one set of keys, sorted: the pieces around the values.

    `order` has the place of each key's value among all values.
    """

    pieces: Sequence[bytes]
    order: Sequence[int]

    @classmethod
    def of(cls, places: Mapping[str, int]) -> "LineTemplate":
        """Encode a set of keys, each with the place of its value among all values."""
        in_order = sorted(places)
        starts = [f"{_encode(key)}: " for key in in_order]
        pieces = ["{" + starts[0], *(f", {start}" for start in starts[1:]), "}"]
        return cls([piece.encode("ascii") for piece in pieces], [places[key] for key in in_order])

    def fill(self, values: Sequence[Iterable[bytes]]) -> list[bytes]:
        """Put encoded values into the JSON of several records; `values` has those of each key."""
        # Columns rather than records, so that no step of Python's own is taken for a record.
        columns: list[Iterable[bytes]] = []
        for piece, place in zip(self.pieces, self.order, strict=False):
            columns += (repeat(piece), values[place])
        return list(map(b"".join, zip(*columns, repeat(self.pieces[-1]), strict=False)))


class OperatorUpdate:
    """Makes a line's update with the participant's operator; without a scheme only the first digits."""

    def __init__(self, operators: OperatorLabels | None):
        self._operators = operators
        self._parts: dict[tuple[str, str], list[bytes]] = {}

    def encode(self, urn_type: str, operator_raw: str, labelled_at: bytes) -> bytes:
        """Encode the operator, labelled at a time that is JSON already."""
        key = (urn_type, operator_raw)
        parts = self._parts.get(key)
        if parts is None:
            data: dict[str, object] = {"operator_raw": operator_raw}
            if self._operators is not None:
                data["operator_coded"] = self._operators.label(urn_type, operator_raw, _TIME)
            encoded = json.dumps(data, sort_keys=True).encode("ascii")
            parts = self._parts[key] = encoded.split(f'"{_TIME}"'.encode("ascii"))
        return labelled_at.join(parts)


def encode_texts(texts: Iterable[str | None]) -> list[bytes]:
    """Encode people's texts as JSON.

    One that is the mark of hidden values, which nobody sends, hides nothing.

    >>> encode_texts(["haa", None, 'é"'])
    [b'"haa"', b'null', b'"\\\\u00e9\\\\""']
    """
    # All in one piece, a line each: JSON has no line end within a text. It leaves what is not ASCII as it is, and DEL, which is.
    texts = texts if isinstance(texts, Sequence) else list(texts)
    try:
        lines = _encode_lines(texts).replace(b"\x7f", b"\\u007f")
    except UnicodeEncodeError:  # half of a character
        lines = b"".join([b"null\n" if text is None else _encode(text).encode("ascii") + b"\n" for text in texts])
    encoded = lines.split(b"\n")[:-1]
    if not lines.isascii():
        encoded = [
            line if line.isascii() else _encode(text or "").encode("ascii")
            for line, text in zip(encoded, texts, strict=True)
        ]
    return [_TEXT_OF_MARK if text == _MARK else text for text in encoded] if _MARK in lines else encoded


def encode_instants(instants: Iterable[datetime | None]) -> list[bytes]:
    """Encode instants as JSON in UTC, as in raw data files.

    >>> encode_instants([datetime.fromisoformat("2026-03-01T12:00:00.5+03:00"), None])
    [b'"2026-03-01T09:00:00.500000+00:00"', b'null']
    """
    # A whole page at once: ten times as fast as isoformat, and the same except for the spelling of UTC.
    in_utc = [at if at is None or at.tzinfo is UTC else at.astimezone(UTC) for at in instants]
    return _encode_list(in_utc)[1:-1].replace(b"Z", b"+00:00").split(b",") if in_utc else []
