"""Count the participants of a selection by place, operator and gender, before anybody is written to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from engagement.configuration import CodingConfiguration
from engagement.configuration.selection_checks import find_datasets, find_place_codings, name_dataset
from engagement.delivery.selections.people import People
from engagement.delivery.selections.selecting import Selected

_GENDER = "gender"
NO_ANSWER = "(no answer)"


@dataclass(frozen=True)
class Breakdown:
    """Participants of a selection by one question; the largest count first."""

    name: str
    counts: tuple[tuple[str, int], ...]


def count_selected(people: People, selected: Selected) -> Iterator[Breakdown]:
    """Count a selection by the coarsest level of places, by operator and channel, and by gender."""
    rows = people.rows_of(selected.uids)
    place = _find_place_level(people)
    if place is not None:
        yield _count_answers(people, place, selected)
    operators = Counter(
        " and ".join(sorted(found)) or NO_ANSWER for found, row in zip(people.operators, rows, strict=True) if row
    )
    yield Breakdown("operator", _ordered(operators))
    gender = find_datasets(people.project.coding_plans).get(_GENDER)
    if gender is not None:
        yield _count_answers(people, gender, selected)


def _find_place_level(people: People) -> CodingConfiguration | None:
    """Find the level of the first map, else the one known of most participants, with the fewest places."""
    configuration, plans = people.project.configuration, people.project.coding_plans
    codings = find_place_codings(configuration, plans)
    analysis = configuration.automated_analysis
    for wanted in analysis.maps if analysis is not None else ():
        for coding in codings:
            if coding.coded_field == wanted.coded_field:
                return coding

    def rank(coding: CodingConfiguration) -> tuple[int, int]:
        places = sum(code.is_normal for code in coding.code_scheme.codes)
        return -int(people.individuals.codes(coding).answered.sum()), places

    return min(codings, key=rank, default=None)


def _count_answers(people: People, coding: CodingConfiguration, selected: Selected) -> Breakdown:
    wanted = set(selected.uids)
    names = [code.string_value for code in coding.code_scheme.codes if code.is_normal]
    values = people.individuals.codes(coding).first_values().tolist()
    found = Counter(
        names[value] if value < len(names) else NO_ANSWER
        for uid, value in zip(people.uids, values, strict=True)
        if uid in wanted
    )
    return Breakdown(name_dataset(coding), _ordered(found))


def _ordered(counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
