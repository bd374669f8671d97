"""The maps of a season: where its participants are, in total and for each theme."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engagement.analysis.charts import make_file_names
from engagement.analysis.charts_of_codes import name_of
from engagement.analysis.fonts import find_fonts
from engagement.analysis.maps_boundaries import fold_name
from engagement.analysis.maps_classes import class_breaks
from engagement.analysis.maps_drawing import Inset, MapPicture, Place, draw_map
from engagement.analysis.maps_levels import Level, find_levels, names_of
from engagement.analysis.pictures import draw_pictures
from engagement.analysis.season import Season
from engagement.configuration import Code, ControlCode
from engagement.partitions import count_processors

_MOST_SPOKEN = 12
_MOST_WITH_ROOM = 100

type _Counts = Mapping[str, Mapping[Code, int]]  # coded field -> participants with each code


@dataclass(frozen=True)
class DrawnMap:
    """A map that was drawn: its PNG, title, what it says in words, and what its places are called."""

    path: Path
    title: str
    text_alternative: str
    level: str


def draw_maps(season: Season, folder: Path) -> list[DrawnMap]:
    """Draw the configured maps as `<level>/<name>.png`; those whose numbers did not change are left as they are.

    A level whose places have no shapes here is left out with a warning.
    """
    pictures: dict[str, MapPicture] = {}
    levels: list[str] = []
    found = find_levels(season)
    for level, directory in zip(found, make_file_names(level.name for level in found), strict=True):
        described = list(_describe_maps(season, level))
        for name, (_, picture) in zip(make_file_names(name for name, _ in described), described, strict=True):
            pictures[f"{directory}/{name}"] = picture
            levels.append(level.spoken)
    fonts = find_fonts(text for picture in pictures.values() for text in picture.texts())
    draw_pictures(folder, pictures, ("png",), draw_map, fonts, count_processors())
    return [
        DrawnMap(folder / f"{name}.png", picture.title, _describe(picture), level)
        for (name, picture), level in zip(pictures.items(), levels, strict=True)
    ]


def _describe_maps(season: Season, level: Level) -> Iterator[tuple[str, MapPicture]]:
    """Name and description of a level's maps."""
    codings = [one.coding for one in (level, level.city) if one is not None]
    counts = {
        coding.coded_field: dict(zip(coding.code_scheme.codes, map(int, season.count_codes(coding)), strict=True))
        for coding in codings
    }
    yield "total", _describe_map(season, level, counts, f"Participants by {level.spoken}", "participants")
    if not level.has_themes:
        return
    for _, episode in season.episodes:
        tables = [(coding, season.cross_tabulate(episode, coding)) for coding in codings]
        for theme in episode.code_scheme.codes:
            if theme.is_normal:
                counts = {
                    coding.coded_field: dict(
                        zip(coding.code_scheme.codes, map(int, table.loc[theme.string_value]), strict=True)
                    )
                    for coding, table in tables
                }
                title = f"{name_of(theme)} ({episode.analysis_file_key}) by {level.spoken}"
                name = f"{episode.analysis_file_key}_{theme.string_value}"
                yield name, _describe_map(season, level, counts, title, "participants with the theme")


def _describe_map(season: Season, level: Level, every_count: _Counts, title: str, what: str) -> MapPicture:
    counts = every_count[level.coding.coded_field]
    placed, unnamed, lost = _place(level, counts)
    insets = _enlarge(level, placed)
    attributions = [level.boundaries.attribution]
    if level.city is not None:
        in_city = every_count[level.city.coding.coded_field]
        places, _, lost_in_city = _place(level.city, in_city)
        title_of_city = f"Mogadishu by sub-district (n = {_count_located(in_city):,})"
        insets.append(Inset(title_of_city, tuple(places.values())))
        lost |= lost_in_city
        attributions.append(level.city.boundaries.attribution)
    others = [
        code for code in counts if not code.is_normal and counts[code] and code.control_code is not ControlCode.STOP
    ]
    notes = []
    if lost:
        listed = ", ".join(f"{name_of(code)} {count:,}" for code, count in lost.items())
        notes.append(f"Places without a shape: {listed}.")
    if others:
        notes.append("Not on the map: " + ", ".join(f"{name_of(code)} {counts[code]:,}" for code in others) + ".")
    places = (*placed.values(), *unnamed)
    if len(places) > _MOST_WITH_ROOM:
        notes.append(
            "Not every place has room for its name here: all counts are in demographic_distributions.csv "
            "or theme_distributions.csv."
        )
    every_place = (*places, *(place for inset in insets for place in inset.places))
    return MapPicture(
        title=title,
        subtitle=f"n = {_count_located(counts):,} {what} whose {level.spoken} is known",
        places=places,
        insets=tuple(insets),
        breaks=tuple(class_breaks([place.count for place in every_place if place.count is not None])),
        notes=tuple(notes),
        attribution="\n".join(dict.fromkeys(attributions)),
        are_tiles=level.boundaries.are_tiles,
        small_count_threshold=season.small_count_threshold,
    )


def _count_located(counts: Mapping[Code, int]) -> int:
    return sum(count for code, count in counts.items() if code.is_normal)


def _place(level: Level, counts: Mapping[Code, int]) -> tuple[dict[Code, Place], list[Place], dict[Code, int]]:
    """The places with a code and a shape; those with a shape and no code; and the counts of codes without a shape."""
    from shapely import to_wkb

    shapes = dict(level.boundaries.shapes)
    placed, lost = {}, {}
    for code in counts:
        if not code.is_normal:
            continue
        key = next((fold_name(name) for name in names_of(code) if fold_name(name) in shapes), None)
        if key is None:
            lost[code] = counts[code]
        else:
            placed[code] = Place(name_of(code), counts[code], to_wkb(shapes.pop(key), hex=True))
    return placed, [Place("", None, to_wkb(shape, hex=True)) for shape in shapes.values()], lost


def _enlarge(level: Level, placed: Mapping[Code, Place]) -> list[Inset]:
    apart: dict[str, list[Place]] = defaultdict(list)
    for code, place in placed.items():
        title = level.find_inset(code)
        if title is not None:
            apart[title].append(place)
    return [Inset(title, tuple(places)) for title, places in apart.items()]


def _describe(picture: MapPicture) -> str:
    """The map in words: the places with most participants."""
    kind = "Tile map" if picture.are_tiles else "Map"
    # What is only drawn again, larger, was told of.
    known = {place.shape for place in picture.places}
    insets = [inset for inset in picture.insets if known.isdisjoint(place.shape for place in inset.places)]
    return " ".join(
        (
            f"{kind}. {picture.title}. {picture.subtitle}.",
            _list_largest(picture.places),
            *(f"{inset.title}: {_list_largest(inset.places)}" for inset in insets),
            *picture.notes,
        )
    )


def _list_largest(places: Iterable[Place]) -> str:
    placed = sorted((place for place in places if place.count), key=lambda place: -(place.count or 0))
    shown = "; ".join(f"{place.name} {place.count:,}" for place in placed[:_MOST_SPOKEN])
    more = f"; and {len(placed) - _MOST_SPOKEN} more" if len(placed) > _MOST_SPOKEN else ""
    return f"{shown}{more}." if placed else "Nobody in any of these places."
