"""Drawing one choropleth map with matplotlib."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engagement.analysis.charts.drawing import shorten
from engagement.analysis.maps.classes import class_of
from engagement.analysis.maps.labels import Labelled, place_labels
from engagement.analysis.maps.picture import MapArea, MapPicture
from engagement.analysis.pictures.palette import BORDER, FAINT_INK, INK, NOT_CODED, ink_on
from engagement.foundation.errors import count_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.path import Path as Outline
    from shapely.geometry.base import BaseGeometry

_WIDTH_INCHES = 9
_SIDE_INCHES = 1.75  # room for labels at each side
_TALLEST_INCHES = 9.5
_FONT_SIZE = 7.5
_LEGEND_FONT_SIZE, _LEGEND_LETTER_WIDTH = 8, 0.6  # width relative to the font size
_TALLEST_INSET_INCHES = 3.4
_NO_CODE, _SMALL_BASE = "////", "..."
_CALLOUT_GAP_POINTS = 3  # between a name and its line
_FEW_PLACES = 20  # this few are all named, even those with nobody


@dataclass(frozen=True)
class _Part:
    """Part of the map on paper: places with shapes, centre in degrees, size in inches, and scale.

    An inch is `degrees_an_inch` to the east, and `stretch` times that to the north.
    """

    places: Sequence[tuple[MapArea, BaseGeometry]]
    middle: tuple[float, float]
    width: float
    height: float
    degrees_an_inch: float
    stretch: float


def _measure(places: Sequence[MapArea], width: float, lowest: float, tallest: float, are_tiles: bool) -> _Part:
    """Fit the area of some places into the available space, as large as possible."""
    shapes = [_read_shape(place.shape) for place in places]
    west, south = min(s.bounds[0] for s in shapes), min(s.bounds[1] for s in shapes)
    east, north = max(s.bounds[2] for s in shapes), max(s.bounds[3] for s in shapes)
    # Near the equator, a degree east is nearly as long as one north; the ratio in the centre serves the whole map.
    stretch = 1.0 if are_tiles else math.cos(math.radians((south + north) / 2))
    degrees_an_inch = max((east - west) / width, (north - south) / stretch / tallest)
    height = max((north - south) / stretch / degrees_an_inch, lowest)
    middle = (west + east) / 2, (south + north) / 2
    return _Part(list(zip(places, shapes, strict=True)), middle, width, height, degrees_an_inch, stretch)


def draw_map(picture: MapPicture) -> Figure:
    """Draw a map: places coloured by class, names and counts, the legend, notes and the source."""
    from matplotlib.figure import Figure

    count = len(picture.insets)
    main = _measure(picture.places, _WIDTH_INCHES - 2 * _SIDE_INCHES, 2.5, _TALLEST_INCHES, picture.are_tiles)
    insets = [
        _measure(inset.places, _WIDTH_INCHES / count - 2 * _SIDE_INCHES, 1.5, _TALLEST_INSET_INCHES, picture.are_tiles)
        for inset in picture.insets
    ]
    title = shorten(picture.title, 88)
    # Places on the map and beside it may both be small; each note stands once.
    texts = dict.fromkeys((*_small_note(picture), *picture.notes, *picture.attribution.split("\n")))
    notes = "\n".join(shorten(text, 125, 8) for text in texts)
    above, below = 0.5 + 0.24 * (title.count("\n") + 1), 0.5 + 0.17 * (notes.count("\n") + 1)
    # Its title stands above an inset, with some space around both.
    inset_room = max(part.height for part in insets) + 0.75 if insets else 0
    height = above + main.height + inset_room + below
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    apart = {place.shape for inset in picture.insets for place in inset.places}
    on_map = [pair for pair in main.places if pair[0].shape not in apart]
    _draw_part(figure, picture, main, on_map, (_SIDE_INCHES, below + inset_room))
    for number, (inset, part) in enumerate(zip(picture.insets, insets, strict=True)):
        corner = (number * _WIDTH_INCHES / count + _SIDE_INCHES, below + 0.2)
        axes = _draw_part(figure, picture, part, part.places, corner)
        axes.set_title(inset.title, fontsize=10, fontweight="bold", color=INK)
    left = 0.08 / _WIDTH_INCHES
    figure.text(left, 1 - 0.1 / height, title, va="top", fontsize=13, fontweight="bold", color=INK)
    figure.text(left, 1 - (above - 0.34) / height, picture.subtitle, va="top", fontsize=10, color=FAINT_INK)
    figure.text(left, 0.08 / height, notes, va="bottom", fontsize=8, color=FAINT_INK)
    if not picture.are_outlines:
        _draw_legend(figure, picture, (below - 0.42) / height)
    return figure


def _draw_part(
    figure: Figure,
    picture: MapPicture,
    part: _Part,
    labelled: Sequence[tuple[MapArea, BaseGeometry]],
    corner: tuple[float, float],
) -> Axes:
    """Draw places with their lower left corner at a point of the paper (inches), and label some."""
    height = figure.get_figheight()
    axes = figure.add_axes(
        (corner[0] / _WIDTH_INCHES, corner[1] / height, part.width / _WIDTH_INCHES, part.height / height)
    )
    wide, high = part.width * part.degrees_an_inch, part.height * part.degrees_an_inch * part.stretch
    axes.set_xlim(part.middle[0] - wide / 2, part.middle[0] + wide / 2)
    axes.set_ylim(part.middle[1] - high / 2, part.middle[1] + high / 2)
    axes.set_axis_off()
    _fill(axes, picture, part.places)
    with_count = [_labelled(picture, *pair) for pair in labelled if pair[0].count is not None]
    _label(axes, with_count, part, names_all=picture.are_outlines or len(with_count) <= _FEW_PLACES)
    return axes


def _fill(axes: Axes, picture: MapPicture, places: Sequence[tuple[MapArea, BaseGeometry]]) -> None:
    from matplotlib.collections import PathCollection

    by_hatch: dict[str | None, list[tuple[MapArea, BaseGeometry]]] = defaultdict(list)
    for place, shape in places:
        by_hatch[_NO_CODE if place.count is None else _SMALL_BASE if picture.is_small(place) else None].append(
            (place, shape)
        )
    # All shapes at once: one by one they take several times as long.
    for hatch, alike in by_hatch.items():
        is_white = picture.are_tiles and hatch != _NO_CODE
        collection = PathCollection(
            [_path_of(shape) for _, shape in alike],
            facecolors=[picture.colour_of(place) for place, _ in alike],
            edgecolors="white" if is_white else BORDER,
            linewidths=2.5 if picture.are_tiles else 0.6 if len(places) < 100 else 0.35,
            joinstyle="round",
            hatch=hatch,
            clip_on=False,  # borders at the edge are as wide as others
            transform=axes.transData,
            zorder=1,
        )
        axes.add_collection(collection, autolim=False)


@functools.cache
def _read_shape(shape: str) -> BaseGeometry:
    """Read a shape, once for all the maps that it is on."""
    from shapely import wkb

    return wkb.loads(shape, hex=True)


@functools.cache
def _path_of(shape: BaseGeometry) -> Outline:
    """Return the outlines of a shape's parts and holes as one path."""
    from matplotlib.path import Path as Outline

    parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return Outline.make_compound_path(*(Outline([point[:2] for point in ring.coords], closed=True) for ring in rings))


