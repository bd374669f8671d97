"""Broadcasts and adverts on the chart of weeks, from the project's calendar."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from engagement.analysis.charts.drawing import MARK_SIGNS, ChartMark
from engagement.analysis.statistics.given_files import BroadcastEvent, read_calendar
from engagement.analysis.tables.season import Season

log = logging.getLogger(__name__)

_WEEK = timedelta(days=7)
_MOST_LISTED = 12


def find_broadcasts(season: Season) -> tuple[BroadcastEvent, ...]:
    """Read the project's calendar; nothing without one.

    Only a copy of the configuration can lack the file: stage 5 reads the calendar for its statistics, and refuses.
    """
    name = season.settings.statistics.broadcast_calendar_file
    if name is None:
        return ()
    path = season.project.path.parent / name
    if not path.exists():
        log.warning("%s: not there; the traffic chart has no broadcasts. Name --pipeline-configuration.", path)
        return ()
    return read_calendar(path)


def mark_weeks(season: Season, events: Sequence[BroadcastEvent]) -> tuple[ChartMark, ...]:
    """Place the events within a chart's weeks, in order of time."""
    mondays = season.weekly_traffic["Start Date"]
    if not len(mondays):
        return ()
    first = datetime.fromisoformat(mondays.iloc[0])
    kinds = list(dict.fromkeys(event.kind for event in events))
    marks = []
    for event in sorted(events, key=lambda event: event.start):
        local = event.start.astimezone(season.time_zone).replace(tzinfo=None)
        # A bar stands in the middle of its week.
        place = (local - first) / _WEEK - 0.5
        if -0.5 <= place < len(mondays) - 0.5:
            marks.append(ChartMark(round(place, 4), kinds.index(event.kind), event.kind, _say(event, local)))
    return tuple(marks)


def _say(event: BroadcastEvent, local: datetime) -> str:
    what = " ".join(filter(None, (event.kind, event.episode)))
    return f"{what}, {local:%a} {local.day} {local:%b %H:%M}"


def note_on_marks(marks: Sequence[ChartMark], events: Sequence[BroadcastEvent]) -> Iterator[str]:
    """Explain the marks, and list them if they are few."""
    if not events:
        return
    counts = Counter((mark.row, mark.kind) for mark in marks)
    told = "; ".join(
        f"{MARK_SIGNS[row % len(MARK_SIGNS)]} {kind} ({count})" for (row, kind), count in sorted(counts.items())
    )
    left_out = len(events) - len(marks)
    more = f" {left_out:,} of the calendar before or after these weeks." if left_out else ""
    yield f"Broadcasts and adverts: {told or 'none in these weeks'}. A rise after one does not prove that it was the cause.{more}"
    if 0 < len(marks) <= _MOST_LISTED:
        yield f"When: {'; '.join(mark.text for mark in marks)}."
