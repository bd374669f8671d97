"""Drawing one bar chart with matplotlib."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engagement.analysis.pictures.palette import ASIDE, FAINT_INK, GRID, INK, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_WIDTH_INCHES = 9
_MARGIN_INCHES = 0.04  # in addition to the layout's own
_MOST_UPRIGHT_LABELS = 26  # more labels would touch: only every second, third … is written
_MOST_LARGE_VALUES, _MOST_UPRIGHT_VALUES = 24, 40
_LABEL_WIDTH, _MOST_LABEL_LINES = 42, 6
_LETTER_INCHES = 0.075  # of the texts beside bars, on average
_MARK_ROW = 0.07  # of the highest bar
_MARK_SHAPES = ("v", "o", "s", "D", "^")  # matplotlib's names of MARK_SIGNS
_BARS_INCHES = 5.3  # left for bars by the labels, at least


@dataclass(frozen=True)
class Bars:
    """Bars of one colour: a value and its text for each label.

    `intervals` are the ends of the line over each bar, None for a bar without one; `is_guess` hatches the bars.
    """

    name: str
    values: tuple[float, ...]
    texts: tuple[str, ...]
    intervals: tuple[tuple[float, float] | None, ...] = ()
    is_guess: bool = False

    def ends(self) -> list[float]:
        """End of each bar, or of the line over it."""
        intervals = self.intervals or (None,) * len(self.values)
        return [max(value, one[1] if one else 0) for value, one in zip(self.values, intervals, strict=True)]


@dataclass(frozen=True)
class ChartMark:
    """A moment above vertical bars: `place` counts labels, from 0 in the middle of the first bar.

    Marks of one kind share a `row` and its sign.
    """

    place: float
    row: int
    kind: str
    text: str


# Shapes, so that nobody has to tell colours apart.
MARK_SIGNS = ("▼", "●", "■", "◆", "▲")


@dataclass(frozen=True)
class BarChart:
    """A bar chart; `asides` marks the labels that are not themes or answers, whose bars are grey."""

    title: str
    subtitle: str
    value_axis: str
    labels: tuple[str, ...]
    series: tuple[Bars, ...]
    asides: tuple[bool, ...] = ()
    notes: tuple[str, ...] = ()
    label_axis: str = ""
    is_upright: bool = False
    marks: tuple[ChartMark, ...] = ()

    @property
    def mark_rows(self) -> int:
        """Return the number of rows that the marks take."""
        return 1 + max((mark.row for mark in self.marks), default=-1)


def shorten(text: str, width: int, lines: int = 2) -> str:
    """Wrap a text to a maximum number of lines, ending in an ellipsis if cut.

    >>> shorten("the authorities should act", 12)
    'the\\nauthorities…'
    >>> shorten("a\\tb\\x00c", 12)
    'a b c'
    """
    plain = "".join(character if character.isprintable() else " " for character in text)
    wrapped = textwrap.wrap(plain, width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1][: width - 1].rstrip() + "…"]
    return "\n".join(wrapped)


def shorten_labels(labels: Sequence[str], width: int = _LABEL_WIDTH) -> list[str]:
    """Wrap labels to two lines, or more if needed to tell them apart.

    >>> shorten_labels(["a long name, the first", "a long name, the second"], 9)
    ['a long\\nname, the\\nfirst', 'a long\\nname, the\\nsecond']
    """
    found: list[str] = []
    for lines in range(2, _MOST_LABEL_LINES + 1):
        found = [shorten(label, width, lines) for label in labels]
        if len(set(found)) == len(set(labels)):
            break
    return found


def draw_bar_chart(chart: BarChart) -> Figure:
    """Draw a chart: horizontal bars, or vertical ones for a scale such as weeks or ages."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    title, notes = shorten(chart.title, 88), "\n".join(shorten(note, 125, 6) for note in chart.notes)
    above = 0.12 + 0.24 * _lines(title) + 0.26
    below = 0.06 + 0.17 * _lines(notes)
    legend = 0.3 if len(chart.series) > 1 else 0.0
    height = above + legend + _height_of_bars(chart) + below
    layout = ConstrainedLayoutEngine()
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout=layout)
    rect = (
        _MARGIN_INCHES / _WIDTH_INCHES,
        below / height,
        1 - 2 * _MARGIN_INCHES / _WIDTH_INCHES,
        1 - (above + legend + below) / height,
    )
    layout.set(rect=rect)
    axes = figure.add_subplot()
    (_draw_upright if chart.is_upright else _draw_lying)(axes, chart)
    for side in ("top", "right", "bottom" if not chart.is_upright else "left"):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(GRID)
    axes.tick_params(length=0, colors=FAINT_INK, labelcolor=INK)
    axes.set_axisbelow(True)
    left = 0.08 / _WIDTH_INCHES
    if legend:
        entries = figure.legend(
            # Matplotlib omits labels that begin with _.
            handles=axes.containers, labels=[f" {shorten(bars.name, 60, 1)}" for bars in chart.series],
            loc="upper left", bbox_to_anchor=(left, 1 - above / height), ncols=min(3, len(chart.series)), frameon=False,
            borderpad=0, borderaxespad=0, handlelength=1, handleheight=1, columnspacing=1.4, fontsize=9,
        )  # fmt: skip
        # It has reserved space, so the layout need not consider it.
        entries.set_in_layout(False)
    figure.text(left, 1 - 0.1 / height, title, va="top", fontsize=13, fontweight="bold", color=INK)
    figure.text(
        left, 1 - (above - 0.24) / height, shorten(chart.subtitle, 120, 1), va="top", fontsize=10, color=FAINT_INK
    )
    figure.text(left, 0.06 / height, notes, va="bottom", fontsize=8.5, color=FAINT_INK)
    return figure


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _height_of_bars(chart: BarChart) -> float:
    if chart.is_upright:
        return 3.9
    thickness = {1: 0.3, 2: 0.42}.get(len(chart.series), 0.24 * len(chart.series))
    lines = sum(max(thickness, 0.17 * _lines(label) + 0.1) for label in shorten_labels(chart.labels))
    return max(0.8, lines) + 0.6


