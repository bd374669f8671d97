"""The confidence from which on suggestions are right often enough, told from examples that a model had not seen."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy

FEWEST_JUDGED = 20
_MANY_LABELS = 1_000
_FEWEST_DOUBLE_CODED = 30
_MOST_ERRORS = 0.1


class Interval(NamedTuple):
    """A share, and the bounds of its interval (Wilson)."""

    share: float
    low: float
    high: float


def wilson(hits: float, n: int, errors: float = 1.96) -> Interval | None:
    """Estimate a share with its interval, which is `errors` standard errors wide to both sides; None of nothing.

    >>> wilson(9, 10)
    Interval(share=0.9, low=0.5958499732047615, high=0.9821237869049271)
    """
    if n == 0:
        return None
    share = hits / n
    square = errors**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = errors / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n**2))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def find_coder_error(double_coded: int, differing: int) -> float:
    """Estimate at least how often one coder's label is wrong, from labels that a second one gave again.

    Where two differ one of them is wrong, so that each is wrong in half of these.

    >>> round(find_coder_error(200, 26), 4), find_coder_error(20, 10)
    (0.0541, 0.0)
    """
    if double_coded < _FEWEST_DOUBLE_CODED:
        return 0.0
    interval = wilson(differing, double_coded, 1.0)
    return 0.0 if interval is None else min(interval.low / 2, _MOST_ERRORS)


def find_threshold(
    confidences: Sequence[float],
    are_right: Sequence[bool],
    precision: float,
    labelled: int,
    coder_error: float,
    is_multiple: bool = False,
) -> float | None:
    """Find the lowest confidence above which enough are right; None if there is none.

    Below 1,000 labels the lower bound of one standard error has to reach the precision, above it the mean confidence; where a text
    takes several codes, the share that is right, of many more judged pairs of text and code. Coders' own errors make a right
    suggestion look wrong, so that as many of these are allowed for.
    """
    order = sorted(range(len(confidences)), key=lambda at: -confidences[at])
    wanted = precision * (1 - coder_error)
    hits, total, found = 0, 0.0, None
    for n, at in enumerate(order, 1):
        hits += are_right[at]
        total += confidences[at]
        is_last_of_its_kind = n == len(order) or confidences[order[n]] < confidences[at]
        if n < FEWEST_JUDGED or not is_last_of_its_kind:
            continue
        bound = wilson(hits, n, 1.0)
        if is_multiple:
            reached = hits / n
        else:
            reached = bound.low if labelled < _MANY_LABELS and bound is not None else total / n
        if reached >= wanted and hits / n >= wanted - 0.02:
            found = confidences[at]
    return found


def drift(known: numpy.ndarray, seen: numpy.ndarray) -> float | None:
    """Compute the share of pieces that examples do not have; None without pieces."""
    return None if not len(seen) else float(1 - numpy.isin(seen, known).mean())
