"""The tables of the report: those of the CSVs as a person reads them, with names, bases and intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from engagement.analysis.charts_of_codes import (
    ELSEWHERE_NAME,
    WHAT_IS_ELSEWHERE,
    drop_unused,
    list_entries,
    note_on_base,
    say_basis,
    title_of,
)
from engagement.analysis.charts_of_engagement import OUTSIDE, RELEVANT_IS_NOT_THE_SAME, WHAT_IS_LABELLED
from engagement.analysis.intervals import Share
from engagement.analysis.report_html import Markup, element, join, make_table
from engagement.analysis.season import Season
from engagement.analysis.values import say_guess
from engagement.configuration import CodingConfiguration

if TYPE_CHECKING:
    import pandas

_MOST_ROWS = 500
_INTERVAL = "95 % interval"
_NOT_OVER = "not over: more may come"


def make_frame(caption: str, table: pandas.DataFrame, season: Season, small: Iterable[str] = ()) -> Markup:
    """A table of the season; counts of participants in the columns `small` are marked where they are small."""
    rows = [[_plain(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
    return _make_rows(caption, [str(column) for column in table.columns], rows, season, small)


def _make_rows(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[object]], season: Season, small: Iterable[str]
) -> Markup:
    columns = [header.index(name) for name in small]
    shown = make_table(caption, header, rows[:_MOST_ROWS], season.small_count_threshold, columns)
    if len(rows) > _MOST_ROWS:
        return join((shown, make_note(f"… and {len(rows) - _MOST_ROWS:,} rows more.")))
    return shown


def make_note(text: str) -> Markup:
    """A sentence below or above a table."""
    return element("p", text, class_="note")


def _plain(cell: object) -> object:
    """What the table library calls an integer is none of Python's."""
    return int(cell) if hasattr(cell, "item") and not isinstance(cell, str) else cell  # type: ignore[call-overload]


def make_values_table(season: Season, coding: CodingConfiguration, is_episode: bool) -> Markup:
    """How many participants have each theme of an episode, or gave each answer, with shares of those who have or gave any."""
    basis, (entries, unused) = season.basis(coding), drop_unused(list_entries(season, coding, is_episode))
    counts, first = ["Participants", *(say_guess(source).capitalize() for source in basis.guesses)], "Answer"
    caption = f"{title_of(coding, is_episode)}: {say_basis(season, coding, is_episode)}"
    if is_episode:
        first, caption = (
            "Theme",
            f"Participants with each theme of {coding.analysis_file_key}: " + caption.partition(": ")[2],
        )
    rows = [
        [one.name, one.count, *(one.guesses.get(source, 0) if one.is_answer else "" for source in basis.guesses),
         *_cells_of_share(one.count, basis.answered if one.is_answer else 0)]
        for one in entries
    ]  # fmt: skip
    notes = []
    if any(one.name == ELSEWHERE_NAME and not one.is_answer for one in entries):
        notes.append(WHAT_IS_ELSEWHERE)
    if unused:
        notes.append(f"{len(unused):,} more that nobody has are left out.")
    notes += note_on_base(season, basis.answered)
    table = _make_rows(caption, [first, *counts, "Share %", _INTERVAL], rows, season, counts)
    return join((table, *map(make_note, notes)))


def _cells_of_share(count: int, base: int) -> tuple[str, str]:
    if not base:
        return "", ""
    share = Share(count, base)
    return str(round(share.percent, 1)), share.say_interval()


def make_engagement_tables(season: Season) -> Markup:
    """Messages and participants of each episode, and how often participants came back."""
    repeats = season.repeat_participations.copy()
    counts = [int(count) for count in repeats["Number of Participants with Opt-Ins"]]
    repeats[_INTERVAL] = [_cells_of_share(count, sum(counts))[1] for count in counts]
    withdrew = (
        "Total Messages and Total Participants are of the whole season, and count those who withdrew consent, too; every other number "
        "leaves them out."
    )
    return join(
        (
            make_frame(
                "Messages and participants in each episode",
                season.engagement_counts,
                season,
                ("Total Participants with Opt-Ins", "Total Relevant Participants"),
            ),
            *map(make_note, (withdrew, RELEVANT_IS_NOT_THE_SAME)),
            make_frame(
                f"In how many episodes participants took part: shares of the {sum(counts):,} with opt-ins",
                repeats,
                season,
                ("Number of Participants with Opt-Ins",),
            ),
        )
    )


def make_traffic_tables(season: Season) -> Markup:
    """Messages of each week and of each configured range, with those outside of all ranges."""
    parts = [make_frame("Messages in each week", _mark(season.weekly_traffic, season.weeks_over), season)]
    if season.settings.traffic_labels:
        # The label first: it is what a narrow screen shows.
        table = season.traffic[["Label", *(name for name in season.traffic.columns if name != "Label")]]
        table = _mark(table, season.ranges_over)
        table.loc[len(table)] = {**dict.fromkeys(table.columns, ""), "Label": OUTSIDE, **season.traffic_outside}
        parts.append(make_frame("Messages in each time range", table, season))
    return join((*parts, make_note(WHAT_IS_LABELLED)))


def _mark(table: pandas.DataFrame, are_over: Sequence[bool]) -> pandas.DataFrame:
    """A table of periods with a note where one was not over yet; without any there is no column for it."""
    if all(are_over):
        return table.copy()
    return table.assign(Note=["" if is_over else _NOT_OVER for is_over in are_over])
