"""Find the level of each code scheme of a location plan, from its codes or from the configuration.

The order of the coding configurations means nothing, and levels may be missing.
"""

from collections.abc import Sequence
from itertools import product

from engagement.configuration import Code, CodingConfiguration, CodingPlan
from engagement.configuration.problems import Problem
from engagement.pipeline.coding.cleaning.places import PlaceTable, place_key


def places_of(code: Code, table: PlaceTable, level: str) -> frozenset[str]:
    """Find the places of a level that a code may mean: several if they share a name, or none."""
    for name in (*code.match_values, code.string_value):
        found = table.find(level, name)
        if found:
            return found
    return frozenset()


def find_levels(plan: CodingPlan, table: PlaceTable) -> tuple[str, ...]:
    """Find the level of each coding configuration; reliable only if `find_level_problems` finds none."""
    return next(iter(_assign(_all_candidates(plan, table))), ())


def find_level_problems(plan: CodingPlan, table: PlaceTable) -> list[Problem]:
    """Find the reasons why a plan's levels are unclear; JSON paths start at the plan."""
    candidates = _all_candidates(plan, table)
    unknown = [
        Problem(f"CodingConfigurations[{position}].CodeScheme", _say_unknown(plan, configuration, table))
        for position, configuration in enumerate(plan.coding_configurations)
        if not candidates[position]
    ]
    found = _assign(candidates)
    if unknown or len(found) == 1:
        return unknown
    levels_of = [tuple(dict.fromkeys(levels)) for levels in zip(*found, strict=True)] if found else candidates
    return [
        Problem(f"CodingConfigurations[{position}].CodeScheme", _say_unclear(configuration, levels, bool(found)))
        for position, (configuration, levels) in enumerate(zip(plan.coding_configurations, levels_of, strict=True))
        if (len(levels) > 1 if found else _is_shared(position, levels_of))
    ]


def _all_candidates(plan: CodingPlan, table: PlaceTable) -> list[tuple[str, ...]]:
    return [_candidates(configuration, table) for configuration in plan.coding_configurations]


def _assign(candidates: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """List every way to assign each coding configuration a different level."""
    return [levels for levels in product(*candidates) if len(set(levels)) == len(levels)]


def _candidates(configuration: CodingConfiguration, table: PlaceTable) -> tuple[str, ...]:
    """Find the levels where most of a scheme's codes are known; if several, those in the scheme's name."""
    if configuration.location_level is not None:
        return (configuration.location_level,)
    counts = _count_known(configuration, table)
    most, total = max(counts.values()), sum(code.is_normal for code in configuration.code_scheme.codes)
    if most == 0 or most * 2 < total:
        return ()
    levels = tuple(level for level, count in counts.items() if count == most)
    named = [level for level in levels if _ends_of(level) in place_key(configuration.code_scheme.name)]
    return (max(named, key=len),) if named and len(levels) > 1 else levels


def _ends_of(level: str) -> str:
    return place_key(level.removeprefix("mogadishu_"))


def _count_known(configuration: CodingConfiguration, table: PlaceTable) -> dict[str, int]:
    codes = [code for code in configuration.code_scheme.codes if code.is_normal]
    return {level: sum(bool(places_of(code, table, level)) for code in codes) for level in table.levels}


def _is_shared(position: int, levels_of: Sequence[Sequence[str]]) -> bool:
    others = {level for other, levels in enumerate(levels_of) if other != position for level in levels}
    return not others.isdisjoint(levels_of[position])


def _say_unknown(plan: CodingPlan, configuration: CodingConfiguration, table: PlaceTable) -> str:
    counts = _count_known(configuration, table)
    total = sum(code.is_normal for code in configuration.code_scheme.codes)
    tried = ", ".join(f"{count} as {level}" for level, count in counts.items())
    return (
        f"of the {total} codes of {configuration.code_scheme_file!r} too few are known places ({tried}); expected most of them "
        f"to be of one level of {plan.code_imputation_function!r}. Give the codes the places' names as MatchValues, or say "
        '"LocationLevel".'
    )


def _say_unclear(configuration: CodingConfiguration, levels: Sequence[str], is_choice: bool) -> str:
    file, names = configuration.code_scheme_file, " or ".join(map(repr, levels))
    if is_choice:
        return f'the codes of {file!r} may be of level {names}; expected one level. Say it in "LocationLevel".'
    return (
        f"the codes of {file!r} are of level {names}, as are those of another scheme of the plan; expected each level once. "
        'Take one away, or say "LocationLevel".'
    )
