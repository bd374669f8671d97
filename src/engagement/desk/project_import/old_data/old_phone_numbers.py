"""Find phone numbers in the raw runs of an earlier pipeline, and leave them out.

What people wrote stays as they wrote it: the outputs and the gate handle numbers in texts. Everything else was put there by a
system, and goes if it holds a number: URNs, fields, names of fields, and who or what made an update.
"""

import enum
import functools
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.configuration.numbers_in_names import holds_phone_number
from engagement.configuration.participant_ids import find_id_problem
from engagement.configuration.raw_keys import DEFAULT_RECOVERED_KEYS, RUN_KEYS, read_result_key
from engagement.provenance import Metadata, TracedData, decode
from engagement.provenance.traced_data import metadata_of

_URN = re.compile(r"\s*(?:tel|whatsapp):[\s+\d().-]*\d[\s\d().-]*(?:[#?].*)?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[\s+\d().-]*\d[\s\d().-]*")
_FEWEST_DIGITS = 6
# Fields in which earlier pipelines and their tools kept numbers; a result of a flow has " (Text) - <flow>" behind its name.
_NUMBER_KEYS = re.compile(
    r"(?:avf[-_]phone[-_]uuid|urns?|contact[-_ ]urns?|contact[-_ ]phone|phone|phone[-_ ]?(?:no|number|id)|msisdn|mobile|sender)",
    re.IGNORECASE,
)
# Parts of a result that people wrote, or that hold times and RapidPro's own ids.
_KEPT_PARTS = frozenset({"Text", "Value", "Category", "Time", "Run ID"})
_KEYS_OF_MESSAGES = frozenset({"MessageID", "Text", "CreationDateTimeUTC", "Labels", "SequenceNumber", "LastUpdated"})
_QUOTED = re.compile(r"'[^']*'")
NOT_SHOWN = "(phone number, left out)"


class NumberKind(enum.StrEnum):
    """Places of phone numbers in raw runs."""

    URN = "URN (like tel:…)"
    FIELD = "field of a contact's number"
    OTHER = "field that no stage reads"
    NAME = "name of a field"
    AUTHOR = "author or program of an update"
    MESSAGE = "field of a message in a Coda file that no stage reads"


class NumberedParticipantError(ValueError):
    """Raised for a run whose participant is a phone number or no id at all; the text does not show it."""


def read_clean_run(
    line: bytes, prefix: str, masked: Counter[NumberKind], read_keys: Collection[str] = ()
) -> tuple[bytes, str]:
    """Verify a raw run, and leave out its phone numbers; counts them in `masked`.

    `read_keys` are raw keys that the configuration maps: what people wrote under them stays. Returns the line, as it is or of
    the same updates without those values, and the participant's id.

    Raises
    ------
    ChainError
        It is no TracedData, or a hash does not match.
    NumberedParticipantError
        Its participant is not an id.
    """
    record = decode(line)
    participant = record.values.get(PARTICIPANT_KEY)
    if not isinstance(participant, str):
        raise NumberedParticipantError(f"no {PARTICIPANT_KEY!r}; expected one in every run")
    problem = find_id_problem(participant, prefix)
    if problem is not None:
        raise NumberedParticipantError(
            f"its {PARTICIPANT_KEY!r} {problem}, not shown here; expected an id of the uuid table"
        )
    before = masked.total()
    clean = _rebuild(json.loads(line), masked, read_keys)
    return (line.removesuffix(b"\n") + b"\n" if masked.total() == before else clean.encode_line()), participant


def hide_numbers_in_quotes(text: str) -> str:
    """Hide quoted names with a phone number in a message about a run.

    >>> hide_numbers_in_quotes("key 'age', '+252615000001'")
    "key 'age', '(phone number, left out)'"
    """
    return _QUOTED.sub(lambda found: f"'{NOT_SHOWN}'" if holds_phone_number(found[0]) else found[0], text)


def leave_out_numbers_of_message(message: dict[str, Any], masked: Counter[NumberKind]) -> None:
    """Leave out what holds a number of a message from Coda, besides its text, ids, times and labels."""
    for key in [key for key in message if key not in _KEYS_OF_MESSAGES]:
        if _is_number_in_name(key) or _holds(message[key], None):
            del message[key]
            masked[NumberKind.MESSAGE] += 1


def _rebuild(updates: Any, masked: Counter[NumberKind], read_keys: Collection[str]) -> TracedData:
    """Chain verified updates, newest first, anew without their numbers."""
    record = TracedData()
    for update in reversed(updates):
        data = {}
        for key, value in update["Data"].items():
            kind = _find_number(key, value, read_keys)
            if kind is None:
                data[key] = value
            else:
                masked[kind] += 1
        nested = {}
        for key, inner in update["NestedTracedData"].items():
            if _is_number_in_name(key):
                masked[NumberKind.NAME] += 1
            else:
                nested[key] = _rebuild(inner, masked, read_keys)
        metadata = _clean_metadata(metadata_of(update), masked)
        if data or nested:
            record.append(data, metadata, nested)
        else:
            record.append_nothing(metadata)
    return record


def _clean_metadata(metadata: Metadata, masked: Counter[NumberKind]) -> Metadata:
    parts = [metadata.source, metadata.user]
    clean = [NOT_SHOWN if _is_number_in_name(str(part)) else part for part in parts]
    if clean == parts:
        return metadata
    masked[NumberKind.AUTHOR] += 1
    return Metadata(clean[0], metadata.timestamp, clean[1])


def _find_number(key: str, value: Any, read_keys: Collection[str]) -> NumberKind | None:
    """Return the kind of number that a field is or holds; None if it stays."""
    if key == PARTICIPANT_KEY:
        # It may be hidden by a newer update.
        is_number = find_id_problem(str(value)) == "looks like a phone number"
        return NumberKind.URN if _holds(value, _URN) else NumberKind.FIELD if is_number else None
    if _is_number_in_name(key):
        return NumberKind.NAME
    if _holds(value, _URN):
        return NumberKind.URN
    if _NUMBER_KEYS.fullmatch(key) and _holds(value, _NUMBER):
        return NumberKind.FIELD
    return None if key in read_keys or _stays(key) or not _holds(value, None) else NumberKind.OTHER


# All runs of a flow have the same names.
@functools.lru_cache(maxsize=4096)
def _is_number_in_name(name: str) -> bool:
    return holds_phone_number(name)


@functools.lru_cache(maxsize=4096)
def _stays(key: str) -> bool:
    if key in DEFAULT_RECOVERED_KEYS or key.partition(" - ")[0] in RUN_KEYS:
        return True
    result = read_result_key(key)
    return result is not None and result.part in _KEPT_PARTS


def _holds(value: Any, pattern: re.Pattern[str] | None) -> bool:
    """Check a value, and everything in it, for a text or number of that form with enough digits.

    Without a form: for one that holds a phone number anywhere.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.values(), *one.keys()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str | int | float) and not isinstance(one, bool):
            text = str(one)
            if pattern is None:
                if holds_phone_number(text):
                    return True
            elif pattern.fullmatch(text) and sum(map(str.isdecimal, text)) >= _FEWEST_DIGITS:
                return True
    return False
