"""Samples for inter-coder reliability: the same messages are chosen in every run, and one more message changes at most one."""

import hashlib
import heapq
from dataclasses import dataclass, field

from engagement.configuration import CodingPlan
from engagement.foundation.csv_cells import guard_cell

SAMPLE_SIZE = 200
_SEED = "inter-coder reliability"


@dataclass
class IcrSample:
    """The messages of a dataset with the smallest hashes, one for each distinct text."""

    smallest: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, text: str, run_id: str, raw_field: str, identity: str | None) -> str:
        """Count in a message that is not noise; returns its hash. `identity` stands for the run id of a message without one."""
        hashed = f"{_SEED}/{run_id or identity}/{raw_field}".encode("utf-8", "surrogatepass")
        key = hashlib.sha256(hashed).hexdigest()
        known = self.smallest.get(text)
        if known is None or (key, run_id) < known:
            self.smallest[text] = (key, run_id)
        return key

    def merge(self, other: "IcrSample") -> None:
        """Count in the messages of another partition."""
        for text, candidate in other.smallest.items():
            known = self.smallest.get(text)
            if known is None or candidate < known:
                self.smallest[text] = candidate

    def trim(self) -> None:
        """Forget what can't be part of the sample: a text's smallest hash stays, so no other partition can change that."""
        kept = heapq.nsmallest(SAMPLE_SIZE, self.smallest.items(), key=lambda item: (item[1], item[0]))
        self.smallest = dict(kept)

    def rows(self, plan: CodingPlan) -> tuple[list[str], list[tuple[str, str]]]:
        """The header and the rows of the sample, in the order of their hashes; cells are safe in spreadsheets."""
        self.trim()
        rows = [(guard_cell(run_id), guard_cell(text)) for text, (_, run_id) in self.smallest.items()]
        return [str(plan.run_id_field), plan.raw_field], rows
