"""Trace answers to their runs and flows, and through the moves that "wrong scheme" labels made."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from engagement.configuration import CodingPlan, PlanKind, Project
from engagement.configuration.field_names import FETCHED_FIELDS
from engagement.desk.explanations.coda_evidence import CodaEvidence
from engagement.desk.explanations.participant import TracedRow, text_of
from engagement.desk.explanations.steps import StepKind, StoryStep
from engagement.desk.explanations.wording import Texts, printable, say_time, show_fact
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.pipeline.coding.wrong_scheme import SEPARATOR, Move, WrongSchemeMoves
from engagement.pipeline.messages.origins import Origin, OriginFinder
from engagement.pipeline.messages.recovered import ALSO_RECOVERED
from engagement.pipeline.steps import JOIN
from engagement.provenance import HIDDEN


class AnswerStories:
    """Traces the answers of a project's participants."""

    def __init__(self, project: Project, coda: CodaEvidence, texts: Texts) -> None:
        self._plans = project.coding_plans
        self._by_raw_field = {plan.raw_field: plan for plan in self._plans.all}
        self._origins = OriginFinder(project.configuration, self._plans)
        self._coda = coda
        self._moves = WrongSchemeMoves(self._plans, {})
        self._texts = texts

    def tell(self, row: TracedRow, plan: CodingPlan) -> Iterator[StoryStep]:
        """Trace the steps to the text in a message's raw field, or to the lack of one."""
        text, left = text_of(row, plan), _text_that_left(row, plan)
        if left is not None:
            yield self._tell_of_departure(plan, left)
        if text is None:
            if left is None:
                yield _tell_of_nothing(plan)
            return
        sources = row.values.get(plan.source_field)
        if sources:
            yield from self._tell_of_moves(row, plan, text, sources)
        else:
            yield from self._tell_origin(row, plan, text)
        recovered = row.values.get(ALSO_RECOVERED)
        if recovered and plan.kind is PlanKind.RQA:
            yield StoryStep(
                StepKind.NOTE,
                f"A recovery file holds this message too, as run {', '.join(map(printable, recovered))}: it counts once, as "
                "RapidPro has it.",
                {ALSO_RECOVERED: recovered},
            )

    def _tell_origin(self, row: TracedRow, plan: CodingPlan, text: str, is_whole: bool = True) -> Iterator[StoryStep]:
        if plan.raw_field in FETCHED_FIELDS:
            yield self._tell_of_fetched(row, plan, text)
            return
        origin = self._origins.find(row.history, plan.raw_field, text)
        yield StoryStep(
            StepKind.ANSWER,
            f"The participant wrote {self._texts.show(text)}{_say_origin(origin)}."
            f"{_say_message_id(plan, text) if is_whole else ''}",
            {**self._identify(plan, text), "origin": None if origin is None else asdict(origin)},
        )
        if origin is not None and origin.field != plan.raw_field:
            is_neutral = origin.field not in self._by_raw_field
            by_flow = (
                "No episode is known of it by its file, but it"
                if is_neutral
                else f"It answers {origin.field!r} by its flow, but"
            )
            yield StoryStep(
                StepKind.TIME_RANGE,
                f"{by_flow} was sent in a range of TimestampRemappings that belongs to {plan.raw_field!r}: so it stands there.",
                {"from": origin.field, "to": plan.raw_field},
            )

    def _tell_of_fetched(self, row: TracedRow, plan: CodingPlan, text: str) -> StoryStep:
        changes = [change for key, change in row.history if key == plan.raw_field and change.value == text]
        fetched = next((change for change in changes if change.metadata.source != JOIN), None)
        what = "of a phone number the first five digits, of any other channel its name."
        if fetched is None:
            says = f"{text!r} is what was kept of the participant's address with another message of theirs: {what}"
            return StoryStep(StepKind.ANSWER, says, {"text": text})
        time, user = fetched.metadata.timestamp, fetched.metadata.user
        says = f"{text!r} is what was kept, when the run was {_say_fetched(time, user)}, of the participant's address: {what}"
        return StoryStep(StepKind.ANSWER, says, {"text": text, "fetched_at": time, "fetched_by": user})

    def _identify(self, plan: CodingPlan, text: str) -> dict[str, Any]:
        return {"text": self._texts.give(text), "message_id": message_id_of(text), "dataset": plan.coda_dataset}

    def _tell_of_moves(
        self, row: TracedRow, plan: CodingPlan, text: str, sources: Sequence[str]
    ) -> Iterator[StoryStep]:
        parts = _split_joined(text, [self._text_before(row, source, plan) for source in sources])
        for source, part in zip(sources, parts, strict=True):
            if source == plan.raw_field:
                yield from self._tell_origin(row, plan, part, is_whole=False) if part is not None else ()
                continue
            yield self._tell_of_arrival(row, self._by_raw_field[source], plan, part, is_whole=len(sources) == 1)
        if len(sources) > 1:
            yield StoryStep(
                StepKind.NOTE,
                f"{len(sources)} answers met in {plan.raw_field!r} and were joined with '; ': {self._texts.show(text)}."
                f"{_say_message_id(plan, text)}",
                {**self._identify(plan, text), "from": list(sources)},
            )

    def _tell_of_arrival(
        self, row: TracedRow, source: CodingPlan, plan: CodingPlan, part: str | None, is_whole: bool
    ) -> StoryStep:
        if part is None:
            return StoryStep(
                StepKind.MOVED_HERE,
                f"An answer to {source.raw_field!r} moved here, because coders marked it as wrong scheme there. Which part of the "
                "text it is can't be told from the traced data.",
                {"from": source.raw_field, "to": plan.raw_field},
            )
        origin = self._origins.find(row.history, source.raw_field, part)
        # An answer to an episode that became a survey answer left its message, which is no row any more.
        unknown = ". Its run is not in the traced data: its own message holds no answer any more, and is left out"
        return StoryStep(
            StepKind.MOVED_HERE,
            f"The participant wrote {self._texts.show(part)}{unknown if origin is None else _say_origin(origin)}. "
            f"That was an answer to {source.raw_field!r}, but {self._say_move(source, part, plan)}."
            f"{_say_message_id(plan, part) if is_whole else ''}",
            {
                **self._identify(source, part),
                "from": source.raw_field,
                "to": plan.raw_field,
                "origin": None if origin is None else asdict(origin),
                **self._mark_facts(source, part),
            },
        )

    def _tell_of_departure(self, plan: CodingPlan, left: str) -> StoryStep:
        move = self._find_move(plan, left)
        return StoryStep(
            StepKind.MOVED_AWAY,
            f"The participant wrote {self._texts.show(left)} here, but {self._say_move(plan, left)}.",
            {
                **self._identify(plan, left),
                "from": plan.raw_field,
                "to": None if move is None or move.to is None else move.to.raw_field,
                **self._mark_facts(plan, left),
            },
        )

    def _say_move(self, source: CodingPlan, text: str, arrived: CodingPlan | None = None) -> str:
        """Explain why an answer left a field; `arrived` is the plan it went to, if told from there."""
        move = self._find_move(source, text)
        if move is None or (arrived is not None and move.to is not arrived):
            to = "took it away from here" if arrived is None else f"moved it from there to {arrived.raw_field!r}"
            return (
                f"coders had marked it as wrong scheme in {source.coda_dataset} when Outputs were made (the Coda files of this data "
                f"root do not say so any more): so stage 3 {to}"
            )
        here = "here" if arrived is None else "there"
        return move.reason.say(show_fact, dataset=str(source.coda_dataset), here=here)

    def _find_move(self, plan: CodingPlan, text: str) -> Move | None:
        """Decide where an answer goes by the labels that Coda's files have now; None where it stays."""
        return self._moves.decide(self._coda.reading(plan, text))

    def _mark_facts(self, plan: CodingPlan, text: str) -> dict[str, Any]:
        reading = self._coda.reading(plan, text)
        return {"wrong_scheme_label": reading.ws_label, "correct_dataset_label": reading.dataset_label}

    def _text_before(self, row: TracedRow, source: str, plan: CodingPlan) -> str | None:
        """Find the text of a field before the moves, as far as this message's record shows."""
        if source != plan.raw_field:
            return _text_that_left(row, self._by_raw_field[source])
        texts = [change.value for key, change in row.history if key == source and change.value != HIDDEN]
        return texts[-2] if len(texts) > 1 else None


