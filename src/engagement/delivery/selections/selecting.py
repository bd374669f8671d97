"""Select participants step by step, and count who is left after each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy

from engagement.analysis.tables.coded_table import Mask
from engagement.configuration import CodingConfiguration
from engagement.configuration.coded_with import AllOf, AnyOf, CodeTerm, Condition, Not, parse_condition, terms_of
from engagement.configuration.contact_selections import ANY_EPISODE, ContactSelection
from engagement.configuration.selection_checks import (
    find_episodes,
    find_meant_places,
    find_place_codings,
    is_opt_in,
)
from engagement.delivery.selections.hand_overs import FILE
from engagement.delivery.selections.people import People
from engagement.delivery.selections.sampling import draw_sample
from engagement.foundation.errors import InputError
from engagement.pipeline.outputs.analysis_files import TIME, UID


@dataclass(frozen=True)
class Selected:
    """The participants of a selection, sorted, and how many were left after each step.

    `notes` say what the lists of ids held.
    """

    name: str
    uids: tuple[str, ...]
    steps: tuple[tuple[str, int], ...]
    notes: tuple[str, ...] = ()

    def say_steps(self) -> str:
        """Write the steps as one sentence.

        >>> Selected("a", (), (("wrote and did not withdraw", 1204), ("in gedo", 0))).say_steps()
        '1,204 wrote and did not withdraw, 0 in gedo'
        """
        return ", ".join(f"{count:,} {step}" for step, count in self.steps)


def select_participants(selection: ContactSelection, people: People) -> Selected:
    """Select participants; those who withdrew and test contacts are never among them.

    Raises
    ------
    InputError
        A list of whom to leave out holds nobody that this data root knows.
    """
    left: Mask = numpy.ones(len(people.uids), dtype=bool)
    steps = [("wrote and did not withdraw", int(left.sum()))]
    notes: list[str] = []

    def keep(rows: Mask, step: str) -> None:
        nonlocal left
        left = left & rows
        steps.append((step, int(left.sum())))

    if people.project.configuration.withdrawn_elsewhere is not None:
        keep(~people.rows_of(people.withdrawn_elsewhere.uids), "did not withdraw in another project")
        notes += people.withdrawn_elsewhere.notes
    parted = people.rows_of(people.withdrawn_under_other_ids)
    if parted.any():
        keep(~parted, "did not withdraw under another id")
    for rows, step in _find_conditions(selection, people):
        keep(rows, step)
    notes += _find_unused_values(selection, people)
    keep(~people.rows_of(people.test_uids), "are no test contacts")
    for name in selection.exclusion_files:
        rows = people.rows_of(_read_exclusions(people, name, left, notes))
        keep(~rows, f"are not in {name}")
    by_name = {one.name: one for one in people.project.configuration.contacts}
    for name in selection.excluded_selections:
        others = select_participants(by_name[name], people)
        notes += (note for note in others.notes if note not in notes)
        keep(~people.rows_of(others.uids), f"are not in the selection {name!r}")
    uids = people.uids_of(left)
    if selection.sample is not None:
        uids = draw_sample(uids, selection.sample, _find_strata(selection, people))
        steps.append(("drawn", len(uids)))
    return Selected(selection.name, uids, tuple(steps), tuple(notes))


def _find_conditions(selection: ContactSelection, people: People) -> Iterator[tuple[Mask, str]]:
    """Find the rows that each condition holds for, with its words."""
    episodes = _find_wanted_episodes(selection, people)
    names = "any episode" if ANY_EPISODE in selection.took_part_in else _listed(selection.took_part_in)
    if selection.last_weeks is not None:
        step = f"took part in {names or 'any episode'} in the last {selection.last_weeks} week(s)"
        yield _find_recent(people, episodes, selection.last_weeks), step
    elif selection.took_part_in:
        yield _find_responded(people, episodes), f"took part in {names}"
    if selection.coded_with is not None:
        yield _evaluate(parse_condition(selection.coded_with), people), f"with {selection.coded_with}"
    if selection.places:
        yield _find_places(selection.places, people), f"in {_listed(selection.places)}"
    if selection.opted_in:
        ids = [(coding, [c.code_id for c in coding.code_scheme.codes if is_opt_in(c)]) for coding in episodes]
        yield _any(people, (people.answered_rows(coding, found) for coding, found in ids)), "opted in"
    if selection.listening_groups:
        members = frozenset().union(*map(people.members, selection.listening_groups))
        yield people.rows_of(members), f"in the listening group {_listed(selection.listening_groups)}"
    if selection.operators:
        wanted = frozenset(selection.operators)
        rows = numpy.fromiter((not wanted.isdisjoint(found) for found in people.operators), bool, len(people.uids))
        yield rows, f"at {_listed(selection.operators)}"
    if selection.not_contacted_for_days is not None:
        days = selection.not_contacted_for_days
        yield ~people.rows_of(_find_contacted(selection, people, days)), f"not contacted for {days} day(s)"


def _listed(names: Sequence[str]) -> str:
    return " or ".join(names)


def _find_wanted_episodes(selection: ContactSelection, people: People) -> list[CodingConfiguration]:
    episodes = find_episodes(people.project.coding_plans)
    are_all = not selection.took_part_in or ANY_EPISODE in selection.took_part_in
    return [
        coding for name, codings in episodes.items() if are_all or name in selection.took_part_in for coding in codings
    ]


def _any(people: People, masks: Iterator[Mask]) -> Mask:
    found: Mask = numpy.zeros(len(people.uids), dtype=bool)
    for rows in masks:
        found |= rows
    return found


def _find_responded(people: People, episodes: Sequence[CodingConfiguration]) -> Mask:
    return _any(people, (people.individuals.codes(coding).responded for coding in episodes))


def _find_recent(people: People, episodes: Sequence[CodingConfiguration], weeks: int) -> Mask:
    """Find who responded to one of some episodes in the last weeks."""
    messages = people.season.messages
    responded: Mask = numpy.zeros(len(messages), dtype=bool)
    for coding in episodes:
        responded |= messages.codes(coding).responded
    times = messages.column(TIME)
    is_recent = (times >= people.now - timedelta(weeks=weeks)) & (times <= people.now)
    return people.rows_of(map(str, messages.column(UID)[responded & is_recent.to_numpy(dtype=bool)]))


def _find_places(names: Sequence[str], people: People) -> Mask:
    codings = find_place_codings(people.project.configuration, people.project.coding_plans)
    meant = (found for name in names for found in find_meant_places(name, codings))
    return _any(people, (people.answered_rows(coding, ids) for coding, ids in meant))


def _evaluate(condition: Condition, people: People) -> Mask:
    """Find the rows that a condition on codes holds for; guessed codes do not count."""
    match condition:
        case CodeTerm(dataset=dataset):
            coding = people.datasets[dataset]
            ids = [code.code_id for code in coding.code_scheme.codes if condition.means(code)]
            return people.answered_rows(coding, ids)
        case Not(condition=inner):
            return ~_evaluate(inner, people)
        case AllOf(conditions=parts):
            return ~_any(people, (~_evaluate(part, people) for part in parts))
        case AnyOf(conditions=parts):
            return _any(people, (_evaluate(part, people) for part in parts))


def _find_unused_values(selection: ContactSelection, people: People) -> Iterator[str]:
    """Say which values of OriginColumns nobody has: they may be spelt wrongly."""
    condition = None if selection.coded_with is None else parse_condition(selection.coded_with)
    for term in dict.fromkeys(terms_of(condition) if condition is not None else ()):
        coding = people.datasets[term.dataset]
        if term.dataset in people.project.configuration.origin_columns and not term.is_in(coding.code_scheme):
            values = [code.string_value for code in coding.code_scheme.codes]
            yield f"{term.dataset}:{term.code}: nobody has it; the values are {', '.join(values)}"


def _find_contacted(selection: ContactSelection, people: People, days: int) -> frozenset[str]:
    """Find who was handed over lately; a group in RapidPro that holds this very selection does not count."""
    since = people.now - timedelta(days=days)
    found: set[str] = set()
    for earlier in people.hand_overs:
        is_own_group = earlier.selection == selection.name and earlier.target != FILE
        if since <= earlier.at <= people.now and not is_own_group:
            found |= earlier.uids
    return frozenset(found)


def _read_exclusions(people: People, name: str, left: Mask, notes: list[str]) -> frozenset[str]:
    found = people.read_list(name)
    known = found.uids & people.known_uids
    if found.lines and not known:
        raise InputError(
            f"{found.path}: {found.lines} line(s), and none of a participant of this data root; expected ids of the same uuid "
            "table, or nobody would be left out. Check the file."
        )
    inside = int((left & people.rows_of(known)).sum())
    note = f"{name}: {found.lines:,} line(s), {len(known):,} known, {inside:,} in the selection"
    if note not in notes:
        notes.append(note)
    return known


def _find_strata(selection: ContactSelection, people: People) -> dict[str, str]:
    """Return each participant's answer to the question that the sample is stratified by."""
    if selection.sample is None or selection.sample.stratify_by is None:
        return {}
    coding = people.datasets[selection.sample.stratify_by]
    names = [code.string_value for code in coding.code_scheme.codes if code.is_normal]
    values = people.individuals.codes(coding).first_values().tolist()
    return {uid: names[value] for uid, value in zip(people.uids, values, strict=True) if value < len(names)}
