"""Charts as SVG that the page itself draws: text stays text, and widths follow the screen.

Places along a chart are percentages of its width, so the same drawing fits a phone, a desk and paper, with letters of
the same size. Colours are classes of the style sheet, for light, dark and print.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engagement.analysis.charts.charts import Chart
from engagement.analysis.charts.codes import note_on_intervals
from engagement.analysis.charts.drawing import MARK_SIGNS, BarChart, Bars, shorten, shorten_labels
from engagement.analysis.tables.intervals import SMALLEST_BASE

_LABEL_LETTERS = 44
_LINE, _BAR, _GAP = 16, 13, 7
_WIDEST_BAR = 50.0  # percent of the width; the rest is for the text behind a bar
_UPRIGHT_HEIGHT, _UPRIGHT_BASE = 200, 172
_MOST_UPRIGHT_LABELS, _MOST_UPRIGHT_LETTERS = 6, 12
_MARK_ROW = 13
_SAID_ABOVE = note_on_intervals(SMALLEST_BASE)


@dataclass(frozen=True)
class SvgText:
    """A text at a place of the drawing: percent of the width with pixels added, and pixels from the top.

    A pointer that rests on it is told its title.
    """

    x: str
    y: float
    text: str
    kind: str
    shift: int = 0
    title: str = ""


@dataclass(frozen=True)
class SvgBar:
    """A bar, with what a pointer that rests on it is told."""

    x: str
    y: float
    width: str
    height: float
    kind: str
    title: str = ""


@dataclass(frozen=True)
class SvgLine:
    """A line."""

    x1: str
    y1: float
    x2: str
    y2: float
    kind: str


@dataclass(frozen=True)
class SvgRow:
    """The place of a label and its bars, which the page's script makes a button."""

    y: float
    height: float
    label: str


@dataclass(frozen=True)
class PageFigure:
    """A chart on the page: its drawing, and what is said above and below."""

    name: str
    title: str
    subtitle: str
    description: str
    height: float
    has_intervals: bool
    notes: Sequence[str] = ()
    bars: Sequence[SvgBar] = ()
    lines: Sequence[SvgLine] = ()
    texts: Sequence[SvgText] = ()
    rows: Sequence[SvgRow] = ()


@dataclass
class _Drawing:
    bars: list[SvgBar] = field(default_factory=list)
    lines: list[SvgLine] = field(default_factory=list)
    texts: list[SvgText] = field(default_factory=list)
    rows: list[SvgRow] = field(default_factory=list)
    height: float = 0


def draw_figure(chart: Chart, opens_messages: bool = False) -> PageFigure:
    """Draw a chart for the page; with `opens_messages` its rows become buttons."""
    content = chart.content
    drawing = _Drawing()
    if len(content.series) > 1:
        _add_legend(drawing, content)
    (_add_upright if content.is_upright else _add_lying)(drawing, content)
    return PageFigure(
        name=make_anchor(chart.path.stem),
        title=content.title,
        subtitle=content.subtitle,
        description=chart.text_alternative,
        height=round(drawing.height, 1),
        has_intervals=any(one for bars in content.series for one in bars.intervals),
        notes=[note for note in content.notes if note not in _SAID_ABOVE],
        bars=drawing.bars,
        lines=drawing.lines,
        texts=drawing.texts,
        rows=drawing.rows if opens_messages else (),
    )


def make_anchor(text: str) -> str:
    """Make a name that a link can point to.

    >>> make_anchor("themes s01e01: 1")
    'themes-s01e01-1'
    """
    return re.sub(r"\W+", "-", text).strip("-") or "part"


