"""Find one participant's records in traced data, which is in order."""

import bisect
import functools
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engagement.foundation.errors import InputError
from engagement.foundation.partitions import hash_uid
from engagement.pipeline.outputs.participant_files import AFTER_ALL, order_of
from engagement.provenance import ChainError, TracedData, decode


def find_records(path: Path, uid: str) -> list[TracedData]:
    """Find a participant's records in a file of traced data, in the file's order.

    Verifies only the lines that it reads: some twenty, and the participant's own.

    Raises
    ------
    InputError
        The file can't be read, or a line fails verification; the error says where it begins.
    """
    wanted = hash_uid(uid)
    try:
        with path.open("rb") as file:
            _seek_first(file, path, wanted)
            records = itertools.takewhile(lambda record: order_of(record) == wanted, _read_on(file, path))
            return list(records)
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected what stage 3 wrote. Run stage 3 and this again."
        ) from None


def _seek_first(file: IO[bytes], path: Path, wanted: str) -> None:
    """Seek to the first line that does not come before the wanted one."""

    # Near the end, many positions lead to the same line.
    @functools.cache
    def order_at(start: int) -> str:
        file.seek(start)
        record = _read_one(file, path)
        return AFTER_ALL if record is None else order_of(record)

    def order_after(position: int) -> str:
        return order_at(_seek_line(file, position))

    _seek_line(file, bisect.bisect_left(range(os.fstat(file.fileno()).st_size), wanted, key=order_after))


def _seek_line(file: IO[bytes], position: int) -> int:
    """Seek to the first line that starts at a position or later, and return where it starts."""
    file.seek(max(0, position - 1))
    if position > 0:
        file.readline()
    return file.tell()


def _read_on(file: IO[bytes], path: Path) -> Iterator[TracedData]:
    while (record := _read_one(file, path)) is not None:
        yield record


def _read_one(file: IO[bytes], path: Path) -> TracedData | None:
    start = file.tell()
    line = file.readline()
    if not line:
        return None
    try:
        if not line.endswith(b"\n"):
            raise ChainError("no line end; expected a whole file")
        return decode(line)
    except (ChainError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}, line that begins at byte {start}: {error}. Restore the file, or run stage 3 and this again."
        ) from None
