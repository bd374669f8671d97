"""Write and merge the partitions' part files; the bytes do not depend on the number of partitions."""

import contextlib
import heapq
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy

from engagement.foundation.files import explain_os_errors
from engagement.foundation.record_files import make_packer

# The note of a row: its time in microseconds (0 without one), its participant and its bytes.
ROW = numpy.dtype([("time", "<i8"), ("hash", "<u8"), ("length", "<u4")])

# Parts named after the outputs that they become.
MESSAGES_TRACED_DATA, INDIVIDUALS_TRACED_DATA = "messages_traced_data", "individuals_traced_data"
# The number of rows that all parts of a table together hold in memory while merging, and the minimum for each part.
_ROWS_OF_ALL, _LEAST_ROWS = 2**14, 2**4
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


def _read_rows(part: Path, rows_at_a_time: int) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Yield a part's rows with their sort keys: time, uid, line, start of the participant's hash."""
    first = begin = 0
    while True:
        notes = numpy.fromfile(notes_of_part(part), ROW, rows_at_a_time, offset=first * ROW.itemsize)
        if not len(notes):
            return
        # Reopened for each read: there can be more parts than open files allowed.
        with part.open("rb", buffering=0) as file:
            lines = os.pread(file.fileno(), int(notes["length"].sum(dtype=numpy.int64)), begin)
        start = 0
        for time, hashed, length in notes.tolist():
            line = lines[start : start + length]
            yield time, read_uid(line), line, hashed
            start += length
        first, begin = first + len(notes), begin + start


def merge_rows(file: IO[bytes], notes: IO[bytes], parts: Sequence[Path]) -> None:
    """Write the partitions' rows to `file`, by time, then uid, and a `ROW` for each to `notes`.

    All rows of a participant are in one part, and stay in its order.
    """
    rows_at_a_time = max(_LEAST_ROWS, _ROWS_OF_ALL // max(1, len(parts)))
    rows = (_read_rows(part, rows_at_a_time) for part in parts)
    for time, _, line, hashed in heapq.merge(*rows):
        notes.write(_pack_row(time, hashed, file.write(line)))


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
