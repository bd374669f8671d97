"""Exact inference for tables with fixed margins: Fisher's test, and conditional odds ratios."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy

type FloatArray = numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]

# Tables of one half of the columns; above it a test takes too long.
_MOST_TABLES_OF_A_HALF = 1_000_000
# As probable as the observed table, rounding aside.
_TIE = math.log1p(1e-7)


def fisher_p(table: numpy.ndarray) -> float | None:
    """Return the two-sided p of Fisher's exact test of two rows; None if there are too many tables.

    It sums the probabilities of all tables that are at most as probable as the observed one. No table is simulated: the
    columns are split into two halves, and each table of one half meets those of the other that it completes.

    >>> round(fisher_p(numpy.array([[3, 1], [1, 3]])), 12)
    0.485714285714
    """
    sizes, smaller = table.sum(axis=0), table[table.sum(axis=1).argmin()]
    taken = int(smaller.sum())
    first, second = _split(sizes.tolist(), taken)
    own = _list_tables(sizes[first].tolist(), taken)
    others = None if own is None else _list_tables(sizes[second].tolist(), taken)
    if own is None or others is None:
        return None
    whole = _log_choose(int(sizes.sum()), numpy.array([taken]))[0]
    observed = sum(_log_choose(int(size), numpy.array([count]))[0] for size, count in zip(sizes, smaller, strict=True))
    return min(1.0, _sum_up_to(own, others, taken, float(observed) + _TIE, float(whole)))


def _split(sizes: Sequence[int], taken: int) -> tuple[list[int], list[int]]:
    """Split columns into two halves with about as many tables each."""
    halves: tuple[list[int], list[int]] = ([], [])
    logs = [0.0, 0.0]
    for column in sorted(range(len(sizes)), key=lambda column: -sizes[column]):
        half = 0 if logs[0] <= logs[1] else 1
        halves[half].append(column)
        logs[half] += math.log(min(sizes[column], taken) + 1)
    return halves


def _list_tables(sizes: Sequence[int], taken: int) -> tuple[numpy.ndarray, FloatArray] | None:
    """List each table of some columns: the sum of its row, and its ways as a logarithm, by sum."""
    sums, ways = numpy.zeros(1, numpy.int64), numpy.zeros(1)
    for size in sizes:
        counts = numpy.arange(min(size, taken) + 1)
        if len(sums) * len(counts) > 2 * _MOST_TABLES_OF_A_HALF:
            return None
        sums = (sums[:, None] + counts).ravel()
        ways = (ways[:, None] + _log_choose(size, counts)).ravel()
        fit = sums <= taken
        sums, ways = sums[fit], ways[fit]
        if len(sums) > _MOST_TABLES_OF_A_HALF:
            return None
    order = sums.argsort(kind="stable")
    return sums[order], ways[order]


def _sum_up_to(
    first: tuple[numpy.ndarray, FloatArray],
    second: tuple[numpy.ndarray, FloatArray],
    taken: int,
    limit: float,
    whole: float,
) -> float:
    """Sum the probabilities of the tables made of both halves whose number of ways is at most exp(limit)."""
    everyone = numpy.arange(taken + 2)
    starts = [numpy.searchsorted(sums, everyone).tolist() for sums, _ in (first, second)]
    total = 0.0
    for count in range(taken + 1):
        own = first[1][starts[0][count] : starts[0][count + 1]]
        others = second[1][starts[1][taken - count] : starts[1][taken - count + 1]]
        if not len(own) or not len(others):
            continue
        others = numpy.sort(others)
        # The largest of them is the last; relative to it nothing overflows.
        largest = others[-1]
        up_to = numpy.concatenate([[0.0], numpy.cumsum(numpy.exp(others - largest))])
        met = up_to[numpy.searchsorted(others, limit - own, side="right")]
        total += float(numpy.exp(own + largest - whole) @ met)
    return total


@functools.cache
def _log_factorials(size: int) -> FloatArray:
    return numpy.array([math.lgamma(number + 1) for number in range(size)])


def _log_choose(size: int, counts: numpy.ndarray) -> FloatArray:
    # Made for a power of two, so that there are few of them.
    logs = _log_factorials(1 << (size + 1).bit_length())
    found: FloatArray = logs[size] - logs[counts] - logs[size - counts]
    return found


def conditional_odds_ratio(count: int, row: int, other_row: int, column: int) -> tuple[float, float, float]:
    """Return the conditional maximum likelihood estimate of an odds ratio, with its exact 95 % interval.

    `count` of the `row` participants have what `column` participants of both rows have.

    >>> [round(figure, 4) for figure in conditional_odds_ratio(3, 4, 4, 4)]
    [6.4083, 0.2117, 626.2435]

    Source
    ------
    J. Cornfield (1956), A statistical problem arising from retrospective studies, Proc. Third Berkeley Symp. 4, 135-148.
    """
    least, most = max(0, column - other_row), min(row, column)
    support = numpy.arange(least, most + 1)
    ways = _log_choose(row, support) + _log_choose(other_row, column - support)
    if least == most:
        return math.nan, 0.0, math.inf

    def weigh(log_ratio: float) -> FloatArray:
        logs = ways + log_ratio * support
        chances = numpy.exp(logs - logs.max())
        found: FloatArray = chances / chances.sum()
        return found

    def mean(log_ratio: float) -> float:
        return float(weigh(log_ratio) @ support) - count

    def upper(log_ratio: float) -> float:
        return float(weigh(log_ratio)[support >= count].sum()) - 0.025

    def lower(log_ratio: float) -> float:
        return 0.025 - float(weigh(log_ratio)[support <= count].sum())

    # All three are near those of a large sample.
    cells = [cell + 0.5 for cell in (count, row - count, column - count, other_row - column + count)]
    near, error = math.log(cells[0] * cells[3] / (cells[1] * cells[2])), math.sqrt(sum(1 / cell for cell in cells))
    estimate = 0.0 if count == least else math.inf if count == most else math.exp(find_root(mean, near, error / 20))
    low = 0.0 if count == least else math.exp(find_root(upper, near - 2 * error, error / 5))
    high = math.inf if count == most else math.exp(find_root(lower, near + 2 * error, error / 5))
    return estimate, low, high


def find_root(function: Callable[[float], float], start: float, first_step: float) -> float:
    """Find where an increasing function is 0: a bracket by doubling, then secants in it (Illinois)."""
    low = high = start
    step, value = first_step, function(start)
    below = above = value
    while below > 0:
        low -= step
        below, step = function(low), 2 * step
    step = first_step
    while above < 0:
        high += step
        above, step = function(high), 2 * step
    side = 0
    for _ in range(200):
        if below == 0 or above == 0 or high - low < 1e-14 * max(1.0, abs(low), abs(high)):
            break
        middle = (low * above - high * below) / (above - below)
        value = function(middle)
        if value < 0:
            moved = middle - low
            low, below = middle, value
            above, side = (above / 2, -1) if side == -1 else (above, -1)
        else:
            moved = high - middle
            high, above = middle, value
            below, side = (below / 2, 1) if side == 1 else (below, 1)
        if abs(value) < 1e-15 or moved == 0:
            return middle
    return low if below == 0 else high if above == 0 else (low + high) / 2
