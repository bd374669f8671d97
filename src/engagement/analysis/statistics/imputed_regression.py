"""Logistic regressions with missing predictors imputed: the last rows of regression.csv."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy

from engagement.analysis.statistics import imputation
from engagement.analysis.statistics.associations import NO, YES
from engagement.analysis.statistics.logistic import Fit, Grouped, find_collinear, fit_logistic
from engagement.analysis.statistics.probability import student_95, student_two_sided
from engagement.analysis.statistics.regression import (
    INTERCEPT,
    SEPARATION,
    Figures,
    RegressionRow,
    Term,
    drop_rare,
    mark_events,
)
from engagement.analysis.statistics.variables import EpisodeThemes, Variable

IMPUTED = "multiple imputation"


@dataclass(frozen=True, eq=False)
class Incomplete:
    """An episode's participants who are in its models (a mask), and their values, some missing.

    A value is a position in its variable's terms, the reference first; a missing one is their number.
    """

    rows: numpy.ndarray
    columns: tuple[numpy.ndarray, ...]
    sizes: tuple[int, ...]
    terms: tuple[Term, ...]
    left_out_small: int


def find_incomplete(relevant: numpy.ndarray, predictors: Sequence[Variable]) -> Incomplete | None:
    """Find the participants without rare values; None if nobody has a value of some predictor."""
    rows = drop_rare(relevant, predictors)
    columns, sizes, terms = [], [], [Term(INTERCEPT, "", "")]
    for variable in predictors:
        positions = variable.positions[rows]
        used = numpy.unique(positions[positions < variable.missing])
        if not len(used):
            return None
        reference = int(used[variable.counts[used].argmax()])
        order = [reference, *(value for value in used.tolist() if value != reference)]
        places = numpy.full(variable.missing + 1, len(order))
        places[order] = numpy.arange(len(order))
        columns.append(places[positions])
        sizes.append(len(order))
        terms += [Term(variable.name, variable.values[v], variable.values[reference]) for v in order[1:]]
    return Incomplete(rows, tuple(columns), tuple(sizes), tuple(terms), int(relevant.sum() - rows.sum()))


def list_imputed_regressions(
    episodes: Sequence[EpisodeThemes], predictors: Sequence[Variable], minimum_yes: int
) -> list[RegressionRow]:
    """List the terms of each theme's model over completed data sets, if enough participants have it.

    A theme whose predictors have too many values, or say the same, has none. The same data give the same rows.
    """
    rows: list[RegressionRow] = []
    for episode in episodes:
        asked = [place for place, count in enumerate(episode.count()) if count >= minimum_yes]
        incomplete = find_incomplete(episode.relevant, predictors) if asked else None
        if incomplete is None:
            continue
        for place in asked:
            theme = episode.have(place)[incomplete.rows].astype(numpy.int64)
            rows += _rows_of_model((episode.name, episode.themes[place]), incomplete, theme)
    return rows


def _rows_of_model(keys: tuple[str, str], data: Incomplete, theme: numpy.ndarray) -> Iterator[RegressionRow]:
    filled = imputation.complete([theme, *data.columns], [2, *data.sizes])
    fits = None if filled is None else _fit_each(filled, data.sizes)
    if fits is None:
        return
    n, yes = len(theme), int(theme.sum())
    is_infinite = numpy.any([fit.is_infinite for fit in fits], axis=0).tolist()
    mark = SEPARATION if any(is_infinite) else mark_events(yes, n, len(data.terms) - 1)
    estimates, errors = (numpy.array([getattr(fit, name) for fit in fits]) for name in ("estimates", "errors"))
    for place, term in enumerate(data.terms):
        none: Figures = (None,) * 9
        row = RegressionRow(*keys, IMPUTED, *term, *none, n, yes, data.left_out_small, 0, NO, mark)
        if is_infinite[place]:
            row = row._replace(separation=YES)
        else:
            pooled = imputation.pool(estimates[:, place], errors[:, place], n - len(data.terms))
            t, half = pooled.estimate / pooled.error, student_95(pooled.degrees) * pooled.error
            row = row._replace(
                estimate=pooled.estimate,
                se=pooled.error,
                z=t,
                p=student_two_sided(t, pooled.degrees),
                odds_ratio=math.exp(pooled.estimate),
                low=math.exp(pooled.estimate - half),
                high=math.exp(pooled.estimate + half),
            )
        yield row


def _fit_each(filled: Sequence[numpy.ndarray], sizes: Sequence[int]) -> list[Fit] | None:
    """Fit the theme's model to each completed data set; None if predictors say the same in one of them."""
    design, fits = imputation.make_cells(sizes), []
    for number in range(imputation.DATA_SETS):
        cells = numpy.ravel_multi_index([column[number] for column in filled[1:]], sizes)
        trials = numpy.bincount(cells, minlength=len(design)).astype(float)
        used = trials > 0
        data = Grouped(
            design[used], numpy.bincount(cells, filled[0][number], minlength=len(design))[used], trials[used]
        )
        if find_collinear(data.design):
            return None
        fits.append(fit_logistic(data))
    return fits
