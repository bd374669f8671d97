"""Times as Google's APIs write them: in RFC 3339, with 0 to 9 digits of a second's fraction."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

_TIME = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<offset>Z|[+-]\d\d:\d\d)", re.ASCII
)
_NANOSECONDS_DIGITS, _MICROSECONDS_DIGITS = 9, 6


class GoogleTime(NamedTuple):
    """A time in UTC, and its text with all nine digits, which sorts as the times do."""

    time: datetime
    text: str


def read_instant(text: str) -> GoogleTime:
    """Read a time without losing its nanoseconds.

    >>> read_instant("2026-03-02T07:00:00Z").text < read_instant("2026-03-02T07:00:00.5Z").text
    True
    >>> read_instant("2026-03-02T10:00:00.000000001+03:00").text
    '2026-03-02T07:00:00.000000001Z'

    Raises
    ------
    ValueError
        It is not such a time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("not a time of RFC 3339")
    digits = (found["fraction"] or "").ljust(_NANOSECONDS_DIGITS, "0")
    second = found["second"]
    try:
        time = datetime.fromisoformat(f"{second}.{digits[:_MICROSECONDS_DIGITS]}{found['offset']}")
    except ValueError:
        # Its own error shows the text.
        raise ValueError("no day or hour of the calendar") from None
    if found["offset"] == "Z":
        return GoogleTime(time, f"{second}.{digits}Z")
    try:
        time = time.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the calendar") from None
    return GoogleTime(time, f"{time.strftime('%Y-%m-%dT%H:%M:%S')}.{digits}Z")
