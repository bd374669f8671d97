"""The comparison of two seasons as one self-contained page, and as CSV."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from engagement.analysis.comparison.differences import ShareDifference
from engagement.analysis.comparison.seasons import Comparison
from engagement.analysis.tables.intervals import SMALL_BASE
from engagement.analysis.tables.season import Season
from engagement.configuration.pipeline_configuration import name_of_pipeline
from engagement.foundation.csv_cells import guard_cell
from engagement.foundation.files import make_directory, open_for_writing, write_csv

HEADER = (
    "Dataset", "Theme", "Name", "Change", "Participants Before", "Base Before", "Share % Before", "Participants After",
    "Base After", "Share % After", "Difference", "Low", "High", "In Both", "Note",
)  # fmt: skip


def write_comparison(before: Season, after: Season, found: Comparison, folder: Path) -> None:
    """Write `comparison.html` and `comparison.csv`."""
    make_directory(folder)
    write_csv(folder / "comparison.csv", HEADER, map(_row, found.shares))
    page = make_comparison_page(before, after, found)
    with open_for_writing(folder / "comparison.html") as file:
        file.write(page)


def make_comparison_page(before: Season, after: Season, found: Comparison) -> str:
    """Build the page's HTML."""
    from engagement.foundation.pages import render_page

    style = (resources.files(__package__) / "data" / "comparison.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # What nobody has on either side can't differ, and must not make the others look few.
    with_interval = [one for one in found.shares if one.interval is not None and one.before[0] + one.after[0]]
    small_below = max(season.small_count_threshold for season in (before, after))
    return render_page(
        Path(__file__).with_name("comparison.html.jinja"),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=style,
        sides=[_describe(season) for season in (before, after)],
        totals=[(name, f"{old:,}", f"{new:,}", f"{new - old:+,}") for name, old, new in found.totals],
        in_both=f"{found.participants_in_both:,}",
        are_in_both=found.participants_in_both > 0,
        moved=[one for one in with_interval if one.is_more_than_chance],
        compared=len(with_interval),
        by_chance=f"about {round(len(with_interval) / 20)}" if len(with_interval) >= 20 else "less than 1",
        small_base=SMALL_BASE,
        small_below=small_below,
        new=_list_changes(found, "new", small_below),
        gone=_list_changes(found, "gone", small_below),
        only_before=found.only_before,
        only_after=found.only_after,
        datasets=list(_by_dataset(found, small_below)),
    )


def _describe(season: Season) -> dict[str, str]:
    return {
        "name": name_of_pipeline(season.project.configuration, season.project.path),
        "made_at": season.source.timestamp[:16].replace("T", " "),
    }


def _by_dataset(found: Comparison, small_below: int) -> Iterator[tuple[str, list[list[str]]]]:
    for dataset in dict.fromkeys(one.dataset for one in found.shares):
        # The largest differences first; those without one last.
        ordered = sorted(
            (one for one in found.shares if one.dataset == dataset and one.before[0] + one.after[0]),
            key=lambda one: (one.difference is None, -abs(one.difference or 0)),
        )
        if ordered:
            yield dataset, [_say(one, small_below) for one in ordered]


def _list_changes(found: Comparison, change: str, small_below: int) -> dict[str, list[str]]:
    """List the themes of each dataset that are new, or gone, with their participants."""
    listed: dict[str, list[str]] = {}
    for one in found.shares:
        if one.change == change:
            count = one.before[0] + one.after[0]
            listed.setdefault(one.dataset, []).append(f"{one.name} {_mark(count, small_below)}")
    return listed


def _mark(count: int, small_below: int) -> str:
    return f"{count:,}{'*' if 0 < count < small_below else ''}"


def _say(one: ShareDifference, small_below: int) -> list[str]:
    shares = [f"{share.percent:.1f} %" for share in one.shares] if one.shares else ["–", "–"]
    sides = [
        f"{share} ({_mark(count, small_below)} of {base:,}{'†' if 0 < base < SMALL_BASE else ''})"
        for share, (count, base) in zip(shares, (one.before, one.after), strict=True)
    ]
    difference = "–" if one.difference is None else f"{one.difference:+.1f}"
    interval = "–" if one.interval is None else f"{one.interval[0]:+.1f} to {one.interval[1]:+.1f}"
    return [one.name, *sides, difference, interval, "; ".join(part for part in (one.change, one.note) if part)]


def _row(one: ShareDifference) -> tuple[object, ...]:
    percents = [share.percent for share in one.shares] if one.shares else ["", ""]
    difference = "" if one.difference is None else one.difference
    return (
        one.dataset, one.theme, guard_cell(one.name), one.change, *one.before, percents[0], *one.after, percents[1],
        difference, *(one.interval or ("", "")), one.in_both, one.note,
    )  # fmt: skip
