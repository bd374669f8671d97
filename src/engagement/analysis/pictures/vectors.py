"""Pictures as SVG and PDF, in which text is text: it can be searched, copied and edited."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VECTOR_FORMATS = frozenset({"svg", "pdf"})
_NO_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}}


def keep_text(figure: Figure) -> None:
    """Prepare a drawn figure so that its text stays text in vector files, with the fonts inside a PDF.

    A text with a halo would become outlines: its halo does, below the text itself.
    """
    import matplotlib as mpl
    from matplotlib.patheffects import Stroke, withStroke
    from matplotlib.text import Text

    # It tells of every table of a font that it leaves out of a PDF.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    mpl.rcParams.update({"svg.fonttype": "none", "pdf.fonttype": 42})
    texts: list[Any] = figure.findobj(Text)
    for text in texts:
        halos = [effect for effect in text.get_path_effects() or () if isinstance(effect, withStroke)]
        if not halos or text.axes is None:
            continue
        text.axes.text(
            *text.get_position(), text.get_text(), ha=text.get_ha(), va=text.get_va(), fontsize=text.get_fontsize(),
            color=text.get_color(), linespacing=text._linespacing, zorder=text.get_zorder() + 0.1, in_layout=False,  # noqa: SLF001 - it has no getter
        )  # fmt: skip
        text.set_path_effects([Stroke(**halo._gc) for halo in halos])  # type: ignore[attr-defined]  # noqa: SLF001 - the same


def save_vector(figure: Figure, file: IO[bytes], ending: str) -> None:
    """Save a figure as SVG or PDF, the same bytes in every run."""
    from matplotlib.backend_bases import register_backend

    register_backend("svg", "engagement.analysis.pictures.outlines")
    figure.savefig(file, format=ending, metadata=_NO_DATES[ending], facecolor="white")
