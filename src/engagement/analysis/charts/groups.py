"""Content of the charts of themes by another question, such as themes of men and women side by side."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable

from engagement.analysis.charts.codes import (
    mark_small,
    mark_small_base,
    name_of,
    note_on_base,
    note_on_intervals,
    note_on_small,
    order_themes,
)
from engagement.analysis.charts.drawing import BarChart, Bars
from engagement.analysis.tables.intervals import SMALLEST_BASE, Share
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration
from engagement.foundation.errors import count_of

_MOST_THEMES_WITH_ZEROS = 30


def find_gender(season: Season) -> CodingConfiguration | None:
    """Find the coding of the participants' gender, if any: by its cleaner, otherwise by its name."""
    codings = [coding for plan in season.project.coding_plans.demographic for coding in plan.coding_configurations]
    looks: tuple[Callable[[CodingConfiguration], bool], ...] = (
        lambda coding: (coding.cleaner or "").endswith(".gender"),
        lambda coding: (coding.analysis_file_key or "").casefold().split("_")[-1] in ("gender", "sex"),
    )
    for is_gender in looks:
        found = [coding for coding in codings if is_gender(coding)]
        if found:
            return found[0]
    return None


def chart_themes_by(
    season: Season, episode: CodingConfiguration, breakdown: CodingConfiguration, is_normalised: bool
) -> BarChart:
    """Chart participants by theme for each answer to another question, as counts or shares.

    Shares are of participants with any theme of the episode, so groups of different sizes can be compared. Participants
    whose answer was guessed are in no group.
    """
    counts = dict(zip(episode.code_scheme.codes, season.values_by_code(episode, breakdown), strict=True))
    totals = {value.code: value.plain for value in season.values(episode)}
    themes = order_themes(season, episode)
    if len(themes) > _MOST_THEMES_WITH_ZEROS and any(totals[theme] for theme in themes):
        themes = [theme for theme in themes if totals[theme]]
    relevant = season.individuals.codes(episode).relevant_individual
    groups = season.individuals.codes(breakdown)
    known = relevant & groups.answered
    series, every_count, sizes = [], [], []
    for answer in (code for code in breakdown.code_scheme.codes if code.is_normal):
        size = int((groups.hold_any(functools.partial(operator.is_, answer)) & known).sum())
        found = [next(value.plain for value in counts[theme] if value.code is answer) for theme in themes]
        every_count += found
        sizes.append(size)
        name = f"{name_of(answer)} (n = {size:,}{mark_small_base(season, size)})"
        series.append((_shares_of if is_normalised else _counts_of)(season, name, found, size))
    key, by = episode.analysis_file_key, breakdown.code_scheme.name.casefold()
    of_each = f"of each {by}" if is_normalised else f"by {by}"
    size, total = int(known.sum()), count_of(int(relevant.sum()), "participant")
    notes = list(note_on_small(season, every_count))
    if is_normalised:
        notes += dict.fromkeys(note for one in sorted(sizes) for note in note_on_base(season, one))
    if is_normalised:
        notes += note_on_intervals(int(known.sum()))
    return BarChart(
        title=f"Themes of {key} {of_each}: {'share of' if is_normalised else 'number of'} participants",
        subtitle=f"n = {size:,} whose {by} is known, of {total} with a theme",
        value_axis=f"% of participants with a theme, of each {by}" if is_normalised else "Participants",
        labels=tuple(map(name_of, themes)),
        series=tuple(series),
        notes=tuple(notes),
    )


def _counts_of(season: Season, name: str, counts: list[int], size: int) -> Bars:
    return Bars(name, tuple(counts), tuple(f"{count:,}{mark_small(season, count)}" for count in counts))


def _shares_of(season: Season, name: str, counts: list[int], size: int) -> Bars:
    shares = [Share(count, size) if size >= SMALLEST_BASE else None for count in counts]
    texts = (
        f"{share.percent:.1f} %{mark_small(season, count)}, {share.say_interval()}"
        if share
        else f"{count:,}{mark_small(season, count)} of {size:,}"
        if size
        else ""
        for count, share in zip(counts, shares, strict=True)
    )
    return Bars(
        name,
        tuple(share.percent if share else 0.0 for share in shares),
        tuple(texts),
        tuple(share.interval if share else None for share in shares),
    )
