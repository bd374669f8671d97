"""Tests of tables, held against counting every table, and against figures of textbooks."""

import itertools
import math

import numpy
import pytest

from engagement.analysis.statistics.associations import Crosstab, list_tests
from engagement.analysis.statistics.exact import conditional_odds_ratio, fisher_p
from engagement.analysis.statistics.probability import adjust_p_values, chi_squared_tail


def crosstab(counts: list[list[int]], kind: str = "theme", dataset: str = "s01e01") -> Crosstab:
    rows, columns = [f"r{n}" for n in range(len(counts))], [f"c{n}" for n in range(len(counts[0]))]
    return Crosstab(kind, dataset, "gender", "water", rows, columns, numpy.array(counts), 0, 0)


def count_every_table(counts: list[list[int]]) -> float:
    sizes, taken = [sum(column) for column in zip(*counts, strict=True)], sum(counts[0])
    ways = [
        math.prod(map(math.comb, sizes, row))
        for row in itertools.product(*(range(s + 1) for s in sizes))
        if sum(row) == taken
    ]
    observed = math.prod(map(math.comb, sizes, counts[0]))
    return sum(found for found in ways if found <= observed) / sum(ways)


@pytest.mark.parametrize(
    "counts",
    [
        [[3, 1], [1, 3]],
        [[0, 5], [7, 2]],
        [[2, 0, 4], [5, 6, 1]],
        # More columns than two halves of the same size.
        [[1, 0, 3, 2, 0], [4, 2, 0, 3, 5]],
        # The smaller row is the second.
        [[6, 5, 9, 4], [0, 3, 1, 1]],
        # All tables are as probable as this one.
        [[1, 0, 0], [0, 1, 1]],
    ],
)
def test_fishers_p_is_that_of_counting_every_table(counts):
    assert fisher_p(numpy.array(counts)) == pytest.approx(count_every_table(counts), rel=1e-12)


def test_a_table_too_large_to_be_exact_is_not_simulated():
    counts = [[400] * 12, [500] * 12]
    assert fisher_p(numpy.array(counts)) is None
    # Expected counts are below 5 in the last column.
    (row,) = list_tests([crosstab([[400] * 12 + [1], [500] * 12 + [1]])])
    assert (row.test, row.p, row.p_fisher, row.p_adjusted) == ("not computed", None, None, None)
    assert row.chi_squared is not None


def test_both_sides_above_two_values_with_small_expected_counts_are_not_computed():
    (row,) = list_tests([crosstab([[1, 2, 0], [2, 0, 3], [0, 1, 1]])])
    assert (row.test, row.p) == ("not computed", None)
    assert row.p_chi_squared is not None


def test_a_table_of_one_column_has_no_figures():
    (row,) = list_tests([crosstab([[4], [5]])])
    assert row[4:] == (2, 1, 9, *[None] * 5, "not computed", *[None] * 4, "", *[None] * 6)


def test_odds_are_of_the_other_value_against_the_reference():
    (row,) = list_tests([crosstab([[30, 10], [20, 40]])])
    assert (row.reference, row.test) == ("r0", "chi-squared")
    assert row.odds_ratio == pytest.approx(6)
    half = 1.959963984540054 * math.sqrt(1 / 30 + 1 / 10 + 1 / 20 + 1 / 40)
    assert (row.low, row.high) == (pytest.approx(6 * math.exp(-half)), pytest.approx(6 * math.exp(half)))


def test_odds_with_an_empty_cell_have_only_an_exact_interval():
    (row,) = list_tests([crosstab([[10, 4], [12, 0]])])
    assert (row.odds_ratio, row.low, row.high) == (None, None, None)
    assert (row.odds_ratio_exact, row.low_exact) == (0, 0)
    # The other way round there is no upper end.
    assert conditional_odds_ratio(12, 12, 14, 22)[::2] == (math.inf, math.inf)


def test_ends_of_the_exact_interval_leave_a_fortieth_in_their_tails():
    estimate, low, high = conditional_odds_ratio(7, 20, 30, 12)
    ways = [math.comb(20, x) * math.comb(30, 12 - x) for x in range(13)]

    def tail(ratio: float, counted: range) -> float:
        weights = [way * ratio**x for x, way in enumerate(ways)]
        return sum(weights[x] for x in counted) / sum(weights)

    assert tail(low, range(7, 13)) == pytest.approx(0.025, rel=1e-9)
    assert tail(high, range(8)) == pytest.approx(0.025, rel=1e-9)
    assert low < estimate < high


@pytest.mark.parametrize(("value", "degrees", "p"), [(10.827566170662733, 1, 0.001), (18.307038053275146, 10, 0.05),
                                                     (5.991464547107979, 2, 0.05), (0, 3, 1)])  # fmt: skip
def test_tails_of_chi_squared(value, degrees, p):
    assert chi_squared_tail(value, degrees) == pytest.approx(p, rel=1e-9)


def test_p_values_are_adjusted_in_families_by_dataset():
    tables = [crosstab([[30, 10], [20, 40]], dataset=dataset) for dataset in ("s01e01", "s01e01", "s01e02")]
    first, second, alone = list_tests(tables)
    assert first.p_adjusted == second.p_adjusted == first.p == alone.p_adjusted
    assert adjust_p_values([0.04, 0.01]) == [0.04, 0.02]
