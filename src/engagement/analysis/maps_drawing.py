"""Drawing one choropleth map with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.charts_drawing import shorten
from engagement.analysis.maps_classes import class_of
from engagement.analysis.maps_labels import Labelled, place_labels
from engagement.analysis.palette import BORDER, FAINT_INK, INK, NOBODY, NOT_CODED, class_colours, ink_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

_WIDTH_INCHES = 9
_SIDE_INCHES = 1.75  # room for labels at each side
_TALLEST_INCHES = 9.5
_FONT_SIZE = 7.5
_INSET_INCHES = 2.3


@dataclass(frozen=True)
class Place:
    """A shape (WKB as hex, degrees) with its name and count; no count for a shape that the code scheme has no code for.

    `inset` is the title of an enlarged part of the map in which it is labelled.
    """

    name: str
    count: int | None
    shape: str
    inset: str | None = None


@dataclass(frozen=True)
class MapPicture:
    """A choropleth map: `breaks` are the inclusive upper edges of the classes, the first of them 0."""

    title: str
    subtitle: str
    places: tuple[Place, ...]
    breaks: tuple[int, ...]
    notes: tuple[str, ...]
    attribution: str
    are_tiles: bool
    small_count_threshold: int

    def texts(self) -> Iterator[str]:
        """Everything that is written on it."""
        yield from (self.title, self.subtitle, self.attribution, "…")
        yield from self.notes
        yield from (place.name for place in self.places)
        yield from (place.inset for place in self.places if place.inset)

    def colour_of(self, count: int | None) -> str:
        """The colour of a place."""
        if count is None:
            return NOT_CODED
        number = class_of(count, self.breaks)
        return NOBODY if number == 0 else class_colours(len(self.breaks) - 1)[number - 1]


def draw_map(picture: MapPicture) -> Figure:
    """Draw a map: places in the colours of their classes, names and counts, the classes' legend, notes and the source."""
    from matplotlib.figure import Figure
    from shapely import wkb

    shapes = [wkb.loads(place.shape, hex=True) for place in picture.places]
    west, south = min(s.bounds[0] for s in shapes), min(s.bounds[1] for s in shapes)
    east, north = max(s.bounds[2] for s in shapes), max(s.bounds[3] for s in shapes)
    # Near the equator a degree east is nearly as long as one north; the middle's is right for the whole map.
    stretch = 1.0 if picture.are_tiles else math.cos(math.radians((south + north) / 2))
    map_width = _WIDTH_INCHES - 2 * _SIDE_INCHES
    degrees_an_inch = max((east - west) / map_width, (north - south) / stretch / _TALLEST_INCHES)
    map_height = max((north - south) / stretch / degrees_an_inch, 2.5)

    title = shorten(picture.title, 88)
    notes = "\n".join(shorten(note, 125, 8) for note in (*_small_note(picture), *picture.notes, picture.attribution))
    above, below = 0.5 + 0.24 * (title.count("\n") + 1), 0.5 + 0.17 * (notes.count("\n") + 1)
    insets = list(dict.fromkeys(place.inset for place in picture.places if place.inset))
    inset_room = (_INSET_INCHES + 0.5) if insets else 0
    height = above + map_height + inset_room + below
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    bottom = (below + inset_room) / height
    axes = figure.add_axes((_SIDE_INCHES / _WIDTH_INCHES, bottom, map_width / _WIDTH_INCHES, map_height / height))
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    _set_window(axes, middle_x, middle_y, map_width * degrees_an_inch, map_height * degrees_an_inch * stretch)
    _fill(axes, picture, picture.places, shapes)
    on_map = [
        _labelled(picture, place, shape)
        for place, shape in zip(picture.places, shapes, strict=True)
        if place.count is not None and not place.inset
    ]
    _label(axes, picture, on_map, degrees_an_inch, stretch)
    for number, inset in enumerate(insets):
        inside = [pair for pair in zip(picture.places, shapes, strict=True) if pair[0].inset == inset]
        _draw_inset(figure, picture, inset, inside, (number, len(insets)), (below + 0.1) / height, stretch)
    left = 0.08 / _WIDTH_INCHES
    figure.text(left, 1 - 0.1 / height, title, va="top", fontsize=13, fontweight="bold", color=INK)
    figure.text(left, 1 - (above - 0.34) / height, picture.subtitle, va="top", fontsize=10, color=FAINT_INK)
    figure.text(left, 0.08 / height, notes, va="bottom", fontsize=8, color=FAINT_INK)
    _draw_legend(figure, picture, (below - 0.42) / height)
    return figure


