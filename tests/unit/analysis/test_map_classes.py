"""Classes of a choropleth map: known breaks, and never worse than any other way to divide the counts."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement.analysis.maps.classes import class_breaks, class_of
from property_examples import examples


@pytest.mark.parametrize(
    ("counts", "classes", "expected"),
    [
        ([], 5, [0]),
        ([0, 0], 5, [0]),  # nobody anywhere
        ([7], 5, [0, 7]),
        ([1, 2, 3], 5, [0, 1, 2, 3]),  # fewer values than classes: each its own
        ([0, 1, 2, 30, 31, 400], 3, [0, 2, 31, 400]),
        ([1, 1, 1, 1, 10, 11, 100], 2, [0, 11, 100]),
        ([4, 5, 9, 10], 2, [0, 5, 10]),  # W. D. Fisher's own small example has such gaps
    ],
)
def test_known_counts_have_known_breaks(counts, classes, expected):
    assert class_breaks(counts, classes) == expected


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="negative"):
        class_breaks([3, -1])


def spread(groups) -> float:
    return sum(sum((value - sum(group) / len(group)) ** 2 for value in group) for group in groups)


@settings(max_examples=examples(60))
@given(st.lists(st.integers(0, 60), max_size=10), st.integers(1, 4))
def test_no_other_division_is_closer_together(counts, classes):
    breaks = class_breaks(counts, classes)
    positive = sorted(count for count in counts if count)
    assert breaks == sorted(set(breaks))
    assert len(breaks) <= classes + 1
    assert all(class_of(count, breaks) > 0 for count in positive)
    assert class_of(0, breaks) == 0
    values = sorted(set(positive))
    if not values:
        return
    found = [[count for count in positive if class_of(count, breaks) == number] for number in range(1, len(breaks))]
    number = min(classes, len(values))
    best = min(
        spread([[c for c in positive if low < c <= high] for low, high in itertools.pairwise((0, *edges, values[-1]))])
        for edges in itertools.combinations(values[:-1], number - 1)
    )
    assert spread(found) == pytest.approx(best)
