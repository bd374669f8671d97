"""Text that is drawn once and copied looks as matplotlib's own, in pixels and as outlines."""

import io
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from engagement.analysis.pictures.canvas import HaloText, PictureCanvas, PictureRenderer, reduce_colours
from engagement.analysis.pictures.fonts import find_fonts, use_fonts
from engagement.analysis.pictures.vectors import save_vector

TEXTS = ("trust in God 12,345 (42.9 %, 21.4–67.4)", "jeer j", "Ågq", "العربية", " ")
SIZE, DOTS_PER_INCH = (900, 80), 150


@pytest.fixture(autouse=True)
def _fonts() -> None:
    use_fonts(find_fonts(TEXTS))


def pixels_of(renderer: RendererAgg, draw: Callable[[RendererAgg], None]) -> np.ndarray:
    renderer.clear()
    draw(renderer)
    return np.asarray(renderer.buffer_rgba()).astype(int)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [8.5, 13])
def test_a_copied_line_is_as_matplotlib_draws_it_at_a_whole_pixel(text: str, size: float):
    font = FontProperties(size=size)

    def draw(renderer: RendererAgg) -> None:
        context = renderer.new_gc()
        context.set_foreground("#1F2933")
        renderer.draw_text(context, 30, 40, text, font, 0)

    own, copied = (pixels_of(kind(*SIZE, DOTS_PER_INCH), draw)[:, :, 3] for kind in (RendererAgg, PictureRenderer))
    assert own.any() == bool(text.strip())
    assert abs(own - copied).max() <= 1


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_is_measured_as_matplotlib_measures_it(text: str):
    font = FontProperties(size=8.5)
    own, kept = (
        kind(*SIZE, DOTS_PER_INCH).get_text_width_height_descent(text, font, ismath=False)
        for kind in (RendererAgg, PictureRenderer)
    )
    assert own == kept


def test_turned_text_is_drawn_too():
    def draw(renderer: RendererAgg) -> None:
        renderer.draw_text(renderer.new_gc(), 100, 70, "turned", FontProperties(size=8), 45)

    own, kept = (pixels_of(kind(*SIZE, DOTS_PER_INCH), draw) for kind in (RendererAgg, PictureRenderer))
    assert own.any()
    assert (own == kept).all()


def test_a_halo_surrounds_a_text_as_wide_as_in_other_formats():
    figure = Figure(figsize=(2, 1), dpi=DOTS_PER_INCH, facecolor="#00FF00")
    figure.add_artist(HaloText(0.5, 0.5, "l", halo="#FF0000", color="#0000FF", ha="center", va="center", fontsize=20))
    widths = []
    for kind in (FigureCanvasAgg, PictureCanvas):
        canvas = kind(figure)
        canvas.draw()
        row = np.asarray(canvas.buffer_rgba())[75, :, :3].astype(int)
        red, blue = (np.flatnonzero(row[:, place] > 150) for place in (0, 2))
        assert red[0] < blue[0] <= blue[-1] < red[-1]
        widths.append((255 - row[:, 1]).sum() / 255)
    assert widths[0] == pytest.approx(widths[1], abs=0.5)


def test_kept_outlines_give_the_same_svg():
    mpl.rcParams.update({"svg.hashsalt": "engagement", "svg.fonttype": "path"})
    figure = Figure(figsize=(4, 3))
    axes = figure.add_subplot()
    axes.set_title("\n".join(TEXTS[:4]))
    figure.text(0.5, 0.5, TEXTS[0], rotation=30)
    own, first, again = io.BytesIO(), io.BytesIO(), io.BytesIO()
    FigureCanvasSVG(figure).print_svg(own, metadata={"Date": None})
    # Matplotlib's canvas for SVG would save it itself.
    PictureCanvas(figure)
    for file in (first, again):
        save_vector(figure, file, "svg")
    assert first.getvalue() == again.getvalue() == own.getvalue()


def test_all_pixels_would_lead_to_the_same_colours():
    random = np.random.default_rng(1)
    pixels = np.repeat(random.integers(0, 256, (3_000, 4), np.uint8), random.integers(1, 60, 3_000), axis=0)[:60_000]
    pixels[:, 3] = 255
    size = (300, 200)
    whole = Image.frombytes("RGBA", size, pixels.tobytes()).convert("RGB")
    expected = whole.quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    found = reduce_colours(pixels.tobytes(), size, 128)
    assert (np.array(found.convert("RGB")) == np.array(expected.convert("RGB"))).all()
