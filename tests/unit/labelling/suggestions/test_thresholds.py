"""From which confidence on suggestions are right often enough."""

import pytest

from engagement.labelling.suggestions.thresholds import Judged, find_coder_error, find_threshold, wilson


def judge(*groups: tuple[float, int, int], blind: tuple[int, int] | None = None) -> list[Judged]:
    """Groups of a confidence, how many, how many right; `blind`: how many of the last group, and how many of these right."""
    judged = [Judged(confidence, at < right, False) for confidence, n, right in groups for at in range(n)]
    if blind is not None:
        confidence = groups[-1][0]
        judged += [Judged(confidence, at < blind[1], True) for at in range(blind[0])]
    return judged


def test_an_interval_holds_the_share_and_nothing_has_none():
    interval = wilson(18, 20)
    assert interval is not None
    assert interval.low < 0.9 == interval.share < interval.high < 1
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("judged", "labelled", "error", "is_multiple", "expected"),
    [
        (judge((0.95, 19, 19)), 500, 0.0, False, None),
        (judge((0.95, 20, 20)), 500, 0.0, False, 0.95),
        # Of few labels the lower bound counts, of many the mean confidence.
        (judge((0.95, 100, 91)), 500, 0.0, False, None),
        (judge((0.95, 100, 91)), 2_000, 0.0, False, 0.95),
        (judge((0.95, 100, 80)), 2_000, 0.0, False, None),
        # What coders get wrong is allowed for.
        (judge((0.95, 100, 91)), 500, 0.05, False, 0.95),
        (judge((0.95, 100, 91)), 500, 0.0, True, 0.95),
        (judge((0.95, 100, 99), (0.5, 100, 40)), 500, 0.0, False, 0.95),
        ([], 500, 0.0, False, None),
    ],
)
def test_the_lowest_confidence_that_is_right_often_enough(judged, labelled, error, is_multiple, expected):
    assert find_threshold(judged, 0.9, labelled, error, is_multiple).confidence == expected


def test_unaided_coders_who_disagree_ask_for_more_confidence():
    judged = judge((0.9, 100, 98), blind=(30, 29)) + judge((0.6, 500, 480), blind=(40, 28))
    assert find_threshold(judged, 0.9, 500, 0.0).confidence == 0.9


def test_unaided_coders_who_disagree_at_every_confidence_stop_suggestions():
    judged = judge((0.9, 300, 298), blind=(30, 15)) + judge((0.6, 500, 480), blind=(40, 20))
    threshold = find_threshold(judged, 0.9, 500, 0.0)
    assert threshold.confidence is None
    assert threshold.contradicted is not None
    assert threshold.contradicted.high < 0.9


def test_a_blind_share_that_is_a_little_low_by_chance_stops_nothing():
    assert find_threshold(judge((0.9, 500, 460), blind=(100, 86)), 0.9, 500, 0.0, is_multiple=True).confidence == 0.9


def test_coders_error_is_half_of_how_often_two_differ_and_never_much():
    assert find_coder_error(29, 29) == 0
    assert 0.03 < find_coder_error(300, 30) < 0.05
    assert find_coder_error(300, 300) == 0.1
