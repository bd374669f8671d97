"""SVG with text as outlines: each line is laid out once, as most are on many pictures."""

from __future__ import annotations

import codecs
import functools
from typing import IO, TYPE_CHECKING, Any

from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.ft2font import LoadFlags
from matplotlib.text import TextToPath

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

_MOST_KEPT = 4096  # lines of text
_POINTS_AN_INCH = 72


@functools.cache
def _outline(font: Any, glyph: int) -> Any:
    font.load_glyph(glyph, flags=LoadFlags.NO_HINTING)
    return font.get_path()


class _KeptOutlines(TextToPath):
    """Measures text and finds its outlines as matplotlib does, once a process."""

    @functools.lru_cache(_MOST_KEPT)  # noqa: B019 - there is only one
    def measure(self, text: str, font: FontProperties) -> tuple[float, float, float]:
        """Return a line's width, height and descent."""
        return super().get_text_width_height_descent(text, font, ismath=False)

    @functools.lru_cache(_MOST_KEPT)  # noqa: B019 - there is only one
    def lay_out(self, font: Any, text: str) -> tuple[list[Any], dict[str, Any]]:
        """Return the places of a line's letters, and the outline of each."""
        places, outlines = [], {}
        for item in font._layout(text, LoadFlags.NO_HINTING):  # noqa: SLF001 - as the class itself calls it
            name = self._get_glyph_repr(item.ft_object, item.glyph_index)  # type: ignore[attr-defined]
            places.append((name, item.x, item.y, 1.0))
            outlines[name] = _outline(item.ft_object, item.glyph_index)
        return places, outlines

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> Any:
        """Measure a line of text."""
        return super().get_text_width_height_descent(s, prop, ismath) if ismath else self.measure(s, prop.copy())

    def get_glyphs_with_font(
        self, font: Any, s: str, glyph_map: Any = None, return_new_glyphs_only: bool = False, **others: Any
    ) -> Any:
        """Return the places of a line's letters, and outlines that the picture lacks so far."""
        if glyph_map is None or not return_new_glyphs_only or any(others.values()):
            return super().get_glyphs_with_font(font, s, glyph_map, return_new_glyphs_only, **others)
        places, outlines = self.lay_out(font, s)
        return places, {name: outline for name, outline in outlines.items() if name not in glyph_map}, []


_OUTLINES = _KeptOutlines()


class _OutlineRenderer(RendererSVG):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._text2path = _OUTLINES


class FigureCanvas(FigureCanvasSVG):
    """A figure as SVG; matplotlib finds it by this name."""

    def print_svg(self, filename: IO[bytes], *, metadata: Any = None, **_: Any) -> None:
        """Write the figure to a file, as matplotlib does."""
        drawn_for, self.figure.dpi = self.figure.dpi, _POINTS_AN_INCH
        width, height = self.figure.get_size_inches()
        text = codecs.getwriter("utf-8")(filename)
        size = width * _POINTS_AN_INCH, height * _POINTS_AN_INCH
        outlines = _OutlineRenderer(*size, text, image_dpi=drawn_for, metadata=metadata)
        renderer: Any = MixedModeRenderer(self.figure, width, height, drawn_for, outlines)
        self.figure.draw(renderer)
        renderer.finalize()
