"""Rows of the tables before they go to Drive: cells in, cells out, and what they held is in the findings."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engagement.delivery.disclosure.texts import TextGate
from engagement.pipeline.outputs.rows import WITHDRAWN

WITHHELD = "[withheld]"
_UID = 0


@dataclass(frozen=True)
class RowGate:
    """Passes the rows of one table, whose first column is the uid.

    `datasets` gives the dataset of each column of texts, by its place. `consent` is the place of consent_withdrawn, where there
    is one. `staying` are hashes of the uids of those who did not withdraw. The columns `withheld` are withheld of the
    participants `rare`. Texts `are_guarded` where stage 3 made them safe for spreadsheets, as the gate does with all. Texts that
    `are_folded` are masked, but are no messages to note.
    """

    name: str
    texts: TextGate
    datasets: Mapping[int, str]
    consent: int | None
    staying: Collection[int]
    withheld: Collection[int] = ()
    rare: Collection[str] = ()
    are_guarded: bool = False
    are_folded: bool = False

    def pass_row(self, number: int, row: list[str]) -> list[str]:
        """A row as it may leave this machine. `number` counts the rows from 1."""
        if self.consent is not None and row[self.consent] == "true":
            if any(cell != WITHDRAWN for place, cell in enumerate(row) if place != self.consent):
                self._note_withdrawn(number, "the participant withdrew, and there is more than STOP")
            return row
        if hash_uid(row[_UID]) not in self.staying:
            self._note_withdrawn(number, "the participant is not among those who stay in individuals.csv")
        passed = list(row)
        for place, dataset in self.datasets.items():
            if cell := row[place]:
                passed[place] = self.texts.pass_cell(cell, None if self.are_folded else dataset, self.are_guarded)
        if row[_UID] in self.rare:
            for place in self.withheld:
                passed[place] = WITHHELD
        return passed

    def _note_withdrawn(self, number: int, what: str) -> None:
        self.texts.findings.withdrawn.append(f"{self.name}, row {number}: {what}")


def hash_uid(uid: str) -> int:
    """A short stand-in for a uid: a set of participants takes less memory."""
    return int.from_bytes(hashlib.blake2b(uid.encode(), digest_size=8).digest())
