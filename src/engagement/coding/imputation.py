"""Codes that follow from other codes: an age's category, the levels above a place, coding errors.

An imputation function gets one label for each coding configuration of a plan, in order, and whether there was an answer, and
returns the labels that take their place. What it returns depends on nothing else: it is asked once for answers that are alike.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engagement.cleaning.places import PlaceTable, kenyan_places, operator_zone, somali_places
from engagement.coding.labels import Label, make_pipeline_label
from engagement.configuration import Code, CodeScheme, CodingPlan, ControlCode
from engagement.configuration.scheme_checks import AGE_RANGE


@dataclass(frozen=True)
class Answer:
    """What an imputation function may look at besides the labels."""

    is_given: bool
    operator: str | None


Imputation = Callable[[CodingPlan, Sequence[Label], Answer], list[Label]]


def impute_age_category(plan: CodingPlan, labels: Sequence[Label], answer: Answer) -> list[Label]:
    """The category of the age that the first configuration has; outside all categories a coding error."""
    age, scheme = labels[0], plan.coding_configurations[1].code_scheme
    if not age.code.is_normal:
        return [age, _like(scheme, age.code)]
    number = _number_of(age.code)
    for (youngest, oldest), category in _categories(scheme):
        if number is not None and youngest <= number <= oldest:
            return [age, make_pipeline_label(scheme, category)]
    return [age, _control(scheme, ControlCode.CE)]


def _number_of(code: Code) -> int | None:
    return next((int(name) for name in (*code.match_values, code.string_value) if name.isdecimal()), None)


def _categories(scheme: CodeScheme) -> list[tuple[tuple[int, int], Code]]:
    """The age ranges of a scheme, both ends inclusive: a match value like "18 to 35" names one."""
    matches = ((AGE_RANGE.fullmatch(value), code) for code in scheme.codes for value in code.match_values)
    return [((int(match[1]), int(match[2])), code) for match, code in matches if match is not None]


def _impute_location(table: PlaceTable, plan: CodingPlan, labels: Sequence[Label], answer: Answer) -> list[Label]:
    """All levels of the place that was ticked at any of them; what contradicts itself is a coding error everywhere."""
    schemes = [configuration.code_scheme for configuration in plan.coding_configurations]

    def everywhere(control_code: ControlCode) -> list[Label]:
        return [_control(scheme, control_code) for scheme in schemes]

    if not answer.is_given:
        imputed = everywhere(ControlCode.NA)
        is_guessed = answer.operator is not None and table.levels[-1] == "zone" and plan.zone_from_operator
        zone = _zone_of(answer.operator) if is_guessed else None
        code = schemes[-1].codes_by_match_value.get(zone or "")
        if code is not None:
            imputed[-1] = make_pipeline_label(schemes[-1], code)
        return imputed
    ticked = [(level, label) for level, label in enumerate(labels) if label.code.control_code is not ControlCode.NR]
    if not ticked:
        return everywhere(ControlCode.NR)
    others = {_identity(label.code) for _, label in ticked if not label.code.is_normal}
    places = [(level, label) for level, label in ticked if label.code.is_normal]
    if len(others) > 1 or (others and places):
        return everywhere(ControlCode.CE)
    if others:
        return [_like(scheme, ticked[0][1].code) for scheme in schemes]
    finest = places[0][0]
    line = _line_of(table, finest, places[0][1].code)
    if line is None or any(_place_of(table, level, label.code) != line[level - finest] for level, label in places):
        return everywhere(ControlCode.CE)
    imputed = [_control(scheme, ControlCode.NC) for scheme in schemes[:finest]]
    for level, name in enumerate(line, finest):
        code = schemes[level].codes_by_match_value.get(name)
        imputed.append(
            labels[level]
            if labels[level].code == code
            else make_pipeline_label(schemes[level], code)
            if code is not None
            else _control(schemes[level], ControlCode.NC)
        )
    return imputed


def _place_of(table: PlaceTable, level: int, code: Code) -> str | None:
    """The place that a code of that level stands for, or None for a place that the table does not know."""
    known = table.parents[table.levels[level]]
    return next((name for name in (*code.match_values, code.string_value) if name in known), None)


def _line_of(table: PlaceTable, level: int, code: Code) -> tuple[str, ...] | None:
    """A place and those that it lies in, level by level."""
    place = _place_of(table, level, code)
    return None if place is None else (place, *table.ancestors(table.levels[level], place))


def impute_somalia_location(plan: CodingPlan, labels: Sequence[Label], answer: Answer) -> list[Label]:
    """Sub-district of Mogadishu, district, region, state and zone; without an answer the zone of the operator."""
    return _impute_location(somali_places(), plan, labels, answer)


def impute_kenya_location(plan: CodingPlan, labels: Sequence[Label], answer: Answer) -> list[Label]:
    """Constituency and county."""
    return _impute_location(kenyan_places(), plan, labels, answer)


IMPUTATIONS: Mapping[str, Imputation] = {
    "age_category": impute_age_category,
    "somalia_location": impute_somalia_location,
    "kenya_location": impute_kenya_location,
}


def _identity(code: Code) -> tuple[str, str]:
    return str(code.code_type), str(code.control_code or code.meta_code)


def _like(scheme: CodeScheme, code: Code) -> Label:
    """The code of another scheme that says the same of the coding; NC where that scheme can't say it."""
    if code.control_code is not None:
        same = scheme.find_control(code.control_code)
    else:
        same = scheme.codes_by_meta_code.get(code.meta_code or "")
    return make_pipeline_label(scheme, same or scheme.control(ControlCode.NC))


def _control(scheme: CodeScheme, control_code: ControlCode) -> Label:
    return make_pipeline_label(scheme, scheme.control(control_code))


def operator_name(scheme: CodeScheme, code_id: str) -> str | None:
    """The operator that a code of the operators' scheme stands for, or None for one that tells no place."""
    code = scheme.codes_by_id.get(code_id)
    if code is None:
        return None
    return next((name for name in (*code.match_values, code.string_value) if _zone_of(name) is not None), None)


@functools.lru_cache(maxsize=256)
def _zone_of(operator: str) -> str | None:
    return operator_zone(operator)
