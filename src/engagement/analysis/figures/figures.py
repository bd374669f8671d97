"""The season's charts and maps for print, each with its data beside it."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.analysis.charts.charts import describe_charts, make_file_names, texts_of
from engagement.analysis.charts.drawing import BarChart, draw_bar_chart
from engagement.analysis.maps.drawing import draw_map
from engagement.analysis.maps.maps import describe_maps
from engagement.analysis.maps.picture import MapPicture
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.pictures import draw_afresh
from engagement.analysis.tables.season import Season
from engagement.configuration.nearest import nearest
from engagement.foundation.errors import UsageError
from engagement.foundation.files import make_directory, write_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRAPHS, MAPS = "graphs", "maps"
# Of the series of a chart, one each: colours may be alike in grey print.
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++")
_CHART_COLUMNS = ("Label", "Series", "Value", "Low", "High", "Kind")
_MAP_COLUMNS = ("Place", "Participants", "Base", "Share %")

type FigureContent = BarChart | MapPicture


def describe_figures(season: Season, with_maps: bool = True) -> dict[str, FigureContent]:
    """Describe every chart and map by the name that stage 5 gives its file: "graphs/traffic_by_week"."""
    charts = list(describe_charts(season))
    names = make_file_names(one.name for one in charts)
    found: dict[str, FigureContent] = {f"{GRAPHS}/{name}": one.chart for name, one in zip(names, charts, strict=True)}
    if with_maps:
        found |= {f"{MAPS}/{name}": picture for name, (picture, _) in describe_maps(season).items()}
    return found


def choose_figures(known: Mapping[str, FigureContent], only: Sequence[str]) -> dict[str, FigureContent]:
    """Choose figures by name, by folder, or by a pattern with *; all of them without any.

    Raises
    ------
    UsageError
        Some are unknown; the message names all of them, with the nearest that there are.
    """
    chosen: dict[str, FigureContent] = {}
    unknown = []
    for wanted in only or ("*",):
        plain = wanted.strip("/")
        for ending in (".png", ".svg", ".pdf", ".csv"):
            plain = plain.removesuffix(ending)
        patterns = (plain, f"*/{plain}", f"{plain}/*")
        found = [name for name in known if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
        chosen |= {name: known[name] for name in found}
        if not found:
            short = [name.rpartition("/")[2] for name in known]
            unknown.append(f"--only {wanted!r}: no such figure{nearest(plain.rpartition('/')[2], short)}")
    if unknown:
        raise UsageError(
            "\n".join([*unknown, "Expected names like those of the files in graphs/ and maps/. Change them."])
        )
    return {name: picture for name, picture in known.items() if name in chosen}


def draw_figures(folder: Path, figures: Mapping[str, FigureContent], ending: str, jobs: int) -> None:
    """Draw figures as `<name>.<ending>`, each with its data as `<name>.csv`."""
    fonts = find_fonts(text for picture in figures.values() for text in _texts(picture))
    draw_afresh({folder / f"{name}.{ending}": picture for name, picture in figures.items()}, draw_figure, fonts, jobs)
    for name, picture in figures.items():
        path = folder / f"{name}.csv"
        make_directory(path.parent)
        if isinstance(picture, BarChart):
            write_csv(path, _CHART_COLUMNS, _rows_of_chart(picture))
        else:
            write_csv(path, _MAP_COLUMNS, _rows_of_map(picture))


def draw_figure(picture: FigureContent) -> Figure:
    """Draw one figure."""
    if isinstance(picture, MapPicture):
        return draw_map(picture)
    figure = draw_bar_chart(picture)
    if len(picture.series) > 1:
        _hatch(figure, picture)
    return figure


def _hatch(figure: Figure, chart: BarChart) -> None:
    """Hatch the series of a chart and their squares in the legend; guesses are hatched already."""
    squares = [handle for legend in figure.legends for handle in legend.legend_handles]
    for number, bars in enumerate(chart.series):
        hatch = HATCHES[number % len(HATCHES)]
        if bars.is_guess or not hatch:
            continue
        for patch in (*figure.axes[0].containers[number], *squares[number : number + 1]):
            # In a PDF the edge's colour is that of the hatch, too.
            patch.set(hatch=hatch, hatchcolor="white", edgecolor="white", linewidth=0.5)


def _texts(picture: FigureContent) -> Iterator[str]:
    return texts_of(picture) if isinstance(picture, BarChart) else picture.texts()


def _rows_of_chart(chart: BarChart) -> Iterator[tuple[object, ...]]:
    asides = chart.asides or (False,) * len(chart.labels)
    for bars in chart.series:
        intervals = bars.intervals or (None,) * len(bars.values)
        for label, value, ends, is_aside in zip(chart.labels, bars.values, intervals, asides, strict=True):
            kind = "guess" if bars.is_guess else "no answer" if is_aside else ""
            yield label, bars.name, value, *(ends or ("", "")), kind
    for mark in chart.marks:
        yield mark.text, mark.kind, "", "", "", "moment"


def _rows_of_map(picture: MapPicture) -> Iterator[tuple[object, ...]]:
    drawn = {place.shape: place for place in picture.every_place() if place.count is not None}
    for place in drawn.values():
        if picture.are_outlines:
            yield place.name, "", "", ""
        elif not picture.are_shares:
            yield place.name, place.count, "", ""
        else:
            share = "" if picture.is_small(place) else 100 * (place.count or 0) / place.base
            yield place.name, place.count, place.base, share
