"""Places and the places they lie in: Somalia from sub-district to zone, Kenya from ward to county."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engagement.foundation.data_tables import read_table


@dataclass(frozen=True)
class PlaceTable:
    """The places of a country, by level. Two levels may share a code: banadir is a region and a state."""

    levels: tuple[str, ...]  # finest first
    parents: Mapping[str, Mapping[str, str]]  # level -> code -> code at the next level, "" at the last level
    # level -> code -> the bare name, for places that share it with others: their codes also name the place they lie in
    shared_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def codes(self, level: str) -> tuple[str, ...]:
        """Return the codes of a level, in the order of the table."""
        return tuple(self.parents[level])

    def parent_of(self, level: str, code: str) -> str | None:
        """Return the code of the place that this one lies in, one level coarser; None at the last level.

        >>> somali_places().parent_of("mogadishu_sub_district", "hodan")
        'mogadishu'
        """
        return self.parents[level][code] or None

    def ancestors(self, level: str, code: str) -> tuple[str, ...]:
        """Return the codes of the places that this one lies in, in the order of the levels.

        >>> somali_places().ancestors("district", "baidoa")
        ('bay', 'south west state', 'scz')
        """
        found = []
        for coarser in self.levels[self.levels.index(level) :]:
            parent = self.parent_of(coarser, code)
            if parent is None:
                break
            found.append(parent)
            code = parent
        return tuple(found)

    def find(self, level: str, name: str) -> frozenset[str]:
        """Find the codes of a level's places with a name, however it is spelt; several may share it.

        >>> sorted(kenyan_places().find("ward", "Huruma")), sorted(kenyan_places().find("county", "Tana_River County"))
        (['huruma mathare', 'huruma turbo'], ['tana river'])
        """
        if name in self.parents[level]:
            return frozenset((name,))
        key = place_key(name)
        codes = self._by_key[level]
        return codes.get(key) or codes.get(key.removesuffix(place_key(level))) or frozenset()

    @cached_property
    def _by_key(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        return {level: self._keys_of(level) for level in self.levels}

    def _keys_of(self, level: str) -> dict[str, frozenset[str]]:
        shared: dict[str, frozenset[str]] = {}
        for code, name in self.shared_names.get(level, {}).items():
            for ending in ("", *self.ancestors(level, code)):
                key = place_key(f"{name} {ending}")
                shared[key] = shared.get(key, frozenset()) | {code}
        whole: dict[str, frozenset[str]] = {}
        for code in self.parents[level]:
            # Two wards differ only by a hyphen.
            key = place_key(code)
            whole[key] = whole.get(key, frozenset()) | {code}
        return shared | whole


@functools.lru_cache(maxsize=1 << 14)
def place_key(name: str) -> str:
    """Reduce a place's name to what stays the same in every spelling.

    >>> place_key("Ang'urai_East") == place_key("angurai east")
    True
    """
    return re.sub(r"[\W_]+", "", name.casefold())


KENYAN_LEVELS = ("ward", "constituency", "county")


@functools.cache
def somali_places() -> PlaceTable:
    """Return Somalia's places: 17 Mogadishu sub-districts, 74 districts, 18 regions, 7 states, 3 zones."""
    return _place_table("somali_places", ("mogadishu_sub_district", "district", "region", "state", "zone"))


@functools.cache
def kenyan_places() -> PlaceTable:
    """Return the places of Kenya: 1,451 wards in 290 constituencies in 47 counties."""
    return _place_table("kenyan_places", KENYAN_LEVELS)


def operator_zone(operator: str) -> str | None:
    """Return the zone of Somalia where most customers of a mobile operator live; None if they are spread.

    >>> operator_zone("golis")
    'nez'
    """
    zones = {row["operator"]: row["zone"] for row in read_table(__package__, "operator_zones")}
    return zones.get(operator)


def _place_table(name: str, levels: tuple[str, ...]) -> PlaceTable:
    parents: dict[str, dict[str, str]] = {level: {} for level in levels}
    shared_names: dict[str, dict[str, str]] = {}
    for row in read_table(__package__, name):
        parents[row["level"]][row["code"]] = row["parent"]
        if row.get("shared_name"):
            shared_names.setdefault(row["level"], {})[row["code"]] = row["shared_name"]
    return PlaceTable(levels, parents, shared_names)
