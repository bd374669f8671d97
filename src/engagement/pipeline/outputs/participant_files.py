"""Files in the order of the participants' hashes: the partitions' parts one after another, between what stays of the last run's."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy

from engagement.foundation.files import begin_to_write, open_to_append
from engagement.pipeline.outputs.parts import append_file, part_path
from engagement.pipeline.outputs.stretches import Mix, copy_stretches


@dataclass(frozen=True)
class MixedParticipants:
    """How participants of the last run and of this one follow each other; `old` and `new` have a record for each of all of them."""

    mix: Mix
    old: numpy.ndarray
    new: numpy.ndarray

    def stretches(self, column: str) -> Iterator[tuple[bool, int, int]]:
        """What follows each other where it comes from too; that column says how much of it each participant has."""
        return self.mix.stretches(self.old[column], self.new[column])

    @property
    def records(self) -> numpy.ndarray:
        """Those of all participants that are there now, in order."""
        return self.mix.apply(self.old, self.new)


@dataclass(frozen=True)
class ParticipantFile:
    """One such file that is being written. `old` is the file of the last run, or None if nothing of it stays.

    `column` says how much of it each participant has, in units of `size` bytes.
    """

    path: Path
    scratch: Path
    old: Path | None
    column: str
    size: int = 1

    def take(self, number: int) -> None:
        """Take over what a partition left; the partitions come in their order."""
        with open_to_append(self.path if self.old is None else self._new) as file:
            append_file(file, part_path(self.scratch, self.path.stem, number))
            begin_to_write(file)

    def finish(self, participants: MixedParticipants | None, last: bytes = b"", times: int = 0) -> None:
        """Put what the partitions left between what stays, if anything does, and write `last` behind it so many times."""
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
