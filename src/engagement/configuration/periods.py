"""Periods of whole days, months and years, as ISO 8601 writes them: "P90D", "P1Y6M"."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from engagement.configuration.value_types import refuse

_PERIOD = re.compile(r"P(?=\d)(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<days>\d{1,5})D)?")
_MONTHS_A_YEAR = 12
# Four years have every length of a month, and of a year.
_FIRST_DAY, _DAYS = datetime(2023, 1, 1, tzinfo=UTC), 4 * 366


@dataclass(frozen=True)
class CalendarPeriod:
    """A number of months, then of days."""

    months: int
    days: int
    text: str = ""

    def before(self, time: datetime) -> datetime:
        """Return the time that long before: in a shorter month, its last day.

        >>> CalendarPeriod(1, 0).before(datetime(2026, 3, 31))
        datetime.datetime(2026, 2, 28, 0, 0)
        """
        year, month = divmod(time.year * _MONTHS_A_YEAR + time.month - 1 - self.months, _MONTHS_A_YEAR)
        if year < 1:
            return datetime.min.replace(tzinfo=time.tzinfo)
        day = min(time.day, calendar.monthrange(year, month + 1)[1])
        try:
            return time.replace(year=year, month=month + 1, day=day) - timedelta(days=self.days)
        except OverflowError:
            return datetime.min.replace(tzinfo=time.tzinfo)

    def ends(self, time: datetime) -> datetime:
        """Return the beginning of the first day on which a time is longer ago than this.

        >>> CalendarPeriod(1, 0).ends(datetime(2026, 1, 30, 7))
        datetime.datetime(2026, 3, 1, 0, 0)
        """
        # No month has fewer days.
        day = time.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=28 * self.months + self.days)
        while self.before(day) <= time:
            day += timedelta(days=1)
        return day

    def is_shorter_than(self, other: "CalendarPeriod") -> bool:
        """Check if it is the shorter one, on any day of the calendar."""
        days = (_FIRST_DAY + timedelta(days=number) for number in range(_DAYS))
        return any(self.before(day) > other.before(day) for day in days)


def read_period(text: object) -> CalendarPeriod:
    """Read a period; raises what a validator raises.

    >>> read_period("P1Y6M")
    CalendarPeriod(months=18, days=0, text='P1Y6M')
    """
    found = _PERIOD.fullmatch(text) if isinstance(text, str) else None
    if not isinstance(text, str) or found is None:
        raise refuse(
            "is no period of whole days, months and years; expected ISO 8601 text, like 'P90D', 'P6M' or 'P3Y'. Change it."
        )
    years, months, days = (int(found[name] or 0) for name in ("years", "months", "days"))
    if years == months == days == 0:
        raise refuse("is no time at all; expected a period, like 'P90D'. Change it.")
    return CalendarPeriod(years * _MONTHS_A_YEAR + months, days, text)


Period = Annotated[
    CalendarPeriod,
    BeforeValidator(lambda value: value if isinstance(value, CalendarPeriod) else read_period(value)),
    PlainSerializer(lambda period: period.text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^P(?=\d)(\d{1,3}Y)?(\d{1,4}M)?(\d{1,5}D)?$"}),
]
