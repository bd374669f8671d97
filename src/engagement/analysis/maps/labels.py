"""Placing a map's labels: inside places with enough room, otherwise at the side with a line."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.charts.drawing import shorten

if TYPE_CHECKING:
    from shapely import Point, Polygon
    from shapely.geometry.base import BaseGeometry

_MOST_CALLOUTS_A_SIDE = 16
_LETTER_WIDTH = 0.56  # relative to the font size, on average
_LINE_HEIGHT = 1.22
_HEIGHTS_TO_TRY = 9
_MOST_LANDS = 8  # as many kinds of maps a process remembers
type _Box = tuple[float, float, float, float]  # west, south, east, north


@dataclass(frozen=True)
class Labelled:
    """A place to label: its name, the text for its count, the count, its shape and its colour."""

    name: str
    text: str
    count: int
    shape: BaseGeometry
    colour: str = "#FFFFFF"


@dataclass(frozen=True)
class Inside:
    """A label inside a place, with its centre and the place's colour."""

    text: str
    x: float
    y: float
    colour: str


@dataclass(frozen=True)
class Callout:
    """A label at the left or right side, with the end of its line inside the place."""

    text: str
    x: float
    y: float
    is_left: bool
    side: float
    height: float


def place_labels(
    places: Sequence[Labelled], degrees_an_inch: float, stretch: float, font_size: float, names_all: bool
) -> tuple[list[Inside], list[Callout]]:
    """Place each name and count; empty places only get a label that fits inside, unless `names_all`.

    An inch is `degrees_an_inch` to the east, and `stretch` times that to the north. Places with most people go to the
    side first; once the sides are full, places have no label.
    """
    inside: list[Inside] = []
    outside: list[Labelled] = []
    taken: list[_Box] = []
    for place in sorted(places, key=lambda place: (-place.shape.area, place.name)):
        label = _fit_inside(place, taken, degrees_an_inch, stretch, font_size)
        if label is not None:
            inside.append(label)
        elif place.count or names_all:
            outside.append(place)
    outside.sort(key=lambda place: (-place.count, place.name))
    return inside, _put_aside(outside[: 2 * _MOST_CALLOUTS_A_SIDE], places, degrees_an_inch, stretch, font_size)


def _fit_inside(
    place: Labelled, taken: list[_Box], degrees_an_inch: float, stretch: float, font_size: float
) -> Inside | None:
    from shapely import box

    largest, points = _largest_part(place.shape)
    letter = font_size / 72 * degrees_an_inch
    longest_word = max(map(len, place.name.split()), default=0)
    for width, lines in ((40, 1), (12, 2), (8, 3)):
        if longest_word > width:
            break
        text = f"{shorten(place.name, width, lines)}\n{place.text}".rstrip()
        rows = text.split("\n")
        half_width = max(map(len, rows)) * letter * _LETTER_WIDTH / 2
        half_height = len(rows) * letter * _LINE_HEIGHT / 2 * stretch
        for x, y in points:
            room = (x - half_width, y - half_height, x + half_width, y + half_height)
            # Names may cross the border a little, but not another name.
            if any(_overlap(room, other) for other in taken):
                continue
            area = box(*room)
            if largest.contains(area) or area.intersection(largest).area > 0.9 * area.area:
                taken.append(room)
                return Inside(text, x, y, place.colour)
    return None


@functools.cache
def _largest_part(shape: BaseGeometry) -> tuple[Polygon, list[tuple[float, float]]]:
    """Return the largest of a shape's parts and the points to write at.

    Found once for all the maps that the shape is on.
    """
    from shapely import prepare

    largest = max(getattr(shape, "geoms", [shape]), key=lambda part: part.area)
    prepare(largest)
    return largest, _middles(largest)


def _middles(shape: Polygon) -> list[tuple[float, float]]:
    """Return points inside a shape to write at, best first: near its centre, then where it is widest."""
    from shapely import LineString, maximum_inscribed_circle

    west, south, east, north = shape.bounds
    circle = maximum_inscribed_circle(shape, tolerance=(north - south) / 50)
    found = [(point.x, point.y) for point in (shape.centroid, shape.representative_point(), circle.interpolate(0))]
    across = []
    for number in range(1, _HEIGHTS_TO_TRY + 1):
        y = south + (north - south) * number / (_HEIGHTS_TO_TRY + 1)
        pieces = shape.intersection(LineString([(west, y), (east, y)]))
        widest = max(getattr(pieces, "geoms", [pieces]), key=lambda piece: piece.length)
        across.append((widest.length, (widest.bounds[0] + widest.bounds[2]) / 2, y))
    return found + [(x, y) for _, x, y in sorted(across, reverse=True)]


