"""Coda's data formats: messages, the segments of a dataset, and times.

A message is a plain dictionary of JSON values rather than a model, because fields that other tools add must survive:

    {"MessageID", "Text", "CreationDateTimeUTC", "Labels": [newest first], "SequenceNumber"?, "LastUpdated"?, …}
"""

from collections.abc import Iterable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from engagement.foundation.errors import InputError, listing
from engagement.foundation.files import read_json
from engagement.services.coda.labels import is_label

_decode = msgspec.json.Decoder().decode

MessageDocument = dict[str, Any]
CodeSchemeDocument = dict[str, Any]

SEGMENT_SIZE = 2500
"""Most messages in one segment of a dataset: Coda's page loads a whole segment."""


class _LabelMark(msgspec.Struct, gc=False):
    scheme_id: str = msgspec.field(name="SchemeID")
    code_id: str = msgspec.field(name="CodeID")


class MessageMark(msgspec.Struct, gc=False):
    """What tells that a message is usable, and whether it changed. Ask `is_usable` before the rest."""

    message_id: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(name="MessageID")
    text: str = msgspec.field(name="Text")
    created: str = msgspec.field(name="CreationDateTimeUTC")
    labels: list[_LabelMark] = msgspec.field(name="Labels")
    # Not int, for which msgspec takes 1.0.
    number: Any = msgspec.field(name="SequenceNumber", default=None)
    last_updated: str | None = msgspec.field(name="LastUpdated", default=None)


def is_usable(mark: MessageMark) -> bool:
    """Tell whether a message with this mark has none of the problems that `find_problems_of` finds."""
    return (
        "/" not in mark.message_id
        and (mark.number is None or type(mark.number) is int)
        and is_time(mark.created)
        and (mark.last_updated is None or is_time(mark.last_updated))
    )


def name_segment(dataset: str, number: int) -> str:
    """Name a dataset's segment; segment 1 has the dataset's own name.

    >>> name_segment("age", 1), name_segment("age", 3)
    ('age', 'age_3')
    """
    return dataset if number == 1 else f"{dataset}_{number}"


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC, as Coda's field names say.

    Raises
    ------
    ValueError
        It is not ISO 8601, or is outside the calendar.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    # Only at its ends can an offset lead out of the calendar.
    if not MINYEAR < time.year < MAXYEAR:
        try:
            time.astimezone(UTC)
        except OverflowError:
            raise ValueError("outside the calendar") from None
    return time


def write_time(time: datetime) -> str:
    """Write a time as in Coda's files: UTC with microseconds, so equal times are equal text."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def find_newest_update(messages: Iterable[MessageDocument]) -> datetime | None:
    """Return the newest LastUpdated; None if no message has one."""
    # Many have the same, as they came together.
    texts = {message["LastUpdated"] for message in messages if message.get("LastUpdated")}
    return max(map(parse_time, texts), default=None)


def find_newest_label(messages: Iterable[MessageDocument]) -> datetime | None:
    """Return the time of the newest checked label, in UTC; None if no checked label has a time."""
    times = (
        parse_time(label["DateTimeUTC"]).astimezone(UTC)
        for message in messages
        for label in message["Labels"]
        if label.get("Checked") and is_time(label.get("DateTimeUTC"))
    )
    return max(times, default=None)


def find_highest_number(messages: Iterable[MessageDocument]) -> int:
    """Return the highest SequenceNumber; -1 if no message has one, so numbering starts at 0."""
    numbers = (message["SequenceNumber"] for message in messages if message.get("SequenceNumber") is not None)
    return max(numbers, default=-1)


def read_message_file(path: Path, remedy: str) -> list[MessageDocument]:
    """Read a file of messages; `remedy` is the sentence that says what to do about a damaged file.

    Raises
    ------
    InputError
        The file is missing or not JSON, or it holds malformed messages; the error names them all, by position in
        the array (from 1) and MessageID.
    """
    document = read_message_documents(path, remedy)
    problems = find_message_problems(document) + _find_repeated_ids(document)
    if problems:
        raise InputError(f"{path}: {listing(problems)}\nExpected Coda messages. {remedy}")
    return document


def read_message_documents(path: Path, remedy: str) -> list[Any]:
    """Read a file of messages without a look at each of them.

    Raises
    ------
    InputError
        The file is missing or not JSON, or holds no array.
    """
    try:
        # Takes less time, and refuses more, of which the other tells what is wrong.
        document = _decode(path.read_bytes()) if path.is_file() else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = None
    if document is None:
        document = read_json(path, what="a JSON array of Coda messages", remedy=remedy)
    if not isinstance(document, list):
        raise InputError(f"{path}: the document is not an array; expected a JSON array of Coda messages. {remedy}")
    return document


def find_message_problems(messages: Sequence[Any]) -> list[str]:
    """Find the problems that make messages unusable.

    The problems show no values, as these may be what somebody wrote.
    Repeated ids are allowed here: Coda can hold a text in two segments, but a file must not.
    """
    return [
        f"message {position}{_name(message)}: {problem}"
        for position, message in enumerate(messages, start=1)
        for problem in find_problems_of(message)
    ]


def is_code_scheme(item: Any) -> bool:
    """Tell whether an item has what labels refer to: the ids of a scheme and of its codes."""
    codes = item.get("Codes") if isinstance(item, dict) and isinstance(item.get("SchemeID"), str) else None
    return isinstance(codes, list) and all(
        isinstance(code, dict) and isinstance(code.get("CodeID"), str) for code in codes
    )


def _name(message: Any) -> str:
    message_id = message.get("MessageID") if isinstance(message, dict) else None
    return f" ({message_id})" if isinstance(message_id, str) else ""


def find_problems_of(message: Any) -> list[str]:
    """Find what makes a message unusable; shows no values, as these may be what somebody wrote."""
    try:
        if is_usable(msgspec.convert(message, MessageMark)):
            return []
    except (msgspec.ValidationError, UnicodeError):
        pass
    if not isinstance(message, dict):
        return ["it is not an object"]
    problems = []
    message_id = message.get("MessageID")
    if not isinstance(message_id, str) or not message_id or "/" in message_id:
        problems.append("'MessageID' should be a non-empty string without '/'")
    if not isinstance(message.get("Text"), str):
        problems.append("'Text' should be a string")
    if not is_time(message.get("CreationDateTimeUTC")):
        problems.append("'CreationDateTimeUTC' should be an ISO 8601 time")
    labels = message.get("Labels")
    if not isinstance(labels, list) or not all(is_label(label) for label in labels):
        problems.append("'Labels' should be an array of labels, each with 'SchemeID' and 'CodeID'")
    number = message.get("SequenceNumber")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        problems.append("'SequenceNumber' should be a whole number or null")
    last_updated = message.get("LastUpdated")
    if last_updated is not None and not is_time(last_updated):
        problems.append("'LastUpdated' should be an ISO 8601 time")
    return problems


def is_time(value: Any) -> bool:
    """Tell whether a value is text that `parse_time` reads."""
    if not isinstance(value, str):
        return False
    try:
        parse_time(value)
    except ValueError:
        return False
    return True


def _find_repeated_ids(messages: Sequence[Any]) -> list[str]:
    seen: set[str] = set()
    problems = []
    for position, message in enumerate(messages, start=1):
        message_id = message.get("MessageID") if isinstance(message, dict) else None
        if not isinstance(message_id, str):
            continue
        if message_id in seen:
            problems.append(f"message {position} ({message_id}): an earlier message has the same 'MessageID'")
        seen.add(message_id)
    return problems
