"""Write stage 3's CSVs: the partitions' lines in order, among lines of an earlier file.

Each table has notes, a `ROW` for each row except those of participants who withdrew, so that a later run can copy its rows.
"""

import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from engagement.foundation.files import open_bytes_for_writing
from engagement.foundation.hashes import are_among
from engagement.foundation.record_files import write_records
from engagement.pipeline.outputs.parts import ROW, merge_rows, open_part, read_uid
from engagement.pipeline.outputs.stretches import EarlierOutputs, copy_stretches, interleave

# Longer than any uid.
_BYTES_OF_A_UID = 4096


def notes_path(folder: Path, table: str) -> Path:
    """Return the path of the notes of a table."""
    return folder / f"{table}.rows"


@dataclass(frozen=True)
class Table:
    """A CSV file to write: header, partitions' parts, and a last line that is repeated `times` times."""

    path: Path
    header: str
    parts: Sequence[Path]
    last: str = ""
    times: int = 0


def write_table(table: Table, notes: Path, earlier: EarlierOutputs | None) -> None:
    """Write a table, and its notes to the folder `notes`."""
    name, header = table.path.stem, table.header.encode()
    with open_bytes_for_writing(table.path) as file, open_part(notes_path(notes, name)) as rows:
        file.write(header)
        if earlier is None:
            merge_rows(file, rows, table.parts)
        else:
            old = earlier.files / table.path.name, notes_path(earlier.row_notes, name)
            new = table.parts[0].with_name(f"new {name}.csv"), table.parts[0].with_name(f"new {name}.rows")
            with open_part(new[0]) as new_file, open_part(new[1]) as new_rows:
                merge_rows(new_file, new_rows, table.parts)
            with _NotedRows(*old, len(header)) as old_rows, _NotedRows(*new, 0) as added:
                are_kept = ~are_among(old_rows.notes["hash"], earlier.left_out)
                order = interleave(are_kept, _find_places(old_rows, added))
            stretches = order.stretches(old_rows.notes["length"], added.notes["length"])
            copy_stretches(file, stretches, old[0], new[0], start=len(header))
            write_records(rows, order.apply(old_rows.notes, added.notes))
        for _ in range(table.times):
            file.write(table.last.encode())


class _NotedRows:
    """The rows of a file with their notes, for reading their uids."""

    def __init__(self, path: Path, notes: Path, start: int) -> None:
        self.notes = numpy.fromfile(notes, ROW)
        self._path = path
        self._ends = start + numpy.cumsum(self.notes["length"], dtype=numpy.int64)

    def __enter__(self) -> "_NotedRows":
        self._file = self._path.open("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read_uid(self, number: int) -> bytes:
        length = int(self.notes["length"][number])
        return read_uid(os.pread(self._file.fileno(), min(length, _BYTES_OF_A_UID), int(self._ends[number]) - length))


def _find_places(old: _NotedRows, new: _NotedRows) -> numpy.ndarray:
    """Find the old row that each new one precedes, by time, then by uid."""
    first = numpy.searchsorted(old.notes["time"], new.notes["time"], "left")
    end = numpy.searchsorted(old.notes["time"], new.notes["time"], "right")
    for number in numpy.flatnonzero(first < end).tolist():
        same_time = range(int(end[number]))
        first[number] = bisect_left(same_time, new.read_uid(number), lo=int(first[number]), key=old.read_uid)
    return first
