"""The confidence from which on suggestions are right often enough."""

import math
from collections.abc import Sequence
from typing import NamedTuple

FEWEST_JUDGED = 20
_MANY_LABELS = 1_000
_FEWEST_DOUBLE_CODED = 30
_MOST_ERRORS = 0.1
_NEAR = 0.02


class Interval(NamedTuple):
    """A share, and the bounds of its interval (Wilson)."""

    share: float
    low: float
    high: float


def wilson(hits: float, n: int, errors: float = 1.96) -> Interval | None:
    """Estimate a share with its interval, `errors` standard errors to both sides; None of nothing.

    >>> wilson(9, 10)
    Interval(share=0.9, low=0.5958436145024278, high=0.9821242504842788)
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
    (0.054, 0.0)
    """
    if double_coded < _FEWEST_DOUBLE_CODED:
        return 0.0
    interval = wilson(differing, double_coded, 1.0)
    return 0.0 if interval is None else min(interval.low / 2, _MOST_ERRORS)


class Judged(NamedTuple):
    """What an unseen example would have got. `is_blind`: its coder saw no suggestion."""

    confidence: float
    is_right: bool
    is_blind: bool


class Threshold(NamedTuple):
    """The lowest confidence that is good enough; None if there is none.

    `contradicted` is what unaided coders made of suggestions that were good enough otherwise, if that is why there is none.
    """

    confidence: float | None
    contradicted: Interval | None = None


def find_threshold(
    judged: Sequence[Judged], precision: float, labelled: int, coder_error: float, is_multiple: bool = False
) -> Threshold:
    """Find the lowest confidence above which enough are right, by all labels and by blind ones.

    Below 1,000 labels the lower bound of one standard error has to reach the precision, above it the mean confidence; where a text
    takes several codes, the share that is right, of many more judged pairs of text and code. Coders' own errors make a right
    suggestion look wrong, so that as many of these are allowed for.

    Where the blind ones above it are too few right to be chance, a higher confidence has to do, as long as enough blind ones are above
    that to tell. So chance stops nothing: it asks for a little more confidence; and suggestions that only coders who follow them
    find right stop altogether.
    """
    ordered = sorted(judged, reverse=True)
    wanted = precision * (1 - coder_error)
    hits, total, blind_hits, blind = 0, 0.0, 0, 0
    found, contradicted, is_held = None, None, False
    for n, one in enumerate(ordered, 1):
        hits += one.is_right
        total += one.confidence
        blind += one.is_blind
        blind_hits += one.is_blind and one.is_right
        is_last_of_its_kind = n == len(ordered) or ordered[n].confidence < one.confidence
        if n < FEWEST_JUDGED or not is_last_of_its_kind:
            continue
        if not _is_enough(hits, total, n, wanted, labelled, is_multiple):
            continue
        unaided = wilson(blind_hits, blind)
        if unaided is not None and blind >= FEWEST_JUDGED:
            # From here on, what is found has to hold for blind ones.
            found, is_held = (None, True) if not is_held else (found, True)
            if unaided.high < wanted:
                contradicted = unaided
                continue
        found = one.confidence
    return Threshold(found, None if found is not None else contradicted)


def _is_enough(hits: int, total: float, n: int, wanted: float, labelled: int, is_multiple: bool) -> bool:
    share = hits / n
    if is_multiple:
        return share >= wanted
    if labelled < _MANY_LABELS:
        bound = wilson(hits, n, 1.0)
        return bound is not None and bound.low >= wanted
    return total / n >= wanted and share >= wanted - _NEAR
