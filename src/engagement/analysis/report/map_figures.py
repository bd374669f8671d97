"""Maps as SVG: shapes once a level, places as shades and as text, small maps side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.maps.classes import class_of
from engagement.analysis.maps.picture import MapArea, MapPicture

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_WIDTH, _TALLEST = 600.0, 640.0
_FINENESS = 0.7  # of a map's unit: corners nearer to the line than this are left out
_MOST_LISTED = 20


@dataclass(frozen=True)
class MapShape:
    """The outline of a place, drawn once and used by every map of its level."""

    name: str
    path: str


@dataclass(frozen=True)
class ShadedPlace:
    """A place on one map: its outline, its class and what is said of it."""

    shape: str
    kind: str
    title: str


@dataclass(frozen=True)
class LegendEntry:
    """A class of a map's legend."""

    kind: str
    text: str


@dataclass(frozen=True)
class MapFigure:
    """A map on the page; `listed` says in text which places stand out."""

    name: str
    title: str
    subtitle: str
    description: str
    width: float
    height: float
    places: Sequence[ShadedPlace]
    legend: Sequence[LegendEntry]
    listed: str
    notes: Sequence[str]
    has_intervals: bool = False


@dataclass(frozen=True)
class Outlines:
    """Outlines of a level's shapes, by shape."""

    shapes: dict[str, MapShape]
    width: float
    height: float


def draw_outlines(picture: MapPicture, name: str) -> Outlines:
    """Project the shapes of a map to the page's units, and leave out what is too fine to see."""
    from shapely import wkb

    shapes = {place.shape: wkb.loads(place.shape, hex=True) for place in picture.places}
    west, south = (min(shape.bounds[place] for shape in shapes.values()) for place in (0, 1))
    east, north = (max(shape.bounds[place] for shape in shapes.values()) for place in (2, 3))
    # Near the equator a degree east is nearly as long as one north; the ratio in the centre serves the whole map.
    stretch = 1.0 if picture.are_tiles else 1 / math.cos(math.radians((south + north) / 2))
    scale = min(_WIDTH / (east - west), _TALLEST / ((north - south) * stretch))
    outlines = {
        key: MapShape(f"{name}-{number}", _outline(shape, west, north, scale, stretch))
        for number, (key, shape) in enumerate(shapes.items())
    }
    return Outlines(outlines, round((east - west) * scale, 1), round((north - south) * stretch * scale, 1))


def _outline(shape: BaseGeometry, west: float, north: float, scale: float, stretch: float) -> str:
    simple = shape.simplify(_FINENESS / scale)
    parts = []
    for polygon in getattr(simple, "geoms", [simple]):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            points = (f"{(x - west) * scale:.1f} {(north - y) * stretch * scale:.1f}" for x, y, *_ in ring.coords[:-1])
            parts.append("M" + "L".join(points) + "Z")
    return "".join(parts)


def map_svg(picture: MapPicture, outlines: Outlines, name: str, description: str) -> MapFigure:
    """Shade the outlines of a level with the numbers of one map."""
    placed = [place for place in picture.places if place.name]
    standing_out = sorted((place for place in placed if place.count), key=lambda place: -(place.count or 0))
    listed = "; ".join(f"{place.name} {picture.write(place)}" for place in standing_out[:_MOST_LISTED])
    more = f"; and {len(standing_out) - _MOST_LISTED} more" if len(standing_out) > _MOST_LISTED else ""
    insets = [
        f"{inset.title}: "
        + "; ".join(f"{place.name} {picture.write(place)}" for place in inset.places if place.count)
        + "."
        for inset in picture.insets
        if any(place.count and place.shape not in outlines.shapes for place in inset.places)
    ]
    return MapFigure(
        name=name,
        title=picture.title,
        subtitle=picture.subtitle,
        description=description,
        width=outlines.width,
        height=outlines.height,
        places=[
            ShadedPlace(
                outlines.shapes[place.shape].name, _kind_of(picture, place),
                f"{place.name}: {picture.write(place)}" if place.name else "",
            )
            for place in picture.places
        ],
        legend=_list_classes(picture),
        listed=f"{listed}{more}." if listed else "Nobody in any of these places.",
        notes=(*insets, *picture.notes, picture.attribution.replace("\n", " ")),
    )  # fmt: skip


def _kind_of(picture: MapPicture, place: MapArea) -> str:
    if picture.is_small(place):
        return "too-few"
    value = picture.value_of(place)
    return "uncoded" if value is None else _kind_of_class(class_of(value, picture.breaks), len(picture.breaks) - 1)


def _kind_of_class(number: int, count: int) -> str:
    """Spread the classes above zero over the five shades."""
    if number == 0:
        return "nobody"
    return f"shade{2 if count == 1 else round((number - 1) * 4 / (count - 1))}"


def _list_classes(picture: MapPicture) -> list[LegendEntry]:
    count, unit = len(picture.breaks) - 1, " %" if picture.are_shares else ""
    entries = [LegendEntry("nobody", f"0{unit}")]
    for number, (below, top) in enumerate(zip(picture.breaks, picture.breaks[1:], strict=False), 1):
        span = f"{top:,}" if below + 1 == top else f"{below + 1:,}–{top:,}"
        entries.append(LegendEntry(_kind_of_class(number, count), span + unit))
    if any(picture.is_small(place) for place in picture.places):
        entries.append(LegendEntry("too-few", f"base under {picture.small_count_threshold}"))
    if any(place.count is None for place in picture.places):
        entries.append(LegendEntry("uncoded", "not in the code scheme"))
    return entries
