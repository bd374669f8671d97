"""Content of the report's sections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from engagement.analysis.charts.charts import DEMOGRAPHICS, ENGAGEMENT, FOLLOW_UP, THEMES, TRAFFIC, Chart
from engagement.analysis.charts.codes import has_answers, name_of
from engagement.analysis.maps.maps import DrawnMap
from engagement.analysis.report.coder_agreement import CoderAgreement
from engagement.analysis.report.figures import PageFigure, draw_figure, make_anchor
from engagement.analysis.report.map_figures import MapFigure, MapShape, draw_outlines, map_svg
from engagement.analysis.report.overview import PageSummary
from engagement.analysis.report.tables import (
    PageTable,
    make_engagement_tables,
    make_frame,
    make_traffic_tables,
    make_values_table,
    tabulate_chart,
)
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration, PlanKind
from engagement.foundation.errors import count_of
from engagement.pipeline.coding.cleaning.phone_numbers import find_phone_numbers

_MOST_EXAMPLES = 3
_MOST_MAPS = 100  # phones can't open a page with thousands of pictures


@dataclass(frozen=True)
class FunnelStep:
    """A step from fetched runs to messages that count."""

    name: str
    count: int
    reason: str = ""


@dataclass(frozen=True)
class Examples:
    """A few messages with a code."""

    code: str
    texts: Sequence[str]


@dataclass(frozen=True)
class QuestionBlock:
    """Answers to a question, or themes of an episode."""

    key: str
    anchor: str
    title: str
    charts: Sequence[PageFigure]
    notes: Sequence[str]
    table: PageTable
    is_episode: bool
    examples: Sequence[Examples] = ()


@dataclass(frozen=True)
class MapsOfLevel:
    """Maps of a level of places: its outlines, the total, and single themes."""

    name: str
    shapes: Sequence[MapShape]
    total: MapFigure
    how_many_themes: str
    themes: Sequence[MapFigure]
    notes: Sequence[str]


@dataclass(frozen=True)
class ChartBlock:
    """A chart and the table of its numbers."""

    figure: PageFigure
    table: PageTable


@dataclass(frozen=True)
class PageSection:
    """A section of the page; its contents appear in this order."""

    anchor: str
    title: str
    summary: PageSummary | None = None
    funnel: Sequence[FunnelStep] = ()
    notes: Sequence[str] = ()
    charts: Sequence[ChartBlock] = ()
    tables: Sequence[PageTable] = ()
    questions: Sequence[QuestionBlock] = ()
    levels_of_maps: Sequence[MapsOfLevel] = ()
    passages: Sequence[str] = ()


def make_sections(
    season: Season,
    charts: Sequence[Chart],
    maps: Sequence[DrawnMap],
    summary: PageSummary,
    methods: Sequence[str],
    agreement: CoderAgreement,
) -> list[PageSection]:
    """Build every section that has content, in order."""
    by_section: dict[str, list[Chart]] = defaultdict(list)
    for chart in charts:
        by_section[chart.section].append(chart)
    engagement, traffic = (
        [ChartBlock(draw_figure(chart), tabulate_chart(chart.content)) for chart in by_section[name]]
        for name in (ENGAGEMENT, TRAFFIC)
    )
    demographics = _make_questions(season, PlanKind.DEMOGRAPHIC, by_section[DEMOGRAPHICS])
    sections = [
        PageSection("summary", "At a glance", summary=summary),
        PageSection("themes", "Themes", questions=_make_themes(season, by_section[THEMES], agreement)),
        PageSection("engagement", "Engagement", charts=engagement, tables=make_engagement_tables(season)),
        PageSection("traffic", "Traffic", charts=traffic, tables=make_traffic_tables(season)),
        PageSection("demographics", "Participants", questions=demographics),
    ]
    if any(plan.kind is PlanKind.FOLLOW_UP for plan, _ in season.questions):
        questions = _make_questions(season, PlanKind.FOLLOW_UP, by_section[FOLLOW_UP])
        sections.append(PageSection("follow-up", "Follow-up questions", questions=questions))
    if maps:
        sections.append(PageSection("maps", "Maps", levels_of_maps=_make_maps(maps)))
    ids_alone = "Message ids are those that Coda shows; the texts are not repeated here."
    sections.append(PageSection("quality", "Data quality", notes=[ids_alone], tables=_make_quality_tables(season)))
    sections.append(PageSection("funnel", "From runs to messages", funnel=_make_funnel(season)))
    sections.append(PageSection("methods", "Methods, to paste into a paper", passages=methods))
    return sections


def _make_funnel(season: Season) -> list[FunnelStep]:
    funnel = season.funnel
    total = season.engagement_counts[season.engagement_counts["Dataset"] == "Total"].iloc[0]
    withdrawn = f"of {count_of(funnel.withdrawn_participants, 'participant')} who withdrew consent"
    return [
        FunnelStep("Runs fetched", funnel.runs),
        FunnelStep(
            "Messages in them", funnel.messages, "a run can hold an answer to an episode, answers to a survey, or none"
        ),
        *(FunnelStep("− dropped", count, reason) for reason, count in funnel.dropped.items()),
        *(
            FunnelStep("− lost", count, f"wrong scheme, marked {code!r}: no dataset")
            for code, count in funnel.lost.items()
        ),
        FunnelStep("Messages kept", funnel.kept),
        FunnelStep("− withdrawn", funnel.withdrawn_messages, withdrawn),
        FunnelStep("Messages analysed", len(season.messages), f"of {count_of(len(season.individuals), 'participant')}"),
        FunnelStep("… with opt-ins", int(total["Total Messages with Opt-Ins"]), "coded with anything but NA or NS"),
        FunnelStep("… labelled", int(total["Total Labelled Messages"]), "of those, reviewed to the end"),
        FunnelStep("… relevant", int(total["Total Relevant Messages"]), "of those, with at least one theme"),
    ]


def _make_themes(season: Season, charts: Sequence[Chart], agreement: CoderAgreement) -> list[QuestionBlock]:
    texts = _choose_examples(season)
    questions = []
    for _, episode in season.episodes:
        key = str(episode.analysis_file_key)
        table = make_values_table(season, episode, is_episode=True, agreement=agreement)
        examples = [
            Examples(name_of(code), texts[key, code.string_value])
            for code in episode.code_scheme.codes
            if code.is_normal and (key, code.string_value) in texts
        ]
        shown, notes = _draw_charts_of(episode, charts, opens_messages=True)
        title = f"{key}: {episode.code_scheme.name}"
        anchor = make_anchor(key)
        questions.append(QuestionBlock(key, anchor, title, shown, notes, table, is_episode=True, examples=examples))
    return questions


def _make_questions(season: Season, kind: PlanKind, charts: Sequence[Chart]) -> list[QuestionBlock]:
    """Build the charts of demographic or follow-up questions, each with a table to unfold."""
    questions = []
    for plan, coding in season.questions:
        if plan.kind is kind:
            key = str(coding.analysis_file_key)
            table = make_values_table(season, coding, is_episode=False)
            shown, notes = _draw_charts_of(coding, charts)
            anchor = f"question-{make_anchor(key)}"
            questions.append(QuestionBlock(key, anchor, key.replace("_", " "), shown, notes, table, is_episode=False))
    return questions


def _draw_charts_of(
    coding: CodingConfiguration, charts: Sequence[Chart], opens_messages: bool = False
) -> tuple[list[PageFigure], list[str]]:
    """Draw a question's chart, or say why there is none; the script draws themes by group."""
    own = [chart for chart in charts if chart.question == coding.analysis_file_key][:1]
    found = [draw_figure(chart, opens_messages) for chart in own]
    if not has_answers(coding):
        return found, ["No chart: this code scheme has no themes or answers, only codes about messages."]
    return found, [] if found else ["No chart: nobody has any of these codes yet."]