def _labelled(picture: MapPicture, place: MapArea, shape: BaseGeometry) -> Labelled:
    return Labelled(place.name, picture.write(place), place.count or 0, shape, picture.colour_of(place))


def _label(axes: Axes, places: Sequence[Labelled], part: _Part, names_all: bool) -> None:
    from matplotlib.collections import LineCollection

    from engagement.analysis.pictures.canvas import HaloText

    inside, callouts = place_labels(places, part.degrees_an_inch, part.stretch, _FONT_SIZE, names_all)
    for label in inside:
        fill = label.colour
        axes.add_artist(
            HaloText(
                label.x, label.y, label.text,
                # A name that crosses the border stands on its own place's colour.
                halo=fill, color=ink_on(fill), ha="center", va="center", fontsize=_FONT_SIZE, linespacing=1.1, clip_on=False,
            )
        )  # fmt: skip
    if not callouts:
        return
    lines = []
    for callout in callouts:
        # Below the names in places.
        axes.text(
            callout.side, callout.height, callout.text, fontsize=_FONT_SIZE, color=INK, va="center",
            ha="right" if callout.is_left else "left", zorder=2,
        )  # fmt: skip
        # From the end of the text nearer to the place.
        gap = _CALLOUT_GAP_POINTS / 72 * part.degrees_an_inch * (1 if callout.is_left else -1)
        share = gap / (callout.x - callout.side)
        lines.append(
            [(callout.side + gap, callout.height + share * (callout.y - callout.height)), (callout.x, callout.y)]
        )
    axes.add_collection(LineCollection(lines, colors=FAINT_INK, linewidths=0.5, zorder=2, clip_on=False), autolim=False)
    xs, ys = zip(*((callout.x, callout.y) for callout in callouts), strict=True)
    axes.plot(xs, ys, marker="o", markersize=1.8, color=INK, linestyle="none", zorder=2, clip_on=False)


