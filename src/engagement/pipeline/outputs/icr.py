"""Samples for inter-coder reliability: the same in every run; a new message changes at most one row."""

import hashlib
import heapq
from dataclasses import dataclass, field

from engagement.configuration import CodingPlan
from engagement.foundation.csv_cells import guard_cell

SAMPLE_SIZE = 200
_SEED = "inter-coder reliability"


@dataclass
class IcrSample:
    """A dataset's messages with the smallest hashes, one for each distinct text."""

    smallest: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, text: str, run_id: str, raw_field: str, identity: str | None) -> str:
        """Add a message that is not noise; return its hash. `identity` replaces a missing run id."""
        hashed = f"{_SEED}/{run_id or identity}/{raw_field}".encode("utf-8", "surrogatepass")
        key = hashlib.sha256(hashed).hexdigest()
        known = self.smallest.get(text)
        if known is None or (key, run_id) < known:
            self.smallest[text] = (key, run_id)
        return key

    def merge(self, other: "IcrSample") -> None:
        """Add the messages of another partition."""
        for text, candidate in other.smallest.items():
            known = self.smallest.get(text)
            if known is None or candidate < known:
                self.smallest[text] = candidate

    def trim(self) -> None:
        """Forget texts that can't be in the sample: smallest hashes stay, so no partition can change that."""
        kept = heapq.nsmallest(SAMPLE_SIZE, self.smallest.items(), key=lambda item: (item[1], item[0]))
        self.smallest = dict(kept)

    def rows(self, plan: CodingPlan) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the sample's header and rows, in the order of their hashes; cells are safe in spreadsheets."""
        self.trim()
        rows = [(guard_cell(run_id), guard_cell(text)) for text, (_, run_id) in self.smallest.items()]
        return [str(plan.run_id_field), plan.raw_field], rows
