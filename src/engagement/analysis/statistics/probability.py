"""Tail probabilities, and the adjustment of many p values.

Written here because scipy is not among the stages' packages, takes long to load, and is not needed: for whole degrees of
freedom the tail of chi-squared is a finite sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engagement.analysis.tables.intervals import NORMAL_95


def chi_squared_tail(value: float, degrees: int) -> float:
    """Return the probability that chi-squared with so many degrees of freedom is at least `value`.

    >>> round(chi_squared_tail(3.841458820694124, 1), 12), round(chi_squared_tail(9.487729036781154, 4), 12)
    (0.05, 0.05)
    """
    half = value / 2
    if degrees % 2:
        found, power = math.erfc(math.sqrt(half)), 0.5
    else:
        found, power = math.exp(-half), 1.0
    while power < degrees / 2:
        if half > 0:
            found += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
        power += 1
    return min(1.0, found)


def normal_two_sided(z: float) -> float:
    """Return the probability that a standard normal figure is at least as far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def adjust_p_values(values: Sequence[float | None]) -> list[float | None]:
    """Adjust a family's p values so that a share of false discoveries is kept; None is in no family.

    >>> adjust_p_values([0.01, None, 0.02, 0.5])
    [0.03, None, 0.03, 0.5]

    Source
    ------
    Y. Benjamini, Y. Hochberg (1995), Controlling the false discovery rate, J. R. Stat. Soc. B 57, 289-300.
    """
    ordered = sorted(
        ((value, place) for place, value in enumerate(values) if value is not None), key=lambda item: -item[0]
    )
    adjusted: list[float | None] = [None] * len(values)
    least = 1.0
    for rank, (value, place) in zip(range(len(ordered), 0, -1), ordered, strict=True):
        least = min(least, value * len(ordered) / rank)
        adjusted[place] = least
    return adjusted


def student_two_sided(t: float, degrees: float) -> float:
    """Return the probability that Student's t is at least as far from 0; degrees may be a fraction.

    >>> round(student_two_sided(2.570581835636314, 5), 9)
    0.05
    """
    return _incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def student_95(degrees: float) -> float:
    """Return the end of Student's t between minus and plus which 95 % lie.

    >>> round(student_95(5), 9)
    2.570581836
    """
    low, high = NORMAL_95, 1e3
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student_two_sided(middle, degrees) > 0.05 else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    # The fraction converges fast on this side; the other side is what is left of 1.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(1 - x, b, a)
    upper, lower = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = lower
    for step in range(1, 10_000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for factor in (even, odd):
            lower = 1 / (1 + factor * lower)
            upper = 1 + factor / upper
            found *= upper * lower
        if abs(upper * lower - 1) < 1e-15:
            break
    return front * found / a