def _tell_of_nothing(plan: CodingPlan) -> StoryStep:
    says = (
        "This message answers another episode, and has no answer to this one."
        if plan.kind is PlanKind.RQA
        else "The participant gave no answer to this."
    )
    return StoryStep(StepKind.NO_ANSWER, says, {"field": plan.raw_field})


def _say_message_id(plan: CodingPlan, text: str) -> str:
    if plan.coda_dataset is None or text == "":
        return ""
    return f" Its message id in Coda's dataset {plan.coda_dataset} is {message_id_of(text)}."


def _text_that_left(row: TracedRow, plan: CodingPlan) -> str | None:
    """Find the text that was in a field until it moved away; None if no text moved."""
    values = [change.value for key, change in row.history if key == plan.raw_field]
    sources = row.values.get(plan.source_field) or ()
    has_left = bool(values) and (values[-1] == HIDDEN or (bool(sources) and plan.raw_field not in sources))
    return values[-2] if has_left and len(values) > 1 and isinstance(values[-2], str) else None


def _split_joined(text: str, parts: Sequence[str | None]) -> list[str | None]:
    """Fill in the parts of a joined text if at most one is unknown; otherwise unknown parts stay None."""
    if parts.count(None) != 1:
        return list(parts)
    position = parts.index(None)
    before = "".join(f"{part}{SEPARATOR}" for part in parts[:position])
    after = "".join(f"{SEPARATOR}{part}" for part in parts[position + 1 :])
    if not (text.startswith(before) and text.endswith(after) and len(text) >= len(before) + len(after)):
        return list(parts)
    return [*parts[:position], text[len(before) : len(text) - len(after)], *parts[position + 1 :]]


def _say_origin(origin: Origin | None) -> str:
    """Describe when and where an answer was given, and who fetched it; begins with a space."""
    if origin is None:
        return " (the traced data does not say in which run)"
    words = [f"on {say_time(origin.answered_at)}"] if origin.answered_at is not None else []
    if origin.flow is not None:
        words.append(f"in flow '{printable(origin.flow)}', result '{printable(origin.result or '')}'")
    else:
        words.append("in a file of recovered messages, which the traced data does not name")
    if origin.run_id is not None:
        words.append(f"run {printable(origin.run_id)}")
    return f" {', '.join(words)} ({_say_fetched(origin.fetched_at, origin.fetched_by)})"


def _say_fetched(time: str | float, user: str) -> str:
    """Describe who fetched a run, and when."""
    return f"fetched on {say_time(time)} by {printable(user)}"
