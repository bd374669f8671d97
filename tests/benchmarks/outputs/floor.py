"""The floor: what no program of this kind can do without, and nothing else.

The same input lines are read and decoded, the same output lines encoded and written with the fastest JSON library of the lock
file, and SHA-256 is taken of the same texts, one process a core. What is made ready for that beforehand is not counted.
"""

import hashlib
import itertools
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import IO, Any

import msgspec

from benchmarks.outputs.measuring import Measured
from engagement.foundation.partitions import count_processors

_LINES_OF_A_CHUNK = 500
_BYTES_OF_A_COPY = 2**20


def measure_floor(data_root: Path, scratch: Path) -> Measured:
    """Measure the floor for a data root on which stage 3 has run."""
    processes = count_processors()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        clocks = list(
            pool.map(_do_share, *zip(*((data_root, scratch, k, processes) for k in range(processes)), strict=True))
        )
    return Measured(
        max(c.seconds for c in clocks), sum(c.processor_seconds for c in clocks), max(c.peak for c in clocks)
    )


class _Clock:
    """Adds up what passes in its `with` blocks."""

    def __init__(self) -> None:
        self.seconds = self.processor_seconds = self.peak = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._started[0]
        self.processor_seconds += time.process_time() - self._started[1]


def _do_share(data_root: Path, scratch: Path, number: int, processes: int) -> _Clock:
    """Do every `processes`-th chunk, beginning with chunk `number`."""
    clock = _Clock()
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    for path in sorted((data_root / "Raw Data").glob("*.jsonl")):
        for start, size in _stretches(path, number, processes):
            with clock, path.open("rb") as file:
                file.seek(start)
                lines = file.read(size).splitlines(keepends=True)
            texts = [text for line in lines for text in _hashed_texts(decode(line))]
            with clock:
                for line in lines:
                    decode(line)
                for text in texts:
                    hashlib.sha256(text).hexdigest()
    target = scratch / f"floor.{number}"
    with target.open("wb") as file:
        for path in sorted(_outputs(data_root)):
            if path.suffix == ".jsonl":
                for chunk in _chunks(path, number, processes):
                    records = [decode(line) for line in chunk]
                    texts = [text for record in records for text in _hashed_texts(record)]
                    with clock:
                        for text in texts:
                            hashlib.sha256(text).hexdigest()
                        for line, record in zip(chunk, records, strict=True):
                            encode(record)
                            # The same bytes: this library does not escape.
                            file.write(line)
            else:
                _copy_share(path, file, clock, number, processes)
        with clock:
            file.flush()
            os.fsync(file.fileno())
    target.unlink()
    clock.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return clock


def _outputs(data_root: Path) -> Iterator[Path]:
    for name in ("Outputs", "State/analysis"):
        yield from (path for path in (data_root / name).rglob("*") if path.is_file())


def _hashed_texts(updates: list[dict[str, Any]]) -> Iterator[bytes]:
    """What the chain of a record hashes, by formula."""
    previous = ""
    for update in reversed(updates):
        data = dict(update["Data"])
        for key, nested in update["NestedTracedData"].items():
            yield from _hashed_texts(nested)
            data[key] = nested[0]["SHA"]
        yield json.dumps({"data": data, "prev_sha": previous}, sort_keys=True).encode()
        previous = update["SHA"]


def _copy_share(path: Path, file: IO[bytes], clock: _Clock, number: int, processes: int) -> None:
    size = path.stat().st_size
    with path.open("rb") as source:
        for start in range(number * _BYTES_OF_A_COPY, size, processes * _BYTES_OF_A_COPY):
            source.seek(start)
            content = source.read(_BYTES_OF_A_COPY)
            with clock:
                file.write(content)


def _stretches(path: Path, number: int, processes: int) -> list[tuple[int, int]]:
    """Where every `processes`-th chunk of a file's lines begins, and its bytes."""
    places, start = [], 0
    with path.open("rb") as file:
        while sizes := [len(line) for line in itertools.islice(file, _LINES_OF_A_CHUNK)]:
            places.append((start, sum(sizes)))
            start += sum(sizes)
    return places[number::processes]


def _chunks(path: Path, number: int, processes: int) -> Iterator[list[bytes]]:
    """Every `processes`-th chunk of a file's lines."""
    chunk: list[bytes] = []
    with path.open("rb") as file:
        for position, line in enumerate(file):
            if position // _LINES_OF_A_CHUNK % processes != number:
                continue
            chunk.append(line)
            if len(chunk) == _LINES_OF_A_CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk
