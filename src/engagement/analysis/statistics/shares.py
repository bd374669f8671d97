"""Shares of themes and of demographic values, each with its base and its interval: shares.csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engagement.analysis.statistics.variables import EpisodeThemes, Variable
from engagement.analysis.tables import intervals

TOTAL, MISSING = "total", "(missing)"
SMALL_BASE, SMALL_COUNT = "small base", "small count"


class ShareRow(NamedTuple):
    """A row of shares.csv: `n` participants of `base`; the figures, in percent, are None without a base."""

    dataset: str
    theme: str
    breakdown: str
    value: str
    n: int
    base: int
    percent: float | None
    low: float | None
    high: float | None
    mark: str


def list_shares(
    episodes: Sequence[EpisodeThemes], demographics: Sequence[Variable], small_count_threshold: int
) -> list[ShareRow]:
    """List the shares of themes in total and by demographics, then those of the demographics' own values.

    A value that nobody has stands there too, with a base of 0. Behind the values of a demographic stand the participants
    without one.
    """
    rows = [
        _row(*found, small_count_threshold) for episode in episodes for found in _count_themes(episode, demographics)
    ]
    for variable in demographics:
        *counts, _ = variable.counts.tolist()
        for value, count in zip(variable.values, counts, strict=True):
            rows.append(_row((variable.name, value, TOTAL, ""), count, sum(counts), small_count_threshold))
    return rows


def _count_themes(
    episode: EpisodeThemes, demographics: Sequence[Variable]
) -> Iterator[tuple[tuple[str, str, str, str], int, int]]:
    base, totals = int(episode.relevant.sum()), episode.count()
    tables = [(variable, episode.cross(variable).tolist()) for variable in demographics]
    for position, theme in enumerate(episode.themes):
        yield (episode.name, theme, TOTAL, ""), totals[position], base
        for variable, table in tables:
            for value, count, size in zip((*variable.values, MISSING), table[position], table[-1], strict=True):
                yield (episode.name, theme, variable.name, value), count, size


def _row(keys: tuple[str, str, str, str], count: int, base: int, threshold: int) -> ShareRow:
    mark = SMALL_BASE if base < intervals.SMALL_BASE else SMALL_COUNT if count < threshold else ""
    if base == 0:
        return ShareRow(*keys, count, base, None, None, None, mark)
    return ShareRow(*keys, count, base, 100 * count / base, *intervals.wilson_interval(count, base), mark)