def _offsets(count: int) -> tuple[float, list[float]]:
    """Return the thickness of a bar, and each series' distance from the middle of the label."""
    thickness = 0.74 / count
    return thickness, [(number - (count - 1) / 2) * thickness for number in range(count)]


def _colours(chart: BarChart, number: int) -> list[str]:
    asides = chart.asides or (False,) * len(chart.labels)
    return [ASIDE if aside else SERIES[number % len(SERIES)] for aside in asides]


def _fill(chart: BarChart, number: int) -> dict[str, Any]:
    """Return a series' fill: guesses are hatched on white, distinct from solid bars even in grey print."""
    colours = _colours(chart, number)
    if chart.series[number].is_guess:
        return {"facecolor": "white", "edgecolor": colours, "hatch": "////", "linewidth": 0.8}
    return {"color": colours}


def _ceiling(chart: BarChart) -> float:
    return max((end for bars in chart.series for end in bars.ends()), default=0) or 1


def _reach(chart: BarChart) -> float:
    """Return the end of the axis that leaves room for the texts beside the bars."""
    reaches = (
        end / (1 - min(0.5, 0.02 + len(text) * _LETTER_INCHES / _BARS_INCHES))
        for bars in chart.series
        for end, text in zip(bars.ends(), bars.texts, strict=True)
    )
    return max(reaches, default=0) or 1


