"""Reasons of rules: the case that decided, and the facts that its sentence names.

The function that decides returns the reason with its result. The sentence is written once, next to the rule: the value of a case is
a sentence with the names of facts in braces. An explanation only fills them in.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engagement.configuration import Code, CodeScheme, CodingPlan
from engagement.pipeline.coding.labels import Label, Labels, is_ticked


class TickedLabel(NamedTuple):
    """A coder's label that a rule looked at, and the label's scheme."""

    scheme: CodeScheme
    label: Label


Fact = str | Code | Mapping[str, Any] | Sequence[TickedLabel]


@dataclass(frozen=True, slots=True)
class Reason:
    """The case of a rule that decided, and its facts.

    A fact is a text, a code, the JSON of a label (which stands for its maker), or the coders' labels that the rule looked at.
    """

    case: enum.StrEnum
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def say(self, show: Callable[[Fact], str], **more: Fact) -> str:
        """Put the reason into words; `more` are facts that the rule does not need, such as a label's maker."""
        return self.case.format_map({name: show(fact) for name, fact in {**self.facts, **more}.items()})


def ticked_labels(plan: CodingPlan, labels: tuple[Labels, ...]) -> tuple[TickedLabel, ...]:
    """Pick the coders' labels from those of an answer, each once."""
    return tuple(
        TickedLabel(configuration.code_scheme, label)
        for configuration, several in zip(plan.coding_configurations, labels, strict=True)
        for label in dict.fromkeys(several)
        if label.document is not None and is_ticked(label.document)
    )
