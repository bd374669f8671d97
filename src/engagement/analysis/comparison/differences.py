"""Differences of shares between two groups of participants, with intervals for chance alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from engagement.analysis.tables.intervals import Share

# Below the first there is no percentage, below the second a mark.
FEWEST_FOR_A_SHARE, SMALL_BASE = 10, 30


def newcombe_interval(before: Share, after: Share) -> tuple[float, float]:
    """Return the ends, in percentage points, of the 95 % interval of `after` minus `before`.

    It holds for independent groups: nobody may be in both. From Wilson's intervals, without continuity correction.

    >>> [round(end, 2) for end in newcombe_interval(Share(48, 80), Share(56, 70))]
    [5.24, 33.39]

    Source
    ------
    R. G. Newcombe (1998), Interval estimation for the difference between independent proportions: comparison of eleven methods,
    Stat. Med. 17, 873-890, method 10.
    """
    difference = after.percent - before.percent
    (before_low, before_high), (after_low, after_high) = before.interval, after.interval
    down = hypot(after.percent - after_low, before_high - before.percent)
    up = hypot(after_high - after.percent, before.percent - before_low)
    return max(-100.0, difference - down), min(100.0, difference + up)


@dataclass(frozen=True)
class ShareDifference:
    """A theme or answer before and after: participants who have it, of a base.

    `in_both` are in both bases. A side whose code scheme lacks it has the count 0.
    """

    dataset: str
    theme: str
    name: str
    before: tuple[int, int]
    after: tuple[int, int]
    in_both: int

    @property
    def shares(self) -> tuple[Share, Share] | None:
        """Both shares; None where a base is too small for one."""
        if min(self.before[1], self.after[1]) < FEWEST_FOR_A_SHARE:
            return None
        return Share(*self.before), Share(*self.after)

    @property
    def difference(self) -> float | None:
        """After minus before, in percentage points."""
        return None if self.shares is None else self.shares[1].percent - self.shares[0].percent

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the difference; None where it does not hold, or there is no difference to show."""
        return None if self.shares is None or self.in_both else newcombe_interval(*self.shares)

    @property
    def is_more_than_chance(self) -> bool:
        """Tell whether the interval of the difference leaves out 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def change(self) -> str:
        """Tell whether a theme is "new" or "gone"; "" if both sides have it, or neither."""
        before, after = self.before[0] > 0, self.after[0] > 0
        return "" if before == after else "new" if after else "gone"

    @property
    def note(self) -> str:
        """Say why there is no interval or percentage, or that a base is small."""
        if self.shares is None:
            return f"base below {FEWEST_FOR_A_SHARE}: no share"
        told = [f"{self.in_both:,} in both: no interval"] if self.in_both else []
        return "; ".join([*told, *(["small base"] if min(self.before[1], self.after[1]) < SMALL_BASE else [])])
