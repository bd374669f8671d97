"""Arrays of records in files, byte by byte as they lie in memory."""

import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy


def write_records(file: IO[bytes], records: numpy.ndarray) -> None:
    """Write an array as it lies in memory, without a copy."""
    file.write(records.view(numpy.uint8))


def read_records(path: Path, kind: numpy.dtype) -> numpy.ndarray:
    """Memory-map an array that was written as it lies in memory."""
    if not path.stat().st_size:
        return numpy.empty(0, kind)
    with path.open("rb") as file:
        return numpy.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), kind)


def release_memory(records: numpy.ndarray) -> None:
    """Release the memory of what was read of a memory-mapped array; it is read again when it is needed."""
    base = records.base
    if isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap):
        base.obj.madvise(mmap.MADV_DONTNEED)


def make_packer(kind: numpy.dtype) -> Callable[..., bytes]:
    """Make a function that packs one record as in an array of that kind: an array for one is slow."""
    formats = {"u8": "Q", "u4": "I", "u2": "H", "u1": "B", "i8": "q", "b1": "?"}
    return struct.Struct("<" + "".join(formats[kind[name].str[1:]] for name in kind.names or ())).pack
