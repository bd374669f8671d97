"""Times in tables, in one format for a whole file: configured, or the only one that all rows have."""

import contextlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from engagement.configuration.iso_times import read_iso_time

TimeFormat = Literal["dd/mm/YYYY", "mm/dd/YYYY", "YYYY-mm-dd", "dd/mm/YY", "mm/dd/YY"]
"""The order of a date and the length of its year. Its parts stand between / - or . and a time follows: HH:MM, perhaps with
seconds, fractions of them, AM or PM. ISO 8601 with an offset can't be mistaken, and fits every format."""

TIME_FORMATS: tuple[TimeFormat, ...] = get_args(TimeFormat)

_CLOCK = r"\s+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,6}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?"
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}|\d\d){_CLOCK}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})([/.-])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK.replace('\\s+', '(?:\\s+|T)')}")
# The usual times without an offset, which are not tried as ISO 8601: a failure for each row of a file would cost much.
_YEAR_LAST_START = re.compile(r"\d{1,2}[/.-]")
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?")
_NOON = 12
_LAST_HOUR = 24


def read_times(text: str, zone: ZoneInfo) -> dict[TimeFormat, datetime]:
    """Read a time in each format that it fits. 24:00 is the end of its day.

    Times outside the calendar fit none.

    >>> list(read_times("2/3/26 9:01 PM", ZoneInfo("Africa/Nairobi")))
    ['dd/mm/YY', 'mm/dd/YY']
    """
    text = text.strip()
    if _YEAR_LAST_START.match(text) is None and _LOCAL_TIME.fullmatch(text) is None:
        with contextlib.suppress(ValueError, OverflowError):
            return dict.fromkeys(TIME_FORMATS, _in_calendar(read_iso_time(text).astimezone(zone)))
    dates: dict[TimeFormat, tuple[str, str, str]] = {}
    if (found := _YEAR_LAST.fullmatch(text)) is not None:
        first, _, second, year = found.groups()[:4]
        if len(year) == 4:
            dates = {"dd/mm/YYYY": (year, second, first), "mm/dd/YYYY": (year, first, second)}
        else:
            dates = {"dd/mm/YY": (f"20{year}", second, first), "mm/dd/YY": (f"20{year}", first, second)}
    elif (found := _YEAR_FIRST.fullmatch(text)) is not None:
        year, _, month, day = found.groups()[:4]
        dates = {"YYYY-mm-dd": (year, month, day)}
    if found is None:
        return {}
    times: dict[TimeFormat, datetime] = {}
    for form, date in dates.items():
        try:
            times[form] = _make_time(date, found.groups()[4:], zone)
        except (ValueError, OverflowError):
            continue
    return times


def _make_time(date: tuple[str, str, str], clock: Sequence[str | None], zone: ZoneInfo) -> datetime:
    hours, minutes, seconds, fraction, half = clock
    hour, minute, second = int(hours or 0), int(minutes or 0), int(seconds or 0)
    if half is not None:
        if not 1 <= hour <= _NOON:
            raise ValueError
        hour = hour % _NOON + (_NOON if half in "pP" else 0)
    is_end = hour == _LAST_HOUR and not (minute or second or int(fraction or 0))
    year, month, day = map(int, date)
    microsecond = int(fraction.ljust(6, "0")) if fraction else 0
    # The zone is the project's.
    time = datetime(year, month, day, 0 if is_end else hour, minute, second, microsecond)  # noqa: DTZ001
    return _in_calendar((time + timedelta(days=1) if is_end else time).replace(tzinfo=zone))


def _in_calendar(time: datetime) -> datetime:
    """Return the time if later steps can handle it."""
    if not MINYEAR < time.year < MAXYEAR:
        time.astimezone(UTC)
    return time


def find_common_formats(times: Sequence[dict[TimeFormat, datetime]]) -> list[TimeFormat]:
    """List the formats that all the times of a file fit, in the order of the table."""
    counts = Counter(form for readings in times for form in readings)
    return [form for form in TIME_FORMATS if times and counts[form] == len(times)]
