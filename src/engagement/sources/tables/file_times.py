"""The times of one file, gathered row by row: which format they have, and what is odd about them.

Only counts, first places and days are kept, so that a long file takes no more memory than a short one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from engagement.foundation.errors import count_of
from engagement.sources.tables.times import TIME_FORMATS, TimeFormat

_SWAPPED: dict[TimeFormat, TimeFormat] = {
    "dd/mm/YYYY": "mm/dd/YYYY",
    "mm/dd/YYYY": "dd/mm/YYYY",
    "dd/mm/YY": "mm/dd/YY",
    "mm/dd/YY": "dd/mm/YY",
}
_SHOWN = 5
# Clocks of phones and operators differ a little.
_SLACK = timedelta(days=1)
# Messages of a file are of days close to each other.
_NEAR = timedelta(days=14)
# Days and months that change places spread the days of a month over a year.
_TIMES_AS_LONG = 3

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class _Places:
    """How many rows there are of a kind, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[tuple[int, str]] = []

    def add(self, number: int, place: str) -> None:
        self.count += 1
        if len(self.first) <= _SHOWN:
            self.first.append((number, place))


class _Ambiguous(NamedTuple):
    """The first row that is another time in another format."""

    place: str
    time: datetime
    other: datetime


class FileTimes:
    """The times of a file, each as it reads in each format.

    `now` and `start`, of the project, are for doubts.
    """

    def __init__(self, now: datetime | None = None, start: datetime | None = None):
        self._latest = _LAST if now is None else now + _SLACK
        self._start = _FIRST if start is None else start
        self.count = 0
        self._groups: dict[tuple[TimeFormat, ...], _Places] = {}
        self._ambiguous: dict[tuple[TimeFormat, TimeFormat], _Ambiguous] = {}
        self._future: dict[TimeFormat, _Places] = {form: _Places() for form in TIME_FORMATS}
        self._early: dict[TimeFormat, _Places] = {form: _Places() for form in TIME_FORMATS}
        # Days that fit one order alone: the first and the last; days that fit both, in the two orders.
        self._sure: dict[TimeFormat, tuple[date, date]] = {}
        self._unsure: dict[TimeFormat, dict[tuple[date, date], _Places]] = {}

    def add(self, place: str, readings: Mapping[TimeFormat, datetime]) -> None:
        """Add the time of the next row."""
        self.count += 1
        forms = tuple(readings)
        group = self._groups.get(forms)
        if group is None:
            group = self._groups[forms] = _Places()
        group.add(self.count, place)
        seen: datetime | None = None
        is_future = is_early = False
        for form, time in readings.items():
            # Most times are the same in all formats, and comparing those of different zones takes long.
            if time is not seen:
                seen, is_future, is_early = time, time > self._latest, time < self._start
            if is_future:
                self._future[form].add(self.count, place)
            if is_early:
                self._early[form].add(self.count, place)
            other = _SWAPPED.get(form)
            if other is None:
                continue
            day = time.date()
            if (swapped := readings.get(other)) is None:
                first, last = self._sure.get(form, (day, day))
                self._sure[form] = (min(first, day), max(last, day))
                continue
            days = self._unsure.setdefault(form, {})
            pair = (day, swapped.date())
            if pair not in days:
                days[pair] = _Places()
            days[pair].add(self.count, place)
            if time != swapped and (form, other) not in self._ambiguous:
                self._ambiguous[form, other] = _Ambiguous(place, time, swapped)

    @property
    def common_formats(self) -> list[TimeFormat]:
        """The formats that all times fit, in the order of the table."""
        return [form for form in TIME_FORMATS if self.count and all(form in forms for forms in self._groups)]

    def choose_format(self) -> tuple[TimeFormat, str | None]:
        """Choose the one format that all times fit; with a problem if there is another one.

        If no format fits all, it is the one that fits most.
        """
        common = self.common_formats
        if not common:
            counts: Counter[TimeFormat] = Counter()
            for forms, group in self._groups.items():
                counts.update(dict.fromkeys(forms, group.count))
            return max(TIME_FORMATS, key=lambda form: counts[form]), None
        first = common[0]
        for other in common[1:]:
            found = self._ambiguous.get((first, other))
            if found is not None:
                return first, (
                    f"{found.place}: {found.time:%Y-%m-%d %H:%M} if it is {first}, {found.other:%Y-%m-%d %H:%M} if it is {other}, "
                    "and all rows fit both; expected one format that fits. Set TimeFormat to the right one."
                )
        return first, None

    def find_misfits(self, form: TimeFormat) -> tuple[int, str]:
        """Count the times that don't fit a format, and name the first one's place."""
        others = [group for forms, group in self._groups.items() if form not in forms]
        first = min((group.first[0] for group in others), default=(0, ""))
        return sum(group.count for group in others), first[1]

    def find_doubts(self, form: TimeFormat) -> Iterator[str]:
        """Say what is odd about the times, read in a format that all fit. Each doubt names its first rows."""
        future, early = self._future[form], self._early[form]
        if future.count:
            yield f"{count_of(future.count, 'time')} in the future ({_show([future])})"
        if early.count:
            yield f"{count_of(early.count, 'time')} before ProjectStartDate ({_show([early])})"
        yield from self._find_other_order(form)

    def _find_other_order(self, form: TimeFormat) -> Iterator[str]:
        other, unsure = _SWAPPED.get(form), self._unsure.get(form, {})
        if other is None or not unsure:
            return
        if form in self._sure:
            first, last = self._sure[form][0] - _NEAR, self._sure[form][1] + _NEAR
            odd = [
                places
                for (day, swapped), places in unsure.items()
                if not first <= day <= last and first <= swapped <= last
            ]
            if odd:
                count = sum(places.count for places in odd)
                yield (
                    f"{count_of(count, 'time')} far from the others, which {other} would put among them ({_show(odd)}): two orders "
                    "of the date may be mixed"
                )
            return
        days, swapped_days = [day for day, _ in unsure], [swapped for _, swapped in unsure]
        if _span(days) > _TIMES_AS_LONG * _span(swapped_days) + 1:
            yield (
                f"all times fit {other} as well, and are {_span(swapped_days) + 1} days then instead of {_span(days) + 1}: the order of "
                "the date may be the other one"
            )


def _span(days: Sequence[date]) -> int:
    return (max(days) - min(days)).days


def _show(kinds: Sequence[_Places]) -> str:
    first = sorted(place for places in kinds for place in places.first)
    shown = "; ".join(place for _, place in first[:_SHOWN])
    return shown + ("; …" if sum(places.count for places in kinds) > _SHOWN else "")
