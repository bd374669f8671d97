"""Which places have places of a finer level in them: whoever lives in another one lives elsewhere."""

from collections.abc import Mapping

from engagement.cleaning.places import PlaceTable
from engagement.coding.location_levels import find_levels
from engagement.coding.locations import PLACE_TABLES
from engagement.configuration import CodingPlan


def find_place_table(plan: CodingPlan) -> PlaceTable | None:
    """The places whose levels the codings of a plan are, finest first; None for a plan of other things."""
    table_of = PLACE_TABLES.get(plan.code_imputation_function or "")
    return None if table_of is None else table_of()


def find_containers(table: PlaceTable, level: str) -> Mapping[str, frozenset[str]]:
    """For each coarser level the places that have a place of the level in them.

    >>> from engagement.cleaning.places import somali_places
    >>> find_containers(somali_places(), "mogadishu_sub_district")["district"]
    frozenset({'mogadishu'})
    """
    coarser_levels = table.levels[table.levels.index(level) + 1 :]
    found: dict[str, set[str]] = {coarser: set() for coarser in coarser_levels}
    for name in table.codes(level):
        for coarser, ancestor in zip(coarser_levels, table.ancestors(level, name), strict=False):
            found[coarser].add(ancestor)
    return {coarser: frozenset(places) for coarser, places in found.items()}


def has_elsewhere(plan: CodingPlan, position: int) -> bool:
    """Whether somebody can live outside of all places of a coding: true of Mogadishu's sub-districts, not of districts."""
    table = find_place_table(plan)
    levels = () if table is None else find_levels(plan, table)
    if table is None or not levels:
        return False
    containers = find_containers(table, levels[position])
    return any(places != set(table.codes(coarser)) for coarser, places in containers.items())
