"""Which place lies in which: sub-districts of Mogadishu up to the zones of Somalia, constituencies in the counties of Kenya."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from engagement.cleaning.tables import read_table


@dataclass(frozen=True)
class PlaceTable:
    """The places of a country, by level. A code may be used at two levels: banadir is a region and a state."""

    levels: tuple[str, ...]  # finest first
    parents: Mapping[str, Mapping[str, str]]  # level -> code -> code at the next level, "" at the last level

    def codes(self, level: str) -> tuple[str, ...]:
        """Give the codes of a level, in the order of the table."""
        return tuple(self.parents[level])

    def parent_of(self, level: str, code: str) -> str | None:
        """Give the code of the next coarser level's place that this one lies in; None at the last level.

        >>> somali_places().parent_of("mogadishu_sub_district", "hodan")
        'mogadishu'
        """
        return self.parents[level][code] or None

    def ancestors(self, level: str, code: str) -> tuple[str, ...]:
        """Give the codes of all coarser levels, in the order of the levels.

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


@functools.cache
def somali_places() -> PlaceTable:
    """Give the places of Somalia: 17 sub-districts of Mogadishu, 74 districts, 18 regions, 7 states, 3 zones."""
    return _place_table("somali_places", ("mogadishu_sub_district", "district", "region", "state", "zone"))


@functools.cache
def kenyan_places() -> PlaceTable:
    """Give the places of Kenya: 290 constituencies in 47 counties."""
    return _place_table("kenyan_places", ("constituency", "county"))


def operator_zone(operator: str) -> str | None:
    """Give the zone of Somalia that most customers of a mobile operator live in, None where they are spread.

    >>> operator_zone("golis")
    'nez'
    """
    zones = {row["operator"]: row["zone"] for row in read_table("operator_zones")}
    return zones.get(operator)


def _place_table(name: str, levels: tuple[str, ...]) -> PlaceTable:
    parents: dict[str, dict[str, str]] = {level: {} for level in levels}
    for row in read_table(name):
        parents[row["level"]][row["code"]] = row["parent"]
    return PlaceTable(levels, parents)