def _set_window(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    axes.set_xlim(x - width / 2, x + width / 2)
    axes.set_ylim(y - height / 2, y + height / 2)
    axes.set_axis_off()


def _fill(axes: Axes, picture: MapPicture, places: Sequence[Place], shapes: Sequence[BaseGeometry]) -> None:
    from matplotlib.patches import PathPatch

    line_width = 2.5 if picture.are_tiles else 0.6 if len(places) < 100 else 0.35
    for place, shape in zip(places, shapes, strict=True):
        axes.add_patch(
            PathPatch(
                _path_of(shape),
                facecolor=picture.colour_of(place.count),
                edgecolor="white" if picture.are_tiles and place.count is not None else BORDER,
                linewidth=line_width,
                joinstyle="round",
                hatch="////" if place.count is None else None,
            )
        )


def _path_of(shape: BaseGeometry):
    """The outlines of a shape's parts and of their holes, as one path."""
    from matplotlib.path import Path as Outline

    parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Outline.make_compound_path(*(Outline([point[:2] for point in ring.coords], closed=True) for ring in rings))


def _labelled(picture: MapPicture, place: Place, shape: BaseGeometry) -> Labelled:
    count = place.count or 0
    mark = "*" if 0 < count < picture.small_count_threshold else ""
    return Labelled(place.name, f"{count:,}{mark}", count, shape)


def _label(axes: Axes, picture: MapPicture, places: Sequence[Labelled], degrees_an_inch: float, stretch: float) -> None:
    from matplotlib.patheffects import withStroke

    inside, callouts = place_labels(places, degrees_an_inch, stretch, _FONT_SIZE)
    for label in inside:
        fill = picture.colour_of(label.count)
        axes.text(
            label.x, label.y, label.text, ha="center", va="center", fontsize=_FONT_SIZE, color=ink_on(fill), linespacing=1.1,
            # Where a name reaches over the border it stands on its own place's colour.
            path_effects=[withStroke(linewidth=1.8, foreground=fill)],
        )  # fmt: skip
    for callout in callouts:
        axes.annotate(
            callout.text, (callout.x, callout.y), (callout.side, callout.height), fontsize=_FONT_SIZE, color=INK, va="center",
            ha="right" if callout.is_left else "left", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FAINT_INK, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip
        axes.plot([callout.x], [callout.y], marker="o", markersize=1.8, color=INK)


def _draw_inset(
    figure: Figure,
    picture: MapPicture,
    title: str,
    inside: Sequence[tuple[Place, BaseGeometry]],
    position: tuple[int, int],
    bottom: float,
    stretch: float,
) -> None:
    """Draw some places again, larger, below the map."""
    places, shapes = [place for place, _ in inside], [shape for _, shape in inside]
    west, south = min(s.bounds[0] for s in shapes), min(s.bounds[1] for s in shapes)
    east, north = max(s.bounds[2] for s in shapes), max(s.bounds[3] for s in shapes)
    room = _WIDTH_INCHES / position[1] - 2 * _SIDE_INCHES
    degrees_an_inch = max((east - west) / room, (north - south) / stretch / _INSET_INCHES)
    height = figure.get_figheight()
    left = (position[0] * _WIDTH_INCHES / position[1] + _SIDE_INCHES) / _WIDTH_INCHES
    axes = figure.add_axes((left, bottom, room / _WIDTH_INCHES, _INSET_INCHES / height))
    _set_window(
        axes, (west + east) / 2, (south + north) / 2, room * degrees_an_inch, _INSET_INCHES * degrees_an_inch * stretch
    )
    _fill(axes, picture, places, shapes)
    _label(axes, picture, [_labelled(picture, *pair) for pair in inside], degrees_an_inch, stretch)
    axes.set_title(title, fontsize=10, fontweight="bold", color=INK)


def _draw_legend(figure: Figure, picture: MapPicture, bottom: float) -> None:
    from matplotlib.patches import Patch

    counts = [place.count for place in picture.places if place.count is not None]
    patches = []
    for number, upper in enumerate(picture.breaks):
        lower = 0 if number == 0 else picture.breaks[number - 1] + 1
        size = sum(class_of(count, picture.breaks) == number for count in counts)
        edges = f"{upper:,}" if lower == upper else f"{lower:,}–{upper:,}"
        patches.append(Patch(facecolor=picture.colour_of(upper), edgecolor=BORDER, label=f"{edges} ({_places(size)})"))
    if len(counts) < len(picture.places):
        patches.append(Patch(facecolor=NOT_CODED, edgecolor=BORDER, hatch="////", label="no code"))
    figure.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0.08 / _WIDTH_INCHES, bottom), ncols=len(patches), frameon=False,
        borderpad=0, borderaxespad=0, handlelength=1.2, handleheight=1.1, handletextpad=0.4, columnspacing=1.1, fontsize=8,
    )  # fmt: skip


def _places(count: int) -> str:
    return f"{count} place{'' if count == 1 else 's'}"


def _small_note(picture: MapPicture) -> tuple[str, ...]:
    threshold = picture.small_count_threshold
    if not any(0 < (place.count or 0) < threshold for place in picture.places):
        return ()
    return (f"* fewer than {threshold} participants",)
