"""Shares of a whole, with intervals for chance alone."""

from __future__ import annotations

from dataclasses import dataclass

# The standard normal distribution has 95 % between minus and plus this.
NORMAL_95 = 1.959963984540054
# No percentage of fewer than the first, and a mark for a base of fewer than the second.
SMALLEST_BASE, SMALL_BASE = 10, 30
WHAT_INTERVALS_SAY = (
    "95 % intervals (Wilson). Those who responded chose to: no interval here speaks of the population, only of chance among such "
    "participants; one phone may be several people."
)


def wilson_interval(count: int, base: int) -> tuple[float, float]:
    """Return the ends, in percent, of the 95 % Wilson score interval of `count` out of `base`.

    There is no continuity correction.

    It stays between 0 and 100, and has a width even if nobody or everybody is counted.

    >>> [round(end, 1) for end in wilson_interval(1, 10)]
    [1.8, 40.4]

    Raises
    ------
    ValueError
        The base is 0, or the count is not between 0 and the base.

    Source
    ------
    E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22, 209-212;
    recommended by L. D. Brown, T. T. Cai, A. DasGupta (2001), Interval estimation for a binomial proportion, Stat. Sci. 16, 101-133.
    """
    if not 0 <= count <= base or base == 0:
        raise ValueError(f"{count} of {base} is not a share")
    squared = NORMAL_95**2
    share = count / base
    middle = share + squared / (2 * base)
    half = NORMAL_95 * (share * (1 - share) / base + squared / (4 * base * base)) ** 0.5
    whole = 1 + squared / base
    # Rounding may leave a trace where the ends are exactly 0 and 1.
    low = 0.0 if count == 0 else (middle - half) / whole
    high = 1.0 if count == base else (middle + half) / whole
    return 100 * low, 100 * high


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return the ends, in percentage points, of the 95 % interval of the first share minus the second.

    A share is a count and its base. The two groups must have nobody in common.

    >>> [round(end, 1) for end in difference_interval((56, 70), (48, 80))]
    [5.2, 33.4]

    Source
    ------
    R. G. Newcombe (1998), Interval estimation for the difference between independent proportions: comparison of eleven methods,
    Stat. Med. 17, 873-890, method 10.
    """
    (low, high), (other_low, other_high) = wilson_interval(*first), wilson_interval(*second)
    share, other = 100 * first[0] / first[1], 100 * second[0] / second[1]
    below = ((share - low) ** 2 + (other_high - other) ** 2) ** 0.5
    above = ((high - share) ** 2 + (other - other_low) ** 2) ** 0.5
    return max(-100.0, share - other - below), min(100.0, share - other + above)


@dataclass(frozen=True)
class Share:
    """A part of a whole, in participants; the whole is at least 1."""

    count: int
    base: int

    @property
    def percent(self) -> float:
        """The share in percent."""
        return 100 * self.count / self.base

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of its 95 % interval, in percent."""
        return wilson_interval(self.count, self.base)

    def say_interval(self) -> str:
        """Write the interval.

        >>> Share(1, 10).say_interval()
        '1.8–40.4'
        """
        low, high = self.interval
        return f"{low:.1f}–{high:.1f}"

    def say(self) -> str:
        """Write the share and its interval.

        >>> Share(1, 10).say()
        '10.0 %, 1.8–40.4'
        """
        return f"{self.percent:.1f} %, {self.say_interval()}"
