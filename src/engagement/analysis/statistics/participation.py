"""Participation over time: who is new, who came back, and messages a day and around broadcasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy
import pandas

from engagement.analysis.statistics.given_files import BroadcastEvent
from engagement.analysis.tables.coded_table import Mask, any_of
from engagement.analysis.tables.intervals import wilson_interval
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingPlan
from engagement.pipeline.outputs.analysis_files import TIME, UID

EPISODE, WEEK = "episode", "week"
_HOUR, _DAY = numpy.timedelta64(1, "h"), numpy.timedelta64(1, "D")


class NewAndReturningRow(NamedTuple):
    """A row of new_and_returning.csv."""

    unit: str
    period: str
    participants: int
    new: int
    returning: int
    percent_new: float | None


class DayRow(NamedTuple):
    """A row of traffic_per_day.csv."""

    date: str
    messages: int
    labelled: int
    relevant: int
    participants: int
    new_participants: int
    events: str


class EventRow(NamedTuple):
    """A row of traffic_per_event.csv: messages after the event's start, and in the day before it."""

    start: str
    kind: str
    episode: str
    station: str
    messages_first_hour: int
    messages_first_day: int
    messages_day_before: int


# "from" and "to" are the columns of participants in one episode and, of these, in a later one.
RETENTION_COLUMNS = ("from", "to", "participants", "returned", "percent", "low", "high")
type RetentionRow = tuple[str, str, int, int, float | None, float | None, float | None]


