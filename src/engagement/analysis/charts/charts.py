"""The charts of a season: choosing, describing and drawing them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engagement.analysis.charts.codes import chart_codes, has_answers
from engagement.analysis.charts.drawing import BarChart, draw_bar_chart
from engagement.analysis.charts.engagement import chart_engagement, chart_ranges, chart_repeats, chart_weeks
from engagement.analysis.charts.groups import chart_themes_by, find_gender
from engagement.analysis.pictures.drawers import Drawers
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.pictures import begin_pictures
from engagement.analysis.tables.season import Season
from engagement.configuration import PlanKind
from engagement.configuration.pipeline_configuration import name_of_pipeline

log = logging.getLogger(__name__)

ENGAGEMENT, TRAFFIC, THEMES, DEMOGRAPHICS, FOLLOW_UP = "engagement", "traffic", "themes", "demographics", "follow-up"
_MOST_SPOKEN = 12


@dataclass(frozen=True)
class Chart:
    """A drawn chart: its PNG (and an SVG of the same name), title, text alternative, section and content.

    `question` is the AnalysisFileKey of the episode or question whose codes it shows.
    """

    path: Path
    title: str
    text_alternative: str
    section: str
    content: BarChart
    question: str | None = None


@dataclass(frozen=True)
class Described:
    """A chart before drawing: its file name, content and section."""

    name: str
    section: str
    chart: BarChart
    question: str | None = None


def draw_charts(season: Season, folder: Path, jobs: int) -> list[Chart]:
    """Draw all charts of the season as begin_charts does, `jobs` at a time, and wait for them."""
    with Drawers(jobs) as drawers:
        return begin_charts(season, folder, drawers)


def begin_charts(season: Season, folder: Path, drawers: Drawers) -> list[Chart]:
    """Begin to draw all charts as PNG and SVG into a folder, keeping those that did not change.

    Returns all charts, in reading order.
    """
    described = list(describe_charts(season))
    names = make_file_names(one.name for one in described)
    pictures = {name: one.chart for name, one in zip(names, described, strict=True)}
    fonts = find_fonts(text for chart in pictures.values() for text in texts_of(chart))
    begin_pictures(folder, pictures, ("png", "svg"), draw_bar_chart, fonts, drawers)
    return [
        Chart(folder / f"{name}.png", one.chart.title, _describe(one.chart), one.section, one.chart, one.question)
        for name, one in zip(names, described, strict=True)
    ]


def describe_charts(season: Season) -> Iterator[Described]:
    """Return every chart of the season, in order, with its source, as charts are often shown alone."""
    # No date, so a chart with unchanged numbers is not drawn again.
    source = f"Source: messages to {name_of_pipeline(season.project.configuration, season.project.path)}; participants who withdrew are left out."
    for one in _describe_charts(season):
        # An empty chart says nothing.
        if any(value for bars in one.chart.series for value in bars.values):
            yield replace(one, chart=replace(one.chart, notes=(*one.chart.notes, source)))


def _describe_charts(season: Season) -> Iterator[Described]:
    yield Described("engagement_messages", ENGAGEMENT, chart_engagement(season, "Messages"))
    yield Described("engagement_participants", ENGAGEMENT, chart_engagement(season, "Participants"))
    yield Described("repeat_participations", ENGAGEMENT, chart_repeats(season))
    yield Described("traffic_by_week", TRAFFIC, chart_weeks(season))
    if season.settings.traffic_labels:
        yield Described("traffic_by_range", TRAFFIC, chart_ranges(season))
    gender = find_gender(season)
    for _, episode in season.episodes:
        key = str(episode.analysis_file_key)
        if not has_answers(episode):
            continue
        yield Described(f"themes_{key}", THEMES, chart_codes(season, episode, is_episode=True), key)
        if gender is None:
            continue
        for is_normalised in (False, True):
            name = f"themes_{key}_by_gender{'_normalised' if is_normalised else ''}"
            yield Described(name, THEMES, chart_themes_by(season, episode, gender, is_normalised), key)
    for plan, coding in season.questions:
        if has_answers(coding):
            section = DEMOGRAPHICS if plan.kind is PlanKind.DEMOGRAPHIC else FOLLOW_UP
            chart, key = chart_codes(season, coding, is_episode=False), str(coding.analysis_file_key)
            yield Described(f"{section.replace('-', '_')}_{key}", section, chart, key)


def make_file_names(names: Iterable[str]) -> list[str]:
    """Make unique names that any file system accepts.

    >>> make_file_names(["age", "a/b", "a b", "Age"])
    ['age', 'a_b', 'a_b_2', 'Age_2']
    """
    made: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", name).strip(".")[:120] or "_"
        number, unique = 1, plain
        while unique.casefold() in taken:
            number += 1
            unique = f"{plain}_{number}"
        taken.add(unique.casefold())
        made.append(unique)
    return made


def texts_of(chart: BarChart) -> Iterator[str]:
    """All texts on a chart."""
    yield from (chart.title, chart.subtitle, chart.value_axis, chart.label_axis, "…")
    yield from chart.labels
    yield from chart.notes
    yield from (bars.name for bars in chart.series)
    yield from (mark.kind for mark in chart.marks)


def _describe(chart: BarChart) -> str:
    """Describe the chart in words: what it counts, and the largest values."""
    parts = [f"Bar chart. {chart.title}. {chart.subtitle}."]
    for bars in chart.series:
        pairs = list(zip(chart.labels, bars.values, bars.texts, strict=True))
        if not chart.is_upright:
            pairs.sort(key=lambda pair: -pair[1])
        shown = [f"{label} {text or '0'}" for label, _, text in pairs[:_MOST_SPOKEN]]
        more = f"; and {len(pairs) - _MOST_SPOKEN} more" if len(pairs) > _MOST_SPOKEN else ""
        name = f"{bars.name}: " if bars.name else ""
        parts.append(f"{name}{'; '.join(shown)}{more}." if pairs else f"{name}nothing to show.")
    return " ".join(parts + list(chart.notes))
