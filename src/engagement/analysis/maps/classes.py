"""Dividing counts into the classes of a choropleth map."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate


def class_breaks(counts: Sequence[int], classes: int = 5) -> list[int]:
    """Split participant counts into classes for a choropleth map, by Fisher-Jenks natural breaks.

    `counts` holds one count per place, in participants. Zero is a class of its own, so "no one" never shares a colour with
    "a few". Returns the inclusive upper edge of each class, ascending, shape (k,) with k <= classes + 1; the first edge is 0. All
    zeros give [0].

    >>> class_breaks([0, 1, 2, 30, 31, 400], classes=3)
    [0, 2, 31, 400]

    Raises
    ------
    ValueError
        A count is negative.

    Source
    ------
    W. D. Fisher (1958), On grouping for maximum homogeneity, J. Am. Stat. Assoc. 53, 789-798.
    """
    if any(count < 0 for count in counts):
        raise ValueError("a count is negative; expected counts of participants")
    weights = Counter(count for count in counts if count)
    values = sorted(weights)
    if len(values) <= classes:
        return [0, *values]
    return [0, *(values[end - 1] for end in _best_ends(values, [weights[value] for value in values], classes))]


def _best_ends(values: Sequence[int], weights: Sequence[int], classes: int) -> list[int]:
    """Return the (exclusive) ends of classes with the least squared distances from the class means."""
    total = [0, *accumulate(weights)]
    sums = [0, *accumulate(value * weight for value, weight in zip(values, weights, strict=True))]
    squares = [0, *accumulate(value * value * weight for value, weight in zip(values, weights, strict=True))]

    def spread(start: int, end: int) -> float:
        inside = sums[end] - sums[start]
        return squares[end] - squares[start] - inside * inside / (total[end] - total[start])

    count = len(values)
    # best[end]: the smallest spread of the first `end` values in the classes so far; starts: where the last class
    # then begins.
    best = [0.0, *(spread(0, end) for end in range(1, count + 1))]
    starts: list[list[int]] = []
    for number in range(2, classes + 1):
        following, chosen = [0.0] * (count + 1), [0] * (count + 1)
        for end in range(number, count + 1):
            following[end], chosen[end] = min(
                (best[start] + spread(start, end), start) for start in range(number - 1, end)
            )
        best = following
        starts.append(chosen)
    ends = [count]
    for chosen in reversed(starts):
        ends.append(chosen[ends[-1]])
    return ends[::-1]


def class_of(count: int, breaks: Sequence[int]) -> int:
    """Return the number of a count's class: 0 for nobody.

    >>> class_of(0, [0, 2, 31]), class_of(2, [0, 2, 31]), class_of(3, [0, 2, 31])
    (0, 1, 2)
    """
    return bisect_left(breaks, count)
