"""Labels of maps: in their places where there is room, else at a side, apart from each other and with lines that do not cross."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from engagement.analysis.maps.labels import Callout, Labelled, place_labels

DEGREES_AN_INCH, STRETCH, FONT_SIZE = 1.0, 1.0, 7.2
STEP = FONT_SIZE / 72 * DEGREES_AN_INCH * 1.6
places_of_a_map = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 3)),
    min_size=1,
    max_size=32,
    unique_by=lambda p: p[:2],
)


def tiny(name: str, x: float, y: float, count: int) -> Labelled:
    """A place without room for any label."""
    return Labelled(name, str(count), count, box(x, y, x + 0.01, y + 0.01))


def label(*places: Labelled, names_all: bool = False):
    return place_labels(places, DEGREES_AN_INCH, STRETCH, FONT_SIZE, names_all)


def line_of(callout: Callout) -> LineString:
    return LineString([(callout.x, callout.y), (callout.side, callout.height)])


@given(places_of_a_map, st.booleans())
def test_callouts_are_apart_and_their_lines_do_not_cross(found: list[tuple[int, int, int]], names_all: bool):
    places = [tiny(f"place {n}", x / 10, y / 10, count) for n, (x, y, count) in enumerate(found)]
    inside, callouts = label(*places, names_all=names_all)
    assert not inside
    wanted = [place for place in places if place.count or names_all]
    assert sorted(callout.text for callout in callouts) == sorted(f"{place.name} {place.text}" for place in wanted)
    for side in (True, False):
        of_side = [callout for callout in callouts if callout.is_left == side]
        assert len(of_side) <= 16
        for first, second in itertools.combinations(of_side, 2):
            assert abs(first.height - second.height) > STEP * 0.999
            assert not line_of(first).crosses(line_of(second))


def test_callouts_stand_around_the_heights_of_their_places():
    _, callouts = label(*(tiny(f"p{n}", 0, 5, 1) for n in range(3)), tiny("north", 1, 9, 1), tiny("south", 1, 0, 1))
    heights = sorted(callout.height for callout in callouts if callout.text.startswith("p"))
    assert abs(heights[1] - 5.005) < 0.01


def test_a_label_is_written_where_its_place_is_wide_enough():
    # Thin at its middle, and wide at its north.
    shape = box(0, 0, 0.2, 8).union(box(0, 8, 3, 9.5))
    (inside,), callouts = label(Labelled("wide in the north", "7", 7, shape))
    assert not callouts
    assert inside.y > 8


def test_words_are_not_broken():
    (inside,), _ = label(Labelled("two words", "7", 7, box(0, 0, 0.4, 0.6)))
    assert inside.text == "two\nwords\n7"
    none, (callout,) = label(Labelled("onelongword", "7", 7, box(0, 0, 0.5, 0.6)))
    assert none == []
    assert callout.text == "onelongword 7"


def test_names_never_lie_over_each_other():
    shapes = [box(x, y, x + 0.7, y + 0.4) for x in range(3) for y in range(3)]
    inside, _ = label(*(Labelled(f"place {n}", "1", 1, shape) for n, shape in enumerate(shapes)))
    assert len(inside) == len({(one.x, one.y) for one in inside}) == 9
