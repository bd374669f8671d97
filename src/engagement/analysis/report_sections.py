"""What the report's sections hold."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.analysis.charts import DEMOGRAPHICS, ENGAGEMENT, FOLLOW_UP, THEMES, TRAFFIC, Chart
from engagement.analysis.charts_of_codes import name_of
from engagement.analysis.maps import DrawnMap
from engagement.analysis.report_html import Markup, element, join, make_table
from engagement.analysis.season import Season
from engagement.cleaning.phone_numbers import find_phone_numbers
from engagement.configuration import CodingConfiguration

if TYPE_CHECKING:
    import pandas

_MOST_EXAMPLES = 3
_MOST_MAPS = 100  # a page of thousands of pictures opens on no phone
_MOST_ROWS = 500


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
        Section("engagement", "Engagement", _make_engagement(season, by_section[ENGAGEMENT])),
        Section("traffic", "Traffic", _make_traffic(season, by_section[TRAFFIC])),
        Section("themes", "Themes", _make_themes(season, by_section[THEMES])),
        Section(
            "demographics",
            "Participants",
            join(
                (
                    *map(_show, by_section[DEMOGRAPHICS]),
                    _make_distribution("Participants by code", season.demographic_distributions, season),
                )
            ),
        ),
    ]
    if by_section[FOLLOW_UP]:
        sections.append(Section("follow-up", "Follow-up questions", join(map(_show, by_section[FOLLOW_UP]))))
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
    withdrawn = f"of {funnel.withdrawn_participants:,} participants who withdrew consent"
    steps += [
        ("Messages kept", funnel.kept, ""),
        ("− withdrawn", funnel.withdrawn_messages, withdrawn),
        ("Messages analysed", len(season.messages), f"of {len(season.individuals):,} participants"),
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


def _make_frame(caption: str, table: pandas.DataFrame, season: Season, small: Iterable[str] = ()) -> Markup:
    """A table of the season; counts of participants in the columns `small` are marked where they are small."""
    header = [str(column) for column in table.columns]
    rows = [[_plain(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
    columns = [header.index(name) for name in small]
    shown = make_table(caption, header, rows[:_MOST_ROWS], season.small_count_threshold, columns)
    if len(rows) > _MOST_ROWS:
        return join((shown, element("p", f"… and {len(rows) - _MOST_ROWS:,} rows more.", class_="note")))
    return shown


def _plain(cell: object) -> object:
    """What the table library calls an integer is none of Python's."""
    return int(cell) if hasattr(cell, "item") and not isinstance(cell, str) else cell  # type: ignore[call-overload]


def _make_engagement(season: Season, charts: Sequence[Chart]) -> Markup:
    people = ("Total Participants with Opt-Ins", "Total Relevant Participants")
    repeats = ("Number of Participants with Opt-Ins",)
    return join(
        (
            *map(_show, charts),
            _make_frame("Messages and participants in each episode", season.engagement_counts, season, people),
            _make_frame("In how many episodes participants took part", season.repeat_participations, season, repeats),
        )
    )


def _make_traffic(season: Season, charts: Sequence[Chart]) -> Markup:
    parts = [*map(_show, charts), _make_frame("Messages in each week", season.weekly_traffic, season)]
    if season.settings.traffic_labels:
        parts.append(_make_frame("Messages in each time range", season.traffic, season))
    return join(parts)


def _make_distribution(caption: str, table: pandas.DataFrame, season: Season) -> Markup:
    """A distribution in total, with the dataset on every row, so that it can be sorted."""
    total = table[["Dataset", "Theme", "Total Participants", "Total Participants %"]].copy()
    total["Dataset"] = total["Dataset"].where(total["Dataset"] != "").ffill()
    return _make_frame(caption, total, season, ("Total Participants",))


def _make_themes(season: Season, charts: Sequence[Chart]) -> Markup:
    examples = _choose_examples(season)
    table = season.theme_distributions.copy()
    table["Dataset"] = table["Dataset"].where(table["Dataset"] != "").ffill()
    parts: list[Markup] = []
    for _, episode in season.episodes:
        key = str(episode.analysis_file_key)
        parts.append(element("h3", f"{key}: {episode.code_scheme.name}"))
        parts += [_show(chart) for chart in charts if chart.episode == key]
        parts.append(
            _make_distribution(f"Participants with each theme of {key}", table[table["Dataset"] == key], season)
        )
        parts += _make_examples(episode, examples)
    return join(parts)


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
        yield element("p", "A stable sample; texts that hold a phone number are left out.", class_="note")
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
                element("details", element("summary", f"{len(shown)} maps of single themes"), *map(_show, shown))
            )
        if len(drawn) - 1 > len(shown):
            more = f"{len(drawn) - 1 - len(shown)} more maps are in the folder maps/{drawn[0].path.parent.name}/."
            parts.append(element("p", more, class_="note"))
    return join(parts)


def _make_quality(season: Season) -> Markup:
    note = "Message ids are those that Coda shows; the texts are not repeated here."
    return join(
        (
            element("p", note, class_="note"),
            _make_frame("Coding progress", season.coding_progress, season),
            _make_frame(
                "Coding errors, and wrong-scheme labels that contradict each other", season.coding_errors, season
            ),
            _make_frame("Texts that seem to hold a phone number", season.texts_with_phone_numbers, season),
        )
    )
