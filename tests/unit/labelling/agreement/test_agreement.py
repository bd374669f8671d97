"""Coefficients of agreement, held against published examples and against the textbook's own way to count."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engagement.labelling.agreement.agreement import draw_weights, measure_agreement


def ratings_of(*coders: str) -> np.ndarray:
    """One text a coder, one letter a message, . where it was not coded."""
    categories = sorted({letter for coder in coders for letter in coder if letter != "."})
    columns = zip(*coders, strict=True)
    return np.array([[message.count(category) for category in categories] for message in columns], dtype=float)


def measure(*coders: str):
    ratings = ratings_of(*coders)
    return measure_agreement(ratings, draw_weights(len(ratings), 10, 1))


# K. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: A two observers, binary; B two observers, nominal;
# C any number of observers with missing data, as nominal data.
KRIPPENDORFF = {
    "A": (("0100000010", "1110010000"), 0.095),
    "B": (("aabbdcccedda", "babbbccceddd"), 0.692),
    "C": (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
    # The example of three coders in the Wikipedia article on Krippendorff's alpha.
    "W": ((".....34121133.3", "1.213343.......", "..21344.21133.4"), 0.691),
}


@pytest.mark.parametrize("example", KRIPPENDORFF)
def test_alpha_is_that_of_the_published_examples(example):
    coders, alpha = KRIPPENDORFF[example]
    assert round(measure(*coders).alpha.value, 3) == alpha


def test_ac1_is_that_of_the_published_examples():
    # K. L. Gwet (2014), Handbook of Inter-Rater Reliability: four raters, twelve subjects, missing ratings. They are the data
    # of Krippendorff's example C; the package irrCAC prints the same figures for them.
    agreement = measure(*KRIPPENDORFF["C"][0])
    assert round(agreement.percent_agreement.value, 5) == 0.81818
    assert round(agreement.ac1.value, 5) == 0.77544
    assert agreement.messages == 11


def test_ac1_stays_high_where_one_category_is_rare():
    # By hand: 118 times both say yes, 5 and 2 times one of them, never both no. p_a = 118/125; yes is given in
    # (123/125 + 120/125)/2 of ratings, so p_e = 2 * 0.972 * 0.028 = 0.054432 and AC1 = (0.944 - p_e) / (1 - p_e).
    first, second = "y" * 123 + "n" * 2, "y" * 118 + "n" * 5 + "y" * 2
    agreement = measure(first, second)
    assert agreement.percent_agreement.value == pytest.approx(0.944)
    assert agreement.ac1.value == pytest.approx(0.889568 / 0.945568)
    assert agreement.alpha.value < 0


def textbook_alpha(coders: list[str]) -> float | None:
    """From the matrix of coincidences, pair by pair."""
    coincidences: Counter[tuple[str, str]] = Counter()
    for message in zip(*coders, strict=True):
        given_codes = [code for code in message if code != "."]
        for pair in itertools.permutations(given_codes, 2):
            coincidences[pair] += 1 / (len(given_codes) - 1)
    totals: Counter[str] = Counter()
    for (code, _), number in coincidences.items():
        totals[code] += number
    n = sum(totals.values())
    observed = sum(number for (one, other), number in coincidences.items() if one != other)
    expected = sum(totals[one] * totals[other] for one, other in itertools.permutations(totals, 2))
    return 1 - (n - 1) * observed / expected if expected else None


coders_of_messages = st.integers(2, 5).flatmap(
    lambda coders: st.lists(st.text("ab.c", min_size=coders, max_size=coders), min_size=1, max_size=15)
).map(lambda messages: ["".join(column) for column in zip(*messages, strict=True)])  # fmt: skip


@given(coders_of_messages)
def test_alpha_is_that_of_the_matrix_of_coincidences(coders):
    assume(any(sum(code != "." for code in message) > 1 for message in zip(*coders, strict=True)))
    expected = textbook_alpha(coders)
    found = measure(*coders).alpha.value
    assert found == (None if expected is None else pytest.approx(expected))


@given(coders_of_messages, st.randoms())
def test_names_of_codes_and_the_order_of_coders_do_not_matter(coders, chance):
    assume(any(sum(code != "." for code in message) > 1 for message in zip(*coders, strict=True)))
    other = [coder.translate(str.maketrans("abc", "zxy")) for coder in coders]
    chance.shuffle(other)
    values = [
        (agreement.percent_agreement.value, agreement.alpha.value, agreement.ac1.value)
        for agreement in (measure(*coders), measure(*other))
    ]
    assert values[0] == pytest.approx(values[1], nan_ok=True)


def test_coders_who_always_agree_agree_entirely():
    agreement = measure("abab", "abab", "ab..")
    assert (agreement.percent_agreement.value, agreement.alpha.value, agreement.ac1.value) == (1, 1, 1)


def test_alpha_is_not_defined_where_nothing_varies():
    agreement = measure("aaaa", "aaaa")
    assert (agreement.alpha.value, agreement.alpha.low, agreement.alpha.high) == (None, None, None)
    assert (agreement.percent_agreement.value, agreement.ac1.value) == (1, 1)


def test_intervals_hold_the_value_and_follow_from_the_seed():
    ratings = ratings_of("aabbcabacb" * 8, "aabbcabaca" * 7 + "bbbbbbbbbb")
    agreements = [measure_agreement(ratings, draw_weights(80, 500, seed)) for seed in (1, 1, 2)]
    assert agreements[0] == agreements[1] != agreements[2]
    for estimate in (agreements[0].percent_agreement, agreements[0].alpha, agreements[0].ac1):
        assert estimate.low < estimate.value < estimate.high
    narrow = measure_agreement(ratings, draw_weights(80, 500, 1), confidence=0.5).alpha
    wide = agreements[0].alpha
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_interval_of_percent_agreement_is_that_of_a_share():
    # 80 % of 400: the normal approximation is 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 400) = 0.761 to 0.839.
    ratings = ratings_of("a" * 400, "a" * 320 + "b" * 80)
    interval = measure_agreement(ratings, draw_weights(400, 4000, 7)).percent_agreement
    assert (interval.low, interval.high) == (pytest.approx(0.761, abs=0.005), pytest.approx(0.839, abs=0.005))


def test_a_draw_is_as_large_as_the_sample():
    weights = draw_weights(30, 50, 3)
    assert weights.shape == (50, 30)
    assert set(weights.sum(axis=1)) == {30}
