"""Percent agreement, Krippendorff's alpha (nominal) and Gwet's AC1, with bootstrap intervals.

All three allow any number of coders, and messages that some coders skipped. Alpha and AC1 correct for chance but define
it differently: on a rare code, alpha is low despite high agreement, and AC1 is not. So we report all three.

Source
------
K. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
K. L. Gwet (2008), Computing inter-rater reliability and its variance in the presence of high agreement, British Journal of
Mathematical and Statistical Psychology 61, 29-48; with missing ratings as in K. L. Gwet (2014), Handbook of Inter-Rater
Reliability, 4th edition.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A coefficient and its bootstrap interval; None if undefined, such as alpha when nothing varies."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """Agreement between coders on `messages` messages, each coded by at least two of them."""

    messages: int
    percent_agreement: Estimate
    alpha: Estimate
    ac1: Estimate


def draw_weights(messages: int, draws: int, seed: int) -> Numbers:
    """Draw bootstrap samples: the count of each message in each sample; shape (draws, messages)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(messages, np.full(messages, 1 / messages), size=draws).astype(np.float64)


def measure_agreement(ratings: Numbers, weights: Numbers, confidence: float = 0.95) -> Agreement:
    """Measure agreement between coders.

    `ratings` has a row for each message and a column for each category; each cell counts the coders who chose that
    category. For at least one message, at least two coders chose one. `weights` come from `draw_weights`; the interval
    is percentiles over the draws in which the coefficient is defined.
    """
    whole = _coefficients(ratings, np.ones((1, len(ratings))))
    drawn = _coefficients(ratings, weights)
    estimates = [_estimate(float(value[0]), draws, confidence) for value, draws in zip(whole, drawn, strict=True)]
    return Agreement(int((ratings.sum(axis=1) >= 2).sum()), *estimates)


def _estimate(value: float, draws: Numbers, confidence: float) -> Estimate:
    if np.isnan(value):
        return Estimate(None, None, None)
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return Estimate(value, None, None)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high))


def _coefficients(ratings: Numbers, weights: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return percent agreement, alpha and AC1 for each row of weights; nan if undefined."""
    coders = ratings.sum(axis=1)
    is_rated, is_paired = coders > 0, coders > 1
    # Gwet's chance agreement uses all coded messages, the rest only those coded by two or more.
    shares = ratings[is_rated] / coders[is_rated, None]
    paired, of_paired, n = ratings[is_paired], weights[:, is_paired], coders[is_paired]
    disagreeing = n**2 - (paired**2).sum(axis=1)  # ordered pairs of coders who chose different categories
    with np.errstate(divide="ignore", invalid="ignore"):
        agreement = 1 - of_paired @ (disagreeing / (n * (n - 1))) / of_paired.sum(axis=1)
        alpha = _alpha(of_paired @ (disagreeing / (n - 1)), of_paired @ paired)
        prevalence = weights[:, is_rated] @ shares / weights[:, is_rated].sum(axis=1, keepdims=True)
        # A message could always have had a second category.
        chance = (prevalence * (1 - prevalence)).sum(axis=1) / (max(2, ratings.shape[1]) - 1)
        return agreement, alpha, (agreement - chance) / (1 - chance)


def _alpha(disagreement: Numbers, totals: Numbers) -> Numbers:
    """Return alpha from each message's disagreeing pairs, divided by its coders - 1, and category counts."""
    everything = totals.sum(axis=1)
    expected = everything**2 - (totals**2).sum(axis=1)
    return 1 - (everything - 1) * disagreement / expected
