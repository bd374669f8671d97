"""What each partition leaves behind, and merging it: the bytes do not depend on how many partitions there were."""

import contextlib
import heapq
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import numpy

from engagement.files import explain_os_errors

# What rows are ordered by (first the time in microseconds, then the uid), the row's CSV line, and the start of its participant's hash.
SortedLine = tuple[list[int | str], str, int]
# The note of a row that was written: its time, its participant and its bytes.
ROW = numpy.dtype([("time", "<i8"), ("hash", "<u8"), ("length", "<u4")])

# Parts that are named like the outputs that they become.
MESSAGES_TRACED_DATA, INDIVIDUALS_TRACED_DATA = "messages_traced_data", "individuals_traced_data"
_ROWS_AT_A_TIME = 4096

_decoder = msgspec.json.Decoder(SortedLine)
_encoder = msgspec.json.Encoder()


def part_path(scratch: Path, name: str, number: int) -> Path:
    """Where the partition with that number leaves its part of an output."""
    return scratch / f"{name}.{number}"


@contextlib.contextmanager
def open_part(path: Path) -> Iterator[IO[bytes]]:
    """Open a part for writing. It is of use for this run alone, so it need not outlast a power cut."""
    with explain_os_errors(path), path.open("wb") as file:
        yield file


def write_records(file: IO[bytes], records: numpy.ndarray) -> None:
    """Write an array as it lies in memory, without a copy."""
    file.write(records.view(numpy.uint8))


def write_sorted_lines(path: Path, lines: list[SortedLine]) -> None:
    """Keep the CSV lines of one partition, in order."""
    lines.sort()
    with open_part(path) as file:
        file.write(_encoder.encode_lines(lines))


def _read_sorted_lines(path: Path) -> Iterator[SortedLine]:
    with path.open("rb") as file:
        for line in file:
            yield _decoder.decode(line)


def merge_sorted_lines(file: IO[bytes], notes: IO[bytes], parts: Iterable[Path]) -> None:
    """Write the partitions' lines in order to `file`, and a `ROW` for each to `notes`."""
    rows: list[tuple[int | str, int, int]] = []
    for key, line, hashed in heapq.merge(*map(_read_sorted_lines, parts)):
        rows.append((key[0], hashed, file.write(line.encode())))
        if len(rows) == _ROWS_AT_A_TIME:
            write_records(notes, numpy.array(rows, ROW))
            rows.clear()
    write_records(notes, numpy.array(rows, ROW))


def append_file(target: IO[bytes], part: Path) -> None:
    """Write a part behind what `target` holds already, and remove it: so the disk holds it once."""
    with part.open("rb") as source:
        shutil.copyfileobj(source, target)
    part.unlink()


@contextlib.contextmanager
def scratch_directory(path: Path) -> Iterator[Path]:
    """An empty directory for the partitions' parts, removed when the block ends."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