def _choose_examples(season: Season) -> dict[tuple[str, str], list[str]]:
    """Choose a few texts for each episode and code (StringValue), none blank or with a phone number."""
    chosen: dict[tuple[str, str], list[str]] = {}
    samples = season.sample_messages[["Episode", "Code", "Message"]]
    for episode, code, text in samples.itertuples(index=False, name=None):
        texts = chosen.get((episode, code), [])
        if len(texts) < _MOST_EXAMPLES and text.strip() and not find_phone_numbers(text):
            chosen[episode, code] = [*texts, text]
    return chosen


def _make_maps(maps: Sequence[DrawnMap]) -> list[MapsOfLevel]:
    """Build each level's total map, and its theme maps to unfold."""
    by_level: dict[str, list[DrawnMap]] = defaultdict(list)
    for drawn in maps:
        by_level[drawn.level].append(drawn)
    left = _MOST_MAPS
    levels = []
    for level, (total, *themes) in by_level.items():
        shown = themes[:left]
        left -= len(shown)
        notes = [f"A theme that nobody of a known {level} named has no map."] if shown else []
        if len(themes) > len(shown):
            more = count_of(len(themes) - len(shown), "more map")
            notes.append(f"In the folder maps/{total.path.parent.name}/: {more}.")
        anchor = f"map-{make_anchor(level)}"
        outlines = draw_outlines(total.content, f"{anchor}-shape")
        figures = [
            map_svg(one.content, outlines, f"{anchor}-{number}", one.text_alternative)
            for number, one in enumerate((total, *shown))
        ]
        how_many = count_of(len(shown), "map")
        levels.append(MapsOfLevel(level, list(outlines.shapes.values()), figures[0], how_many, figures[1:], notes))
    return levels


def _make_quality_tables(season: Season) -> list[PageTable]:
    return [
        make_frame("What is labelled, in distinct texts of each dataset", season.coding_progress, season),
        make_frame("Coding errors, and wrong-scheme labels that contradict each other", season.coding_errors, season),
        make_frame("Texts that seem to hold a phone number", season.texts_with_phone_numbers, season),
    ]
