"""The partitions' findings, added up, and the log lines that report them."""

import logging
from collections import Counter
from dataclasses import dataclass, field

from engagement.foundation.errors import InputError, listing
from engagement.pipeline.messages.filters import Dropped
from engagement.pipeline.outputs.analysis_files import Funnel
from engagement.pipeline.outputs.coda_files import CodaTexts
from engagement.pipeline.outputs.icr import IcrSample

log = logging.getLogger(__name__)


@dataclass
class Summary:
    """Findings of a partition, besides its part files. Summaries add up.

    `sent` counts messages by the raw field of the episode they were sent to; `keys` are the keys in raw runs. `losses` counts each
    participant's lost answers by the name of the code; participants are named by the start of their hash.
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
        """Count the answers that belong to no dataset here, by the name of the code that says so."""
        lost: Counter[str] = Counter()
        for _, name, times in self.losses:
            lost[name] += times
        return lost

    def add(self, other: "Summary") -> None:
        """Add another partition."""
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


def refuse_bad_input(summary: Summary) -> None:
    """Raise an InputError with everything that the partitions could not use."""
    messages = list(dict.fromkeys(str(error) for error in summary.errors))
    if summary.fold_problems:
        messages.append(
            f"Folding: {listing(sorted(summary.fold_problems))}\n"
            "Values that differ were expected to be equal. Check the labels in Coda, or the FoldStrategy."
        )
    if messages:
        raise InputError("\n".join(messages))


def log_summary(summary: Summary, is_coded: bool) -> None:
    """Log one line for each step, with counts."""
    log.info("Read %d run(s) of %d participant(s)", summary.runs, summary.participants)
    for code, times in sorted(summary.lost.items()):
        log.warning("%d answer(s) marked as wrong scheme belong to %r, which no plan has; left out", times, code)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(summary.dropped.items())) or "none dropped"
    log.info("Kept %d of %d message(s): %s", summary.kept, summary.messages, reasons)
    if is_coded:
        log.info(
            "Withdrew consent: %d participant(s) with %d message(s)",
            summary.withdrawn_participants,
            summary.withdrawn_messages,
        )
        if summary.contradictions:
            log.warning(
                "%d answer(s) are wrong scheme by one label and not by another: coding errors",
                summary.contradictions.total(),
            )


def make_funnel(summary: Summary) -> Funnel:
    """Make the analysis's account of everything that is not in its tables."""
    return Funnel(
        runs=summary.runs,
        participants=summary.participants,
        messages=summary.messages,
        kept=summary.kept,
        withdrawn_messages=summary.withdrawn_messages,
        withdrawn_participants=summary.withdrawn_participants,
        # Most projects recover nothing.
        dropped={
            str(reason): summary.dropped[reason]
            for reason in Dropped
            if summary.dropped[reason] or not reason.is_of_recovered
        },
        lost=dict(sorted(summary.lost.items())),
        contradictions=tuple(sorted(summary.contradictions)),
    )
