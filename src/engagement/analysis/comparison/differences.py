"""Differences of shares between two groups of participants, with intervals for chance alone."""

from __future__ import annotations

from dataclasses import dataclass

from engagement.analysis.tables.intervals import SMALL_BASE, SMALLEST_BASE, Share, difference_interval


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
        if min(self.before[1], self.after[1]) < SMALLEST_BASE:
            return None
        return Share(*self.before), Share(*self.after)

    @property
    def difference(self) -> float | None:
        """After minus before, in percentage points."""
        return None if self.shares is None else self.shares[1].percent - self.shares[0].percent

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval of the difference; None where it does not hold, or there is no difference to show."""
        return None if self.shares is None or self.in_both else difference_interval(self.after, self.before)

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
            return f"base below {SMALLEST_BASE}: no share"
        told = [f"{self.in_both:,} in both: no interval"] if self.in_both else []
        return "; ".join([*told, *(["small base"] if min(self.before[1], self.after[1]) < SMALL_BASE else [])])
