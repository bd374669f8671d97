"""Marks that participants' contacts are to have, made from the outputs alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy

from engagement.analysis.tables.coded_table import Mask
from engagement.configuration import CodingConfiguration, CodingPlan
from engagement.configuration.control_codes import ControlCode
from engagement.configuration.write_back import AnswerWriteBack, WriteBack
from engagement.delivery.selections.people import People
from engagement.delivery.selections.selecting import select_participants
from engagement.foundation.errors import InputError

YES, NO = "yes", "no"
# An answer with such a code is as good as none: a flow may ask again.
_UNANSWERED = (
    ControlCode.NA, ControlCode.NS, ControlCode.NC, ControlCode.WS, ControlCode.NOC, ControlCode.DELETED,
)  # fmt: skip


@dataclass(frozen=True)
class Marks:
    """Participants by what is written of them; those who withdrew have no other mark.

    `groups` and `flags` are the groups that hold exactly these participants, and the fields that say yes of them, each with
    the part of the configuration that it comes from; None where a selection could not be made, which `problems` tell: only
    those who withdrew leave such a group. `answers` has the values of further fields, by participant;
    `presence` names those that only say that there is an answer.
    """

    withdrawn: frozenset[str]
    groups: Mapping[str, tuple[str, frozenset[str] | None]] = field(default_factory=dict)
    flags: Mapping[str, tuple[str, frozenset[str] | None]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    presence: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def make_marks(wanted: WriteBack, people: People, withdrawn: frozenset[str]) -> Marks:
    """Make the marks of all participants but test contacts."""
    groups, flags = {}, {}
    problems: list[str] = []
    for origin, group, flag, found in _find_sets(wanted, people, problems):
        uids = None if found is None else found - withdrawn - people.test_uids
        if group is not None:
            groups[group] = origin, uids
        if flag is not None:
            flags[flag] = origin, uids
    answers = {answer.field: _find_answers(answer, people, withdrawn) for answer in wanted.demographics}
    presence = frozenset(answer.field for answer in wanted.demographics if not answer.values)
    return Marks(withdrawn - people.test_uids, groups, flags, answers, presence, tuple(problems))


def _find_sets(
    wanted: WriteBack, people: People, problems: list[str]
) -> Iterator[tuple[str, str | None, str | None, frozenset[str] | None]]:
    """Find the participants of each group and flag, and the part of the configuration behind it."""
    if wanted.non_relevant is not None:
        found = frozenset(people.uids_of(_find_non_relevant(people)))
        yield "NonRelevant", wanted.non_relevant.group, wanted.non_relevant.field, found
    for selection in people.project.configuration.contacts:
        if selection.name in wanted.contacts and selection.to is not None:
            selected: frozenset[str] | None = None
            try:
                selected = frozenset(select_participants(selection, people).uids)
            except InputError as error:
                problems.append(f"selection {selection.name!r}: {error}")
            yield selection.name, selection.to.group, selection.to.field, selected


def _find_non_relevant(people: People) -> Mask:
    """Find participants who wrote to episodes, whom coders have seen, and who have no Normal code in any."""
    size = len(people.uids)
    wrote, unseen, relevant = (numpy.zeros(size, dtype=bool) for _ in range(3))
    for plan in people.project.coding_plans.rqa:
        for coding in plan.coding_configurations:
            codes = people.individuals.codes(coding)
            wrote |= codes.responded
            unseen |= codes.responded & ~codes.labelled
            relevant |= codes.relevant_individual
    return wrote & ~unseen & ~relevant


def _find_answers(answer: AnswerWriteBack, people: People, withdrawn: frozenset[str]) -> dict[str, str]:
    """Find the values of a field by participant; of Values those that coders or cleaners coded."""
    plan, coding = _find_coding(people, answer.coded_field)
    codes = people.individuals.codes(coding)
    out = withdrawn | people.test_uids
    if answer.values:
        names = [code.string_value if code.is_normal else "" for code in coding.code_scheme.codes]
        texts = [" ".join(name for name, held in zip(names, row, strict=True) if held and name) for row in codes.holds]
        numbers = codes.numbers.tolist()
        rows = numpy.flatnonzero(codes.answered).tolist()
        return {people.uids[row]: texts[numbers[row]] for row in rows if people.uids[row] not in out}
    unanswered = codes.hold_any(lambda code: code.control_code in _UNANSWERED)
    wrote = people.individuals.texts(plan).notna().to_numpy()
    return dict.fromkeys((uid for uid in people.uids_of(wrote & ~unanswered) if uid not in out), YES)


def _find_coding(people: People, coded_field: str) -> tuple[CodingPlan, CodingConfiguration]:
    return next(
        (plan, coding)
        for plan in people.project.coding_plans.survey
        for coding in plan.coding_configurations
        if coding.coded_field == coded_field
    )
