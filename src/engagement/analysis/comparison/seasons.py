"""Comparing two seasons: their messages and participants, and the share of each theme and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from engagement.analysis.charts.codes import name_of
from engagement.analysis.comparison.differences import ShareDifference
from engagement.analysis.tables.season import Season
from engagement.configuration import CodingConfiguration
from engagement.configuration.nearest import nearest
from engagement.foundation.errors import UsageError
from engagement.pipeline.outputs.analysis_files import UID

_COUNTS = (
    "Total Messages with Opt-Ins", "Total Labelled Messages", "Total Relevant Messages", "Total Participants with Opt-Ins",
    "Total Relevant Participants",
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What differs: `totals` are rows of what, before and after; the rest is by dataset."""

    totals: Sequence[tuple[str, int, int]]
    participants_in_both: int
    shares: Sequence[ShareDifference]
    only_before: Sequence[str]
    only_after: Sequence[str]


def compare_seasons(before: Season, after: Season, pairs: Mapping[str, str]) -> Comparison:
    """Compare two seasons; `pairs` maps datasets of the first to the second's, where names differ.

    Raises
    ------
    UsageError
        A dataset of `pairs` is in neither.
    """
    old, new = _datasets(before), _datasets(after)
    problems = [
        f"--pair {name!r}: the {which} data root has no such dataset{nearest(name, known)} Change it."
        for which, known, names in (("first", old, pairs.keys()), ("second", new, pairs.values()))
        for name in names
        if name not in known
    ]
    if problems:
        raise UsageError("\n".join(problems))
    partners = {name: pairs.get(name, name) for name in old if name in pairs or name not in pairs.values()}
    matched = {name: partner for name, partner in partners.items() if partner in new}
    uids = _uids(before), _uids(after)
    shares = [
        difference
        for name, partner in matched.items()
        for difference in _compare_dataset(name, partner, (before, old[name]), (after, new[partner]), uids)
    ]
    return Comparison(
        _compare_totals(before, after),
        len(numpy.intersect1d(*uids, assume_unique=True)),
        shares,
        [name for name in old if name not in matched],
        [name for name in new if name not in matched.values()],
    )


def _datasets(season: Season) -> dict[str, CodingConfiguration]:
    return {str(coding.analysis_file_key): coding for _, coding in (*season.episodes, *season.questions)}


def _uids(season: Season) -> Any:
    return season.individuals.column(UID).astype(str).to_numpy(dtype=str)


def _compare_totals(before: Season, after: Season) -> list[tuple[str, int, int]]:
    old, new = (season.engagement_counts.set_index("Dataset").loc["Total"].to_dict() for season in (before, after))
    return [
        ("Messages analysed", len(before.messages), len(after.messages)),
        ("Participants", len(before.individuals), len(after.individuals)),
        *((name.removeprefix("Total "), int(old[name]), int(new[name])) for name in _COUNTS),
    ]


def _compare_dataset(
    name: str,
    partner: str,
    before: tuple[Season, CodingConfiguration],
    after: tuple[Season, CodingConfiguration],
    uids: tuple[Any, Any],
) -> list[ShareDifference]:
    codes = [season.individuals.codes(coding) for season, coding in (before, after)]
    # An episode's base are the participants with any theme; a question's, those who answered: guesses are no answers.
    bases = [one.answered for one in codes]
    in_both = len(numpy.intersect1d(uids[0][bases[0]], uids[1][bases[1]], assume_unique=True))
    counts: list[dict[str, int]] = []
    names: dict[str, str] = {}
    for (_, coding), one, base in zip((before, after), codes, bases, strict=True):
        found = zip(coding.code_scheme.codes, one.count(base).tolist(), strict=True)
        normal = [(code, int(count)) for code, count in found if code.is_normal]
        names |= {code.string_value: name_of(code) for code, _ in normal}
        counts.append({code.string_value: count for code, count in normal})
    sizes = [int(base.sum()) for base in bases]
    dataset = name if name == partner else f"{name} / {partner}"
    return [
        ShareDifference(
            dataset, theme, told, (counts[0].get(theme, 0), sizes[0]), (counts[1].get(theme, 0), sizes[1]), in_both
        )
        for theme, told in names.items()
    ]
