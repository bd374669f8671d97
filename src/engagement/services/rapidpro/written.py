"""What became of contacts that were written, in counts."""

from collections import Counter
from dataclasses import dataclass, field

from engagement.services.rapidpro.writing import Refusal


@dataclass
class Written:
    """Contacts by outcome. `inactive` are blocked, stopped or archived ones, which can't join groups."""

    changed: int = 0
    same: int = 0
    inactive: int = 0
    gone: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def refuse(self, refusal: Refusal) -> None:
        """Count a contact that RapidPro refused, or does not have any more."""
        if refusal.is_gone:
            self.gone += 1
        else:
            self.refused += 1
            self.reasons[refusal.reason] += 1

    def add(self, other: "Written") -> None:
        """Add other counts to these."""
        for name in ("changed", "same", "inactive", "gone", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)
