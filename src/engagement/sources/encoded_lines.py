"""Encoding records straight to JSON: what all sources that make their own lines share.

There are millions of runs, and those of one flow have the same few sets of keys. So the keys are sorted and encoded once a set,
and each value is encoded once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _encode
from operator import itemgetter

import msgspec

from engagement.provenance import HIDDEN, encode_json, text_value
from engagement.sources.operator_labels import OperatorLabels

# Length of the end of a line, with the hash of its oldest update: the record itself, whoever brought it and when.
SHA_TAIL = len('"' + "0" * 64 + '"}]\n')
_TIME = "the time of the label"
_MARK, _TEXT_OF_MARK = encode_json(HIDDEN), encode_json(text_value(HIDDEN))
_encode_list = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class LineTemplate:
    """JSON for one set of keys, sorted: a format, and a function that puts encoded values in order."""

    form: str
    reorder: Callable[[Sequence[str]], object]

    @classmethod
    def of(cls, keys: Sequence[str]) -> "LineTemplate":
        """Encode a set of keys."""
        # If two results' names differ only in case the later counts, as in a dictionary.
        positions = {key: position for position, key in enumerate(keys)}
        in_order = sorted(positions)
        form = ", ".join(f"{_encode(key)}: ".replace("%", "%%") + "%s" for key in in_order)
        return cls("{" + form + "}", itemgetter(*(positions[key] for key in in_order)))

    def fill(self, values: Sequence[str]) -> str:
        """Put encoded values, in the order of the keys, into the JSON."""
        return self.form % self.reorder(values)


class OperatorUpdate:
    """Makes a line's update with the participant's operator; without a scheme only the first digits."""

    def __init__(self, operators: OperatorLabels | None):
        self._operators = operators
        self._parts: dict[tuple[str, str], list[str]] = {}

    def encode(self, urn_type: str, operator_raw: str, labelled_at: str) -> str:
        """Encode the operator, labelled at a time that is JSON already."""
        key = (urn_type, operator_raw)
        parts = self._parts.get(key)
        if parts is None:
            data: dict[str, object] = {"operator_raw": operator_raw}
            if self._operators is not None:
                data["operator_coded"] = self._operators.label(urn_type, operator_raw, _TIME)
            parts = self._parts[key] = json.dumps(data, sort_keys=True).split(f'"{_TIME}"')
        return labelled_at.join(parts)


def escape_marks(data: str) -> str:
    """Escape the mark of hidden values in a record's JSON, which in practice nobody sends as a text."""
    return data.replace(_MARK, _TEXT_OF_MARK) if _MARK in data else data


def encode_instants(instants: Iterable[datetime | None]) -> list[str]:
    """Encode instants as JSON in UTC, as in raw data files.

    >>> encode_instants([datetime.fromisoformat("2026-03-01T12:00:00.5+03:00"), None])
    ['"2026-03-01T09:00:00.500000+00:00"', 'null']
    """
    # A whole page at once: ten times as fast as isoformat, and the same except for the spelling of UTC.
    in_utc = [at if at is None or at.tzinfo is UTC else at.astimezone(UTC) for at in instants]
    return _encode_list(in_utc)[1:-1].decode().replace("Z", "+00:00").split(",") if in_utc else []
