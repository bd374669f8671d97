"""How participants came to their values: by an answer, by a guess, or because the question is about places where they do not live.

The tables count the codes that stage 3 gave. Some of these are not what they seem: a zone that was guessed from the operator is
no answer, and NC for a sub-district of Mogadishu may only mean that somebody lives elsewhere. Layers tell these apart.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy

from engagement.analysis.tables.coded_table import CodedTable, Codes
from engagement.configuration import Code, CodingConfiguration, CodingPlan, ControlCode
from engagement.configuration.field_names import FETCHED_FIELDS
from engagement.foundation.errors import count_of
from engagement.pipeline.coding.cleaning.places import PlaceTable
from engagement.pipeline.coding.guesses import OPERATOR
from engagement.pipeline.coding.location_levels import find_levels, places_of
from engagement.pipeline.coding.locations import find_containers, find_place_table, has_elsewhere

ELSEWHERE = "elsewhere"


@dataclass(frozen=True, eq=False)
class Layer:
    """Participants (a mask, shape (participants,)) whose code is no answer: guessed, from what `origin` says, or ELSEWHERE."""

    origin: str
    rows: numpy.ndarray

    @property
    def is_guess(self) -> bool:
        """Whether their code was guessed."""
        return self.origin != ELSEWHERE


@dataclass(frozen=True)
class Value:
    """A code and how many participants have it: `plain` as the code says, the others by the origins of their layers."""

    code: Code
    plain: int
    elsewhere: int
    guesses: Mapping[str, int]


def find_layers(individuals: CodedTable, plan: CodingPlan, coding: CodingConfiguration) -> tuple[Layer, ...]:
    """Every layer of a coding that somebody is in; a participant is in one at most."""
    layers = [Layer(source, rows) for source, rows in individuals.codes(coding).guesses.items()]
    position = [one.coded_field for one in plan.coding_configurations].index(coding.coded_field)
    table = find_place_table(plan)
    if table is not None and has_elsewhere(plan, position):
        layers.append(Layer(ELSEWHERE, _find_elsewhere(individuals, plan, position, table)))
    return tuple(layer for layer in layers if layer.rows.any())


def _find_elsewhere(individuals: CodedTable, plan: CodingPlan, position: int, table: PlaceTable) -> numpy.ndarray:
    """Participants who named a place in which none of the coding's places lies: they are NC, and could not be anything else."""
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
    """Whether a code stands for one of the places that contain others."""
    return not containers.isdisjoint(places_of(code, table, level))


def split_counts(
    codes: Sequence[Code], counts: Sequence[int], layers: Sequence[tuple[Layer, Sequence[int]]]
) -> list[Value]:
    """Take the layers' counts of each code out of all counts of each code; codes that are not Normal are never guessed."""
    values = []
    for position, code in enumerate(codes):
        inside = {layer.origin: int(found[position]) for layer, found in layers if found[position]}
        elsewhere = inside.pop(ELSEWHERE, 0)
        plain = int(counts[position]) - elsewhere - sum(inside.values())
        values.append(Value(code, plain, elsewhere, inside))
    return values


@dataclass(frozen=True)
class Basis:
    """How many participants the values of a question are known of, and how they became known."""

    answered: int
    elsewhere: int
    guesses: Mapping[str, int]
    is_told_by_number: bool

    def say(self) -> str:
        """Write it the way a subtitle does.

        >>> Basis(185, 0, {"operator": 73}, False).say()
        '185 participants answered, 73 guessed from the operator'
        >>> Basis(58, 122, {}, False).say()
        '58 participants answered, 122 are elsewhere'
        >>> Basis(1, 0, {}, True).say()
        '1 participant, as the number or channel tells'
        """
        people = count_of(self.answered, "participant")
        if self.is_told_by_number:
            return f"{people}, as the number or channel tells"
        others = [f"{self.elsewhere:,} are elsewhere"] if self.elsewhere > 1 else ["1 is elsewhere"] * self.elsewhere
        others += [f"{count:,} {say_guess(source)}" for source, count in self.guesses.items()]
        return ", ".join([f"{people} answered", *others])


def summarise(plan: CodingPlan, codes: Codes, layers: Sequence[Layer]) -> Basis:
    """Count the participants of a question; one with several values counts once."""
    sizes = {layer.origin: int(layer.rows.sum()) for layer in layers}
    elsewhere = sizes.pop(ELSEWHERE, 0)
    return Basis(int(codes.answered.sum()), elsewhere, sizes, is_told_by_number(plan))


def is_told_by_number(plan: CodingPlan) -> bool:
    """Whether nobody was asked: the fetch codes the field from the phone number, or from the channel."""
    return plan.raw_field in FETCHED_FIELDS


def say_guess(source: str) -> str:
    """What a guess is called: "guessed from the operator"."""
    return "guessed from the operator" if source == OPERATOR else f"guessed by {source}"
