"""Tables of the report: the CSVs in readable form, with names, bases and intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.charts.codes import (
    ELSEWHERE_NAME,
    WHAT_IS_ELSEWHERE,
    drop_unused,
    list_entries,
    note_on_base,
    say_basis,
    title_of,
)
from engagement.analysis.charts.drawing import BarChart
from engagement.analysis.charts.engagement import OUTSIDE, RELEVANT_IS_NOT_THE_SAME, WHAT_IS_LABELLED
from engagement.analysis.report.coder_agreement import CoderAgreement
from engagement.analysis.tables.intervals import SMALL_BASE, SMALLEST_BASE, Share
from engagement.analysis.tables.season import Season
from engagement.analysis.tables.values import say_guess
from engagement.configuration import CodingConfiguration

if TYPE_CHECKING:
    import pandas

_MOST_ROWS = 500
BASE, _INTERVAL = "Base", "95 % interval"
SMALL_BASE_MARK = "†"
_NOT_OVER = "not over: more may come"
# Days, weeks and moments must not break at their hyphens.
_DATE = re.compile(r"\d{4}-(?:\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?|W\d\d)", re.ASCII)


@dataclass(frozen=True)
class PageColumn:
    """A column; numbers are right-aligned."""

    name: str
    is_number: bool


@dataclass(frozen=True)
class CellMark:
    """A mark behind a number, and its meaning."""

    sign: str
    meaning: str


@dataclass(frozen=True)
class Cell:
    """A cell; number columns are sorted by `sort_key`, empty if there is no number."""

    text: str
    is_number: bool = False
    sort_key: str = ""
    mark: CellMark | None = None
    is_date: bool = False


@dataclass(frozen=True)
class PageTable:
    """A table sortable by any column, with notes below."""

    caption: str
    columns: Sequence[PageColumn]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()

    @property
    def has_intervals(self) -> bool:
        """Tell whether the table has intervals, above which stands what they say."""
        return any("interval" in column.name for column in self.columns)


def make_table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    small_below: int = 0,
    small: Iterable[str] = (),
    notes: Sequence[str] = (),
) -> PageTable:
    """Build a table of at most 500 rows, with marks that its notes explain.

    Marked are counts below `small_below` in the columns `small`, and small bases.
    """
    shown, marked = rows[:_MOST_ROWS], {header.index(name) for name in small}
    are_numbers = [all(_is_number(row[position]) for row in shown) for position in range(len(header))]
    more = [f"… and {len(rows) - _MOST_ROWS:,} rows more."] if len(rows) > _MOST_ROWS else []
    bases = {position for position, name in enumerate(header) if name == BASE}
    cells = [
        [
            _number_cell(content, small_below if position in marked else 0, position in bases)
            if are_numbers[position]
            else Cell(str(content), is_date=_DATE.fullmatch(str(content)) is not None)
            for position, content in enumerate(row)
        ]
        for row in shown
    ]
    marks = dict.fromkeys(cell.mark for row in cells for cell in row if cell.mark)
    explained = [f"{mark.sign} {mark.meaning}." for mark in marks if not any(n.startswith(mark.sign) for n in notes)]
    return PageTable(caption, list(map(PageColumn, header, are_numbers)), cells, (*more, *explained, *notes))


def make_frame(
    caption: str, table: pandas.DataFrame, season: Season, small: Iterable[str] = (), notes: Sequence[str] = ()
) -> PageTable:
    """Build a table of the season, marking small participant counts in the columns `small`."""
    rows = [[_plain(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
    return make_table(caption, list(map(str, table.columns)), rows, season.small_count_threshold, small, notes)


def _is_number(content: object) -> bool:
    return isinstance(content, int) or _to_number(content) is not None or content in ("", "-")


def _to_number(content: object) -> float | None:
    try:
        return float(str(content))
    except ValueError:
        return None


def _number_cell(content: object, small_below: int, is_base: bool) -> Cell:
    value = _to_number(content) or 0
    mark = None
    if 0 < value < small_below:
        mark = CellMark("*", f"fewer than {small_below} participants")
    elif is_base and 0 < value < SMALL_BASE:
        mark = CellMark(SMALL_BASE_MARK, f"a base of fewer than {SMALL_BASE}: its share says little")
    return Cell(
        f"{content:,}" if isinstance(content, int) else str(content),
        is_number=True,
        sort_key="" if _to_number(content) is None else f"{value:g}",
        mark=mark,
    )


def _plain(cell: object) -> object:
    """Convert the table library's integers to Python's."""
    return int(cell) if hasattr(cell, "item") and not isinstance(cell, str) else cell  # type: ignore[call-overload]  # a number of numpy's


def make_values_table(
    season: Season, coding: CodingConfiguration, is_episode: bool, agreement: CoderAgreement | None = None
) -> PageTable:
    """Build a table of participants by theme or answer, with shares of those who have or gave any.

    How far coders agree on a theme stands beside it, where that is known.
    """
    agreement, key = agreement or CoderAgreement(), str(coding.analysis_file_key)
    basis, (entries, unused) = season.basis(coding), drop_unused(list_entries(season, coding, is_episode))
    counts, first = ["Participants", *(say_guess(source).capitalize() for source in basis.guesses)], "Answer"
    caption = f"{title_of(coding, is_episode)}: {say_basis(season, coding, is_episode)}"
    if is_episode:
        first, caption = (
            "Theme",
            f"Participants with each theme of {key}: " + caption.partition(": ")[2],
        )
    rows = [
        [one.name, one.count, *(one.guesses.get(source, 0) if one.is_answer else "" for source in basis.guesses),
         basis.answered if one.is_answer else "", *_cells_of_share(one.count, basis.answered if one.is_answer else 0),
         *agreement.cells_of(key, one.value)]
        for one in entries
    ]  # fmt: skip
    notes = []
    if any(one.name == ELSEWHERE_NAME and not one.is_answer for one in entries):
        notes.append(WHAT_IS_ELSEWHERE)
    if unused:
        notes.append(f"{len(unused):,} more that nobody has are left out.")
    notes += note_on_base(season, basis.answered)
    return make_table(
        caption, [first, *counts, BASE, "Share %", _INTERVAL, *agreement.columns_of(key)], rows,
        season.small_count_threshold, counts, [*notes, *agreement.notes_of(key)],
    )  # fmt: skip


def _cells_of_share(count: int, base: int) -> tuple[str, str]:
    if base < SMALLEST_BASE:
        return "", ""
    share = Share(count, base)
    return f"{share.percent:.1f}", share.say_interval()


def tabulate_chart(chart: BarChart) -> PageTable:
    """Build the table of a chart's numbers, and of the moments above its bars."""
    names = [bars.name or chart.value_axis for bars in chart.series]
    rows: list[list[object]] = [
        [label, *(int(bars.values[place]) for bars in chart.series)] for place, label in enumerate(chart.labels)
    ]
    if chart.marks:
        names.append("Broadcasts and adverts")
        for place, row in enumerate(rows):
            row.append("; ".join(mark.text for mark in chart.marks if place <= mark.place + 0.5 < place + 1))
    return make_table(chart.title, [chart.label_axis or "Group", *names], rows)