def _draw_legend(figure: Figure, picture: MapPicture, bottom: float) -> None:
    from matplotlib.patches import Patch

    # A place that is drawn twice counts once.
    drawn = {place.shape: place for place in picture.every_place()}
    values = [value for place in drawn.values() if (value := picture.value_of(place)) is not None]
    patches = [Patch(facecolor="none", edgecolor="none", label=f"{picture.unit}:")]
    for number, upper in enumerate(picture.breaks):
        lower = 0 if number == 0 else picture.breaks[number - 1] + 1
        size = sum(class_of(value, picture.breaks) == number for value in values)
        edges = f"{upper:,}" if lower == upper else f"{lower:,}–{upper:,}"
        # Shares have many classes and more kinds of places, leaving no space for the number of places.
        label = edges if picture.are_shares else f"{edges} ({count_of(size, 'place')})"
        patches.append(Patch(facecolor=picture.colour_of_class(number), edgecolor=BORDER, label=label))
    small = sum(map(picture.is_small, drawn.values()))
    if small:
        label = f"base below {picture.small_count_threshold} ({count_of(small, 'place')})"
        patches.append(Patch(facecolor=NOT_CODED, edgecolor=BORDER, hatch=_SMALL_BASE, label=label))
    if any(place.count is None for place in drawn.values()):
        patches.append(Patch(facecolor=NOT_CODED, edgecolor=BORDER, hatch=_NO_CODE, label="no code"))
    font_size = min(_LEGEND_FONT_SIZE, _LEGEND_FONT_SIZE * (_WIDTH_INCHES - 0.3) / _measure_legend(patches))
    figure.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0.08 / _WIDTH_INCHES, bottom), ncols=len(patches), frameon=False,
        borderpad=0, borderaxespad=0, handlelength=1.2, handleheight=1.1, handletextpad=0.4, columnspacing=1.1, fontsize=font_size,
    )  # fmt: skip


def _measure_legend(patches: Sequence[Patch]) -> float:
    """Estimate the legend's usual width in inches: its texts, each with a square and space around it."""
    letters = sum(len(str(patch.get_label())) for patch in patches)
    return _LEGEND_FONT_SIZE / 72 * (letters * _LEGEND_LETTER_WIDTH + len(patches) * 2.8)


def _small_note(picture: MapPicture) -> tuple[str, ...]:
    threshold = picture.small_count_threshold
    if picture.are_shares or not any(0 < (place.count or 0) < threshold for place in picture.every_place()):
        return ()
    return (f"* fewer than {threshold} participants",)
