"""Shares weighted to a population's margins by raking: weighted_shares.csv."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy

from engagement.analysis.statistics.variables import EpisodeThemes, Variable

_MOST_ROUNDS = 10_000
_STILL = 1e-10


class WeightedShareRow(NamedTuple):
    """A row of weighted_shares.csv; figures, in percent but for `effective_n`, are None without a base."""

    dataset: str
    theme: str
    n: int
    base: int
    percent: float | None
    percent_weighted: float | None
    se: float | None
    effective_n: float | None


def rake(variables: Sequence[Variable], margins: Mapping[str, Mapping[str, float]]) -> numpy.ndarray:
    """Weight participants to a population's shares of each variable; their mean weight is 1.

    Who lacks one of the variables, or has a value without a share, weighs 0. Shares of values that nobody has go to the
    others in proportion. Shape (participants,).

    Source
    ------
    W. E. Deming, F. F. Stephan (1940), On a least squares adjustment of a sampled frequency table, Ann. Math. Stat. 11, 427-444.
    """
    shares = [numpy.array([*(margins[v.name].get(value, 0.0) for value in v.values), 0.0]) for v in variables]
    counted = numpy.ones(len(variables[0].positions), dtype=bool)
    for variable, share in zip(variables, shares, strict=True):
        counted &= share[variable.positions] > 0
    weights = numpy.where(counted, 1.0, 0.0)
    people = counted.sum()
    places = [variable.positions[counted] for variable in variables]
    wanted = []
    for place, share in zip(places, shares, strict=True):
        used = numpy.where(numpy.bincount(place, minlength=len(share)) > 0, share, 0.0)
        wanted.append(used * people / used.sum() if people else used)
    own = weights[counted]
    for _ in range(_MOST_ROUNDS if people else 0):
        before = own
        for place, target in zip(places, wanted, strict=True):
            sums = numpy.bincount(place, own, minlength=len(target))
            own = own * (target / numpy.where(sums > 0, sums, 1.0))[place]
        if numpy.abs(own - before).max() < _STILL:
            break
    weights[counted] = own
    return weights


def list_weighted_shares(episodes: Sequence[EpisodeThemes], weights: numpy.ndarray) -> list[WeightedShareRow]:
    """List the share of each theme among weighted participants who are relevant in the episode."""
    return [row for episode in episodes for row in _rows(episode, weights)]


def _rows(episode: EpisodeThemes, weights: numpy.ndarray) -> Iterator[WeightedShareRow]:
    base = episode.relevant & (weights > 0)
    own, size = weights[base], int(base.sum())
    for position, theme in enumerate(episode.themes):
        have = episode.have(position)[base]
        count = int(have.sum())
        if not size:
            yield WeightedShareRow(episode.name, theme, count, size, None, None, None, None)
            continue
        whole = own.sum()
        share = float(own @ have / whole)
        # The linearised ratio: all other weighted participants add 0, and their mean is 0.
        people = int((weights > 0).sum())
        residuals = own * (have - share) / whole
        error = math.sqrt(float(residuals @ residuals) * people / (people - 1)) if people > 1 else None
        effective = float(whole**2 / (own @ own))
        figures = 100 * count / size, 100 * share, None if error is None else 100 * error, effective
        yield WeightedShareRow(episode.name, theme, count, size, *figures)
