"""What changed since the last run: a few figures of each run, kept beside the report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.analysis.charts.codes import name_of
from engagement.analysis.tables.intervals import SMALLEST_BASE, difference_interval
from engagement.analysis.tables.season import Season
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json, write_json

log = logging.getLogger(__name__)

FIGURES = "report_figures.json"


@dataclass(frozen=True)
class MovedShare:
    """A theme whose share among those who joined since differs from the share before by more than chance."""

    episode: str
    theme: str
    before: tuple[int, int]
    added: tuple[int, int]
    now: tuple[int, int]
    interval: tuple[float, float]


def gather_figures(season: Season) -> dict[str, Any]:
    """Gather a run's figures: messages, participants, labelled texts, and each theme's count and base."""
    shares = {}
    for _, episode in season.episodes:
        basis = season.basis(episode).answered
        shares[str(episode.analysis_file_key)] = {
            value.code.string_value: [value.plain, basis] for value in season.values(episode) if value.code.is_normal
        }
    progress = season.coding_progress
    return {
        "run": season.source.timestamp,
        "messages": len(season.messages),
        "participants": len(season.individuals),
        "withdrawn": season.funnel.withdrawn_participants,
        "texts": int(progress["Distinct Texts"].sum()),
        "labelled": int(progress["Labelled Texts"].sum()),
        "shares": shares,
    }


def read_last_figures(path: Path | None, current: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the figures of the run before this one, None if there are none.

    A report made again from the same outputs is compared with the same run as before. Figures that are damaged are none: no
    later run would mend them.
    """
    if path is None or not path.exists():
        return None
    try:
        document = read_json(path, InputError, "figures of the last report", "The report compares this run with none.")
    except InputError as error:
        log.warning("%s", error)
        return None
    this, last = (document.get(name) for name in ("this", "last")) if isinstance(document, dict) else (None, None)
    found = last if isinstance(this, dict) and this.get("run") == current["run"] else this
    return found if _are_figures(found) else None


def _are_figures(document: Any) -> bool:
    kinds = {"run": str, "messages": int, "participants": int, "labelled": int, "shares": dict}
    if not isinstance(document, dict) or not all(isinstance(document.get(name), kind) for name, kind in kinds.items()):
        return False
    # An earlier version did not keep how many had withdrawn.
    return isinstance(document.get("withdrawn", 0), int) and all(
        isinstance(themes, dict) and all(map(_is_pair, themes.values())) for themes in document["shares"].values()
    )


def _is_pair(share: Any) -> bool:
    return isinstance(share, list) and len(share) == 2 and all(isinstance(count, int) for count in share)


def write_figures(path: Path, current: Mapping[str, Any], last: Mapping[str, Any] | None) -> None:
    """Keep this run's figures, and those that it was compared with."""
    write_json(path, {"this": current, "last": last}, indent=None)


def compare_shares(season: Season, last: Mapping[str, Any]) -> tuple[int, list[MovedShare]]:
    """Compare each theme's share among the participants added since with the one before.

    Returns the number of shares compared and those that moved. Those who were there before are in both runs, so two
    runs' shares are never compared with each other: the groups have to be different people. With k-anonymity a share of few
    participants, or of all but few, is in no comparison: its percentage and base would tell their number.
    """
    compared, moved = 0, []
    is_held_back = season.project.configuration.disclosure.k_anonymity is not None
    below = season.small_count_threshold if is_held_back else 0
    for one in _pair_shares(season, last):
        (_, base_before), (added, base_added) = one.before, one.added
        if min(base_before, base_added) < SMALLEST_BASE or not 0 <= added <= base_added:
            continue
        if any(0 < few < below for pair in (one.before, one.added, one.now) for few in (pair[0], pair[1] - pair[0])):
            continue
        compared += 1
        low, high = one.interval
        if low > 0 or high < 0:
            moved.append(one)
    return compared, moved


def _pair_shares(season: Season, last: Mapping[str, Any]) -> Iterator[MovedShare]:
    for _, episode in season.episodes:
        key = str(episode.analysis_file_key)
        base = season.basis(episode).answered
        for value in season.values(episode):
            before = last["shares"].get(key, {}).get(value.code.string_value)
            if before is not None and value.code.is_normal:
                added = value.plain - before[0], base - before[1]
                is_comparable = before[1] > 0 and added[1] > 0 and 0 <= added[0] <= added[1]
                interval = difference_interval(added, (before[0], before[1])) if is_comparable else (0.0, 0.0)
                yield MovedShare(key, name_of(value.code), (before[0], before[1]), added, (value.plain, base), interval)
