"""Fonts for the characters of a text: matplotlib's own has Latin and Arabic letters, no Ethiopic."""

from __future__ import annotations

import functools
import logging
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

# Each container begins without matplotlib's cache of fonts: that it is built is nothing to mail about every night.
logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "building the font cache" not in record.msg)

_UNSUITABLE = ("bold", "italic", "oblique", "mono", "condensed", "thin", "light", "black", "medium", "emoji")


@functools.cache
def _characters_of(path: str) -> frozenset[int]:
    """Return the characters that a font has; none if the file is unreadable."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def _own_font() -> str:
    from matplotlib.font_manager import findfont

    # A plain str: findfont returns a subclass that can't be sent to another process (matplotlib 3.11).
    return str(Path(findfont("DejaVu Sans")))


def _fitness(path: str) -> tuple[bool, bool, bool, str]:
    name = Path(path).name.casefold()
    return any(word in name for word in _UNSUITABLE), "sans" not in name, "ui" in name, name


def find_fonts(texts: Iterable[str]) -> tuple[str, ...]:
    """Find font files that together have every character of the texts, matplotlib's own first.

    Characters in no font of this machine appear as boxes; one warning names their alphabets.
    """
    from matplotlib.font_manager import findSystemFonts

    chosen = [_own_font()]
    wanted = {character for text in texts for character in text if character.isprintable()}
    missing = {ord(character) for character in wanted} - _characters_of(chosen[0])
    if not missing:
        return tuple(chosen)
    candidates = sorted((path for path in findSystemFonts() if not path.endswith(".ttc")), key=_fitness)
    while missing and candidates:
        # Among those with the most, `max` takes the first, which fits best.
        best = max(candidates, key=lambda path: len(missing & _characters_of(path)))
        found = missing & _characters_of(best)
        if not found:
            break
        chosen.append(best)
        missing -= found
    if missing:
        alphabets = sorted({unicodedata.name(chr(code), "UNKNOWN").split()[0] for code in missing})
        log.warning(
            "No font of this machine has %d of the characters in charts and maps (%s): drawing boxes instead. "
            "Install a font that has them, such as the package fonts-noto-core.",
            len(missing),
            ", ".join(alphabets),
        )
    return tuple(chosen)


def use_fonts(paths: Sequence[str]) -> None:
    """Make matplotlib use these font files, in this order, and treat no text as a formula."""
    import matplotlib as mpl

    names = [_add_font(path) for path in paths]
    mpl.rcParams.update({"font.family": names, "font.size": 10, "text.parse_math": False, "axes.unicode_minus": False})


@functools.cache
def _add_font(path: str) -> str:
    """Tell matplotlib of a font file, and return its name; only once for each."""
    from matplotlib.font_manager import FontProperties, fontManager

    # Each call makes matplotlib forget the fonts that it has found.
    fontManager.addfont(path)
    return FontProperties(fname=path).get_name()
