"""What the charts of messages, participants and traffic show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from engagement.analysis.charts_drawing import BarChart, Bars
from engagement.analysis.season import Season

_OPT_INS, _LABELLED, _RELEVANT = "with opt-ins", "labelled", "relevant"
_WHAT_IS_RELEVANT = "Relevant: labelled with at least one theme."


def chart_engagement(season: Season, what: Literal["Messages", "Participants"]) -> BarChart:
    """Messages or participants of each episode: those who responded, and of them the labelled and the relevant ones."""
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
        subtitle=f"n = {int(total[columns[_OPT_INS]]):,} {what.casefold()} with opt-ins in the season",
        value_axis=what,
        labels=tuple(map(str, episodes["Dataset"])),
        series=tuple(_counted(f"{what} {name}", episodes[column]) for name, column in columns.items()),
        notes=(_WHAT_IS_RELEVANT,)
        + (("Whoever took part in several episodes counts in each.",) if what == "Participants" else ()),
    )


def chart_repeats(season: Season) -> BarChart:
    """How many participants took part in one episode, in two, and so on."""
    table = season.repeat_participations
    counts = [int(count) for count in table["Number of Participants with Opt-Ins"]]
    shares = table["% of Participants with Opt-Ins"]
    return BarChart(
        title="Participants by the number of episodes they took part in",
        subtitle=f"n = {sum(counts):,} participants with opt-ins",
        value_axis="Participants",
        label_axis="Number of episodes",
        labels=tuple(str(number) for number in table["Number of Episodes Participated In"]),
        series=(
            Bars(
                "",
                tuple(counts),
                tuple(_with_share(count, str(share)) for count, share in zip(counts, shares, strict=True)),
            ),
        ),
        is_upright=len(counts) <= 20,
    )


def _with_share(count: int, share: str) -> str:
    return f"{count:,}" if share == "-" else f"{count:,} ({share} %)"


def chart_weeks(season: Season) -> BarChart:
    """Messages of each week."""
    table = season.weekly_traffic
    opt_ins = table["Total Messages with Opt-Ins"]
    return BarChart(
        title="Messages in each week",
        subtitle=f"n = {int(opt_ins.sum()):,} messages with opt-ins; weeks begin on Monday, {season.time_zone.key}",
        value_axis="Messages",
        label_axis="Week that begins on",
        labels=tuple(_weeks(table["Start Date"])),
        series=(
            _counted(f"Messages {_OPT_INS}", opt_ins),
            _counted(f"Messages {_RELEVANT}", table["Total Relevant Messages"]),
        ),
        notes=(_WHAT_IS_RELEVANT,),
        is_upright=True,
    )


def _weeks(days: Sequence[str]) -> Iterable[str]:
    """Days to read at an axis; the year only where it begins.

    >>> list(_weeks(["2026-12-28", "2027-01-04", "2027-01-11"]))
    ['28 Dec 2026', '4 Jan 2027', '11 Jan']
    """
    year = None
    for text in days:
        day = date.fromisoformat(text)
        yield f"{day.day} {day:%b}" + (f" {day.year}" if day.year != year else "")
        year = day.year


def chart_ranges(season: Season) -> BarChart:
    """Messages of each configured time range."""
    table = season.traffic
    opt_ins = table["Total Messages with Opt-Ins"]
    return BarChart(
        title="Messages in each time range",
        subtitle=f"n = {int(opt_ins.sum()):,} messages with opt-ins in these ranges",
        value_axis="Messages",
        labels=tuple(map(str, table["Label"])),
        series=(
            _counted(f"Messages {_OPT_INS}", opt_ins),
            _counted(f"Messages {_RELEVANT}", table["Total Relevant Messages"]),
        ),
        notes=(_WHAT_IS_RELEVANT,),
    )


def _counted(name: str, counts: Iterable[object]) -> Bars:
    # "-" stands where a count makes no sense.
    values = [0 if count == "-" else int(str(count)) for count in counts]
    return Bars(name, tuple(values), tuple(f"{value:,}" for value in values))
