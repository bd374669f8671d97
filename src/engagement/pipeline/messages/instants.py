"""Times in the data: ISO 8601 texts, compared as instants and never as text."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=65536)
def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 time with an offset, as an instant in UTC.

    Raises
    ------
    ValueError
        It is not ISO 8601, has no offset, or lies outside the calendar.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the calendar") from None


def write_instant(instant: datetime) -> str:
    """Write an instant in the format of the data.

    >>> write_instant(parse_instant("2026-03-01T10:00:00+03:00"))
    '2026-03-01T07:00:00.000000+00:00'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
