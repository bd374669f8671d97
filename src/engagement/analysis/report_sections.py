"""What the report's sections hold."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engagement.analysis.charts import DEMOGRAPHICS, ENGAGEMENT, FOLLOW_UP, THEMES, TRAFFIC, Chart
from engagement.analysis.charts_of_codes import has_answers, name_of
from engagement.analysis.maps import DrawnMap
from engagement.analysis.report_html import Markup, element, join
from engagement.analysis.report_tables import (
    make_engagement_tables,
    make_frame,
    make_note,
    make_traffic_tables,
    make_values_table,
)
from engagement.analysis.season import Season
from engagement.analysis.values import count_of
from engagement.cleaning.phone_numbers import find_phone_numbers
from engagement.configuration import CodingConfiguration, PlanKind

_MOST_EXAMPLES = 3
_MOST_MAPS = 100  # a page of thousands of pictures opens on no phone


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    anchor: str
    title: str
    content: Markup


def make_sections(season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap]) -> list[Section]:
    """Every section that has something to show, in order."""
    by_section: dict[str, list[Chart]] = defaultdict(list)
    for chart in charts:
        by_section[chart.section].append(chart)
    sections = [
        Section("funnel", "From runs to messages", _make_funnel(season)),
        Section(
            "engagement", "Engagement", join((*map(_show, by_section[ENGAGEMENT]), make_engagement_tables(season)))
        ),
        Section("traffic", "Traffic", join((*map(_show, by_section[TRAFFIC]), make_traffic_tables(season)))),
        Section("themes", "Themes", _make_themes(season, by_section[THEMES])),
        Section(
            "demographics", "Participants", _make_questions(season, PlanKind.DEMOGRAPHIC, by_section[DEMOGRAPHICS])
        ),
    ]
    if any(plan.kind is PlanKind.FOLLOW_UP for plan, _ in season.questions):
        content = _make_questions(season, PlanKind.FOLLOW_UP, by_section[FOLLOW_UP])
        sections.append(Section("follow-up", "Follow-up questions", content))
    if maps:
        sections.append(Section("maps", "Maps", _make_maps(maps)))
    sections.append(Section("quality", "Data quality", _make_quality(season)))
    return sections


def _show(picture: Chart | DrawnMap) -> Markup:
    return element("figure", element("div", _inline(picture.path, picture.text_alternative), class_="scroll"))


def _inline(path: Path, text_alternative: str) -> Markup:
    content = path.read_bytes()
    # The size, so that the page does not jump while it loads: the first chunk of a PNG begins with it.
    width, height = (int.from_bytes(content[place : place + 4], "big") for place in (16, 20))
    source = Markup("data:image/png;base64," + base64.b64encode(content).decode())
    return element("img", src=source, width=width, height=height, alt=text_alternative)


def _make_funnel(season: Season) -> Markup:
    funnel = season.funnel
    total = season.engagement_counts[season.engagement_counts["Dataset"] == "Total"].iloc[0]
    steps: list[tuple[str, int, str]] = [("Runs fetched", funnel.runs, "")]
    steps.append(
        ("Messages in them", funnel.messages, "a run can hold an answer to an episode, answers to a survey, or none")
    )
    steps += [("− dropped", count, reason) for reason, count in funnel.dropped.items()]
    steps += [("− lost", count, f"wrong scheme, marked {code!r}: no dataset") for code, count in funnel.lost.items()]
    withdrawn = f"of {count_of(funnel.withdrawn_participants, 'participant')} who withdrew consent"
    steps += [
        ("Messages kept", funnel.kept, ""),
        ("− withdrawn", funnel.withdrawn_messages, withdrawn),
        ("Messages analysed", len(season.messages), f"of {count_of(len(season.individuals), 'participant')}"),
        ("… with opt-ins", int(total["Total Messages with Opt-Ins"]), "coded with anything but NA or NS"),
        ("… labelled", int(total["Total Labelled Messages"]), "of those, reviewed to the end"),
        ("… relevant", int(total["Total Relevant Messages"]), "of those, with at least one theme"),
    ]
    most = max(count for _, count, _ in steps) or 1
    rows = join(
        element(
            "tr",
            element("th", step, scope="row"),
            element("td", f"{count:,}", class_="number"),
            element("td", element("meter", min=0, max=most, value=count, aria_hidden="true")),
            element("td", element("bdi", reason)),
        )
        for step, count, reason in steps
    )
    header = join(element("th", name, scope="col") for name in ("Step", "Count", "", "Reason"))
    caption = element("caption", "What became of every run that was fetched")
    table = element("table", caption, element("thead", element("tr", header)), element("tbody", rows))
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label="From runs to messages")


def _make_themes(season: Season, charts: Sequence[Chart]) -> Markup:
    examples = _choose_examples(season)
    parts: list[Markup] = []
    for _, episode in season.episodes:
        key = str(episode.analysis_file_key)
        parts.append(element("h3", f"{key}: {episode.code_scheme.name}"))
        parts += _show_charts_of(episode, charts)
        parts.append(make_values_table(season, episode, is_episode=True))
        parts += _make_examples(episode, examples)
    return join(parts)


def _make_questions(season: Season, kind: PlanKind, charts: Sequence[Chart]) -> Markup:
    """The charts of demographic or follow-up questions, with a table of each to unfold."""
    parts: list[Markup] = []
    for plan, coding in season.questions:
        if plan.kind is kind:
            key = str(coding.analysis_file_key)
            parts.append(element("h3", key.replace("_", " ")))
            parts += _show_charts_of(coding, charts)
            table = make_values_table(season, coding, is_episode=False)
            parts.append(element("details", element("summary", f"Table of {key.replace('_', ' ')}"), table))
    return join(parts)


def _show_charts_of(coding: CodingConfiguration, charts: Sequence[Chart]) -> Iterator[Markup]:
    found = [chart for chart in charts if chart.question == coding.analysis_file_key]
    yield from map(_show, found)
    if not has_answers(coding):
        yield make_note("No chart: this code scheme has no themes or answers, only codes about messages.")
    elif not found:
        yield make_note("No chart: nobody has any of these codes yet.")


def _choose_examples(season: Season) -> dict[tuple[str, str], list[str]]:
    """A few texts for each episode and code, by StringValue; none that is blank or holds a phone number."""
    chosen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for episode, _, code, text in season.sample_messages.itertuples(index=False, name=None):
        texts = chosen[episode, code]
        if len(texts) < _MOST_EXAMPLES and text.strip() and not find_phone_numbers(text):
            texts.append(text)
    return chosen


def _make_examples(episode: CodingConfiguration, examples: dict[tuple[str, str], list[str]]) -> Iterator[Markup]:
    blocks = []
    for code in episode.code_scheme.codes:
        texts = examples.get((str(episode.analysis_file_key), code.string_value))
        if texts and code.is_normal:
            quotes = join(element("blockquote", text, dir="auto") for text in texts)
            blocks.append(element("details", element("summary", name_of(code)), quotes))
    if blocks:
        yield element("h4", f"Example messages of {episode.analysis_file_key}")
        yield make_note("A stable sample; texts that hold a phone number are left out.")
        yield from blocks


def _make_maps(maps: Sequence[DrawnMap]) -> Markup:
    """The total of each level, and its themes to unfold."""
    by_level: dict[str, list[DrawnMap]] = defaultdict(list)
    for drawn in maps:
        by_level[drawn.level].append(drawn)
    left = _MOST_MAPS
    parts = []
    for level, drawn in by_level.items():
        parts += [element("h3", f"By {level}"), _show(drawn[0])]
        shown = drawn[1 : 1 + left]
        left -= len(shown)
        if shown:
            parts.append(
                element(
                    "details", element("summary", f"{count_of(len(shown), 'map')} of single themes"), *map(_show, shown)
                )
            )
            parts.append(make_note(f"A theme that nobody of a known {level} named has no map."))
        if len(drawn) - 1 > len(shown):
            more = count_of(len(drawn) - 1 - len(shown), "more map")
            parts.append(make_note(f"In the folder maps/{drawn[0].path.parent.name}/: {more}."))
    return join(parts)


def _make_quality(season: Season) -> Markup:
    return join(
        (
            make_note("Message ids are those that Coda shows; the texts are not repeated here."),
            make_frame("Coding progress, in distinct texts", season.coding_progress, season),
            make_note("Labelled % counts every text: it is no estimate, and has no interval."),
            make_frame(
                "Coding errors, and wrong-scheme labels that contradict each other", season.coding_errors, season
            ),
            make_frame("Texts that seem to hold a phone number", season.texts_with_phone_numbers, season),
        )
    )
