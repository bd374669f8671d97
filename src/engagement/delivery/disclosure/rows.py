"""The gate for table rows: takes cells, returns cells, and records findings."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engagement.delivery.disclosure.texts import TextGate
from engagement.pipeline.outputs.rows import WITHDRAWN

WITHHELD = "[withheld]"
_UID = 0


@dataclass(frozen=True)
class RowGate:
    """The gate for one table's rows; its first column is the uid.

    `datasets` maps the position of each text column to its dataset. `consent` is the position of consent_withdrawn, if
    any. `staying` holds hashes of the uids of participants who did not withdraw. The columns `withheld` are masked for
    the participants in `rare`. Texts `are_guarded` if stage 3 made them safe for spreadsheets; the gate makes every
    text safe. Texts that `are_folded` are masked, but not recorded as messages.
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
        """Return a row as it may leave this machine; `number` counts rows from 1."""
        if self.consent is not None and row[self.consent] == "true":
            if any(cell != WITHDRAWN for place, cell in enumerate(row) if place != self.consent):
                self._note_withdrawn(number, "the participant withdrew, but the row contains more than STOP")
            return row
        if hash_uid(row[_UID]) not in self.staying:
            self._note_withdrawn(number, "the participant is not in individuals.csv, or withdrew")
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
    """Hash a uid to save memory in sets of participants."""
    return int.from_bytes(hashlib.blake2b(uid.encode(), digest_size=8).digest())
