"""Imputed regressions: what is known stays, the same data give the same figures, and pooling adds what is unknown."""

import math

import numpy
import pytest

from engagement.analysis.statistics.imputation import DATA_SETS, complete, pool
from engagement.analysis.statistics.imputed_regression import find_incomplete
from engagement.analysis.statistics.probability import student_95, student_two_sided
from engagement.analysis.statistics.variables import Variable


def columns(people: int = 400) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """A theme, a gender that decides it nine times of ten and that a quarter miss, and a place of three."""
    chance = numpy.random.default_rng(3)
    gender, place = chance.integers(0, 2, people), chance.integers(0, 3, people)
    theme = numpy.where(chance.random(people) < 0.9, gender, 1 - gender)
    return theme, numpy.where(chance.random(people) < 0.25, 2, gender), place


def test_what_is_known_stays_and_what_is_missing_follows_the_theme():
    theme, gender, place = columns()
    filled = complete([theme, gender, place], [2, 2, 3])
    assert (filled[0] == theme).all()
    assert (filled[2] == place).all()
    known = gender < 2
    assert (filled[1][:, known] == gender[known]).all()
    assert set(numpy.unique(filled[1])) == {0, 1}
    guessed = filled[1][:, ~known] == theme[~known]
    assert 0.8 < guessed.mean() < 0.97
    # Drawn, not the most likely value each time.
    assert len({tuple(row) for row in filled[1].tolist()}) == DATA_SETS


def test_the_same_data_give_the_same_values():
    first, second = (complete(columns(), [2, 2, 3]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_a_value_that_separates_can_still_be_imputed():
    theme, _, place = columns()
    gender = theme.copy()
    gender[:100] = 2
    filled = complete([theme, gender, place], [2, 2, 3])
    assert (filled[1][:, :100] == theme[:100]).mean() > 0.9


def test_predictors_of_too_many_values_are_not_imputed():
    assert complete([numpy.zeros(9, int), numpy.zeros(9, int), numpy.zeros(9, int)], [2, 60, 30]) is None


def test_pooling_adds_the_variance_between_data_sets():
    pooled = pool(numpy.array([1.0, 2.0, 3.0]), numpy.array([0.5, 0.5, 0.5]), 100)
    assert pooled.estimate == 2
    assert pooled.error == pytest.approx(math.sqrt(0.25 + (1 + 1 / 3) * 1))
    share = (4 / 3) / (0.25 + 4 / 3)
    old, observed = 2 / share**2, 101 / 103 * 100 * (1 - share)
    assert pooled.degrees == pytest.approx(old * observed / (old + observed))


def test_estimates_that_do_not_differ_have_the_degrees_of_complete_data():
    pooled = pool(numpy.array([1.0, 1.0]), numpy.array([0.5, 0.5]), 100)
    assert (pooled.error, pooled.degrees) == (0.5, pytest.approx(101 / 103 * 100))


@pytest.mark.parametrize(
    ("degrees", "end"), [(1, 12.706204736174707), (5, 2.5705818356363155), (30.5, 2.0408724), (500, 1.9647198374673438)]
)
def test_ends_of_students_t(degrees, end):
    assert student_95(degrees) == pytest.approx(end, rel=1e-5)
    assert student_two_sided(student_95(degrees), degrees) == pytest.approx(0.05, rel=1e-9)


def test_the_reference_comes_first_and_rare_values_leave():
    place = Variable("place", ("bay", "gedo", "sool"), numpy.array([0] * 12 + [1] * 20 + [2] * 3 + [3] * 5))
    data = find_incomplete(numpy.ones(40, dtype=bool), [place])
    assert [tuple(term) for term in data.terms] == [("(intercept)", "", ""), ("place", "bay", "gedo")]
    assert (data.left_out_small, data.columns[0].tolist()) == (3, [1] * 12 + [0] * 20 + [2] * 5)
