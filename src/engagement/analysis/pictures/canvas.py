"""Drawing a picture's pixels, with each line of text drawn once and then copied.

The same names, numbers and notes are on most pictures of a project. To measure and draw text takes matplotlib longer than
all the rest, so this module keeps what it has measured and drawn, for all pictures of a process.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Buffer, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.backend_bases import GraphicsContextBase, RendererBase
    from matplotlib.font_manager import FontProperties

_MOST_KEPT = 4096  # lines of text
_HALO_POINTS = 1.8


@dataclass(frozen=True)
class _Line:
    """A drawn line of text: its size and descent, and how much of each pixel is covered.

    The lowest row is first. The pixels begin `left` of the text's origin and `below` its baseline.
    """

    size: tuple[float, float, float]
    covered: Any
    left: int
    below: int


@functools.lru_cache(_MOST_KEPT)
def _draw_line(text: str, font: FontProperties, dots_per_inch: float) -> _Line:
    size, covered, below = _LineRenderer(1, 1, dots_per_inch).draw_line(text, font)
    if covered is not None:
        return _Line(size, covered[::-1].copy(), 0, below)
    # Such lines take longer.
    width, height, descent = size
    room = math.ceil(font.get_size_in_points() * dots_per_inch / 72)
    above, below = room + math.ceil(height - descent), room + math.ceil(descent)
    drawing: Any = _LineRenderer(2 * room + math.ceil(width), above + below, dots_per_inch)
    drawing.draw_text(drawing.new_gc(), room, above, text, font, 0)
    covered = np.asarray(drawing.buffer_rgba())[:, :, 3]
    return _Line(size, covered[::-1].copy(), room, below)


@functools.lru_cache(_MOST_KEPT)
def _draw_halo(text: str, font: FontProperties, dots_per_inch: float) -> _Line:
    """Draw what is within half a halo's width of a line of text."""
    line = _draw_line(text, font, dots_per_inch)
    reach = _HALO_POINTS / 2 * dots_per_inch / 72
    room = math.ceil(reach)
    letters = np.pad(line.covered, room)
    around = np.zeros_like(letters)
    rows, columns = line.covered.shape
    for down in range(2 * room + 1):
        for across in range(2 * room + 1):
            # A pixel that far away ends one further.
            share = min(1.0, reach + 1 - math.hypot(down - room, across - room))
            if share > 0:
                place = around[down : down + rows, across : across + columns]
                np.maximum(place, (line.covered * share).astype(np.uint8), out=place)
    return _Line(line.size, around, line.left + room, line.below + room)


class _LineRenderer(RendererAgg):
    """Draws a line of text as matplotlib does."""

    def __init__(self, width: int, height: int, dpi: float) -> None:
        super().__init__(width, height, dpi)  # type: ignore[no-untyped-call]

    def draw_line(self, text: str, font: FontProperties) -> tuple[tuple[float, float, float], Any, int]:
        """Return a line's size and descent, its pixels, and how many rows are below the baseline.

        No pixels if the line begins within one: these letters would move apart.
        """
        letters: Any = self._prepare_font(font)  # type: ignore[no-untyped-call]
        letters.set_text(text, 0.0, flags=get_hinting_flag())
        width, height = (part / 64 for part in letters.get_width_height())
        descent = letters.get_descent() / 64
        if letters.get_bitmap_offset()[0]:
            return (width, height, descent), None, 0
        letters.draw_glyphs_to_bitmap(antialiased=True)
        covered = np.asarray(letters.get_image())
        # It has an empty row above.
        return (width, height, descent), covered, len(covered) - int(height - descent + 1)


class PictureRenderer(_LineRenderer):
    """Draws as matplotlib does, but copies lines of text that it has drawn before, to whole pixels."""

    def __init__(self, width: int, height: int, dpi: float) -> None:
        """Draw text without a halo at first."""
        super().__init__(width, height, dpi)
        self._halo: str | None = None

    @contextmanager
    def halo(self, colour: str) -> Iterator[None]:
        """Draw texts with a halo of a colour."""
        self._halo = colour
        try:
            yield
        finally:
            self._halo = None

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """Measure a line of text, once a process."""
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)  # type: ignore[no-any-return, no-untyped-call]
        return _draw_line(s, prop.copy(), self.dpi).size

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Copy a line of text; draw it as matplotlib does if it is turned."""
        if ismath or angle:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)  # type: ignore[no-untyped-call]
            return
        font = prop.copy()
        if self._halo is not None:
            self._copy(gc, x, y, _draw_halo(s, font, self.dpi), to_rgb(self._halo))
        self._copy(gc, x, y, _draw_line(s, font, self.dpi), gc.get_rgb())

    def _copy(self, gc: GraphicsContextBase, x: float, y: float, line: _Line, colour: Sequence[float]) -> None:
        image = np.empty((*line.covered.shape, 4), np.uint8)
        image[:, :, :3] = [round(255 * part) for part in colour[:3]]
        image[:, :, 3] = line.covered
        left, bottom = math.floor(x + 0.5) - line.left, math.floor(self.height - y + 0.5) - line.below
        self.draw_image(gc, left, bottom, image)


class HaloText(Text):
    """A text with a halo: readable on whatever it crosses."""

    def __init__(self, x: float, y: float, text: str, halo: str, **properties: Any) -> None:
        """Take the colour of the halo, and what any text takes."""
        super().__init__(x, y, text, path_effects=[withStroke(linewidth=_HALO_POINTS, foreground=halo)], **properties)
        self._halo = halo

    def draw(self, renderer: RendererBase) -> None:
        """Copy the text and its halo into pixels; elsewhere both are outlines."""
        if not isinstance(renderer, PictureRenderer):
            super().draw(renderer)
            return
        effects = self.get_path_effects()
        self.set_path_effects([])
        try:
            with renderer.halo(self._halo):
                super().draw(renderer)
        finally:
            self.set_path_effects(effects)


class PictureCanvas(FigureCanvasAgg):
    """A figure's pixels, drawn by a PictureRenderer."""

    _renderer: PictureRenderer | None = None

    def get_renderer(self) -> PictureRenderer:
        """Return the renderer, a new one after a change of size."""
        size = *self.get_width_height(physical=True), self.figure.dpi
        if self._renderer is None or (self._renderer.width, self._renderer.height, self._renderer.dpi) != size:
            self.renderer = self._renderer = PictureRenderer(*size)
        return self._renderer


def reduce_colours(pixels: Buffer, size: tuple[int, int], colours: int) -> Image.Image:
    """Make an image of a few colours from RGBA pixels."""
    numbers = np.frombuffer(pixels, np.uint32)
    # Most pixels are as the one before. The others alone lead to the same colours in a quarter of the time.
    starts = np.concatenate(([0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1))
    drawn = Image.frombytes("RGBA", (len(starts), 1), numbers[starts].tobytes()).convert("RGB")
    # This way of choosing colours takes half the time of the usual one, and is closer to the originals.
    small = drawn.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    chosen = np.repeat(np.frombuffer(small.tobytes(), np.uint8), np.diff(starts, append=len(numbers)))
    image = Image.frombytes("P", size, chosen.tobytes())
    image.putpalette(small.getpalette() or [])
    return image
