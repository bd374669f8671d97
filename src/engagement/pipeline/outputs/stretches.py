"""Build a file from its earlier version: copy old rows in long stretches, with new rows among them.

Only new rows are handled one by one: arrays say which old rows to copy and where the new ones go.
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


@dataclass(frozen=True)
class EarlierOutputs:
    """Earlier outputs to copy rows from: the folders of the files and of the notes on their rows.

    `left_out` are the starts of the hashes of participants whose rows are not copied, in order.
    """

    files: Path
    row_notes: Path
    left_out: numpy.ndarray


@dataclass(frozen=True)
class Interleaving:
    """The order of old and new rows: for each row a flag for new rows, and its number among its kind."""

    is_new: numpy.ndarray
    number: numpy.ndarray

    def stretches(self, old_sizes: numpy.ndarray, new_sizes: numpy.ndarray) -> Iterator[tuple[bool, int, int]]:
        """Find stretches of rows of one file: a flag for new ones, start and end.

        `old_sizes` and `new_sizes` are the sizes of all old and all new rows, in order.
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
        """Put the rows' records in order, given those of all old and all new rows."""
        return numpy.concatenate([old, new])[numpy.where(self.is_new, self.number + len(old), self.number)]


def interleave(are_kept: numpy.ndarray, places: numpy.ndarray) -> Interleaving:
    """Put new rows among old ones.

    `are_kept` tells for each old row whether it is copied; `places` gives for each new row the number of the old row it precedes.
    """
    numbers = numpy.insert(numpy.arange(len(are_kept)), places, numpy.arange(len(places)))
    is_new = numpy.insert(numpy.zeros(len(are_kept), bool), places, True)
    are_there = numpy.insert(are_kept, places, True)
    return Interleaving(is_new[are_there], numbers[are_there])


def copy_stretches(
    target: IO[bytes], stretches: Iterator[tuple[bool, int, int]], old: Path, new: Path, size: int = 1, start: int = 0
) -> None:
    """Write stretches of two files, in order; units are `size` bytes, counted in `old` from byte `start`."""
    # Reused: allocating a fresh block costs more than the copying.
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
