"""The report: one page that holds the whole season, for a person who would rather look than read.

The page needs nothing from outside: pictures are in it, and a content security policy by hash lets no other script or style run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from engagement.analysis.charts import Chart
from engagement.analysis.intervals import WHAT_INTERVALS_SAY
from engagement.analysis.maps import DrawnMap
from engagement.analysis.report_html import Markup, element, join
from engagement.analysis.report_sections import make_sections
from engagement.analysis.season import Season
from engagement.analysis.values import count_of
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.files import open_for_writing


def write_report(season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap], path: Path) -> None:
    """Write the report as one HTML file with everything in it."""
    page = make_page(season, charts, maps)
    with open_for_writing(path) as file:
        file.write(page)


def make_page(season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap]) -> str:
    """The report's HTML."""
    name = name_of_pipeline(season.project.configuration, season.project.path)
    style, script = _read("report.css"), _read("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src 'sha256-{_digest(style)}'",
            f"script-src 'sha256-{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    sections = make_sections(season, charts, maps)
    head = join(
        (
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="referrer", content="no-referrer"),
            element("title", f"{name}: what participants said"),
            # The two files are the project's own; a policy by hash needs them in the page byte for byte.
            Markup(f"<style>{style}</style>"),
        )
    )
    contents = join(element("li", element("a", section.title, href=f"#{section.anchor}")) for section in sections)
    total = len(season.individuals)
    header = element(
        "header",
        element("h1", name),
        element(
            "p",
            f"{count_of(len(season.messages), 'message')} of {count_of(total, 'participant')} who did not withdraw. Made from the "
            f"outputs of {season.source.timestamp[:16].replace('T', ' ')} UTC; times are those of {season.time_zone.key}.",
        ),
        element(
            "p",
            f"Shares have {WHAT_INTERVALS_SAY} One phone may be several people. Shares of fewer than {season.small_count_threshold} participants are "
            "marked as of a small base. Codes that the pipeline guessed where nobody answered, such as a zone from the mobile operator, "
            "are shown apart and are in no share.",
        ),
        element(
            "p",
            f"* marks counts of fewer than {season.small_count_threshold} participants: take care that they tell nobody's "
            "identity. Participants' texts are as they wrote them. Handle this page as you handle the messages.",
            class_="note",
        ),
    )
    body = join(
        (
            header,
            element("a", "Skip to the content", href="#content", class_="skip"),
            element("nav", element("ol", contents), aria_label="Contents"),
            element(
                "main",
                *(_make_section(section.anchor, section.title, section.content) for section in sections),
                id="content",
            ),
            Markup(f"<script>{script}</script>"),
        )
    )
    return "<!doctype html>\n" + element("html", element("head", head), element("body", body), lang="en") + "\n"


def _make_section(anchor: str, title: str, content: Markup) -> Markup:
    return element(
        "section", element("h2", title, id=f"{anchor}-title"), content, id=anchor, aria_labelledby=f"{anchor}-title"
    )


def _read(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