def _overlap(first: _Box, second: _Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _put_aside(
    outside: Sequence[Labelled], places: Sequence[Labelled], degrees_an_inch: float, stretch: float, font_size: float
) -> list[Callout]:
    """Divide labels between the two sides, near their places, a line apart, just off the land."""
    from shapely import box

    if not outside:
        return []
    land = _unite(tuple(place.shape for place in places))
    west, south, east, north = land.bounds
    points = {id(place): place.shape.representative_point() for place in outside}
    # Lines cross as little land as possible; when a side is full, the places that gain least move to the other.
    gains = sorted(outside, key=lambda place: _land_between(land, points[id(place)], west, east))
    lefts = sum(_land_between(land, points[id(place)], west, east) < 0 for place in gains)
    lefts = min(max(lefts, len(gains) - _MOST_CALLOUTS_A_SIDE), _MOST_CALLOUTS_A_SIDE)
    step = font_size / 72 * degrees_an_inch * stretch * 1.6
    gap = 0.15 * degrees_an_inch
    callouts = []
    for is_left, side in ((True, gains[:lefts]), (False, gains[lefts:])):
        ordered = sorted(side, key=lambda place: -points[id(place)].y)
        heights = _spread([points[id(place)].y for place in ordered], step, south, north)
        if not heights:
            continue
        beside = land.intersection(box(west, min(heights) - step, east, max(heights) + step)).bounds
        edge = beside[0] - gap if is_left else beside[2] + gap
        ends = _uncross([(points[id(place)].x, points[id(place)].y) for place in ordered], edge, heights)
        for place, height in zip(ordered, ends, strict=True):
            point = points[id(place)]
            callouts.append(
                Callout(f"{shorten(place.name, 22, 1)} {place.text}".rstrip(), point.x, point.y, is_left, edge, height)
            )
    return callouts


@functools.lru_cache(_MOST_LANDS)
def _unite(shapes: tuple[BaseGeometry, ...]) -> BaseGeometry:
    from shapely import prepare, union_all

    land = union_all(shapes)
    prepare(land)
    return land


def _land_between(land: BaseGeometry, point: Point, west: float, east: float) -> float:
    """Return how much more land lies west of a point than east of it."""
    from shapely import LineString

    to_west, to_east = (LineString([(point.x, point.y), (edge, point.y)]) for edge in (west, east))
    return land.intersection(to_west).length - land.intersection(to_east).length


def _spread(heights: Sequence[float], step: float, south: float, north: float) -> list[float]:
    """Move descending heights apart, as little as possible, so each is at least a step below the last.

    They stay between south and north, or centre on the middle if there is too little room.

    >>> _spread([5, 5, 5], 1, 0, 9)
    [6.0, 5.0, 4.0]
    >>> _spread([0, 0], 1, 0, 6)
    [1, 0]
    """
    # Heights closer than a step form a block, which keeps their common centre.
    groups: list[tuple[float, int]] = []
    for number, height in enumerate(heights):
        middle, size = height + number * step, 1
        while groups and groups[-1][0] < middle:
            above, count = groups.pop()
            middle, size = (above * count + middle * size) / (count + size), count + size
        groups.append((middle, size))
    lowest, highest = south + (len(heights) - 1) * step, north
    if lowest > highest:
        lowest = highest = (lowest + highest) / 2
    tops = [min(max(middle, lowest), highest) for middle, size in groups for _ in range(size)]
    return [top - number * step for number, top in enumerate(tops)]


def _uncross(points: Sequence[tuple[float, float]], edge: float, heights: Sequence[float]) -> list[float]:
    """Assign the heights at one side to the points' lines, so no two lines cross.

    >>> _uncross([(8, 5), (1, 4)], 10, [2, 1])
    [2, 1]
    >>> _uncross([(1, 5), (8, 4)], 10, [2, 1])
    [1, 2]
    """
    ends = list(heights)
    # Each exchange shortens the lines in total, so this ends.
    while True:
        crossing = next(
            (
                (first, second)
                for first, second in itertools.combinations(range(len(points)), 2)
                if _cross(points[first], ends[first], points[second], ends[second], edge)
            ),
            None,
        )
        if crossing is None:
            return ends
        first, second = crossing
        ends[first], ends[second] = ends[second], ends[first]


def _cross(
    first: tuple[float, float], first_end: float, second: tuple[float, float], second_end: float, edge: float
) -> bool:
    """Tell whether the lines from two points to their heights at the edge cross."""
    # Take the line that starts nearer to the edge: is the other one above it there, and is it above at the edge?
    near, near_end, far, far_end = first, first_end, second, second_end
    if abs(edge - first[0]) > abs(edge - second[0]):
        near, near_end, far, far_end = second, second_end, first, first_end
    share = 0.0 if far[0] == edge else (near[0] - far[0]) / (edge - far[0])
    above = far[1] + (far_end - far[1]) * share - near[1]
    # Lines that only touch, within rounding, are left alone.
    return above * (far_end - near_end) < -1e-12
