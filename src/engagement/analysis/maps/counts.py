"""Counts for a map: each place's participants, in total or with a theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from engagement.analysis.charts.codes import ELSEWHERE_NAME, name_of
from engagement.analysis.tables.season import Season
from engagement.analysis.tables.values import Value, say_guess
from engagement.configuration import Code, CodingConfiguration, ControlCode

OTHER_PLACES, NO_KNOWN_PLACE = "other places", "no known place"


@dataclass(frozen=True)
class PlaceCounts:
    """Participants of each place by its code, and of the rest by name.

    `bases` are the participants whom shares refer to there, `with_theme` says which; empty for plain counts.
    """

    places: Mapping[Code, int]
    others: Mapping[str, int]
    bases: Mapping[Code, int]
    with_theme: str = " with any theme of the episode"

    def keep(self, is_kept: Callable[[Code], bool]) -> PlaceCounts:
        """Keep some places; the participants of the others are counted together."""
        gone = sum(count for code, count in self.places.items() if not is_kept(code))
        return replace(
            self,
            places={code: count for code, count in self.places.items() if is_kept(code)},
            bases={code: count for code, count in self.bases.items() if is_kept(code)},
            others={**self.others, OTHER_PLACES: gone} if gone else self.others,
        )

    @property
    def located(self) -> int:
        """Participants with a place."""
        return sum(self.places.values())

    @property
    def base(self) -> int:
        """Participants whom shares refer to."""
        return sum(self.bases.values())


def count_places(season: Season, coding: CodingConfiguration) -> PlaceCounts:
    """Count the participants of each place; guessed places do not count."""
    return _gather(season.values(coding), {})


def count_themes_in_places(
    season: Season, episode: CodingConfiguration, coding: CodingConfiguration
) -> dict[Code, PlaceCounts]:
    """Count, for each theme of an episode, the participants of each place who have it.

    The base is the participants with any theme of the episode.
    """
    answered = season.individuals.codes(episode).relevant_individual & season.individuals.codes(coding).answered
    counts = season.individuals.codes(coding).count(answered).tolist()
    bases = {code: count for code, count in zip(coding.code_scheme.codes, counts, strict=True) if code.is_normal}
    by_code = zip(episode.code_scheme.codes, season.values_by_code(episode, coding), strict=True)
    return {theme: _gather(values, bases) for theme, values in by_code if theme.is_normal}


def count_episode_in_places(
    season: Season, episode: CodingConfiguration, coding: CodingConfiguration, are_shares: bool
) -> PlaceCounts:
    """Count the participants of each place who have any theme of an episode; guessed places do not count.

    With `are_shares` the base is all participants of the place, whatever they answered.
    """
    codes = season.individuals.codes(coding)
    relevant, answered = season.individuals.codes(episode).relevant_individual, codes.answered
    normal = [(place, code) for place, code in enumerate(coding.code_scheme.codes) if code.is_normal]
    counts, bases = codes.count(relevant & answered).tolist(), codes.count(answered).tolist()
    unknown = int((relevant & ~answered).sum())
    return PlaceCounts(
        {code: counts[place] for place, code in normal},
        {NO_KNOWN_PLACE: unknown} if unknown else {},
        {code: bases[place] for place, code in normal} if are_shares else {},
        with_theme="",
    )


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
