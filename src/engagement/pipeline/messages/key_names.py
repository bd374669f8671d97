"""Rename raw keys to the project's field names, and make a message of each answer to an episode."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

from engagement.configuration import CodingPlan, CodingPlans, PipelineConfiguration
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.configuration.raw_keys import ANSWER_PARTS, RecoveredKeyNames
from engagement.configuration.remappings import RapidProKeyRemapping, TimestampRemapping
from engagement.foundation.errors import InputError
from engagement.pipeline.messages.instants import parse_instant, write_instant
from engagement.pipeline.messages.message import RQA_MESSAGE, SHOW_PIPELINE_KEY, Message
from engagement.pipeline.messages.result_keys import split_key
from engagement.provenance import HIDDEN, Metadata, TracedData

_ABSENT = object()


@dataclass(frozen=True)
class _Result:
    """The remappings of one result of a flow: the answer and what travels with it."""

    answers: tuple[RapidProKeyRemapping, ...]
    companions: tuple[RapidProKeyRemapping, ...]

    @cached_property
    def answer_keys(self) -> tuple[str, ...]:
        """The raw keys of the answer."""
        return tuple(answer.rapid_pro_key for answer in self.answers)

    @cached_property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Raw keys with their names in the project."""
        return tuple((r.rapid_pro_key, r.pipeline_key) for r in (*self.answers, *self.companions))

    def answered(self, values: Mapping[str, Any]) -> bool:
        """Tell whether the run has an answer for it; a result without answer remappings always counts."""
        for key in self.answer_keys:
            if values.get(key) is not None:
                return True
        return not self.answer_keys


class _NeutralFields(NamedTuple):
    """Fields of answers that belong to no plan until a time range assigns them to an episode."""

    raw_field: str
    time_field: str | None
    run_id_field: str | None


def _neutral_fields(
    answer: RapidProKeyRemapping, result: _Result, recovered: tuple[RecoveredKeyNames, ...]
) -> _NeutralFields:
    fields = {split_key(c.rapid_pro_key, recovered)[1]: c.pipeline_key for c in reversed(result.companions)}
    return _NeutralFields(answer.pipeline_key, fields.get("Time"), fields.get("Run ID"))


def _group(remappings: Sequence[RapidProKeyRemapping], recovered: tuple[RecoveredKeyNames, ...]) -> list[_Result]:
    """Group the remappings by result, in the order of the answers in the list."""
    groups: dict[tuple[str, ...], list[tuple[int, str, RapidProKeyRemapping]]] = {}
    for position, remapping in enumerate(remappings):
        name, part = split_key(remapping.rapid_pro_key, recovered)
        groups.setdefault(name, []).append((position, part, remapping))
    ordered: list[tuple[int, _Result]] = []
    for members in groups.values():
        answers = tuple(remapping for _, part, remapping in members if part in ANSWER_PARTS)
        companions = tuple(remapping for _, part, remapping in members if part not in ANSWER_PARTS)
        # An answer's place in the list decides for everything that travels with it.
        first = min(position for position, part, _ in members if part in ANSWER_PARTS or not answers)
        if answers:
            ordered.append((first, _Result(answers, companions)))
        else:
            # Without an answer there is nothing to travel with: each key stands alone.
            ordered.extend((position, _Result((remapping,), ())) for position, _, remapping in members)
    return [result for _, result in sorted(ordered, key=lambda item: item[0])]


