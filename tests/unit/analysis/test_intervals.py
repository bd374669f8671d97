"""Wilson intervals, held against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.analysis.tables.intervals import Share, wilson_interval


@pytest.mark.parametrize(
    ("count", "base", "low", "high"),
    [
        # R. G. Newcombe (1998), Two-sided confidence intervals for the single proportion, Stat. Med. 17, 857-872, table I, method 3.
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_known_intervals(count: int, base: int, low: float, high: float):
    assert wilson_interval(count, base) == pytest.approx((low, high), abs=0.005)


@given(st.integers(1, 500).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))))
def test_an_interval_holds_its_share_stays_within_0_and_100_and_mirrors(numbers: tuple[int, int]):
    count, base = numbers
    low, high = wilson_interval(count, base)
    assert 0 <= low <= 100 * count / base <= high <= 100
    assert low < high
    assert wilson_interval(base - count, base) == pytest.approx((100 - high, 100 - low))


@pytest.mark.parametrize(("count", "base"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share_is_refused(count: int, base: int):
    with pytest.raises(ValueError, match="is not a share"):
        wilson_interval(count, base)


def test_a_share_is_written_with_its_interval():
    assert Share(14, 83).say() == "16.9 %, 10.3–26.3"
