"""Which places have places of a finer level in them: whoever lives in another one lives elsewhere."""

from collections.abc import Mapping

from engagement.cleaning.places import PlaceTable, kenyan_places, somali_places
from engagement.configuration import Code, CodingPlan

_TABLES = {"somalia_location": somali_places, "kenya_location": kenyan_places}


def find_place_table(plan: CodingPlan) -> PlaceTable | None:
    """The places whose levels the codings of a plan are, finest first; None for a plan of other things."""
    table_of = _TABLES.get(plan.code_imputation_function or "")
    return None if table_of is None else table_of()


def find_containers(table: PlaceTable, level: str) -> Mapping[str, frozenset[str]]:
    """For each coarser level the places that have a place of the level in them.

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
    if table is None:
        return False
    containers = find_containers(table, table.levels[position])
    return any(places != set(table.codes(coarser)) for coarser, places in containers.items())


def find_place(table: PlaceTable, level: str, code: Code) -> str | None:
    """The place that a code of a level stands for, or None for a place that the table does not know."""
    known = table.parents[level]
    return next((name for name in (*code.match_values, code.string_value) if name in known), None)
