"""What the partitions found, added up."""

from collections import Counter
from dataclasses import dataclass, field

from engagement.foundation.errors import InputError
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.icr import IcrSample


@dataclass
class Summary:
    """What a partition found, besides its part files. Summaries add up.

    `sent` counts messages by the raw field of the episode they were sent to; `keys` are those that raw runs have. `losses` are
    the answers of each participant, by the start of their hash, that were lost, by the name of the code.
    """

    runs: int = 0
    participants: int = 0
    messages: int = 0
    kept: int = 0
    withdrawn_messages: int = 0
    withdrawn_participants: int = 0
    individuals: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    contradictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[Dropped] = field(default_factory=Counter)
    losses: list[tuple[int, str, int]] = field(default_factory=list)
    texts: dict[str, CodaTexts] = field(default_factory=dict)
    samples: dict[str, IcrSample] = field(default_factory=dict)
    fold_problems: list[str] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)

    @property
    def lost(self) -> Counter[str]:
        """How many answers belong to no dataset here, by the name of the code that says so."""
        lost: Counter[str] = Counter()
        for _, name, times in self.losses:
            lost[name] += times
        return lost

    def add(self, other: "Summary") -> None:
        """Count in another partition."""
        for name in ("runs", "participants", "messages", "kept", "withdrawn_messages", "withdrawn_participants"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.individuals += other.individuals
        self.sent.update(other.sent)
        self.keys |= other.keys
        self.contradictions.update(other.contradictions)
        self.dropped.update(other.dropped)
        self.losses.extend(other.losses)
        for raw_field, texts in other.texts.items():
            self.texts.setdefault(raw_field, CodaTexts()).merge(texts)
        for raw_field, sample in other.samples.items():
            self.samples.setdefault(raw_field, IcrSample()).merge(sample)
        self.fold_problems.extend(other.fold_problems)
        self.errors.extend(other.errors)
