"""What each partition leaves behind, and merging it: the bytes do not depend on how many partitions there were."""

import contextlib
import heapq
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from engagement.files import explain_os_errors, open_for_writing

# What rows are ordered by, then the row's CSV line.
SortedLine = tuple[list[int | str], str]

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


def write_sorted_lines(path: Path, lines: list[SortedLine]) -> None:
    """Keep the CSV lines of one partition, in order."""
    lines.sort()
    with open_part(path) as file:
        file.write(_encoder.encode_lines(lines))


def _read_sorted_lines(path: Path) -> Iterator[SortedLine]:
    with path.open("rb") as file:
        for line in file:
            yield _decoder.decode(line)


def merge_sorted_lines(target: Path, header: str, parts: Iterable[Path], last: str = "", times: int = 0) -> int:
    """Write a CSV file: a header, the partitions' lines in order, and `last` so many times. Returns the number of rows."""
    rows = 0
    with open_for_writing(target) as file:
        file.write(header)
        for _, line in heapq.merge(*map(_read_sorted_lines, parts)):
            file.write(line)
            rows += 1
        for _ in range(times):
            file.write(last)
    return rows + times


def append_file(target: IO[bytes], part: Path) -> None:
    """Write a part behind what `target` holds already, and remove it: so the disk holds it once."""
    with part.open("rb") as source:
        shutil.copyfileobj(source, target, 2**20)
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
