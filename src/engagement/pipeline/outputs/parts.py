"""Write and merge the partitions' part files; the bytes do not depend on the number of partitions."""

import contextlib
import os
import re
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy

from engagement.foundation.files import explain_os_errors
from engagement.foundation.record_files import make_packer, write_records

# The note of a row: its time in microseconds (0 without one), its participant and its bytes.
ROW = numpy.dtype([("time", "<i8"), ("hash", "<u8"), ("length", "<u4")])

# Parts named after the outputs that they become.
MESSAGES_TRACED_DATA, INDIVIDUALS_TRACED_DATA = "messages_traced_data", "individuals_traced_data"
# The number of rows that all parts of a table together hold in memory while merging, and the minimum for each part.
_ROWS_OF_ALL, _LEAST_ROWS = 2**15, 2**4
_BYTES_OF_A_BUFFER = 2**16

_find_quoted_cell = re.compile(b'"((?:[^"]|"")*)"').match


def part_path(scratch: Path, name: str, number: int) -> Path:
    """Return the path where the partition with that number leaves its part of an output."""
    return scratch / f"{name}.{number}"


def notes_of_part(part: Path) -> Path:
    """Return the path of the notes of a table's part: a `ROW` for each of its rows."""
    return part.with_name(f"{part.name}.rows")


@contextlib.contextmanager
def open_part(path: Path) -> Iterator[IO[bytes]]:
    """Open a part for writing. Only this run uses it, so it need not survive a power cut."""
    with explain_os_errors(path), path.open("wb", buffering=_BYTES_OF_A_BUFFER) as file:
        yield file


_pack_row = make_packer(ROW)


def write_rows(path: Path, rows: Iterable[tuple[int, str, int]]) -> None:
    """Write one partition's rows of a table, in order: time, CSV line, start of the participant's hash."""
    with open_part(path) as file, open_part(notes_of_part(path)) as notes:
        for time, line, hashed in rows:
            notes.write(_pack_row(time, hashed, file.write(line.encode())))


def read_uid(line: bytes) -> bytes:
    """Read the first cell of a row of any table: the participant's uid."""
    if not line.startswith(b'"'):
        return line.partition(b",")[0]
    quoted = _find_quoted_cell(line)
    return b"" if quoted is None else quoted[1].replace(b'""', b'"')


class _PartRows:
    """The rows of a part that are not merged yet, in order."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self._first = self._begin = 0

    def look(self, count: int) -> numpy.ndarray:
        """Return the notes of the next rows; fewer than `count` at the end."""
        return numpy.fromfile(notes_of_part(self._part), ROW, count, offset=self._first * ROW.itemsize)

    def read_uid(self, notes: numpy.ndarray, number: int) -> bytes:
        """Read the uid of one of the rows with these notes, which are the next."""
        return read_uid(self._read(self._begin + _count_bytes(notes[:number]), int(notes["length"][number])))

    def take(self, notes: numpy.ndarray) -> list[bytes]:
        """Read the lines of these next rows, and go on behind them."""
        ends = numpy.cumsum(notes["length"], dtype=numpy.int64).tolist()
        size = ends[-1] if ends else 0
        lines = self._read(self._begin, size)
        self._first, self._begin = self._first + len(notes), self._begin + size
        return [lines[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def _read(self, begin: int, size: int) -> bytes:
        # Reopened for each read: there can be more parts than open files allowed.
        with self._part.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), size, begin)


def _count_bytes(notes: numpy.ndarray) -> int:
    return int(notes["length"].sum(dtype=numpy.int64))


def merge_rows(file: IO[bytes], notes: IO[bytes], parts: Sequence[Path]) -> None:
    """Write the partitions' rows to `file`, by time, then uid, and a `ROW` for each to `notes`.

    All rows of a participant are in one part, and stay in its order.
    """
    count = max(_LEAST_ROWS, _ROWS_OF_ALL // max(1, len(parts)))
    sources = [_PartRows(part) for part in parts]
    while windows := [(source, rows) for source in sources if len(rows := source.look(count))]:
        # No part has a row that comes before this one and that is not in its window.
        limit = min(
            ((int(rows["time"][-1]), source.read_uid(rows, -1)) for source, rows in windows if len(rows) == count),
            default=None,
        )
        if limit is not None:
            windows = [(source, rows[: _find_end(source, rows, *limit)]) for source, rows in windows]
        lines = [line for source, rows in windows for line in source.take(rows)]
        merged = numpy.concatenate([rows for _, rows in windows])
        order = _find_order(merged, lines)
        file.write(b"".join([lines[number] for number in order.tolist()]))
        write_records(notes, merged[order])


def _find_end(source: _PartRows, rows: numpy.ndarray, time: int, uid: bytes) -> int:
    """Find the end of the rows that do not come after a time and uid."""
    first, end = (int(numpy.searchsorted(rows["time"], time, side)) for side in ("left", "right"))
    return first + bisect_right(range(first, end), uid, key=lambda number: source.read_uid(rows, number))


def _find_order(rows: numpy.ndarray, lines: Sequence[bytes]) -> numpy.ndarray:
    """Find the order of rows by time, then uid; those alike in both stay in the order they have."""
    order = numpy.argsort(rows["time"], kind="stable")
    times = rows["time"][order]
    # Few rows have the same time, except where none has one: only their uids are looked at.
    firsts = numpy.flatnonzero(numpy.concatenate([[True], times[1:] != times[:-1]]))
    ends = numpy.append(firsts[1:], len(times))
    are_several = ends - firsts > 1
    for first, end in zip(firsts[are_several].tolist(), ends[are_several].tolist(), strict=True):
        order[first:end] = sorted(order[first:end].tolist(), key=lambda number: read_uid(lines[number]))
    return order


def append_file(target: IO[bytes], part: Path) -> None:
    """Append a part to `target`, and remove the part, so that the disk does not hold it twice."""
    with part.open("rb") as source:
        shutil.copyfileobj(source, target)
    part.unlink()


@contextlib.contextmanager
def scratch_directory(path: Path) -> Iterator[Path]:
    """Make an empty directory for the partitions' parts; remove it when the block ends."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
