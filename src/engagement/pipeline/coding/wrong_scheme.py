"""Move answers that coders marked "wrong scheme" to their datasets, one participant at a time.

An answer moves if its label says WS and its label of the WS scheme names a dataset. It moves only once: if it is WS again where it
arrived, it stays there.
"""

import enum
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engagement.configuration import CodingPlan, CodingPlans, PlanKind
from engagement.pipeline.coding.coded_datasets import CodedDataset, Reading
from engagement.pipeline.coding.reasons import Fact, Reason
from engagement.pipeline.messages.instants import parse_instant
from engagement.pipeline.messages.key_names import fields_that_move
from engagement.pipeline.messages.message import RQA_MESSAGE, SHOW_PIPELINE_KEY, Message
from engagement.provenance import HIDDEN, Metadata

SEPARATOR = "; "
"""The separator between answers that end up in one field."""


class MoveCase(enum.StrEnum):
    """Reasons for moving an answer that coders marked as wrong scheme.

    `marked_by` and `named_by` are the makers of the two labels, `here` is the field that the answer leaves.
    """

    MOVED = (
        "in {dataset} {marked_by} labelled it 'WS' (wrong scheme), and {named_by} named {named} as the dataset it belongs to: so "
        "stage 3 moved it from {here} to {to!r}"
    )
    NOWHERE = (
        "in {dataset} {marked_by} labelled it 'WS' (wrong scheme), and {named_by} named {named} as the dataset it belongs to: so "
        "stage 3 took it away from {here}"
    )


class ContradictionCase(enum.StrEnum):
    """Reasons for a coding error: one of the two labels that say "wrong scheme" is missing."""

    NO_DATASET = "{marked_by} labelled it 'WS' (wrong scheme), but nobody named the dataset it belongs to: that contradicts itself"
    NO_WS = (
        "{named_by} named {named} as the dataset it belongs to, but its label here is not 'WS' (wrong scheme): that contradicts "
        "itself"
    )


@dataclass(frozen=True, slots=True)
class Move:
    """A decision that an answer leaves its dataset; `to` is None if the project lacks the other dataset."""

    to: CodingPlan | None
    reason: Reason


def find_contradiction(reading: Reading) -> Reason | None:
    """Find a contradiction: one label says wrong scheme and the other does not; None if they agree."""
    if not reading.contradicts_itself:
        return None
    if reading.target is None:
        return Reason(ContradictionCase.NO_DATASET, {"marked_by": reading.ws_label or {}})
    return Reason(ContradictionCase.NO_WS, {"named_by": reading.dataset_label or {}, "named": reading.target})


@dataclass(frozen=True)
class _Answer:
    """An answer that leaves its original field."""

    text: str
    time: str | None
    source: str


@dataclass
class _Arrivals:
    """Destinations of one participant's answers."""

    survey: dict[str, list[_Answer]] = field(default_factory=dict)
    episodes: list[tuple[CodingPlan, _Answer]] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)