def percent(value: float) -> str:
    """Write a place along the drawing.

    >>> percent(12.3456), percent(50)
    ('12.35%', '50%')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def kind_of(number: int, is_guess: bool = False, is_aside: bool = False) -> str:
    """Return the class of a bar of a series, by its number."""
    return "aside" if is_aside else "guess" if is_guess else f"series{number % 4}"


def _add_legend(drawing: _Drawing, chart: BarChart) -> None:
    for number, bars in enumerate(chart.series):
        drawing.bars.append(SvgBar("0%", drawing.height + 3, "12", 11, kind_of(number, bars.is_guess)))
        drawing.texts.append(SvgText("0%", drawing.height + 13, bars.name, "value", 18))
        drawing.height += _LINE + 2
    drawing.height += _GAP


def _add_lying(drawing: _Drawing, chart: BarChart) -> None:
    """Add horizontal bars: the label, then a bar of each series with its text behind it."""
    most = max((end for bars in chart.series for end in bars.ends()), default=0) or 1
    asides = chart.asides or (False,) * len(chart.labels)
    for place, label in enumerate(shorten_labels(chart.labels, _LABEL_LETTERS)):
        top = drawing.height
        for line in label.split("\n"):
            drawing.height += _LINE
            drawing.texts.append(SvgText("0%", drawing.height - 3, line, "label"))
        for number, bars in enumerate(chart.series):
            kind = kind_of(number, bars.is_guess, asides[place])
            _add_bar(drawing, bars, place, kind, _WIDEST_BAR / most)
        drawing.rows.append(SvgRow(top, drawing.height - top, chart.labels[place]))
        drawing.height += _GAP


def _add_bar(drawing: _Drawing, bars: Bars, place: int, kind: str, scale: float) -> None:
    top, value = drawing.height, bars.values[place]
    interval = bars.intervals[place] if bars.intervals else None
    if value:
        drawing.bars.append(SvgBar("0%", top + 1, percent(value * scale), _BAR, kind))
    end = value
    if interval is not None:
        low, high = interval
        middle = top + 1 + _BAR / 2
        ends = percent(low * scale), percent(high * scale)
        # The halo keeps the line apart from the bar behind it.
        drawing.lines.append(SvgLine(ends[0], middle, ends[1], middle, "halo interval"))
        drawing.lines.append(SvgLine(ends[0], middle, ends[1], middle, "interval"))
        drawing.lines += [
            SvgLine(percent(x * scale), middle - 3, percent(x * scale), middle + 3, "interval") for x in interval
        ]
        end = max(end, high)
    drawing.texts.append(SvgText(percent(end * scale), top + _BAR - 1, bars.texts[place] or "0", "value", 6))
    drawing.height += _BAR + 4


def _add_upright(drawing: _Drawing, chart: BarChart) -> None:
    """Add vertical bars; a series is a part of the one before, so it stands in front of it."""
    drawing.height += _MARK_ROW * chart.mark_rows
    top, count = drawing.height, len(chart.labels)
    step, steps = _choose_grid(max((value for bars in chart.series for value in bars.values), default=0))
    most, room, slot = step * steps, _UPRIGHT_BASE - 14, 92.0 / max(count, 1)
    for number in range(steps + 1):
        y = round(top + _UPRIGHT_BASE - room * number / steps, 1)
        drawing.lines.append(SvgLine("8%", y, "100%", y, "grid" if number else "axis"))
        drawing.texts.append(SvgText("7%", y + 4, f"{step * number:,}", "tick"))
    for number, bars in enumerate(chart.series):
        width = slot * (0.84 - 0.26 * number if len(chart.series) <= 3 else 0.84)
        for place, value in enumerate(bars.values):
            if value:
                tall = round(room * value / most, 1)
                x, said = 8 + slot * (place + 0.5) - width / 2, " ".join(filter(None, (chart.labels[place], bars.name)))
                drawing.bars.append(
                    SvgBar(percent(x), round(top + _UPRIGHT_BASE - tall, 1), percent(width), tall, kind_of(number),
                           f"{said}: {bars.texts[place]}")
                )  # fmt: skip
    _add_marks(drawing, chart, slot)
    for place in _places_of_labels(count):
        text = shorten(chart.labels[place], _MOST_UPRIGHT_LETTERS, 2).split("\n")
        for number, line in enumerate(text):
            y = top + _UPRIGHT_BASE + 14 + 13 * number
            drawing.texts.append(SvgText(percent(8 + slot * (place + 0.5)), y, line, "below"))
    drawing.height = top + _UPRIGHT_HEIGHT
    if chart.label_axis:
        drawing.texts.append(SvgText("54%", drawing.height + 12, chart.label_axis, "below faint"))
        drawing.height += 18


def _add_marks(drawing: _Drawing, chart: BarChart, slot: float) -> None:
    """Add the moments above the bars: a sign in the row of its kind, and a line down to the axis."""
    bottom = drawing.height + _UPRIGHT_BASE
    for mark in chart.marks:
        x, y = percent(8 + slot * (mark.place + 0.5)), drawing.height - _MARK_ROW * (chart.mark_rows - mark.row) + 4
        drawing.lines.append(SvgLine(x, y, x, bottom, "moment"))
        drawing.texts.append(SvgText(x, y, MARK_SIGNS[mark.row % len(MARK_SIGNS)], "sign", title=mark.text))


def _places_of_labels(count: int) -> Iterator[int]:
    yield from range(0, count, max(1, -(-count // _MOST_UPRIGHT_LABELS)))


def _choose_grid(most: float) -> tuple[int, int]:
    """Choose a whole step between grid lines, and how many steps hold the highest bar: six at most.

    >>> _choose_grid(1), _choose_grid(11), _choose_grid(205), _choose_grid(1234)
    ((1, 1), (2, 6), (50, 5), (500, 3))
    """
    unit = 1
    while True:
        for step in (unit, 2 * unit, 5 * unit):
            if most <= 6 * step:
                return step, max(1, math.ceil(most / step))
        unit *= 10
