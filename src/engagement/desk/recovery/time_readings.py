"""What the times of an export's rows may mean, in little memory: an export has a million rows."""

from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import overload
from zoneinfo import ZoneInfo

from engagement.foundation.microseconds import count_microseconds, make_instant
from engagement.sources.tables.delimited import TableRow
from engagement.sources.tables.times import TIME_FORMATS, TimeFormat

type Reading = tuple[str, dict[TimeFormat, datetime]]

_NONE = -(2**63)


class TimeReadings(Sequence[Reading]):
    """The place of each row, and its time in each format that it fits."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._places = array("q")
        self._times = {form: array("q") for form in TIME_FORMATS}
        self._fitting = dict.fromkeys(TIME_FORMATS, 0)

    def add(self, row: TableRow, found: dict[TimeFormat, datetime]) -> None:
        """Add what a row's time may mean."""
        self._places.extend((row.number, row.line))
        for form, times in self._times.items():
            time = found.get(form)
            times.append(_NONE if time is None else count_microseconds(time))
            self._fitting[form] += time is not None

    def count_fitting(self, form: TimeFormat) -> int:
        """Count the rows that fit a format."""
        return self._fitting[form]

    def in_format(self, form: TimeFormat, otherwise: datetime) -> Iterator[datetime]:
        """Give each row's time as one format has it."""
        for time in self._times[form]:
            yield otherwise if time == _NONE else make_instant(time).astimezone(self._zone)

    def __len__(self) -> int:
        return len(self._places) // 2

    @overload
    def __getitem__(self, position: int) -> Reading: ...
    @overload
    def __getitem__(self, position: slice) -> list[Reading]: ...
    def __getitem__(self, position: int | slice) -> Reading | list[Reading]:
        """Return what a row's time may mean, after its place."""
        if isinstance(position, slice):
            return [self[number] for number in range(*position.indices(len(self)))]
        number, line = self._places[2 * position], self._places[2 * position + 1]
        found = {form: times[position] for form, times in self._times.items() if times[position] != _NONE}
        times = {form: make_instant(time).astimezone(self._zone) for form, time in found.items()}
        return TableRow(number, line, []).place, times
