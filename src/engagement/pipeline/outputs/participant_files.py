"""Files in the order of participants' hashes: the partitions' parts among pieces of an earlier file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy

from engagement.configuration.field_names import CONSENT_FIELD, PARTICIPANT_KEY, UID_FIELD
from engagement.foundation.files import begin_to_write, open_to_append
from engagement.foundation.partitions import hash_uid
from engagement.pipeline.outputs.parts import append_file, part_path
from engagement.pipeline.outputs.stretches import Interleaving, copy_stretches
from engagement.provenance import TracedData

# Comes after every hash.
AFTER_ALL = "~"


def order_of(record: TracedData) -> str:
    """Return what traced data is ordered by: the hash of the uid; those who withdrew come last."""
    values = record.values
    if values.get(CONSENT_FIELD) == "true":
        return AFTER_ALL
    return hash_uid(str(values.get(UID_FIELD, values.get(PARTICIPANT_KEY))))


@dataclass(frozen=True)
class MergedParticipants:
    """Earlier participants that are kept, with new ones among them.

    `old` and `new` have a record for each participant.
    """

    order: Interleaving
    old: numpy.ndarray
    new: numpy.ndarray

    def stretches(self, column: str) -> Iterator[tuple[bool, int, int]]:
        """Find the stretches of a file to copy; `column` says how much of the file each participant has."""
        return self.order.stretches(self.old[column], self.new[column])

    @property
    def records(self) -> numpy.ndarray:
        """Return the records of all current participants, in order."""
        return self.order.apply(self.old, self.new)


@dataclass(frozen=True)
class ParticipantFile:
    """A file being written. `old` is the earlier file, or None if nothing is copied from it.

    `column` says how much of the file each participant has, in units of `size` bytes.
    """

    path: Path
    scratch: Path
    old: Path | None
    column: str
    size: int = 1

    def take(self, number: int) -> None:
        """Append a partition's part; call it for the partitions in order."""
        with open_to_append(self.path if self.old is None else self._new) as file:
            append_file(file, part_path(self.scratch, self.path.stem, number))
            begin_to_write(file)

    def finish(self, participants: MergedParticipants | None, last: bytes = b"", times: int = 0) -> None:
        """Put the partitions' parts among pieces of the earlier file, then append `last` `times` times."""
        with open_to_append(self.path) as file:
            if self.old is not None and participants is not None:
                copy_stretches(file, participants.stretches(self.column), self.old, self._new, self.size)
            for _ in range(times):
                file.write(last)
            file.flush()
            os.fsync(file.fileno())

    @property
    def _new(self) -> Path:
        return self.scratch / f"new {self.path.stem}"