def label_step(count: int) -> int:
    """Return the step between written labels under vertical bars, so they do not touch.

    >>> label_step(26), label_step(27)
    (1, 2)
    """
    return max(1, -(-count // _MOST_UPRIGHT_LABELS))


def _draw_lying(axes: Axes, chart: BarChart) -> None:
    thickness, offsets = _offsets(len(chart.series))
    ceiling = _ceiling(chart)
    for number, (bars, offset) in enumerate(zip(chart.series, offsets, strict=True)):
        places = [place + offset for place in range(len(chart.labels))]
        axes.barh(places, bars.values, thickness, **_fill(chart, number))
        _draw_intervals(axes, places, bars)
        for place, end, text in zip(places, bars.ends(), bars.texts, strict=True):
            # The axis has room for it, so the layout need not consider it: that would take a tenth of a chart's time.
            axes.text(end + ceiling * 0.01, place, text, va="center", fontsize=8.5, color=INK, in_layout=False)
    axes.set_yticks(range(len(chart.labels)), shorten_labels(chart.labels))
    axes.set_ylim(len(chart.labels) - 0.4, -0.6)
    axes.set_xlim(0, _reach(chart))
    axes.xaxis.grid(True, color=GRID, linewidth=0.7)
    axes.set_xlabel(chart.value_axis, color=FAINT_INK)
    axes.set_ylabel(chart.label_axis, color=FAINT_INK)
    _use_whole_numbers(axes.xaxis, ceiling)


def _draw_intervals(axes: Axes, places: Sequence[float], bars: Bars) -> None:
    drawn = [(place, *ends) for place, ends in zip(places, bars.intervals, strict=False) if ends is not None]
    if drawn:
        heights, starts, ends = zip(*drawn, strict=True)
        # Light around dark text, readable on the bar and beside it. All lines at once: one by one they are slow.
        for width, colour in ((3.0, "white"), (1.1, INK)):
            axes.hlines(heights, starts, ends, colors=colour, linewidths=width, zorder=3)


def _draw_upright(axes: Axes, chart: BarChart) -> None:
    thickness, offsets = _offsets(len(chart.series))
    ceiling = _ceiling(chart)
    size = 6.5 if len(chart.labels) * len(chart.series) > _MOST_LARGE_VALUES else 8
    are_written = len(chart.labels) * len(chart.series) <= _MOST_UPRIGHT_VALUES
    for number, (bars, offset) in enumerate(zip(chart.series, offsets, strict=True)):
        places = [place + offset for place in range(len(chart.labels))]
        axes.bar(places, bars.values, thickness, **_fill(chart, number))
        for place, value, text in zip(places, bars.values, bars.texts, strict=True) if are_written else ():
            axes.text(
                place, value + ceiling * 0.01, text, ha="center", va="bottom", fontsize=size, color=INK, in_layout=False
            )  # fmt: skip
    step = label_step(len(chart.labels))
    shown = range(0, len(chart.labels), step)
    is_crowded = max((len(label) for label in chart.labels), default=0) * len(shown) > 90
    axes.set_xticks(
        list(shown),
        [shorten(chart.labels[place], 24) for place in shown],
        rotation=45 if is_crowded else 0,
        ha="right" if is_crowded else "center",
        rotation_mode="anchor",
    )
    if not is_crowded:
        axes.tick_params(axis="x", pad=10)
    axes.set_xlim(-0.7, max(len(chart.labels) - 0.3, 0.7))
    axes.set_ylim(0, ceiling * (1.1 + _MARK_ROW * chart.mark_rows))
    _draw_marks(axes, chart, ceiling)
    axes.yaxis.grid(True, color=GRID, linewidth=0.7)
    axes.set_ylabel(chart.value_axis, color=FAINT_INK)
    axes.set_xlabel(chart.label_axis, color=FAINT_INK)
    _use_whole_numbers(axes.yaxis, ceiling)


def _draw_marks(axes: Axes, chart: BarChart, ceiling: float) -> None:
    for mark in chart.marks:
        height = ceiling * (1.1 + _MARK_ROW * (chart.mark_rows - mark.row - 0.5))
        axes.vlines(mark.place, 0, height, colors=INK, linestyles=(0, (1, 2)), linewidth=0.7, zorder=3)
        shape = _MARK_SHAPES[mark.row % len(_MARK_SHAPES)]
        axes.plot([mark.place], [height], marker=shape, color=INK, markersize=5, linestyle="none", zorder=4)


def _use_whole_numbers(axis: Axis, ceiling: float) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1 if ceiling < 2 else 2))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
