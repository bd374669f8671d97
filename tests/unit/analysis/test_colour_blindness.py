"""Colours stay apart for everybody: the palettes as people with each kind of colour-blindness see them.

Source
------
G. M. Machado, M. M. Oliveira, L. A. F. Fernandes (2009), A physiologically-based model for simulation of color vision
deficiency, IEEE Trans. Vis. Comput. Graph. 15, 1291-1298: matrices of severity 1, on linear RGB. Distances are CIE76's in
CIELAB, D65.
"""

import itertools
import re
from pathlib import Path

import numpy
import pytest

from engagement.analysis import report
from engagement.analysis.pictures.palette import BORDER, NOBODY, SERIES, class_colours

KINDS = {
    "everybody": numpy.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# A difference of 2.3 is just noticeable side by side; of bars and shades far apart on a page, several times as much is asked.
JUST_NOTICEABLE = 2.3
SMALLEST_DIFFERENCE = 4 * JUST_NOTICEABLE
TO_XYZ = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = numpy.array([0.9505, 1.0, 1.089])


def see(colour: str, kind: str) -> numpy.ndarray:
    """A colour in CIELAB, as somebody sees it."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    plain = numpy.array([int(digits[place : place + 2], 16) for place in (0, 2, 4)]) / 255
    linear = numpy.where(plain <= 0.04045, plain / 12.92, ((plain + 0.055) / 1.055) ** 2.4)
    ratio = TO_XYZ @ numpy.clip(numpy.asarray(KINDS[kind]) @ linear, 0, 1) / WHITE
    x, y, z = numpy.where(ratio > 216 / 24389, numpy.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return numpy.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(first: str, second: str, kind: str) -> float:
    return float(numpy.linalg.norm(see(first, kind) - see(second, kind)))


def read_theme(number: int) -> dict[str, str]:
    """The colours of the page's style sheet by name: light first, then dark."""
    style = (Path(report.__file__).parent / "data" / "report.css").read_text()
    return dict(re.findall(r"--(\w+): (#\w+)", re.findall(r":root \{(.+?)\}", style, re.DOTALL)[number]))


def palettes() -> dict[str, list[str]]:
    found = {"series of pictures": list(SERIES[:4]), "classes of pictures": [NOBODY, *class_colours(5)]}
    for number, theme in enumerate(("light", "dark")):
        colours = read_theme(number)
        found[f"series, {theme}"] = [colours[f"series{place}"] for place in range(4)]
        found[f"shades, {theme}"] = [colours["nobody"], *(colours[f"shade{place}"] for place in range(5))]
    return found


PALETTES = palettes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PALETTES)
def test_neighbours_of_a_palette_stay_apart(name: str, kind: str):
    pairs = list(itertools.pairwise(PALETTES[name]))
    assert len(pairs) >= 3
    near = {pair: round(difference(*pair, kind), 1) for pair in pairs}
    assert {pair: found for pair, found in near.items() if found < SMALLEST_DIFFERENCE} == {}


@pytest.mark.parametrize("theme", [0, 1])
def test_shades_of_maps_go_one_way_in_lightness(theme: int):
    colours = read_theme(theme)
    lightness = [see(colours[f"shade{place}"], "everybody")[0] for place in range(5)]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))


def test_the_simulation_finds_what_people_confuse():
    # A red and a green of one lightness: plain to most, and hardly a difference for a deuteranope.
    red, green = "#c0504d", "#6e8b3d"
    assert difference(red, green, "everybody") > 4 * SMALLEST_DIFFERENCE
    assert difference("#a06030", "#708020", "deuteranopia") < difference("#a06030", "#708020", "everybody") / 2
    assert difference(BORDER, BORDER, "tritanopia") == 0
