"""The report: the whole season on one page, for people who would rather look than read.

The page loads nothing from outside: pictures are inside it, and a content security policy by hash blocks any other
script or style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from engagement.analysis.charts.charts import Chart
from engagement.analysis.maps.maps import DrawnMap
from engagement.analysis.report.sections import make_sections
from engagement.analysis.tables.intervals import WHAT_INTERVALS_SAY
from engagement.analysis.tables.season import Season
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.foundation.errors import count_of
from engagement.foundation.files import open_for_writing


def write_report(season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap], path: Path) -> None:
    """Write the report as one self-contained HTML file."""
    page = make_page(season, charts, maps)
    with open_for_writing(path) as file:
        file.write(page)


def make_page(season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap]) -> str:
    """Build the report's HTML."""
    # Imported here, so a run for the graphs alone does not load the page templates.
    from engagement.foundation.pages import render_page

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
    return render_page(
        Path(__file__).with_name("report.html.jinja"),
        name=name_of_pipeline(season.project.configuration, season.project.path),
        policy=policy,
        style=style,
        script=script,
        messages=count_of(len(season.messages), "message"),
        participants=count_of(len(season.individuals), "participant"),
        made_at=season.source.timestamp[:16].replace("T", " "),
        time_zone=season.time_zone.key,
        what_intervals_say=WHAT_INTERVALS_SAY,
        small_below=season.small_count_threshold,
        sections=make_sections(season, charts, maps),
    )


def _read(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
