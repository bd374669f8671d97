"""Multiple imputation of missing predictors by chained equations, and the pooling of results.

Predictors are categorical, so participants are counted in the cells of one table of the theme and all predictors; each
equation is a multinomial regression on that table, fitted for all completed data sets at once. Parameters are drawn from
their normal approximation, with a weak prior that keeps them finite where a value is separated.

Source
------
D. B. Rubin (1987), Multiple Imputation for Nonresponse in Surveys; S. van Buuren, K. Groothuis-Oudshoorn (2011), mice, J. Stat. Softw. 45(3);
degrees of freedom by J. Barnard, D. B. Rubin (1999), Small-sample degrees of freedom with multiple imputation, Biometrika 86, 948-955.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy

DATA_SETS = 20
_ROUNDS = 5
_SEED = 20_131
# The inverse variance of a coefficient's prior: a value of 10, in log odds, is 1.5 standard deviations away.
_PRIOR = 0.02
_NEWTON_STEPS = 12
# More coefficients of one equation take too long, and have too few participants.
_MOST_COEFFICIENTS = 150


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate, its standard error, and its degrees of freedom."""

    estimate: float
    error: float
    degrees: float


def complete(columns: Sequence[numpy.ndarray], sizes: Sequence[int], seed: int = _SEED) -> list[numpy.ndarray] | None:
    """Fill in missing values of categorical columns, DATA_SETS times; None if an equation is too large.

    A column's values are positions below its size; a missing one is the size. Each column that is returned has the shape
    (data sets, participants). The first column is the theme, which misses nothing.
    """
    if any((size - 1) * (1 + sum(sizes) - size - len(sizes) + 1) > _MOST_COEFFICIENTS for size in sizes):
        return None
    generator = numpy.random.default_rng(seed)
    missing = [column == size for column, size in zip(columns, sizes, strict=True)]
    filled = []
    for column, gaps in zip(columns, missing, strict=True):
        drawn = numpy.tile(column, (DATA_SETS, 1))
        drawn[:, gaps] = generator.choice(column[~gaps], (DATA_SETS, int(gaps.sum())))
        filled.append(drawn)
    for _ in range(_ROUNDS):
        for place, gaps in enumerate(missing):
            if gaps.any():
                _impute(filled, place, sizes, gaps, generator)
    return filled


def _impute(
    filled: list[numpy.ndarray],
    place: int,
    sizes: Sequence[int],
    gaps: numpy.ndarray,
    generator: numpy.random.Generator,
) -> None:
    """Draw one column's missing values anew, given all other columns."""
    others = [number for number in range(len(filled)) if number != place]
    shape = [sizes[number] for number in others]
    cells = numpy.ravel_multi_index([filled[number] for number in others], shape)
    width, size = math.prod(shape), sizes[place]
    known = ~gaps
    # Shape (data sets, cells, values): participants whose value is known.
    offsets = numpy.arange(DATA_SETS)[:, None] * width
    counts = (
        numpy.bincount(
            ((cells + offsets)[:, known] * size + filled[place][:, known]).ravel(), minlength=DATA_SETS * width * size
        )
        .reshape(DATA_SETS, width, size)
        .astype(float)
    )
    design = make_cells(shape)
    coefficients, information = _fit(design, counts)
    roots = numpy.linalg.cholesky(numpy.linalg.inv(information))
    noise = generator.standard_normal((DATA_SETS, roots.shape[1], 1))
    drawn = coefficients + (roots @ noise)[..., 0].reshape(coefficients.shape)
    chances = _chances(design, drawn).cumsum(axis=2)
    at_gaps = chances[numpy.arange(DATA_SETS)[:, None], cells[:, gaps]]
    uniform = generator.random((DATA_SETS, int(gaps.sum()), 1))
    filled[place][:, gaps] = (at_gaps[..., :-1] < uniform).sum(axis=2)


def make_cells(sizes: Sequence[int]) -> numpy.ndarray:
    """Return the row of each cell of a table: an intercept, and each variable's values but the first."""
    cells = numpy.indices(sizes).reshape(len(sizes), -1)
    columns = [numpy.ones(cells.shape[1])]
    for values, size in zip(cells, sizes, strict=True):
        columns += [(values == value).astype(float) for value in range(1, size)]
    return numpy.stack(columns, axis=1)


def _chances(design: numpy.ndarray, coefficients: numpy.ndarray) -> numpy.ndarray:
    """Return the chance of each value in each cell, of coefficients by data set, value and term."""
    linear = numpy.zeros((len(coefficients), len(design), coefficients.shape[1] + 1))
    linear[..., 1:] = numpy.swapaxes(coefficients @ design.T, 1, 2)
    odds = numpy.exp(linear - linear.max(axis=2, keepdims=True))
    chances: numpy.ndarray = odds / odds.sum(axis=2, keepdims=True)
    return chances


def _fit(design: numpy.ndarray, counts: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Fit a multinomial regression to each data set's counts; return coefficients and information."""
    values, terms = counts.shape[2] - 1, design.shape[1]
    totals = counts.sum(axis=2)
    # The intercepts have no prior to speak of.
    prior = numpy.tile(numpy.r_[1e-6, numpy.full(terms - 1, _PRIOR)], values)
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    coefficients = numpy.zeros((len(counts), values, terms))
    information = numpy.zeros((len(counts), values * terms, values * terms))
    for _ in range(_NEWTON_STEPS):
        chances = _chances(design, coefficients)[..., 1:]
        score = (numpy.swapaxes(counts[..., 1:] - totals[..., None] * chances, 1, 2) @ design).reshape(len(counts), -1)
        score -= prior * coefficients.reshape(len(counts), -1)
        weights = -chances[..., :, None] * chances[..., None, :]
        diagonal = numpy.arange(values)
        weights[..., diagonal, diagonal] += chances
        weights = (weights * totals[..., None, None]).reshape(len(counts), len(design), -1)
        blocks = (numpy.swapaxes(weights, 1, 2) @ products).reshape(len(counts), values, values, terms, terms)
        information = blocks.transpose(0, 1, 3, 2, 4).reshape(len(counts), values * terms, -1) + numpy.diag(prior)
        step = numpy.linalg.solve(information, score[..., None])[..., 0]
        coefficients = coefficients + step.reshape(coefficients.shape)
        if numpy.abs(step).max() < 1e-6:
            break
    return coefficients, information


def pool(estimates: numpy.ndarray, errors: numpy.ndarray, degrees_complete: int) -> Pooled:
    """Pool one term's estimates and standard errors by Rubin's rules; shape (data sets,)."""
    number = len(estimates)
    within, between = float((errors**2).mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / number) * between
    share = (1 + 1 / number) * between / total
    observed = (degrees_complete + 1) / (degrees_complete + 3) * degrees_complete * (1 - share)
    old = (number - 1) / share**2 if share > 0 else math.inf
    degrees = observed if math.isinf(old) else old * observed / (old + observed)
    return Pooled(float(estimates.mean()), math.sqrt(total), degrees)
