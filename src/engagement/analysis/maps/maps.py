"""The maps of a season: its participants by place, in total and for each theme."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engagement.analysis.charts.charts import make_file_names
from engagement.analysis.charts.codes import ELSEWHERE_NAME, WHAT_IS_ELSEWHERE, mark_small, name_of, note_on_small
from engagement.analysis.maps.boundaries import fold_name
from engagement.analysis.maps.classes import class_breaks
from engagement.analysis.maps.counts import PlaceCounts, count_episode_in_places, count_places, count_themes_in_places
from engagement.analysis.maps.drawing import draw_map
from engagement.analysis.maps.levels import Level, find_levels, names_of
from engagement.analysis.maps.picture import Inset, MapArea, MapPicture
from engagement.analysis.pictures.drawers import Drawers
from engagement.analysis.pictures.fonts import find_fonts
from engagement.analysis.pictures.pictures import begin_pictures
from engagement.analysis.tables.season import Season
from engagement.configuration import Code
from engagement.foundation.errors import count_of
from engagement.foundation.partitions import count_processors

_MOST_SPOKEN = 12
_MOST_WITH_ROOM = 100


@dataclass(frozen=True)
class DrawnMap:
    """A drawn map: its PNG, title, text alternative, word for its places, and content."""

    path: Path
    title: str
    text_alternative: str
    level: str
    content: MapPicture


def draw_maps(season: Season, folder: Path) -> list[DrawnMap]:
    """Draw the configured maps as begin_maps does, and wait for them."""
    with Drawers(count_processors()) as drawers:
        return begin_maps(season, folder, drawers)


def begin_maps(season: Season, folder: Path, drawers: Drawers) -> list[DrawnMap]:
    """Begin to draw the configured maps as `<level>/<name>.png`, keeping those that did not change.

    Skips a level whose places have no shapes here, with a warning.
    """
    described = describe_maps(season)
    pictures = {name: picture for name, (picture, _) in described.items()}
    fonts = find_fonts(text for picture in pictures.values() for text in picture.texts())
    formats = tuple(season.settings.map_formats)
    begin_pictures(folder, pictures, ("png", *formats), draw_map, fonts, drawers, is_text_real=bool(formats))
    return [
        DrawnMap(folder / f"{name}.png", picture.title, _describe(picture), level, picture)
        for name, (picture, level) in described.items()
    ]


def describe_maps(season: Season) -> dict[str, tuple[MapPicture, str]]:
    """Describe the configured maps by `<level>/<name>`, each with the word for its places."""
    pictures: dict[str, tuple[MapPicture, str]] = {}
    found = find_levels(season)
    for level, directory in zip(found, make_file_names(level.name for level in found), strict=True):
        described = list(_describe_maps(season, level))
        for name, (_, picture) in zip(make_file_names(name for name, _ in described), described, strict=True):
            pictures[f"{directory}/{name}"] = picture, level.spoken
    return pictures


def _describe_maps(season: Season, level: Level) -> Iterator[tuple[str, MapPicture]]:
    """Name and describe a level's maps, without themes that nobody of a known place named."""
    codings = [one.coding for one in (level, level.city) if one is not None]
    counts = {coding.coded_field: count_places(season, coding) for coding in codings}
    yield "total", _describe_map(season, level, counts, f"Participants by {level.spoken}")
    if season.settings.map_formats:
        yield "boundaries", _describe_boundaries(level)
    for _, episode in season.episodes if level.has_episodes else ():
        key = str(episode.analysis_file_key)
        for ending, are_shares, of in (("", False, ""), ("_share", True, ": share of each place's participants")):
            counts = {
                coding.coded_field: count_episode_in_places(season, episode, coding, are_shares) for coding in codings
            }
            if not any(count.located for count in counts.values()):
                continue
            yield f"{key}{ending}", _describe_map(season, level, counts, f"{key} by {level.spoken}{of}")
    for _, episode in season.episodes if level.has_themes else ():
        tables = {coding.coded_field: count_themes_in_places(season, episode, coding) for coding in codings}
        for theme in episode.code_scheme.codes:
            if theme.is_normal and any(table[theme].located for table in tables.values()):
                title = f"{name_of(theme)} ({episode.analysis_file_key}) by {level.spoken}"
                name = f"{episode.analysis_file_key}_{theme.string_value}"
                counts = {field: table[theme] for field, table in tables.items()}
                yield name, _describe_map(season, level, counts, title)


