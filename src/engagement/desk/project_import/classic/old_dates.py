"""Dates of old configurations: 24:00 is the end of its day, which tools that read ISO 8601 refuse."""

from typing import Any, Final

from engagement.configuration.iso_times import NoOffsetError, read_iso_time
from engagement.desk.project_import.migration import Migration

EARLIEST: Final = "2000-01-01T00:00:00+03:00"
LATEST: Final = "2100-01-01T00:00:00+03:00"
_END_OF_DAY: Final = "24:00"


def convert_date(value: Any, old: str, migration: Migration) -> Any:
    """Convert one date: 24:00 becomes the next day's 00:00. What is no date stays, and a person is asked.

    >>> convert_date("2021-05-08T24:00+03:00", "RangeEndExclusive", Migration())
    '2021-05-09T00:00:00+03:00'
    """
    try:
        moment = read_iso_time(value)
    except NoOffsetError:
        migration.to_decide(old, f"{value!r} has no offset. Add the one of the project's place, like +03:00.")
        return value
    except (ValueError, TypeError):
        migration.to_decide(old, f"{value!r} is no date. Write ISO 8601 with an offset, like {EARLIEST!r}.")
        return value
    if _END_OF_DAY not in value:
        return value
    new = moment.isoformat()
    migration.changed(old, f"{value!r} is now {new!r}: 24:00 is 00:00 of the next day.")
    return new


def choose_date(found: Any, old: str, default: str, migration: Migration, why: str) -> Any:
    """Convert a date of the project; without one choose a wide `default`, and say so."""
    if found is not None:
        return convert_date(found, old, migration)
    migration.to_decide(old, f"{why} It is {default!r} now, so nothing is left out. Set the project's own.")
    return default


def ends_before_it_starts(start: Any, end: Any) -> bool:
    """Tell whether a range is empty; one whose ends can't be read is not."""
    try:
        return read_iso_time(start) >= read_iso_time(end)
    except (ValueError, TypeError):
        return False
