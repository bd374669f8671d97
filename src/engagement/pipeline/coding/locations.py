"""Impute places: from the ticked level to the levels above it."""

import enum
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration import Code, CodeScheme, CodingPlan, ControlCode
from engagement.foundation.errors import ConfigurationError
from engagement.pipeline.coding.cleaning.places import PlaceTable, kenyan_places, operator_zone, somali_places
from engagement.pipeline.coding.imputing import AnswerState, Imputed, make_control_label, make_same_label
from engagement.pipeline.coding.labels import Label, Labels, code_of, make_pipeline_label
from engagement.pipeline.coding.location_levels import find_level_problems, find_levels, places_of
from engagement.pipeline.coding.reasons import Fact, Reason, ticked_labels

OPERATOR_FIELD = "operator_coded"
"""The field of the label with a participant's mobile operator."""

# A place and the places that it lies in, from its own level to the coarsest; the finer levels are None.
_Line = tuple[str | None, ...]


class _Level:
    """A coding configuration: its level in the country's list (0 is the finest) and its codes' places."""

    def __init__(self, scheme: CodeScheme, table: PlaceTable, level: int) -> None:
        self.scheme = scheme
        self.level = level
        self._table = table
        self._lines: dict[str, tuple[_Line, ...]] = {}
        self._codes: dict[str, Code] = {}
        for code in scheme.codes:
            if not code.is_normal:
                continue
            places = places_of(code, table, table.levels[level])
            self._lines[code.code_id] = tuple(self._line_of(place) for place in sorted(places))
            if len(places) == 1:
                (place,) = places
                self._codes.setdefault(place, code)
        for place in self._codes:
            named = scheme.codes_by_match_value.get(place)
            if named is not None and named.is_normal:
                self._codes[place] = named

    def _line_of(self, place: str) -> _Line:
        above = self._table.ancestors(self._table.levels[self.level], place)
        return (*[None] * self.level, place, *above)

    def lines(self, code: Code) -> tuple[_Line, ...]:
        """Return the places that a code may mean, each with the places it lies in; none for an unknown one."""
        return self._lines[code.code_id]

    def has(self, place: str) -> bool:
        """Tell whether one of the codes stands for a place."""
        return place in self._codes

    def allows(self, line: _Line, code: Code) -> bool:
        """Tell whether a place of this level or a finer one may lie in the place that the code means."""
        return any(line[self.level] == other[self.level] for other in self._lines[code.code_id])

    def find_code(self, lines: Iterable[_Line]) -> tuple["PlaceCase", Code | None]:
        """Find the code of the one place of this level that all lines pass through; None if there isn't one."""
        found = {line[self.level] for line in lines}
        if len(found) != 1:
            return PlaceCase.SEVERAL, None
        code = self._codes.get(found.pop() or "")
        return (PlaceCase.FINEST if code is not None else PlaceCase.NO_CODE), code


class PlaceCase(enum.StrEnum):
    """Reasons for the code of a level that no coder ticked."""

    FINEST = "{labels}: the finest place counts, and it lies in {place}"
    SEVERAL = "{labels}: which place of this level that lies in can't be told"
    NO_CODE = "{labels}: the code scheme has no code for the place that it lies in"
    NOTHING_FINER = "{labels}: no coder named anything finer"
    CONTRADICTION = "{labels}: these contradict each other"
    UNKNOWN_PLACE = "{labels}: the table of places knows no such place"
    SAME = "{labels}: all levels say the same"
    NOT_REVIEWED = "No coder has labelled the answer yet"
    NO_ANSWER = "There is no answer that names a place"
    OPERATOR = "There is no answer that names a place; most customers of the participant's mobile operator {operator!r} live in {place}"


