"""Origins of participants' values: an answer, a guess, or living elsewhere.

The tables count the codes that stage 3 gave. Some of these are misleading: a zone guessed from the operator is not an
answer, and NC for a sub-district of Mogadishu may only mean that somebody lives elsewhere. Layers separate these cases.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy

from engagement.analysis.tables.coded_table import CodedTable, Codes
from engagement.configuration import Code, CodingConfiguration, CodingPlan, ControlCode
from engagement.configuration.field_names import FETCHED_FIELDS
from engagement.configuration.group_plans import is_group_plan
from engagement.configuration.origin_plans import is_origin_plan
from engagement.foundation.errors import count_of
from engagement.pipeline.coding.cleaning.places import PlaceTable
from engagement.pipeline.coding.guesses import OPERATOR
from engagement.pipeline.coding.location_levels import find_levels, places_of
from engagement.pipeline.coding.locations import find_containers, find_place_table, has_elsewhere

ELSEWHERE = "elsewhere"


@dataclass(frozen=True, eq=False)
class Layer:
    """Participants (a mask, shape (participants,)) whose code is not an answer.

    `origin` says what it was guessed from, or is ELSEWHERE.
    """

    origin: str
    rows: numpy.ndarray

    @property
    def is_guess(self) -> bool:
        """Tell whether their code was guessed."""
        return self.origin != ELSEWHERE


@dataclass(frozen=True)
class Value:
    """A code and its participants: `plain` by answer, the others by the origins of their layers."""

    code: Code
    plain: int
    elsewhere: int
    guesses: Mapping[str, int]


def find_layers(individuals: CodedTable, plan: CodingPlan, coding: CodingConfiguration) -> tuple[Layer, ...]:
    """Find every non-empty layer of a coding; a participant is in one at most."""
    layers = [Layer(source, rows) for source, rows in individuals.codes(coding).guesses.items()]
    position = [one.coded_field for one in plan.coding_configurations].index(coding.coded_field)
    table = find_place_table(plan)
    if table is not None and has_elsewhere(plan, position):
        layers.append(Layer(ELSEWHERE, _find_elsewhere(individuals, plan, position, table)))
    return tuple(layer for layer in layers if layer.rows.any())


def _find_elsewhere(individuals: CodedTable, plan: CodingPlan, position: int, table: PlaceTable) -> numpy.ndarray:
    """Find participants whose named place contains none of the coding's places, so they can only be NC."""
    undecided = individuals.codes(plan.coding_configurations[position]).hold_any(
        lambda code: code.control_code is ControlCode.NC
    )
    elsewhere = numpy.zeros(len(individuals), dtype=bool)
    levels = find_levels(plan, table)
    by_level = dict(zip(levels, plan.coding_configurations, strict=True))
    for level, containers in find_containers(table, levels[position]).items():
        if level not in by_level:
            continue
        if not undecided.any():
            break
        codes = individuals.codes(by_level[level])
        decides = undecided & codes.hold_any(lambda code: code.is_normal)
        elsewhere |= decides & ~codes.hold_any(functools.partial(_meets, containers, table, level))
        undecided &= ~decides
    return elsewhere


def _meets(containers: frozenset[str], table: PlaceTable, level: str, code: Code) -> bool:
    """Tell whether a code stands for one of the places that contain others."""
    return not containers.isdisjoint(places_of(code, table, level))


def split_counts(
    codes: Sequence[Code], counts: Sequence[int], layers: Sequence[tuple[Layer, Sequence[int]]]
) -> list[Value]:
    """Subtract the layers' counts from all counts of each code; only Normal codes are guessed."""
    values = []
    for position, code in enumerate(codes):
        inside = {layer.origin: int(found[position]) for layer, found in layers if found[position]}
        elsewhere = inside.pop(ELSEWHERE, 0)
        plain = int(counts[position]) - elsewhere - sum(inside.values())
        values.append(Value(code, plain, elsewhere, inside))
    return values


@dataclass(frozen=True)
class Basis:
    """Participants with a known value of a question, and how it became known."""

    answered: int
    elsewhere: int
    guesses: Mapping[str, int]
    is_told_by_number: bool
    is_attendance: bool = False
    is_told_by_messages: bool = False

    def say(self) -> str:
        """Write it as in a subtitle.

        >>> Basis(185, 0, {"operator": 73}, False).say()
        '185 participants answered, 73 guessed from the operator'
        >>> Basis(58, 122, {}, False).say()
        '58 participants answered, 122 are elsewhere'
        >>> Basis(1, 0, {}, True).say()
        '1 participant, as the number or channel tells'
        """
        people = count_of(self.answered, "participant")
        if self.is_attendance:
            return f"{people}, as attendance tells"
        if self.is_told_by_messages:
            return f"{people}, as their messages tell"
        if self.is_told_by_number:
            return f"{people}, as the number or channel tells"
        others = [f"{self.elsewhere:,} are elsewhere"] if self.elsewhere > 1 else ["1 is elsewhere"] * self.elsewhere
        others += [f"{count:,} {say_guess(source)}" for source, count in self.guesses.items()]
        return ", ".join([f"{people} answered", *others])


def summarise(plan: CodingPlan, codes: Codes, layers: Sequence[Layer]) -> Basis:
    """Count the participants of a question; one with several values counts once."""
    sizes = {layer.origin: int(layer.rows.sum()) for layer in layers}
    elsewhere = sizes.pop(ELSEWHERE, 0)
    told = is_told_by_number(plan), is_group_plan(plan), is_origin_plan(plan)
    return Basis(int(codes.answered.sum()), elsewhere, sizes, *told)


def is_told_by_number(plan: CodingPlan) -> bool:
    """Tell whether the fetch codes the field from the phone number or channel, so nobody was asked."""
    return plan.raw_field in FETCHED_FIELDS


def say_guess(source: str) -> str:
    """Return the name of a guess: "guessed from the operator"."""
    return "guessed from the operator" if source == OPERATOR else f"guessed by {source}"
