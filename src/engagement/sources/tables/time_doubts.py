"""Doubts about times that could be read: in the future, too early, or in another order of the date."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from engagement.foundation.errors import count_of
from engagement.sources.tables.times import TimeFormat

_OTHER_ORDER: dict[TimeFormat, TimeFormat] = {
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

PlacedTimes = Sequence[tuple[str, dict[TimeFormat, datetime]]]


def find_time_doubts(times: PlacedTimes, form: TimeFormat, now: datetime, start: datetime) -> Iterator[str]:
    """Say what is odd about the times of a file, read in one format. `start` is when the project starts.

    `times` are the readings of each row, with its place. Each doubt names its first rows.
    """
    future = [place for place, found in times if found[form] > now + _SLACK]
    if future:
        yield f"{count_of(len(future), 'time')} in the future ({_show(future)})"
    early = [place for place, found in times if found[form] < start]
    if early:
        yield f"{count_of(len(early), 'time')} before ProjectStartDate ({_show(early)})"
    yield from _find_other_order(times, form)


def _find_other_order(times: PlacedTimes, form: TimeFormat) -> Iterator[str]:
    other = _OTHER_ORDER.get(form)
    if other is None:
        return
    sure = [found[form].date() for _, found in times if other not in found]
    unsure = [(place, found[form].date(), found[other].date()) for place, found in times if other in found]
    if sure:
        first, last = min(sure) - _NEAR, max(sure) + _NEAR
        odd = [place for place, day, swapped in unsure if not first <= day <= last and first <= swapped <= last]
        if odd:
            yield (
                f"{count_of(len(odd), 'time')} far from the others, which {other} would put among them ({_show(odd)}): two orders of the "
                "date may be mixed"
            )
    elif unsure:
        days, swapped_days = [day for _, day, _ in unsure], [swapped for _, _, swapped in unsure]
        if _span(days) > _TIMES_AS_LONG * _span(swapped_days) + 1:
            yield (
                f"all times fit {other} as well, and are {_span(swapped_days) + 1} days then instead of {_span(days) + 1}: the order of "
                "the date may be the other one"
            )


def _span(days: Sequence[date]) -> int:
    return (max(days) - min(days)).days


def _show(places: Sequence[str]) -> str:
    return "; ".join(places[:_SHOWN]) + ("; …" if len(places) > _SHOWN else "")
