"""Models and weights, held against closed forms."""

import math

import numpy
import pytest

from engagement.analysis.statistics.logistic import Grouped, find_collinear, fit_logistic, profile_interval
from engagement.analysis.statistics.regression import drop_rare, find_cases
from engagement.analysis.statistics.variables import Variable
from engagement.analysis.statistics.weighting import rake


def grouped(*cells: tuple[int, int]) -> Grouped:
    """A model with a term for each group after the first: `yes` of `trials`."""
    yes, trials = (numpy.array(figures, dtype=float) for figures in zip(*cells, strict=True))
    design = numpy.eye(len(cells))
    design[:, 0] = 1
    return Grouped(design, yes, trials)


def test_a_term_of_one_question_is_its_log_odds_ratio():
    fit = fit_logistic(grouped((10, 50), (30, 60)))
    assert fit.estimates == pytest.approx([math.log(10 / 40), math.log(30 * 40 / (30 * 10))])
    assert fit.errors[1] == pytest.approx(math.sqrt(1 / 10 + 1 / 40 + 1 / 30 + 1 / 30))
    assert not fit.is_infinite.any()


def test_the_profile_of_an_intercept_alone_is_that_of_a_share():
    data = Grouped(numpy.ones((1, 1)), numpy.array([7.0]), numpy.array([40.0]))
    fit = fit_logistic(data)
    low, high = profile_interval(data, fit, 0)

    def deviance(log_odds: float) -> float:
        share = 1 / (1 + math.exp(-log_odds))
        return 2 * (fit.log_likelihood - 7 * math.log(share) - 33 * math.log(1 - share))

    assert (deviance(low), deviance(high)) == (pytest.approx(3.841458820694124), pytest.approx(3.841458820694124))
    assert low < fit.estimates[0] < high


@pytest.mark.parametrize(("cells", "infinite"), [
    # Nobody of the second group, everybody of it, nobody of the reference.
    ([(10, 50), (0, 60)], [False, True]),
    ([(10, 50), (60, 60), (20, 60)], [False, True, False]),
    ([(0, 50), (20, 60), (30, 60)], [True, True, True]),
])  # fmt: skip
def test_a_term_that_separates_is_infinite_and_the_others_stay(cells, infinite):
    fit = fit_logistic(grouped(*cells))
    assert fit.is_infinite.tolist() == infinite
    if not infinite[0]:
        assert fit.estimates[0] == pytest.approx(math.log(10 / 40), abs=1e-6)


def test_a_question_that_says_the_same_is_collinear():
    design = numpy.array([[1.0, 0, 1, 0], [1, 1, 0, 1], [1, 0, 1, 0]])
    assert find_collinear(design) == [2, 3]


def variable(name: str, *counts: int) -> Variable:
    """Participants by value; the last count is of those without one."""
    values = tuple(f"{name}{number}" for number in range(len(counts) - 1))
    return Variable(name, values, numpy.repeat(numpy.arange(len(counts)), counts))


def test_who_has_a_rare_value_leaves_all_models_before_who_lacks_one():
    place, gender = variable("place", 20, 9, 5), variable("gender", 10, 20, 4)
    relevant = numpy.ones(34, dtype=bool)
    assert drop_rare(relevant, [place]).sum() == 25
    cases = find_cases(relevant, [place, gender])
    # The nine of a rare place; of the others the five without a place.
    assert (cases.left_out_small, cases.left_out_missing, int(cases.rows.sum())) == (9, 5, 20)
    # The most frequent value of the season is the reference, though half of these have another.
    assert [tuple(term) for term in cases.terms] == [("(intercept)", "", ""), ("gender", "gender0", "gender1")]


def test_nobody_with_all_predictors_is_no_model():
    assert find_cases(numpy.ones(15, dtype=bool), [variable("gender", 0, 0, 15)]) is None


def test_weights_give_the_shares_of_a_population():
    gender = Variable("gender", ("man", "woman"), numpy.array([0, 0, 0, 1, 1, 0, 2, 1]))
    place = Variable("place", ("bay", "gedo", "sool"), numpy.array([0, 1, 1, 0, 1, 0, 0, 3]))
    margins = {"gender": {"man": 0.5, "woman": 0.5}, "place": {"bay": 0.3, "gedo": 0.7}}
    weights = rake([gender, place], margins)
    assert weights[6:].tolist() == [0, 0]
    assert weights.sum() == pytest.approx(6)
    assert weights[gender.positions == 0].sum() == pytest.approx(3)
    assert weights[place.positions == 1].sum() == pytest.approx(4.2)


def test_shares_of_values_that_nobody_has_go_to_the_others():
    gender = Variable("gender", ("man", "woman", "other"), numpy.array([0, 0, 0, 1]))
    weights = rake([gender], {"gender": {"man": 0.45, "woman": 0.45, "other": 0.1}})
    assert weights == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
