"""A participant after the steps of stage 3."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from engagement.pipeline.folding.fold import Individual
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.messages.message import Message


@dataclass
class Participant:
    """One processed participant. `messages` are those that were kept, in order.

    `sent` counts the messages sent to each episode, by raw field, as `pipeline.outputs.message_counts` does. `contradictions` counts
    answers that one label calls wrong scheme and another does not, by dataset and message id. `looked_up` are, for each plan, the
    texts whose labels decided anything here.
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
