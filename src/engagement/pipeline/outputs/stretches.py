"""Outputs of which most stays as the last run wrote it: what stays is copied in stretches, and what is new goes in between.

Nothing is done row by row but for new ones: which rows stay, and where the new ones go, are arrays.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy

from engagement.foundation.errors import InputError
from engagement.foundation.files import begin_to_write

_BYTES_AT_A_TIME = 2**18
_BYTES_BETWEEN_HINTS = 2**25


def are_among(values: numpy.ndarray, some: numpy.ndarray) -> numpy.ndarray:
    """For each value whether it is among `some`, which are in order: quick where these are few."""
    if not len(some):
        return numpy.zeros(len(values), bool)
    found: numpy.ndarray = some[numpy.minimum(numpy.searchsorted(some, values), len(some) - 1)] == values
    return found


@dataclass(frozen=True)
class LastRun:
    """Where the last run left what stays, Outputs/ and the notes, and who is made anew.

    `changed` are the starts of the hashes of these participants, in order; nothing of theirs stays.
    """

    outputs: Path
    notes: Path
    changed: numpy.ndarray


@dataclass(frozen=True)
class Mix:
    """How old rows that stay and new ones follow each other: for each row whether it is new, and its number among its kind."""

    is_new: numpy.ndarray
    number: numpy.ndarray

    def stretches(self, old_sizes: numpy.ndarray, new_sizes: numpy.ndarray) -> Iterator[tuple[bool, int, int]]:
        """Rows that follow each other where they come from too: whether they are new, where they start, and where they end.

        `old_sizes` and `new_sizes` are those of all rows of their kind, in order.
        """
        if not len(self.number):
            return
        follows = (self.is_new[1:] == self.is_new[:-1]) & (self.number[1:] == self.number[:-1] + 1)
        breaks = numpy.flatnonzero(~follows)
        first = numpy.concatenate([[0], breaks + 1])
        last = numpy.concatenate([breaks, [len(self.number) - 1]])
        ends = [numpy.concatenate([[0], numpy.cumsum(sizes, dtype=numpy.int64)]) for sizes in (old_sizes, new_sizes)]
        for is_new, start, end in zip(
            self.is_new[first].tolist(), self.number[first].tolist(), self.number[last].tolist(), strict=True
        ):
            yield is_new, int(ends[is_new][start]), int(ends[is_new][end + 1])

    def apply(self, old: numpy.ndarray, new: numpy.ndarray) -> numpy.ndarray:
        """The records of the rows, from those of all old and all new ones."""
        return numpy.concatenate([old, new])[numpy.where(self.is_new, self.number + len(old), self.number)]


def mix(stay: numpy.ndarray, places: numpy.ndarray) -> Mix:
    """Put new rows between old ones.

    `stay` says of each old row whether it stays; `places` has for each new row the number of the old one that it goes before.
    """
    numbers = numpy.insert(numpy.arange(len(stay)), places, numpy.arange(len(places)))
    is_new = numpy.insert(numpy.zeros(len(stay), bool), places, True)
    are_there = numpy.insert(stay, places, True)
    return Mix(is_new[are_there], numbers[are_there])


def copy_stretches(
    target: IO[bytes], stretches: Iterator[tuple[bool, int, int]], old: Path, new: Path, size: int = 1, start: int = 0
) -> None:
    """Write stretches of two files, in order; they count in units of `size` bytes, and in `old` from the byte `start`."""
    # Used again and again: a fresh block of memory costs more than what is copied to it.
    block = memoryview(bytearray(_BYTES_AT_A_TIME))
    written = 0
    with old.open("rb") as old_file, new.open("rb") as new_file:
        for is_new, first, end in stretches:
            source, offset = (new_file.fileno(), 0) if is_new else (old_file.fileno(), start)
            position, left = offset + first * size, (end - first) * size
            while left > 0:
                copied = target.write(block[: os.preadv(source, [block[:left]], position)])
                if copied == 0:
                    raise InputError(f"{old}: cut while it was read; expected it to stay as it is. Run this again.")
                position, left = position + copied, left - copied
                written += copied
                if written > _BYTES_BETWEEN_HINTS:
                    written = 0
                    begin_to_write(target)