@dataclass(frozen=True, eq=False)
class LocationImputation:
    """Imputes all levels of a place from the ticked ones; a contradiction is a coding error at each."""

    plan: CodingPlan
    levels: tuple[_Level, ...]
    zones: _Level | None

    def __call__(self, labels: tuple[Labels, ...], answer: AnswerState) -> Imputed:
        """Decide the labels of all levels."""
        if not answer.is_given:
            return self._without_answer(answer.operator)
        told: dict[str, Fact] = {"labels": ticked_labels(self.plan, labels)}
        given = [(level, label) for level, (label,) in zip(self.levels, labels, strict=True)]
        ticked = [(level, label) for level, label in given if label.code.control_code is not ControlCode.NR]
        if not ticked:
            return self._everywhere(ControlCode.NR, Reason(PlaceCase.NOT_REVIEWED))
        others = {_identity(label.code) for _, label in ticked if not label.code.is_normal}
        places = [(level, label) for level, label in ticked if label.code.is_normal]
        if len(others) > 1 or (others and places):
            return self._everywhere(ControlCode.CE, Reason(PlaceCase.CONTRADICTION, told))
        if others:
            same = tuple((make_same_label(level.scheme, ticked[0][1].code),) for level in self.levels)
            return Imputed(same, (Reason(PlaceCase.SAME, told),) * len(same))
        finest, label = min(places, key=lambda place: place[0].level)
        known = finest.lines(label.code)
        lines = [line for line in known if all(level.allows(line, other.code) for level, other in places)]
        if not lines:
            case = PlaceCase.CONTRADICTION if known else PlaceCase.UNKNOWN_PLACE
            return self._everywhere(ControlCode.CE, Reason(case, told))
        return _combine(self._decide_level(level, finest, label, lines, told) for level, label in given)

    def _decide_level(
        self, level: _Level, finest: _Level, given: Label, lines: Sequence[_Line], told: Mapping[str, Fact]
    ) -> tuple[Label, Reason | None]:
        if level.level < finest.level:
            return make_control_label(level.scheme, ControlCode.NC), Reason(PlaceCase.NOTHING_FINER, told)
        if given.code.is_normal:
            return given, None
        case, code = level.find_code(lines)
        if code is None:
            return make_control_label(level.scheme, ControlCode.NC), Reason(case, told)
        return make_pipeline_label(level.scheme, code), Reason(case, {**told, "place": code})

    def _without_answer(self, operator: str | None) -> Imputed:
        return _combine(self._decide_zone(level, operator) for level in self.levels)

    def _decide_zone(self, level: _Level, operator: str | None) -> tuple[Label, Reason | None]:
        zone = None if operator is None else _zone_of(operator)
        if operator is None or zone is None or level is not self.zones or not level.has(zone):
            return make_control_label(level.scheme, ControlCode.NA), Reason(PlaceCase.NO_ANSWER)
        _, code = level.find_code([(None,) * level.level + (zone,)])
        if code is None:
            return make_control_label(level.scheme, ControlCode.NC), Reason(PlaceCase.NO_ANSWER)
        return make_pipeline_label(level.scheme, code), Reason(
            PlaceCase.OPERATOR, {"operator": operator, "place": code}
        )

    def _everywhere(self, control_code: ControlCode, reason: Reason) -> Imputed:
        return _combine((make_control_label(level.scheme, control_code), reason) for level in self.levels)


def _combine(decisions: Iterable[tuple[Label, Reason | None]]) -> Imputed:
    labels, reasons = zip(*decisions, strict=True)
    return Imputed(tuple((label,) for label in labels), reasons)


def _make(table: PlaceTable, plan: CodingPlan) -> LocationImputation:
    problems = [f"plan {plan.raw_field!r}: {problem.text}" for problem in find_level_problems(plan, table)]
    if problems:
        raise ConfigurationError("\n  ".join(problems))
    levels = tuple(
        _Level(configuration.code_scheme, table, table.levels.index(name))
        for configuration, name in zip(plan.coding_configurations, find_levels(plan, table), strict=True)
    )
    zones = next((level for level in levels if table.levels[level.level] == "zone" and plan.zone_from_operator), None)
    return LocationImputation(plan, levels, zones)


# The table of places of each imputation function.
PLACE_TABLES = {"somalia_location": somali_places, "kenya_location": kenyan_places}


def find_place_table(plan: CodingPlan) -> PlaceTable | None:
    """Find the table of places for a plan, with the finest level first; None if the plan codes no places."""
    table_of = PLACE_TABLES.get(plan.code_imputation_function or "")
    return None if table_of is None else table_of()


def find_containers(table: PlaceTable, level: str) -> Mapping[str, frozenset[str]]:
    """Find, for each coarser level, the places that contain a place of this level.

    >>> from engagement.pipeline.coding.cleaning.places import somali_places
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
    """Tell whether people can live outside all places of a coding, like the sub-districts of Mogadishu."""
    table = find_place_table(plan)
    levels = () if table is None else find_levels(plan, table)
    if table is None or not levels:
        return False
    containers = find_containers(table, levels[position])
    return any(places != set(table.codes(coarser)) for coarser, places in containers.items())


def make_somalia_location(plan: CodingPlan) -> LocationImputation:
    """Impute Mogadishu sub-district, district, region, state and zone; without an answer only the zone."""
    return _make(somali_places(), plan)


def make_kenya_location(plan: CodingPlan) -> LocationImputation:
    """Impute ward, constituency and county."""
    return _make(kenyan_places(), plan)


def _identity(code: Code) -> tuple[str, str]:
    return str(code.code_type), str(code.control_code or code.meta_code)


def operator_name(scheme: CodeScheme | None, label: object) -> str | None:
    """Find the operator that a label names; None without a label, or if the operator suggests no place."""
    code = None if scheme is None else code_of(scheme, label)
    if code is None:
        return None
    return next((name for name in (*code.match_values, code.string_value) if _zone_of(name) is not None), None)


@functools.lru_cache(maxsize=256)
def _zone_of(operator: str) -> str | None:
    return operator_zone(operator)
