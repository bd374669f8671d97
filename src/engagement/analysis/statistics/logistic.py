"""Logistic regression by maximum likelihood, on counts of participants who are alike.

statsmodels is not used: it takes more than a second to load, and has neither profile intervals nor a word on separation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

type FloatArray = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]

# Newton's steps: a model whose estimates are finite needs fewer than ten; an infinite one grows by about 1 a step.
_MOST_STEPS = 25
_CHI_SQUARED_95 = 3.841458820694124
# A standard error that only an infinite estimate reaches.
_INFINITE_ERROR = 50


@dataclass(frozen=True, eq=False)
class Grouped:
    """Participants who are alike, in groups: `yes` of `trials` in each, and their row of the design."""

    design: FloatArray
    yes: FloatArray
    trials: FloatArray

    def log_likelihood(self, linear: FloatArray) -> float:
        """Return the logarithm of the likelihood of linear predictors."""
        return float(self.yes @ linear - self.trials @ numpy.logaddexp(0, linear))


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates, with the inverse of the information at them."""

    estimates: FloatArray
    covariance: FloatArray
    log_likelihood: float

    @property
    def errors(self) -> FloatArray:
        """Standard errors."""
        found: FloatArray = numpy.sqrt(numpy.diag(self.covariance))
        return found

    @property
    def is_infinite(self) -> numpy.ndarray:
        """Tell which estimates are infinite: their terms separate who says yes (Albert and Anderson 1984)."""
        return self.errors > _INFINITE_ERROR


def fit_logistic(data: Grouped, start: FloatArray | None = None, offset: FloatArray | float = 0.0) -> Fit:
    """Fit a model whose terms are not collinear; a term that separates is left at a large estimate.

    `offset` is a part of the linear predictor that is not estimated.
    """
    design = data.design
    estimates: FloatArray = numpy.zeros(design.shape[1]) if start is None else start
    linear = design @ estimates + offset
    best, information = data.log_likelihood(linear), numpy.eye(design.shape[1])
    for _ in range(_MOST_STEPS):
        chances = 1 / (1 + numpy.exp(-linear))
        score = design.T @ (data.yes - data.trials * chances)
        information = (design.T * (data.trials * chances * (1 - chances))) @ design
        step = numpy.linalg.solve(information, score)
        # Halved until the likelihood does not fall.
        for _ in range(30):
            moved = design @ (estimates + step) + offset
            found = data.log_likelihood(moved)
            if found >= best - 1e-9 * abs(best):
                break
            step = step / 2
        estimates, linear, best = estimates + step, moved, found
        if numpy.abs(step).max(initial=0) < 1e-10:
            break
    chances = 1 / (1 + numpy.exp(-linear))
    information = (design.T * (data.trials * chances * (1 - chances))) @ design
    return Fit(estimates, numpy.linalg.inv(information), best)


def find_collinear(design: FloatArray) -> list[int]:
    """Find columns of a design that are sums of columns before them, as when two questions ask the same."""
    kept: list[int] = []
    collinear = []
    for column in range(design.shape[1]):
        if numpy.linalg.matrix_rank(design[:, [*kept, column]]) > len(kept):
            kept.append(column)
        else:
            collinear.append(column)
    return collinear


def profile_interval(data: Grouped, fit: Fit, term: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a finite estimate by its profile likelihood; None if not found.

    Source
    ------
    D. J. Venzon, S. H. Moolgavkar (1988), A method for computing profile-likelihood-based confidence intervals, Appl. Stat. 37, 87-94.
    """
    low, high = _find_end(data, fit, term, -1), _find_end(data, fit, term, 1)
    return None if low is None or high is None else (low, high)


def _find_end(data: Grouped, fit: Fit, term: int, sign: int) -> float | None:
    """Follow the profile likelihood, by Newton's method, down by half of chi-squared's 95 % point."""
    column = data.design[:, term]
    others = Grouped(numpy.delete(data.design, term, axis=1), data.yes, data.trials)
    estimate, wanted = float(fit.estimates[term]), math.sqrt(_CHI_SQUARED_95)
    end = estimate + sign * wanted * float(fit.errors[term])
    start: FloatArray = numpy.delete(fit.estimates, term)
    for _ in range(50):
        profile = fit_logistic(others, start, column * end)
        start = profile.estimates
        root = math.sqrt(max(0.0, 2 * (fit.log_likelihood - profile.log_likelihood)))
        chances = 1 / (1 + numpy.exp(-(others.design @ start + column * end)))
        slope = float(column @ (data.trials * chances - data.yes))
        if root == 0 or slope * sign <= 0:
            return None
        step = (wanted - root) * root / slope
        # Within half and twice the distance from the estimate.
        distance = abs(end - estimate)
        step = math.copysign(min(abs(step), distance / 2 if step * sign < 0 else distance), step)
        end += step
        if abs(step) < 1e-10 * max(1.0, abs(end)):
            return end
    return None
