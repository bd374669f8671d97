"""What a map counts: the participants of each place, in total or with a theme of those who answered there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engagement.analysis.charts.codes import ELSEWHERE_NAME, name_of
from engagement.analysis.tables.season import Season
from engagement.analysis.tables.values import Value, say_guess
from engagement.configuration import Code, CodingConfiguration, ControlCode


@dataclass(frozen=True)
class PlaceCounts:
    """The participants of each place, by its code, and what became of the others, by name.

    `bases` are those who answered the episode there, of whom the counts are a part; empty where counts stand alone.
    """

    places: Mapping[Code, int]
    others: Mapping[str, int]
    bases: Mapping[Code, int]

    @property
    def located(self) -> int:
        """How many participants have a place."""
        return sum(self.places.values())

    @property
    def base(self) -> int:
        """How many participants the located ones are a part of."""
        return sum(self.bases.values())


def count_places(season: Season, coding: CodingConfiguration) -> PlaceCounts:
    """Participants of each place; a place that was guessed is none."""
    return _gather(season.values(coding), {})


def count_themes_in_places(
    season: Season, episode: CodingConfiguration, coding: CodingConfiguration
) -> dict[Code, PlaceCounts]:
    """For each theme of an episode the participants of each place who have it, of those who have any theme of the episode."""
    answered = season.individuals.codes(episode).relevant_individual & season.individuals.codes(coding).answered
    counts = season.individuals.codes(coding).count(answered).tolist()
    bases = {code: count for code, count in zip(coding.code_scheme.codes, counts, strict=True) if code.is_normal}
    by_code = zip(episode.code_scheme.codes, season.values_by_code(episode, coding), strict=True)
    return {theme: _gather(values, bases) for theme, values in by_code if theme.is_normal}


def _gather(values: Sequence[Value], bases: Mapping[Code, int]) -> PlaceCounts:
    others: dict[str, int] = {}
    for value in values:
        code = value.code
        if not code.is_normal and code.control_code is not ControlCode.STOP:
            others[name_of(code)] = value.plain
        for name, count in ((ELSEWHERE_NAME, value.elsewhere), *((say_guess(s), n) for s, n in value.guesses.items())):
            others[name] = others.get(name, 0) + count
    places = {value.code: value.plain for value in values if value.code.is_normal}
    return PlaceCounts(places, {name: count for name, count in others.items() if count}, bases)
