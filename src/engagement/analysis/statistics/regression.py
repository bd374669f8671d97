"""Logistic regressions of themes on demographics: regression.csv.

A regression of a theme is on the episode's relevant participants. Participants with a rare value leave all models of the
episode; then, for complete cases, those who lack a predictor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy

from engagement.analysis.statistics.associations import NO, YES
from engagement.analysis.statistics.logistic import Fit, Grouped, find_collinear, fit_logistic, profile_interval
from engagement.analysis.statistics.probability import normal_two_sided
from engagement.analysis.statistics.variables import EpisodeThemes, Variable
from engagement.analysis.tables.intervals import NORMAL_95

type _Figure = float | None
type Figures = tuple[_Figure, _Figure, _Figure, _Figure, _Figure, _Figure, _Figure, _Figure, _Figure]

COMPLETE_CASES = "complete cases"
INTERCEPT = "(intercept)"
SEPARATION, FEW_EVENTS, COLLINEAR = "separation", "few events", "collinear"
# Fewer participants of an episode are too few to estimate a value.
_LEAST_OF_A_VALUE = 10
# P. Peduzzi and others (1996), A simulation study of the number of events per variable, J. Clin. Epidemiol. 49, 1373-1379.
_EVENTS_A_TERM = 10


class RegressionRow(NamedTuple):
    """A row of regression.csv: a term of a model. Figures of a term that is infinite are None."""

    dataset: str
    theme: str
    method: str
    variable: str
    value: str
    reference: str
    estimate: float | None
    se: float | None
    z: float | None
    p: float | None
    odds_ratio: float | None
    low: float | None
    high: float | None
    low_profile: float | None
    high_profile: float | None
    n: int
    yes: int
    left_out_small: int
    left_out_missing: int
    separation: str
    mark: str


class Term(NamedTuple):
    """A column of a design: a value against the reference of its variable; the intercept has neither."""

    variable: str
    value: str
    reference: str


@dataclass(frozen=True, eq=False)
class Cases:
    """An episode's participants who are in its models (a mask), with the terms, and who was left out.

    `columns` has each participant's row of the design, as a position in `design`.
    """

    rows: numpy.ndarray
    terms: tuple[Term, ...]
    design: numpy.ndarray
    groups: numpy.ndarray
    left_out_small: int
    left_out_missing: int

    def count(self, theme: numpy.ndarray) -> Grouped:
        """Count those with a theme in each group of participants who are alike."""
        size = len(self.design)
        trials = numpy.bincount(self.groups, minlength=size).astype(float)
        return Grouped(self.design, numpy.bincount(self.groups, theme[self.rows], minlength=size), trials)


def list_regressions(
    episodes: Sequence[EpisodeThemes], predictors: Sequence[Variable], minimum_yes: int
) -> list[RegressionRow]:
    """List the terms of each theme's model, where enough participants have the theme."""
    return [row for episode in episodes for row in _rows_of_episode(episode, predictors, minimum_yes)]


def _rows_of_episode(
    episode: EpisodeThemes, predictors: Sequence[Variable], minimum_yes: int
) -> Iterator[RegressionRow]:
    counts = episode.count()
    asked = [position for position, count in enumerate(counts) if count >= minimum_yes]
    cases = find_cases(episode.relevant, predictors) if asked else None
    if cases is None:
        return
    for position in asked:
        yield from _rows_of_model((episode.name, episode.themes[position]), cases, episode.have(position))


def drop_rare(relevant: numpy.ndarray, predictors: Sequence[Variable]) -> numpy.ndarray:
    """Return the relevant participants (a mask) without those who have a rare value of any predictor."""
    kept = relevant.copy()
    for variable in predictors:
        counts = numpy.bincount(variable.positions[relevant], minlength=variable.missing + 1)
        is_rare = counts < _LEAST_OF_A_VALUE
        is_rare[variable.missing] = False
        kept &= ~is_rare[variable.positions]
    return kept


def find_cases(relevant: numpy.ndarray, predictors: Sequence[Variable]) -> Cases | None:
    """Find the complete cases of an episode; None if nobody is left."""
    kept = drop_rare(relevant, predictors)
    rows = kept.copy()
    for variable in predictors:
        rows &= variable.is_known
    if not rows.any():
        return None
    terms, design, groups = make_design(predictors, [v.positions[rows] for v in predictors])
    small, missing = int(relevant.sum() - kept.sum()), int(kept.sum() - rows.sum())
    return Cases(rows, terms, design, groups, small, missing)


def make_design(
    predictors: Sequence[Variable], positions: Sequence[numpy.ndarray]
) -> tuple[tuple[Term, ...], numpy.ndarray, numpy.ndarray]:
    """Return the terms, the rows of the design that differ, and each participant's row.

    `positions` are the participants' values of each predictor. The reference is the season's most frequent value of those
    that are there; a value that nobody has is no term.
    """
    table = numpy.stack(positions, axis=1)
    alike, groups = numpy.unique(table, axis=0, return_inverse=True)
    terms, columns = [Term(INTERCEPT, "", "")], [numpy.ones(len(alike))]
    for place, variable in enumerate(predictors):
        used = numpy.unique(alike[:, place])
        reference = used[variable.counts[used].argmax()]
        for value in used[used != reference].tolist():
            terms.append(Term(variable.name, variable.values[value], variable.values[reference]))
            columns.append((alike[:, place] == value).astype(float))
    return tuple(terms), numpy.stack(columns, axis=1), groups.ravel()


def _rows_of_model(keys: tuple[str, str], cases: Cases, theme: numpy.ndarray) -> Iterator[RegressionRow]:
    data = cases.count(theme)
    n, yes = int(data.trials.sum()), int(data.yes.sum())
    collinear = find_collinear(data.design)
    kept = [place for place in range(len(cases.terms)) if place not in collinear]
    data = Grouped(data.design[:, kept], data.yes, data.trials)
    fit = fit_logistic(data)
    is_infinite = fit.is_infinite.tolist()
    mark = SEPARATION if any(is_infinite) else COLLINEAR if collinear else mark_events(yes, n, len(kept) - 1)
    counts = n, yes, cases.left_out_small, cases.left_out_missing
    for place, term in enumerate(cases.terms):
        figures: Figures = (None,) * 9
        separates = place in kept and is_infinite[kept.index(place)]
        if place in kept and not separates:
            number = kept.index(place)
            profile = None if any(is_infinite) else profile_interval(data, fit, number)
            ends = (None, None) if profile is None else (math.exp(profile[0]), math.exp(profile[1]))
            figures = (*_wald(fit, number), *ends)
        row = RegressionRow(*keys, COMPLETE_CASES, *term, *figures, *counts, NO, mark)
        yield row._replace(separation=YES) if separates else row


def mark_events(yes: int, n: int, terms: int) -> str:
    """Mark a model with too few participants for its terms, the intercept aside."""
    return FEW_EVENTS if min(yes, n - yes) < _EVENTS_A_TERM * terms else ""


def _wald(fit: Fit, number: int) -> tuple[float, float, float, float, float, float, float]:
    estimate, error = float(fit.estimates[number]), float(fit.errors[number])
    low, high = (math.exp(estimate + side * NORMAL_95 * error) for side in (-1, 1))
    return estimate, error, estimate / error, normal_two_sided(estimate / error), math.exp(estimate), low, high
