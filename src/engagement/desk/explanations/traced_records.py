"""Find one participant's records in traced data, which is ordered by the hash of the uid."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engagement.configuration.field_names import CONSENT_FIELD, PARTICIPANT_KEY, UID_FIELD
from engagement.foundation.errors import InputError
from engagement.foundation.partitions import hash_uid
from engagement.provenance import ChainError, TracedData, decode

# Comes after every hash, as the records of those who withdrew do.
_AFTER_ALL_HASHES = "~"


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
            found = []
            for record in _read_on(file, path):
                key = _order_of(record)
                if key > wanted:
                    break
                if key == wanted:
                    found.append(record)
            return found
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected what stage 3 wrote. Run stage 3 and this again."
        ) from None


def _seek_first(file: IO[bytes], path: Path, wanted: str) -> None:
    """Seek to the start of a line at most a line or two before the wanted one."""
    # Every line that starts before `low` is smaller; a line that starts at `high` or later is not, or is none.
    low, high = 0, os.fstat(file.fileno()).st_size
    while low < high:
        middle = (low + high) // 2
        file.seek(middle)
        if middle > low:
            file.readline()
        start = file.tell()
        record = _read_one(file, path) if start < high else None
        if record is None or _order_of(record) >= wanted:
            high = middle
        else:
            low = file.tell()
    file.seek(low)


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


def _order_of(record: TracedData) -> str:
    values = record.values
    if values.get(CONSENT_FIELD) == "true":
        return _AFTER_ALL_HASHES
    return hash_uid(str(values.get(UID_FIELD, values.get(PARTICIPANT_KEY))))
