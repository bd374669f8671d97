"""Instants as whole numbers in time order: microseconds since 1970."""

from datetime import UTC, datetime, timedelta

MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_microseconds(instant: datetime) -> int:
    """Return the microseconds from 1970 to an instant.

    >>> count_microseconds(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (instant - _EPOCH) // MICROSECOND


def make_instant(microseconds: int) -> datetime:
    """Return the instant, in UTC, for a number from `count_microseconds`."""
    return _EPOCH + timedelta(microseconds=microseconds)
