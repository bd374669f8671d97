"""Colours of charts and maps, distinct for colour-blind people, on screen and in grey print.

Source
------
M. Okabe, K. Ito (2008), Color Universal Design. The classes of maps are a single hue, from light to dark.
"""

from collections.abc import Sequence

BLUE, SKY, GREEN, ORANGE, VERMILION, PURPLE = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7"
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
ASIDE = "#9AA0A6"  # codes that are not themes or answers
INK, FAINT_INK, GRID = "#1F2933", "#5F6B76", "#DDE2E7"

NOBODY = "#F1F1EE"
NOT_CODED = "#FFFFFF"  # a shape without a code in the scheme
BORDER = "#8A949E"
_CLASSES = ("#CFE1F2", "#93C3E0", "#4A98C9", "#1764AB", "#08306B")


def class_colours(count: int) -> Sequence[str]:
    """Return the colours of the classes above zero, from few to many; `count` is 0 to 5.

    >>> class_colours(1), class_colours(2)
    (('#4A98C9',), ('#CFE1F2', '#08306B'))
    """
    if count == 1:
        return (_CLASSES[2],)
    last = len(_CLASSES) - 1
    return tuple(_CLASSES[round(position * last / (count - 1))] for position in range(count))


def ink_on(colour: str) -> str:
    """Return a readable text colour for a background colour.

    >>> ink_on("#FFFFFF") == INK, ink_on("#08306B")
    (True, '#FFFFFF')
    """
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 125 else "#FFFFFF"