@dataclass(frozen=True, eq=False)
class Participation:
    """The messages with which participants responded to episodes, and when.

    An episode is a plan, named after its first coding: a message counts once, however many codings it has.
    """

    season: Season

    @cached_property
    def _plans(self) -> dict[str, numpy.ndarray]:
        """Masks of the messages with which somebody responded, by episode."""
        found: dict[str, tuple[str, numpy.ndarray]] = {}
        for plan, coding in self.season.episodes:
            responded = self.season.messages.codes(coding).responded
            name, before = found.get(plan.raw_field, (str(coding.analysis_file_key), False))
            found[plan.raw_field] = name, before | responded
        return dict(found.values())

    @cached_property
    def _uids(self) -> numpy.ndarray:
        """The number of each message's participant."""
        numbers: numpy.ndarray = self.season.messages.column(UID).cat.codes.to_numpy()
        return numbers

    @cached_property
    def _times(self) -> numpy.ndarray:
        """UTC instants, as datetime64."""
        times: numpy.ndarray = self.season.messages.column(TIME).dt.tz_localize(None).to_numpy()
        return times

    @cached_property
    def _days(self) -> numpy.ndarray:
        """Days of the project's time zone, as datetime64[D]."""
        local = self.season.messages.column(TIME).dt.tz_convert(self.season.time_zone).dt.tz_localize(None)
        days: numpy.ndarray = local.to_numpy().astype("datetime64[D]")
        return days

    @cached_property
    def _responded(self) -> numpy.ndarray:
        codings = [coding for _, coding in self.season.episodes]
        return any_of(self.season.messages, codings, "responded")

    @cached_property
    def _first(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """The message with which each participant first responded, and the position of its episode.

        Of messages at the same time it is the one of the earlier plan.
        """
        messages = [numpy.flatnonzero(rows) for rows in self._plans.values()]
        plans = numpy.repeat(numpy.arange(len(messages)), [len(rows) for rows in messages])
        rows = numpy.concatenate([*messages, numpy.array([], numpy.int64)])
        order = numpy.lexsort((plans, self._times[rows]))
        _, first = numpy.unique(self._uids[rows[order]], return_index=True)
        return rows[order][first], plans[order][first]

    def is_new(self, plan: CodingPlan) -> Mask:
        """Tell of each participant, by the number of a uid in the messages, who first responded to a plan."""
        position = list(dict.fromkeys(episode.raw_field for episode, _ in self.season.episodes)).index(plan.raw_field)
        rows, plans = self._first
        found = numpy.zeros(len(self.season.messages.column(UID).cat.categories), dtype=bool)
        found[self._uids[rows[plans == position]]] = True
        return found

    def list_new_and_returning(self) -> list[NewAndReturningRow]:
        """List participants by episode and by week; each is new once, so that new adds up to all."""
        first, plans = self._first
        rows = []
        for position, (name, responded) in enumerate(self._plans.items()):
            participants = int(self._people(responded).sum())
            rows.append(_new_and_returning(EPISODE, name, participants, int((plans == position).sum())))
        mondays = _monday_of(self._days)
        weeks = _every(mondays, numpy.timedelta64(7, "D"))
        for monday, participants in zip(weeks, self._count_people(mondays, weeks), strict=True):
            new = int((mondays[first] == monday).sum())
            rows.append(_new_and_returning(WEEK, pandas.Timestamp(monday).strftime("%G-W%V"), participants, new))
        return rows

    def list_retention(self) -> list[RetentionRow]:
        """List how many of each episode's participants are in each later one, whenever they wrote."""
        people = {name: self._people(responded) for name, responded in self._plans.items()}
        names = list(people)
        rows: list[RetentionRow] = []
        for position, name in enumerate(names):
            for later in names[position + 1 :]:
                base = int(people[name].sum())
                count = int((people[name] & people[later]).sum())
                figures = (100 * count / base, *wilson_interval(count, base)) if base else (None, None, None)
                rows.append((name, later, base, count, *figures))
        return rows

    def list_days(self, events: Sequence[BroadcastEvent]) -> list[DayRow]:
        """List every day from the first message's to the last one's, with its broadcasts."""
        codings = [coding for _, coding in self.season.episodes]
        days = _every(self._days, _DAY)
        counts = [
            self._count_by_day(any_of(self.season.messages, codings, what), len(days))
            for what in ("responded", "labelled", "relevant_message")
        ]
        first = numpy.zeros(len(self._days), dtype=bool)
        first[self._first[0]] = True
        counts += [self._count_people(self._days, days), self._count_by_day(first, len(days))]
        told: dict[str, list[str]] = {}
        for event in sorted(events, key=lambda event: event.start):
            date = event.start.astimezone(self.season.time_zone).date().isoformat()
            told.setdefault(date, []).append(f"{event.kind} {event.episode}".rstrip())
        broadcasts = ["; ".join(told.get(str(day), ())) for day in days]
        return list(map(DayRow, map(str, days), *counts, broadcasts))

    def _count_people(self, periods: numpy.ndarray, every: numpy.ndarray) -> list[int]:
        """Count who responded in each of `every` period; `periods` are those of the messages."""
        uids = self._uids[self._responded].astype(numpy.int64)
        size = int(uids.max(initial=0)) + 1
        # Sorted: looking for distinct numbers by hash takes ten times as long.
        pairs = numpy.sort(numpy.searchsorted(every, periods[self._responded]) * size + uids)
        is_first = numpy.ones(len(pairs), dtype=bool)
        is_first[1:] = pairs[1:] != pairs[:-1]
        counts: list[int] = numpy.bincount(pairs[is_first] // size, minlength=len(every)).tolist()
        return counts

    def _people(self, rows: numpy.ndarray) -> Mask:
        """Find the participants of some messages (a mask), by the number of their uid."""
        found = numpy.zeros(int(self._uids.max(initial=-1)) + 1, dtype=bool)
        found[self._uids[rows]] = True
        return found

    def _count_by_day(self, rows: numpy.ndarray, days: int) -> list[int]:
        if not days:
            return []
        numbers = (self._days[rows] - self._days.min()).astype(numpy.int64)
        counts: list[int] = numpy.bincount(numbers, minlength=days).tolist()
        return counts

    def list_events(self, events: Sequence[BroadcastEvent]) -> list[EventRow]:
        """List the messages to all episodes around each event: a description, which shows no effect."""
        times = numpy.sort(self._times[self._responded])
        rows = []
        for event in events:
            start = pandas.Timestamp(event.start).tz_convert("UTC").tz_localize(None).to_datetime64()
            before, at, hour, day = numpy.searchsorted(
                times, [start - _DAY, start, start + _HOUR, start + _DAY]
            ).tolist()
            rows.append(
                EventRow(
                    event.start.isoformat(), event.kind, event.episode, event.station, hour - at, day - at, at - before
                )
            )
        return rows


@lru_cache(maxsize=1)
def participation_of(season: Season) -> Participation:
    """Return a season's participation: the statistics and the report share what it finds."""
    return Participation(season)


def _new_and_returning(unit: str, period: str, participants: int, new: int) -> NewAndReturningRow:
    percent = 100 * new / participants if participants else None
    return NewAndReturningRow(unit, period, participants, new, participants - new, percent)


def _monday_of(days: numpy.ndarray) -> numpy.ndarray:
    # 1970-01-01 was a Thursday.
    monday: numpy.ndarray = days - ((days.astype(numpy.int64) + 3) % 7)
    return monday


def _every(days: numpy.ndarray, step: numpy.timedelta64) -> numpy.ndarray:
    if not len(days):
        return days
    return numpy.arange(days.min(), days.max() + step, step)