def make_engagement_tables(season: Season) -> list[PageTable]:
    """Build the tables of each episode's messages and participants, and of repeat participation."""
    repeats = season.repeat_participations.copy()
    counts = [int(count) for count in repeats["Number of Participants with Opt-Ins"]]
    repeats[_INTERVAL] = [_cells_of_share(count, sum(counts))[1] for count in counts]
    withdrew = (
        "Total Messages and Total Participants are of the whole season, and count those who withdrew consent, too; every other number "
        "leaves them out."
    )
    return [
        make_frame(
            "Messages and participants in each episode",
            season.engagement_counts,
            season,
            ("Total Participants with Opt-Ins", "Total Relevant Participants"),
            (withdrew, RELEVANT_IS_NOT_THE_SAME),
        ),
        make_frame(
            f"In how many episodes participants took part: shares of the {sum(counts):,} with opt-ins",
            repeats,
            season,
            ("Number of Participants with Opt-Ins",),
        ),
    ]


def make_traffic_tables(season: Season) -> list[PageTable]:
    """Build the tables of messages by week and by configured range, and outside all ranges."""
    tables = [("Messages in each ISO week", _mark(season.weekly_traffic, season.weeks_over))]
    if season.settings.traffic_labels:
        # The label first, as that is what a narrow screen shows.
        table = season.traffic[["Label", *(name for name in season.traffic.columns if name != "Label")]]
        table = _mark(table, season.ranges_over)
        table.loc[len(table)] = {**dict.fromkeys(table.columns, ""), "Label": OUTSIDE, **season.traffic_outside}
        tables.append(("Messages in each time range, with its dates", table))
    notes = [()] * (len(tables) - 1) + [(WHAT_IS_LABELLED,)]
    return [
        make_frame(caption, table, season, notes=note) for (caption, table), note in zip(tables, notes, strict=True)
    ]


def _mark(table: pandas.DataFrame, are_over: Sequence[bool]) -> pandas.DataFrame:
    """Add a note to unfinished periods of a table; if all are over, add no column."""
    if all(are_over):
        return table.copy()
    return table.assign(Note=["" if is_over else _NOT_OVER for is_over in are_over])
