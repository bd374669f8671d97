"""Message counts over time."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy
import pandas

from engagement.analysis.tables.coded_table import CodedTable, any_of
from engagement.configuration import CodingConfiguration
from engagement.configuration.pipeline_configuration import TrafficLabel
from engagement.pipeline.outputs.analysis_files import TIME

_COUNTS = {
    "Total Messages with Opt-Ins": "responded",
    "Total Labelled Messages": "labelled",
    "Total Relevant Messages": "relevant_message",
}


def count_by_label(
    messages: CodedTable, episodes: Sequence[CodingConfiguration], labels: Sequence[TrafficLabel]
) -> pandas.DataFrame:
    """Return the columns of traffic_analysis.csv.

    It has a row for each labelled range [StartDate, EndDate); ranges may overlap.
    """
    times = messages.column(TIME)
    ranges = [((times >= label.start_date) & (times < label.end_date)).to_numpy() for label in labels]
    counts = {name: any_of(messages, episodes, what) for name, what in _COUNTS.items()}
    return pandas.DataFrame(
        {
            "Start Date": [label.start_date.isoformat() for label in labels],
            "End Date": [label.end_date.isoformat() for label in labels],
            "Label": [label.label for label in labels],
            **{name: [int(counted[within].sum()) for within in ranges] for name, counted in counts.items()},
        }
    )


def count_outside(
    messages: CodedTable, episodes: Sequence[CodingConfiguration], labels: Sequence[TrafficLabel]
) -> dict[str, int]:
    """Return the counts of `count_by_label` for messages in none of the ranges."""
    times = messages.column(TIME)
    outside = numpy.ones(len(messages), dtype=bool)
    for label in labels:
        outside &= ~((times >= label.start_date) & (times < label.end_date)).to_numpy()
    return {name: int(any_of(messages, episodes, what)[outside].sum()) for name, what in _COUNTS.items()}


def count_by_week(
    messages: CodedTable, episodes: Sequence[CodingConfiguration], time_zone: ZoneInfo
) -> pandas.DataFrame:
    """Return a row for each ISO week, Monday to Sunday in the time zone, from first to last message."""
    # Counts weeks from Monday 1969-12-29, by the local calendar.
    local = messages.column(TIME).dt.tz_convert(time_zone).dt.tz_localize(None)
    weeks = (local.to_numpy().astype("datetime64[D]").astype(numpy.int64) + 3) // 7
    first, after = (int(weeks.min()), int(weeks.max()) + 1) if len(weeks) else (0, 0)
    mondays = [pandas.Timestamp("1969-12-29") + pandas.Timedelta(weeks=week) for week in range(first, after)]
    return pandas.DataFrame(
        {
            "Week": [monday.strftime("%G-W%V") for monday in mondays],
            "Start Date": [monday.strftime("%Y-%m-%d") for monday in mondays],
            **{
                name: numpy.bincount(weeks[any_of(messages, episodes, what)] - first, minlength=after - first)
                for name, what in _COUNTS.items()
            },
        }
    )
