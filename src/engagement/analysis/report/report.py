"""The report: the whole season on one page, for people who would rather look than read.

The page loads nothing from outside: it draws charts and maps itself as SVG, written here without a library of charts. Those
weigh 50 KB (uPlot, on a canvas whose text nobody can copy or hear) to 800 KB (Vega-Lite, which builds functions from texts,
against our policy), draw nothing without a script, and are one more thing to keep up to date; bars, intervals and shapes are a few
hundred lines. A content security policy by hash blocks any other script or style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from engagement.analysis.charts.charts import Chart
from engagement.analysis.maps.maps import DrawnMap
from engagement.analysis.report.coder_agreement import CoderAgreement, read_agreement
from engagement.analysis.report.episodes import make_document
from engagement.analysis.report.labels import read_label_origins
from engagement.analysis.report.last_run import FIGURES, gather_figures, read_last_figures, write_figures
from engagement.analysis.report.methods import write_methods
from engagement.analysis.report.overview import Certainty, summarise_run
from engagement.analysis.report.sections import make_sections
from engagement.analysis.report.suggestions import read_suggestions
from engagement.analysis.tables.intervals import SMALL_BASE, SMALLEST_BASE, WHAT_INTERVALS_SAY
from engagement.analysis.tables.season import Season
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.foundation.errors import count_of
from engagement.foundation.files import open_for_writing
from engagement.foundation.revision import find_revision

_SCRIPTS = ("tables.js", "groups.js", "messages.js", "episodes.js")


def write_report(
    season: Season, charts: Sequence[Chart], maps: Sequence[DrawnMap], path: Path, last_figures: Path | None = None
) -> None:
    """Write the report as one self-contained HTML file, and this run's figures beside it.

    `last_figures` is the file of the last report's figures, which this one is compared with. Who labelled what, and how far
    coders agree, is read from the tables beside it.
    """
    figures = gather_figures(season)
    last = read_last_figures(last_figures, figures)
    beside = path.parent
    sure = Certainty(read_agreement(beside), read_label_origins(beside), read_suggestions(beside))
    page = make_page(season, charts, maps, figures, last, sure)
    with open_for_writing(path) as file:
        file.write(page)
    write_figures(path.with_name(FIGURES), figures, last)


def make_page(
    season: Season,
    charts: Sequence[Chart],
    maps: Sequence[DrawnMap],
    figures: Mapping[str, Any] | None = None,
    last: Mapping[str, Any] | None = None,
    sure: Certainty | None = None,
) -> str:
    """Build the report's HTML."""
    # Imported here, so a run for the graphs alone does not load the page templates.
    from engagement.foundation.pages import embed_json, render_page

    style, script = _read("report.css"), "".join(map(_read, _SCRIPTS))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_digest(style)}'",
            f"script-src 'sha256-{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    revision = find_revision()
    sure = sure or Certainty(CoderAgreement(), ())
    summary = summarise_run(season, figures or gather_figures(season), last, sure, revision)
    return render_page(
        Path(__file__).with_name("report.html.jinja"),
        name=name_of_pipeline(season.project.configuration, season.project.path),
        policy=policy,
        style=style,
        script=script,
        document=embed_json({**make_document(season), "caveat": WHAT_INTERVALS_SAY}),
        messages=count_of(len(season.messages), "message"),
        participants=count_of(len(season.individuals), "participant"),
        made_at=season.source.timestamp[:16].replace("T", " "),
        time_zone=season.time_zone.key,
        what_intervals_say=WHAT_INTERVALS_SAY,
        small_below=season.small_count_threshold,
        small_base=SMALL_BASE,
        smallest_base=SMALLEST_BASE,
        sections=make_sections(season, charts, maps, summary, write_methods(season, revision), sure.agreement),
    )


def _read(name: str) -> str:
    return (resources.files(__package__) / "data" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
