"""Where the labels of a map go: in the places that have room for them, else at the side with a line to the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.charts_drawing import shorten

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_MOST_CALLOUTS_A_SIDE = 16
_LETTER_WIDTH = 0.56  # of the font's size, on average
_LINE_HEIGHT = 1.22


@dataclass(frozen=True)
class Labelled:
    """A place to label: its name, what is written of its count, the count, and its shape."""

    name: str
    text: str
    count: int
    shape: BaseGeometry


@dataclass(frozen=True)
class Inside:
    """A label in a place, with the point of its middle."""

    text: str
    x: float
    y: float
    count: int


@dataclass(frozen=True)
class Callout:
    """A label at the left or right side, with the point in the place that its line goes to."""

    text: str
    x: float
    y: float
    is_left: bool
    side: float
    height: float


def place_labels(
    places: Sequence[Labelled], degrees_an_inch: float, stretch: float, font_size: float
) -> tuple[list[Inside], list[Callout]]:
    """Where to write each place's name and count; places where nobody is get a label only if it fits inside.

    One degree north is as long as `stretch` degrees east. The places with most people go to the side first; past what the
    sides have room for, places have no label.
    """
    inside: list[Inside] = []
    outside: list[Labelled] = []
    taken: list[BaseGeometry] = []
    for place in sorted(places, key=lambda place: (-place.shape.area, place.name)):
        label = _fit_inside(place, taken, degrees_an_inch, stretch, font_size)
        if label is not None:
            inside.append(label)
        elif place.count:
            outside.append(place)
    outside.sort(key=lambda place: (-place.count, place.name))
    return inside, _put_aside(outside[: 2 * _MOST_CALLOUTS_A_SIDE], places, degrees_an_inch, font_size)


def _fit_inside(
    place: Labelled, taken: list[BaseGeometry], degrees_an_inch: float, stretch: float, font_size: float
) -> Inside | None:
    from shapely import box, maximum_inscribed_circle, unary_union

    largest = max(getattr(place.shape, "geoms", [place.shape]), key=lambda part: part.area)
    circle = maximum_inscribed_circle(largest, tolerance=degrees_an_inch / 50)
    points = [largest.centroid, largest.representative_point(), circle.interpolate(0)]
    names = [shorten(place.name, width, lines) for width, lines in ((40, 1), (12, 2), (8, 3))]
    texts = [f"{name}\n{place.text}" for name in names]
    letter = font_size / 72 * degrees_an_inch
    for text in texts:
        lines = text.split("\n")
        half_width = max(map(len, lines)) * letter * _LETTER_WIDTH / 2
        half_height = len(lines) * letter * _LINE_HEIGHT / 2 * stretch
        for point in points:
            room = box(point.x - half_width, point.y - half_height, point.x + half_width, point.y + half_height)
            # Names may reach a little over the border, but not over another name.
            if room.intersection(largest).area > 0.9 * room.area and not unary_union(taken).intersects(room):
                taken.append(room)
                return Inside(text, point.x, point.y, place.count)
    return None


def _put_aside(
    outside: Sequence[Labelled], places: Sequence[Labelled], degrees_an_inch: float, font_size: float
) -> list[Callout]:
    """Share the labels between the two sides, from north to south and a line apart, just outside of the land at their heights."""
    from shapely import box, union_all

    if not outside:
        return []
    land = union_all([place.shape for place in places])
    west, south, east, north = land.bounds
    points = {id(place): place.shape.representative_point() for place in outside}
    # A line over as little land as can be; whoever gains least goes to the other side when one is full.
    gains = sorted(outside, key=lambda place: _land_between(land, points[id(place)], west, east))
    lefts = sum(_land_between(land, points[id(place)], west, east) < 0 for place in gains)
    lefts = min(max(lefts, len(gains) - _MOST_CALLOUTS_A_SIDE), _MOST_CALLOUTS_A_SIDE)
    step = font_size / 72 * degrees_an_inch * 1.6
    gap = 0.15 * degrees_an_inch
    callouts = []
    for is_left, side in ((True, gains[:lefts]), (False, gains[lefts:])):
        ordered = sorted(side, key=lambda place: -points[id(place)].y)
        heights = _spread([points[id(place)].y for place in ordered], step, south, north)
        if not heights:
            continue
        beside = land.intersection(box(west, min(heights) - step, east, max(heights) + step)).bounds
        edge = beside[0] - gap if is_left else beside[2] + gap
        for place, height in zip(ordered, heights, strict=True):
            point = points[id(place)]
            callouts.append(
                Callout(f"{shorten(place.name, 22, 1)} {place.text}", point.x, point.y, is_left, edge, height)
            )
    return callouts


def _land_between(land: BaseGeometry, point: BaseGeometry, west: float, east: float) -> float:
    """How much more land lies between a point and the west than between it and the east."""
    from shapely import LineString

    to_west, to_east = (LineString([(point.x, point.y), (edge, point.y)]) for edge in (west, east))
    return land.intersection(to_west).length - land.intersection(to_east).length


def _spread(heights: Sequence[float], step: float, south: float, north: float) -> list[float]:
    """Move descending heights apart, so that each is at least a step below the last, between south and north.

    >>> _spread([5, 5, 5], 1, 0, 6)
    [5, 4, 3]
    >>> _spread([0, 0], 1, 0, 6)
    [1, 0]
    """
    spread: list[float] = []
    for height in heights:
        spread.append(min(height, north if not spread else spread[-1] - step))
    lowest = south
    for number in range(len(spread) - 1, -1, -1):
        spread[number] = max(spread[number], lowest)
        lowest = spread[number] + step
    return spread
