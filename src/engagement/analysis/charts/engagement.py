"""Content of the charts of messages, participants and traffic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from engagement.analysis.charts.broadcasts import find_broadcasts, mark_weeks, note_on_marks
from engagement.analysis.charts.codes import bars_with_shares, note_on_base, note_on_intervals, note_on_small
from engagement.analysis.charts.drawing import BarChart, Bars, label_step
from engagement.analysis.tables.season import Season
from engagement.foundation.errors import count_of

if TYPE_CHECKING:
    import pandas

OUTSIDE = "outside all ranges"
_OPT_INS, _LABELLED, _RELEVANT = "with opt-ins", "labelled", "relevant"
_WHAT_IS_RELEVANT = "Relevant messages: labelled to the end, with at least one theme."
_NOT_OVER = "†"
# The two are counted differently, so readers need this note to compare the numbers.
RELEVANT_IS_NOT_THE_SAME = (
    "A message is relevant once no label of it is missing (NR) and one is a theme; a participant as soon as one of their messages has "
    "a theme. So there may be more relevant participants than relevant messages."
)
WHAT_IS_LABELLED = "Labelled: coders have seen all of it. What is not labelled yet can't be relevant."


def chart_engagement(season: Season, what: Literal["Messages", "Participants"]) -> BarChart:
    """Chart each episode's messages or participants: responded, labelled and relevant."""
    counts = season.engagement_counts
    episodes = counts[counts["Dataset"] != "Total"]
    total = counts[counts["Dataset"] == "Total"].iloc[0]
    columns = {_OPT_INS: f"Total {what} with Opt-Ins", _RELEVANT: f"Total Relevant {what}"}
    if what == "Messages":
        columns = {
            _OPT_INS: columns[_OPT_INS], _LABELLED: "Total Labelled Messages", _RELEVANT: columns[_RELEVANT],
        }  # fmt: skip
    return BarChart(
        title=f"{what} in each episode",
        subtitle=f"n = {count_of(int(total[columns[_OPT_INS]]), what.casefold()[:-1])} with opt-ins in the season",
        value_axis=what,
        labels=tuple(map(str, episodes["Dataset"])),
        series=tuple(_counted(f"{what} {name}", episodes[column]) for name, column in columns.items()),
        notes=(
            (WHAT_IS_LABELLED, RELEVANT_IS_NOT_THE_SAME)
            if what == "Messages"
            else ("Whoever took part in several episodes counts in each.", RELEVANT_IS_NOT_THE_SAME)
        ),
    )


def chart_repeats(season: Season) -> BarChart:
    """Chart participants by the number of episodes they took part in."""
    table = season.repeat_participations
    counts = [int(count) for count in table["Number of Participants with Opt-Ins"]]
    base = sum(counts)
    return BarChart(
        title="Participants by the number of episodes they took part in",
        subtitle=f"n = {count_of(base, 'participant')} with opt-ins; shares are of them",
        value_axis="Participants",
        labels=tuple(count_of(number, "episode") for number in table["Number of Episodes Participated In"]),
        series=(bars_with_shares(season, "", counts, [base] * len(counts)),),
        notes=(*note_on_base(season, base), *note_on_small(season, counts), *note_on_intervals(base)),
    )


def chart_weeks(season: Season) -> BarChart:
    """Chart the messages of each week, with the project's broadcasts and adverts."""
    table, events = season.weekly_traffic, find_broadcasts(season)
    marks = mark_weeks(season, events)
    opt_ins = table["Total Messages with Opt-Ins"]
    are_over = season.weeks_over
    labels = _weeks(table["Start Date"], label_step(len(table)))
    return BarChart(
        title="Messages in each week",
        subtitle=f"n = {count_of(int(opt_ins.sum()), 'message')} with opt-ins; weeks begin on Monday, {season.time_zone.key}",
        value_axis="Messages",
        label_axis="Week that begins on",
        labels=tuple(_mark_unfinished(labels, are_over)),
        series=_traffic_series(table),
        notes=(
            WHAT_IS_LABELLED, _WHAT_IS_RELEVANT, *_note_on_unfinished(are_over), *note_on_marks(marks, events),
        ),
        is_upright=True,
        marks=marks,
    )  # fmt: skip


def _traffic_series(table: pandas.DataFrame) -> tuple[Bars, ...]:
    columns = {
        _OPT_INS: "Total Messages with Opt-Ins",
        _LABELLED: "Total Labelled Messages",
        _RELEVANT: "Total Relevant Messages",
    }
    return tuple(_counted(f"Messages {name}", table[column]) for name, column in columns.items())


def _weeks(days: Iterable[str], step: int = 1) -> Iterable[str]:
    """Return dates for an axis that shows every `step`-th; the year only at its start.

    >>> list(_weeks(["2026-12-28", "2027-01-04", "2027-01-11"]))
    ['28 Dec 2026', '4 Jan 2027', '11 Jan']
    >>> list(_weeks(["2026-12-28", "2027-01-04", "2027-01-11"], step=2))
    ['28 Dec 2026', '4 Jan', '11 Jan 2027']
    """
    year = None
    for number, text in enumerate(days):
        day, is_shown = date.fromisoformat(text), number % step == 0
        yield f"{day.day} {day:%b}" + (f" {day.year}" if is_shown and day.year != year else "")
        year = day.year if is_shown else year


def _mark_unfinished(labels: Iterable[str], are_over: Sequence[bool]) -> Iterable[str]:
    return (label if is_over else f"{label} {_NOT_OVER}" for label, is_over in zip(labels, are_over, strict=True))


def _note_on_unfinished(are_over: Sequence[bool]) -> tuple[str, ...]:
    """Explain the dagger, if there is one."""
    if all(are_over):
        return ()
    return (f"{_NOT_OVER} not over when the outputs were made: more messages may come",)


def chart_ranges(season: Season) -> BarChart:
    """Chart the messages of each configured time range."""
    table = season.traffic.drop(columns=["Start Date", "End Date"])
    outside = season.traffic_outside
    inside = int(table["Total Messages with Opt-Ins"].sum())
    total = int(season.weekly_traffic["Total Messages with Opt-Ins"].sum())
    left_out = outside["Total Messages with Opt-Ins"]
    table.loc[len(table)] = {"Label": OUTSIDE, **outside}
    are_over = (*season.ranges_over, True)
    overlap = ("Ranges overlap: a message in several counts in each.",) if inside + left_out > total else ()
    return BarChart(
        title="Messages in each time range",
        subtitle=f"n = {count_of(total, 'message')} with opt-ins, {total - left_out:,} of them in these ranges",
        value_axis="Messages",
        labels=tuple(_mark_unfinished(map(str, table["Label"]), are_over)),
        series=_traffic_series(table),
        notes=(*overlap, WHAT_IS_LABELLED, _WHAT_IS_RELEVANT, *_note_on_unfinished(are_over)),
    )


def _counted(name: str, counts: Iterable[object]) -> Bars:
    # "-" marks a count that makes no sense.
    values = [0 if count == "-" else int(str(count)) for count in counts]
    return Bars(name, tuple(values), tuple(f"{value:,}" for value in values))
