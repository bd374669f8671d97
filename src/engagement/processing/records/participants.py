"""A participant as the steps of stage 3 leave them."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from engagement.pipeline.folding.fold import Individual
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.messages.message import Message


@dataclass
class Participant:
    """One participant, processed. `messages` are those that were kept, in their order.

    `sent` counts those that were sent to each episode, by its raw field, as `pipeline.outputs.message_counts` does. `contradictions`
    counts answers that are wrong scheme by one label and not by another, by dataset and message id. `looked_up` are for each plan
    the texts whose labels decided about anything here.
    """

    uid: str
    messages: list[Message]
    has_withdrawn: bool
    looked_up: Sequence[Set[str]]
    individual: Individual | None = None
    dropped: Counter[Dropped] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    contradictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
