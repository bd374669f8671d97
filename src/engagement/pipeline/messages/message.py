"""One message of a participant on its way through stage 3."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engagement.configuration import CodingPlan
from engagement.foundation.errors import InputError
from engagement.pipeline.messages.instants import parse_instant
from engagement.provenance import TracedData

RQA_MESSAGE = "rqa_message"
SHOW_PIPELINE_KEY = "show_pipeline_key"


@dataclass(slots=True)
class Message:
    """A record and the facts about its answer. `plan` is the answer's RQA plan, or None without one.

    `sent_to` is the plan that the answer was sent to, and `raw_key` the raw key that it came under; both stay the same when the
    answer moves. An answer that moved here from a survey has neither.
    `texts` holds the text to code under each of the project's plans, in order, once the answers have moved to where they belong.
    `codings` holds its coding under each plan once it is coded; see `coding`.
    """

    record: TracedData
    plan: CodingPlan | None
    texts: tuple[str | None, ...] = ()
    codings: tuple[Any, ...] = ()
    sent_to: CodingPlan | None = None
    raw_key: str | None = None

    @property
    def text(self) -> str | None:
        """The text that the participant wrote, or None without an answer to an episode."""
        return None if self.plan is None else self.record.values.get(self.plan.raw_field)

    @property
    def is_without_answer(self) -> bool:
        """True if there is no answer at all, not even one that belongs to no episode."""
        return self.record.values.get(SHOW_PIPELINE_KEY) is None

    @property
    def run_id(self) -> str:
        """The id of the run that brought the message, "" for a message without one."""
        if self.plan is None or self.plan.run_id_field is None:
            return ""
        found = self.record.values.get(self.plan.run_id_field)
        return "" if found is None else str(found)

    @property
    def time(self) -> datetime | None:
        """The time it was sent, or None without an answer or a time."""
        if self.plan is None or self.plan.time_field is None:
            return None
        return read_time(self.record, self.plan.time_field)

    def order(self) -> tuple[float, str, str, str]:
        """The sort key of a participant's messages: time, dataset, run id, text; those without a time last."""
        time = self.time
        return (
            float("inf") if time is None else time.timestamp(),
            "" if self.plan is None else self.plan.raw_field,
            self.run_id,
            self.text or "",
        )


def read_time(record: TracedData, time_field: str) -> datetime | None:
    """Read the instant in a time field of a record; None if the field is empty.

    Raises
    ------
    InputError
        The field has a value that is not ISO 8601 with an offset.
    """
    text = record.values.get(time_field)
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, TypeError):
        raise InputError(
            f"Participant {record.values.get('uid')!r}: {time_field!r} is not a time; expected ISO 8601 with an offset. "
            "Check which key is remapped to it."
        ) from None