def _describe_map(season: Season, level: Level, every_count: Mapping[str, PlaceCounts], title: str) -> MapPicture:
    counts = every_count[level.coding.coded_field].keep(level.is_drawn)
    placed, unnamed, lost = _place(level, counts)
    insets = _enlarge(level, placed)
    attributions = [level.boundaries.attribution]
    if level.city is not None:
        in_city = every_count[level.city.coding.coded_field].keep(level.city.is_drawn)
        places, _, lost_in_city = _place(level.city, in_city)
        of = f" of {in_city.base:,}" if in_city.bases else ""
        insets.append(Inset(f"Mogadishu by sub-district (n = {in_city.located:,}{of})", tuple(places.values())))
        lost |= lost_in_city
        attributions.append(level.city.boundaries.attribution)
    notes = []
    if counts.bases:
        notes.append(
            f"Shares: of the participants{counts.with_theme} in each place. Dots: fewer than {season.small_count_threshold} "
            "of them there, so no share." + (" The intervals are in share_intervals.csv." if counts.with_theme else "")
        )
    if lost:
        listed = ", ".join(f"{name_of(code)} {count:,}{mark_small(season, count)}" for code, count in lost.items())
        notes.append(f"Places without a shape: {listed}.")
    if counts.others:
        listed = ", ".join(f"{name} {count:,}{mark_small(season, count)}" for name, count in counts.others.items())
        notes.append(f"Not on the map: {listed}.")
        if ELSEWHERE_NAME in counts.others:
            notes.append(WHAT_IS_ELSEWHERE)
    notes += note_on_small(season, (*lost.values(), *counts.others.values()))
    every_place = (*placed.values(), *unnamed)
    if len(every_place) > _MOST_WITH_ROOM:
        notes.append(
            "Not every place has room for its name here: all counts are in demographic_distributions.csv "
            "or theme_distributions.csv."
        )
    picture = MapPicture(
        title=title,
        subtitle=_say_base(level, counts),
        places=every_place,
        insets=tuple(insets),
        breaks=(),
        notes=tuple(notes),
        attribution="\n".join(dict.fromkeys(attributions)),
        are_tiles=level.boundaries.are_tiles,
        small_count_threshold=season.small_count_threshold,
        unit="Share in %" if counts.bases else "Participants",
        are_shares=bool(counts.bases),
    )
    values = [picture.value_of(place) for place in picture.every_place()]
    return replace(picture, breaks=tuple(class_breaks([value for value in values if value is not None])))


def _describe_boundaries(level: Level) -> MapPicture:
    """Describe the outlines and names of places, without numbers: a map to write on."""
    codes = {code: 0 for code in level.coding.code_scheme.codes if code.is_normal and level.is_drawn(code)}
    placed, unnamed, _ = _place(level, PlaceCounts(codes, {}, {}))
    return MapPicture(
        title=f"Boundaries by {level.spoken}",
        subtitle=count_of(len(placed), level.spoken),
        places=(*placed.values(), *unnamed),
        breaks=(0,),
        notes=(),
        attribution=level.boundaries.attribution,
        are_tiles=level.boundaries.are_tiles,
        small_count_threshold=0,
        are_outlines=True,
    )


def _say_base(level: Level, counts: PlaceCounts) -> str:
    where = f", in {', '.join(level.only_in)} alone" if level.only_in else ""
    if counts.bases:
        people = count_of(counts.base, "participant")
        return f"n = {counts.located:,} of {people}{counts.with_theme} whose {level.spoken} is known{where}"
    return f"n = {count_of(counts.located, 'participant')} whose {level.spoken} is known{where}"


def _place(level: Level, counts: PlaceCounts) -> tuple[dict[Code, MapArea], list[MapArea], dict[Code, int]]:
    """Return places with code and shape, shapes without a code, and counts of codes without a shape."""
    from shapely import to_wkb

    alone = level.drawn_alone
    shapes = {name: shape for name, shape in level.boundaries.shapes.items() if alone is None or name in alone}
    placed, lost = {}, {}
    for code, count in counts.places.items():
        key = next((fold_name(name) for name in names_of(code) if fold_name(name) in shapes), None)
        if key is not None:
            shape = to_wkb(shapes.pop(key), hex=True)
            placed[code] = MapArea(name_of(code), count, shape, counts.bases.get(code, 0))
        elif count or not counts.bases:
            lost[code] = count
    return placed, [MapArea("", None, to_wkb(shape, hex=True)) for shape in shapes.values()], lost


def _enlarge(level: Level, placed: Mapping[Code, MapArea]) -> list[Inset]:
    apart: dict[str, list[MapArea]] = defaultdict(list)
    for code, place in placed.items():
        title = level.find_inset(code)
        if title is not None:
            apart[title].append(place)
    return [Inset(title, tuple(places)) for title, places in apart.items()]


def _describe(picture: MapPicture) -> str:
    """Describe the map in words: the places with most participants."""
    kind = "Tile map" if picture.are_tiles else "Map"
    # Places that are only drawn again, larger, were already described.
    known = {place.shape for place in picture.places}
    insets = [inset for inset in picture.insets if known.isdisjoint(place.shape for place in inset.places)]
    return " ".join(
        (
            f"{kind}. {picture.title}. {picture.subtitle}.",
            _list_largest(picture, picture.places),
            *(f"{inset.title}: {_list_largest(picture, inset.places)}" for inset in insets),
            *picture.notes,
        )
    )


def _list_largest(picture: MapPicture, places: Iterable[MapArea]) -> str:
    placed = sorted((place for place in places if place.count), key=lambda place: -(place.count or 0))
    shown = "; ".join(f"{place.name} {picture.say(place)}" for place in placed[:_MOST_SPOKEN])
    more = f"; and {len(placed) - _MOST_SPOKEN} more" if len(placed) > _MOST_SPOKEN else ""
    return f"{shown}{more}." if placed else "Nobody in any of these places."
