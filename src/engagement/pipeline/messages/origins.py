"""Find the run and the flow that brought an answer, as far as its record's history names them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engagement.configuration import CodingPlans, PipelineConfiguration, PlanKind
from engagement.configuration.raw_keys import ANSWER_PARTS
from engagement.pipeline.messages.result_keys import split_key
from engagement.pipeline.steps import JOIN
from engagement.provenance import Change


@dataclass(frozen=True)
class Origin:
    """Run that brought an answer. `flow` and `result` are None if the traced data does not name them."""

    field: str
    flow: str | None
    result: str | None
    run_id: str | None
    answered_at: str | None
    fetched_at: str | float
    fetched_by: str
    source: str


class OriginFinder:
    """Finds the runs of answers by a project's remappings."""

    def __init__(self, configuration: PipelineConfiguration, plans: CodingPlans) -> None:
        self._by_raw_field = {plan.raw_field: plan for plan in plans.all}
        self._remappings = configuration.rapid_pro_key_remappings
        self._recovered = configuration.recovered_keys

    def find(self, history: Sequence[tuple[str, Change]], field: str, text: str) -> Origin | None:
        """Find the newest run with the text as an answer to `field`, else as an answer to any episode."""
        own = {r.rapid_pro_key: r.pipeline_key for r in self._remappings if r.pipeline_key == field}
        plan = self._by_raw_field[field]
        episodes = {
            r.rapid_pro_key: r.pipeline_key
            for r in self._remappings
            if r.is_activation_message and plan.kind is PlanKind.RQA
        }
        # Fields that the fetch writes itself have the project's name from the start.
        for names in (own, episodes, {field: field}):
            found = [
                position
                for position, (key, change) in enumerate(history)
                if key in names and change.value == text and change.metadata.source != JOIN
            ]
            if found:
                key, _ = history[found[-1]]
                return self._make(history, found[-1], names[key])
        return None

    def _make(self, history: Sequence[tuple[str, Change]], position: int, field: str) -> Origin:
        key, change = history[position]
        names, _ = split_key(key, self._recovered)
        companions = self._companions(history, position)
        run_id, answered_at = companions.get("Run ID"), companions.get("Time")
        result, flow = names if len(names) == 2 else (None, None)
        return Origin(
            field=field,
            flow=flow,
            result=result,
            run_id=None if run_id is None else str(run_id),
            answered_at=None if answered_at is None else str(answered_at),
            fetched_at=change.metadata.timestamp,
            fetched_by=change.metadata.user,
            source=change.metadata.source,
        )

    def _companions(self, history: Sequence[tuple[str, Change]], position: int) -> Mapping[str, Any]:
        """Find the parts that travel with an answer, of the same result and record, and of the nearest run."""
        key, change = history[position]
        result, part = split_key(key, self._recovered)
        if part not in ANSWER_PARTS:
            return {}
        nearest: dict[str, tuple[int, Any]] = {}
        for other, (other_key, other_change) in enumerate(history):
            other_result, other_part = split_key(other_key, self._recovered)
            distance = abs(other - position)
            if other_result != result or other_change.path != change.path:
                continue
            if other_part not in nearest or distance < nearest[other_part][0]:
                nearest[other_part] = (distance, other_change.value)
        return {name: value for name, (_, value) in nearest.items()}