class WrongSchemeMoves:
    """The datasets of a project and the codes that name them."""

    def __init__(self, plans: CodingPlans, datasets: Mapping[str, CodedDataset]) -> None:
        self._plans = plans
        self._datasets = datasets
        self._by_code = {plan.ws_code.code_id: plan for plan in plans.all if plan.ws_code is not None}
        self._coded_surveys = [plan for plan in plans.survey if plan.raw_field in datasets]
        self._survey_fields = [plan.raw_field for plan in self._coded_surveys]

    def decide(self, reading: Reading) -> Move | None:
        """Decide where an answer with these labels goes, and why; None if it stays."""
        if reading.target is None or not reading.moves:
            return None
        to = self._by_code.get(reading.target.code_id)
        facts: dict[str, Fact] = {
            "marked_by": reading.ws_label or {},
            "named_by": reading.dataset_label or {},
            "named": reading.target,
        }
        if to is None:
            return Move(None, Reason(MoveCase.NOWHERE, facts))
        return Move(to, Reason(MoveCase.MOVED, {**facts, "to": to.raw_field}))

    def apply(
        self, messages: Sequence[Message], make_blank: Callable[[], Message], metadata: Metadata
    ) -> tuple[Sequence[Message], Counter[str]]:
        """Move the answers of one participant's messages, which are in order.

        `make_blank` makes a message of the participant without an answer to an episode; it is called for each survey answer that
        belongs to an episode. Returns the messages (the same objects if nothing moves) and the number of answers that belong to no
        dataset here, by the name of the code.
        """
        arrivals = _Arrivals()
        survey_changes = self._leave_surveys(messages, arrivals)
        episode_changes = [self._leave_episode(message, arrivals) for message in messages]
        if not any(survey_changes) and not any(changes for changes, _ in episode_changes):
            return messages, arrivals.lost
        # Survey answers that all messages share leave once, and survey answers come before moved messages.
        result = []
        for message, survey, (episode, plan) in zip(messages, survey_changes, episode_changes, strict=True):
            changes = {**survey, **episode}
            self._arrive_in_survey(message, changes, arrivals)
            message.record.append(changes, metadata)
            message.plan = plan
            result.append(message)
        for plan, answer in arrivals.episodes:
            blank = make_blank()
            changes = self._leave_survey(blank, _Arrivals())
            self._arrive_in_survey(blank, changes, arrivals)
            changes.update(_episode_fields(plan, answer))
            blank.record.append(changes, metadata)
            blank.plan = plan
            result.append(blank)
        return result, arrivals.lost

    def _leave_surveys(self, messages: Sequence[Message], arrivals: _Arrivals) -> list[dict[str, Any]]:
        all_changes: list[dict[str, Any]] = []
        # Messages share survey answers; if the same answers stayed for the previous message, they stay.
        staying: tuple[object, ...] | None = None
        for message in messages:
            texts = tuple(map(message.record.values.get, self._survey_fields))
            changes = {} if texts == staying else self._leave_survey(message, arrivals)
            staying = None if changes else texts
            all_changes.append(changes)
        return all_changes

    def _leave_survey(self, message: Message, arrivals: _Arrivals) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for plan in self._coded_surveys:
            text = message.record.values.get(plan.raw_field)
            if text is None:
                continue
            reading = self._datasets[plan.raw_field].reading(text)
            move = self.decide(reading)
            if move is None or reading.target is None:
                continue
            time = message.record.values.get(plan.time_field) if plan.time_field else None
            changes[plan.raw_field] = HIDDEN
            if plan.time_field is not None and plan.time_field in message.record.values:
                changes[plan.time_field] = HIDDEN
            self._send(_Answer(text, time, plan.raw_field), move.to, reading.target.string_value, arrivals)
        return changes

    def _send(self, answer: _Answer, target: CodingPlan | None, name: str, arrivals: _Arrivals) -> None:
        """Send a survey answer to its dataset, once for all messages that share it."""
        if target is None:
            arrivals.lost[name] = max(arrivals.lost[name], 1)
        elif target.kind is PlanKind.RQA:
            if (target, answer) not in arrivals.episodes:
                arrivals.episodes.append((target, answer))
        elif answer not in arrivals.survey.setdefault(target.raw_field, []):
            arrivals.survey[target.raw_field].append(answer)

    def _leave_episode(self, message: Message, arrivals: _Arrivals) -> tuple[dict[str, Any], CodingPlan | None]:
        plan, text = message.plan, message.text
        dataset = None if plan is None else self._datasets.get(plan.raw_field)
        if plan is None or text is None or dataset is None:
            return {}, plan
        reading = dataset.reading(text)
        move = self.decide(reading)
        if move is None or reading.target is None:
            return {}, plan
        target = move.to
        values = message.record.values
        if target is not None and target.kind is PlanKind.RQA:
            changes: dict[str, Any] = {SHOW_PIPELINE_KEY: target.raw_field, target.source_field: [plan.raw_field]}
            for old_field, new_field in fields_that_move(plan, target):
                if old_field in values:
                    changes[old_field] = HIDDEN
                    changes[new_field] = values[old_field]
            return changes, target
        time = values.get(plan.time_field) if plan.time_field else None
        if target is None:
            arrivals.lost[reading.target.string_value] += 1
        else:
            arrivals.survey.setdefault(target.raw_field, []).append(_Answer(text, time, plan.raw_field))
        return {key: HIDDEN for key in (plan.raw_field, RQA_MESSAGE, SHOW_PIPELINE_KEY) if key in values}, None

    def _arrive_in_survey(self, message: Message, changes: dict[str, Any], arrivals: _Arrivals) -> None:
        values = message.record.values
        for plan in self._plans.survey:
            arrived = arrivals.survey.get(plan.raw_field)
            if not arrived:
                continue
            own = None if changes.get(plan.raw_field) == HIDDEN else values.get(plan.raw_field)
            answers = list(arrived)
            if own is not None:
                answers.insert(0, _Answer(own, values.get(plan.time_field or ""), plan.raw_field))
            changes[plan.raw_field] = SEPARATOR.join(answer.text for answer in answers)
            changes[plan.source_field] = [answer.source for answer in answers]
            times = [answer.time for answer in answers if answer.time is not None]
            if plan.time_field is not None and times:
                changes[plan.time_field] = min(times, key=parse_instant)


def _episode_fields(plan: CodingPlan, answer: _Answer) -> dict[str, Any]:
    fields: dict[str, Any] = {
        plan.raw_field: answer.text,
        RQA_MESSAGE: answer.text,
        SHOW_PIPELINE_KEY: plan.raw_field,
        plan.source_field: [answer.source],
    }
    if plan.time_field is not None:
        fields[plan.time_field] = answer.time
    return fields