class KeyNames:
    """The remappings of a project, made ready once and then applied to many runs."""

    def __init__(self, configuration: PipelineConfiguration, plans: CodingPlans) -> None:
        recovered = configuration.recovered_keys
        results = _group(configuration.rapid_pro_key_remappings, recovered)
        self._episodes = [result for result in results if any(a.is_activation_message for a in result.answers)]
        self._others = [result for result in results if result not in self._episodes]
        self._other_names = {name for result in self._others for _, name in result.names}
        self._time_ranges = configuration.timestamp_remappings
        self._plans = plans.rqa_by_raw_field
        self._neutral = {
            fields.raw_field: fields
            for result in self._episodes
            for answer in result.answers
            if (fields := _neutral_fields(answer, result, recovered)).raw_field not in self._plans
        }
        survey = {plan.raw_field: plan for plan in plans.survey}
        self._answers: dict[str, list[CodingPlan]] = {}
        for answer in (answer for result in results for answer in result.answers):
            plan = self._plans.get(answer.pipeline_key) or survey.get(answer.pipeline_key)
            if plan is not None:
                self._answers.setdefault(answer.rapid_pro_key, []).append(plan)
        # Everything that the other keys' names depend on, the uid included; a participant's messages are consecutive and share it.
        self._raw_fields = [plan.raw_field for plan in plans.all]
        named = (key for result in self._others for key, _ in result.names)
        self._other_keys = [*named, *self._other_names, *self._raw_fields]
        self._last_others: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def answers_in(self, run: TracedData) -> Iterator[tuple[CodingPlan, str]]:
        """Yield each answer of a raw run with the plan its key is remapped to, before any move; in no order."""
        values = run.values
        for raw_key in self._answers.keys() & values.keys():
            text = values[raw_key]
            if isinstance(text, str):
                for plan in self._answers[raw_key]:
                    yield plan, text

    def make_messages(self, joined: TracedData, metadata: Metadata) -> list[Message]:
        """Make the messages of a run: one for each answer to an episode; without any, one with no answer.

        Where several keys map to one field, the later in the list wins unless its answer is null; an answer and its time
        travel together. A field that ends up null is hidden, with its time. An answer that no time range assigns to an
        episode has no plan.
        """
        values = joined.values
        found = tuple(map(values.get, self._other_keys, repeat(_ABSENT)))
        if found != self._last_others[0]:
            self._last_others = found, self._name_others(values)
            self._refuse_other_than_text(values, self._last_others[1])
        common = self._last_others[1]
        messages: list[tuple[dict[str, Any], CodingPlan | None, str | None]] = []
        for result in self._episodes:
            for answer in result.answers:
                text = values.get(answer.rapid_pro_key)
                if answer.is_activation_message and text is not None:
                    if text.__class__ is not str:
                        raise _no_text(values, answer.pipeline_key)
                    data = {**common, **_named(result, values)}
                    data[RQA_MESSAGE] = data[answer.pipeline_key] = text
                    data[SHOW_PIPELINE_KEY] = answer.pipeline_key
                    plan = self._move_by_time(values, data, result)
                    messages.append((data, plan, answer.rapid_pro_key))
        if not messages:
            messages.append((common, None, None))
        made = []
        for data, plan, raw_key in messages:
            record = joined.copy() if len(messages) > 1 else joined
            record.append(data, metadata)
            made.append(Message(record, plan, sent_to=plan, raw_key=raw_key))
        return made

    def _refuse_other_than_text(self, values: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        """Check the values that messages share, once for all the messages that share them."""
        for field in self._raw_fields:
            text = common.get(field, values.get(field))
            if text is not None and text.__class__ is not str:
                raise _no_text(values, field)

    def _name_others(self, values: Mapping[str, Any]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for result in self._others:
            if result.answered(values):
                for raw_key, name in result.names:
                    data[name] = values.get(raw_key)
        if None in data.values():
            data = {key: value for key, value in data.items() if value is not None}
        if not self._other_names.isdisjoint(values):
            # A raw key can have the project's name already; a null there hides it, so that null and absent are the same.
            unanswered = (result for result in self._others if not result.answered(values))
            nulls = {name for result in unanswered for _, name in result.names}
            data.update((key, HIDDEN) for key in nulls if key not in data and key in values)
        return data

    def _move_by_time(self, values: Mapping[str, Any], data: dict[str, Any], result: _Result) -> CodingPlan | None:
        """Assign a message to the episode of its time range, in `data`; return its plan, None if it has none."""
        show = data[SHOW_PIPELINE_KEY]
        own = self._plans.get(show) or self._neutral[show]
        for remapping in self._time_ranges:
            time = data.get(remapping.time_key, values.get(remapping.time_key))
            if time is None or not _is_in_range(time, remapping):
                continue
            target = remapping.show_pipeline_key_to_remap_to
            if target != show:
                _rename(data, self._plans.get(show) or self._neutral[show], self._plans[target])
                show = data[SHOW_PIPELINE_KEY] = target
            if remapping.time_to_adjust_to is not None:
                adjusted = write_instant(remapping.time_to_adjust_to)
                keys = {c.pipeline_key for c in result.companions if c.rapid_pro_key == remapping.time_key}
                keys.add(remapping.time_key)
                if own.time_field in keys:
                    # The time takes the name that the episode has for it.
                    keys.remove(own.time_field)
                    keys.add(self._plans[show].time_field or own.time_field)
                data.update(dict.fromkeys(keys, adjusted))
        return self._plans.get(show)


def _no_text(values: Mapping[str, Any], field: str) -> InputError:
    return InputError(
        f"Participant {values.get(PARTICIPANT_KEY)!r}: the value of {field!r} is not a text; expected an answer's text. Check "
        "which keys are remapped to it, and fetch their flows again."
    )


def _named(result: _Result, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(raw_key) for raw_key, name in result.names}


def _is_in_range(time: str, remapping: TimestampRemapping) -> bool:
    try:
        instant = parse_instant(time)
    except (ValueError, TypeError):
        raise InputError(
            f"A run's {remapping.time_key!r} is not a time; expected ISO 8601 with an offset. Check TimestampRemappings."
        ) from None
    start, end = remapping.range_start_inclusive, remapping.range_end_exclusive
    return (start is None or start <= instant) and (end is None or instant < end)


def _rename(data: dict[str, Any], old: CodingPlan | _NeutralFields, new: CodingPlan) -> None:
    """Rename the fields of one episode's answer to those of another."""
    for old_field, new_field in fields_that_move(old, new):
        if old_field in data:
            data[new_field] = data.pop(old_field)


def fields_that_move(old: CodingPlan | _NeutralFields, new: CodingPlan) -> Iterator[tuple[str, str]]:
    """Yield the old and new names of an answer's fields, where they differ: text, time, run id."""
    for old_field, new_field in (
        (old.raw_field, new.raw_field),
        (old.time_field, new.time_field),
        (old.run_id_field, new.run_id_field),
    ):
        if old_field is not None and new_field is not None and old_field != new_field:
            yield old_field, new_field
