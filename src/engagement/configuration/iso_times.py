"""Times that people write: ISO 8601 with an offset, the end of a day as 24:00 too."""

import re
from datetime import UTC, datetime, timedelta

_END_OF_DAY = re.compile(r"(?P<date>.+?)[T ]24(?P<rest>(:?00){0,2}([.,]0+)?)(?P<offset>Z|[+-].+)?")


class NoOffsetError(ValueError):
    """A time without an offset: its time zone is unknown."""


def read_iso_time(text: str) -> datetime:
    """Read an ISO 8601 time with an offset. 24:00 is the end of its day, so 00:00 of the next.

    >>> read_iso_time("2026-03-31T24:00:00+03:00").isoformat()
    '2026-04-01T00:00:00+03:00'

    Raises
    ------
    NoOffsetError
        It has no offset.
    ValueError
        It is not ISO 8601, or lies outside of the calendar's years 1 to 9999.
    """
    end = _END_OF_DAY.fullmatch(text)
    try:
        if end is None:
            time = datetime.fromisoformat(text)
        else:
            midnight = datetime.fromisoformat(f"{end['date']}T00{end['rest']}{end['offset'] or ''}")
            time = midnight + timedelta(days=1)
        if time.tzinfo is None:
            raise NoOffsetError("no offset")
        time.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the calendar") from None
    return time
