"""Find phone numbers in the raw runs of an earlier pipeline, and leave them out.

What people wrote stays as they wrote it: the outputs and the gate handle numbers in texts. Here it is about values that a
system put there: URNs of contacts, and fields that hold a contact's number.
"""

import enum
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.configuration.participant_ids import find_id_problem
from engagement.provenance import TracedData, decode
from engagement.provenance.traced_data import metadata_of

_URN = re.compile(r"\s*(?:tel|whatsapp):[\s+\d().-]*\d[\s\d().-]*(?:[#?].*)?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[\s+\d().-]*\d[\s\d().-]*")
_FEWEST_DIGITS = 6
# Fields in which earlier pipelines and their tools kept numbers; a result of a flow has " (Text) - <flow>" behind its name.
_NUMBER_KEYS = re.compile(
    r"(?:avf[-_]phone[-_]uuid|urns?|contact[-_ ]urns?|contact[-_ ]phone|phone|phone[-_ ]?(?:no|number|id)|msisdn|mobile|sender)",
    re.IGNORECASE,
)
_may_hold_number = re.compile(
    rb"(?:tel|whatsapp):|\"(?:avf[-_]phone[-_]uuid|urn|contact|phone|msisdn|mobile|sender)", re.IGNORECASE
).search
_PARTICIPANT = f'"{PARTICIPANT_KEY}"'.encode()


class NumberKind(enum.StrEnum):
    """Places of phone numbers in raw runs."""

    URN = "URN (like tel:…)"
    FIELD = "field of a contact's number"


class NumberedParticipantError(ValueError):
    """Raised for a run whose participant is a phone number or no id at all; the text does not show it."""


def read_clean_run(line: bytes, prefix: str, masked: Counter[NumberKind]) -> tuple[bytes, str]:
    """Verify a raw run, and leave out its phone numbers; counts them in `masked`.

    Returns the line, as it is or of the same updates without those values, and the participant's id.

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
    if _may_hold_number(line) is None and line.count(_PARTICIPANT) == 1:
        return line.removesuffix(b"\n") + b"\n", participant
    before = masked.total()
    clean = _rebuild(json.loads(line), masked)
    return (line.removesuffix(b"\n") + b"\n" if masked.total() == before else clean.encode_line()), participant


def _rebuild(updates: Any, masked: Counter[NumberKind]) -> TracedData:
    """Chain verified updates, newest first, anew without their numbers."""
    record = TracedData()
    for update in reversed(updates):
        data = {key: value for key, value in update["Data"].items() if not _is_number(key, value, masked)}
        nested = {key: _rebuild(inner, masked) for key, inner in update["NestedTracedData"].items()}
        if data or nested:
            record.append(data, metadata_of(update), nested)
        else:
            record.append_nothing(metadata_of(update))
    return record


def _is_number(key: str, value: Any, masked: Counter[NumberKind]) -> bool:
    if _holds(value, _URN):
        masked[NumberKind.URN] += 1
        return True
    is_own = key == PARTICIPANT_KEY and isinstance(value, str) and find_id_problem(value) == "looks like a phone number"
    if is_own or (_NUMBER_KEYS.fullmatch(key) and _holds(value, _NUMBER)):
        masked[NumberKind.FIELD] += 1
        return True
    return False


def _holds(value: Any, pattern: re.Pattern[str]) -> bool:
    """Check a value, and everything in it, for a text or number of that form with enough digits."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str | int) and not isinstance(one, bool):
            text = str(one)
            if pattern.fullmatch(text) and sum(map(str.isdecimal, text)) >= _FEWEST_DIGITS:
                return True
    return False
