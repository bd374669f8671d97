"""Archives of runs: which of a listing can be read, and their runs as they stream in.

That an archive is whole is known only at its end, by its md5. What it unpacks to is never held: some hundred lines at a time.
"""

import collections
import gzip
import hashlib
import io
import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import HttpSession
from engagement.services.rapidpro.reading import RowReader, TooLargeError, decode_or_none
from engagement.services.rapidpro.rows import Page, Run

_BATCH = 250
_BUFFER_BYTES = 1 << 18
_LARGEST_LINE_BYTES = 16 << 20
# A run is some KB with all its events.
_LARGEST_ARCHIVE_BYTES, _LARGEST_RUN_BYTES = 64 << 20, 256 << 10
_MD5 = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIODS = ("daily", "monthly")
_NULL = msgspec.Raw(b"null")

_logger = logging.getLogger(__name__)


class ArchiveError(ServiceError):
    """An archive can't be had, or is damaged. Everything else can go on without it."""


class DamagedArchiveError(Exception):
    """What arrived is not what the server announced. The text says in what it differs."""


@dataclass(frozen=True)
class Archive:
    """A gzip file of old runs, one a line; `md5` is that of the compressed bytes, `address` is empty where the server tells none."""

    md5: str
    start_date: str
    period: str
    record_count: int
    address: str
    size: int = 0

    @property
    def name(self) -> str:
        """What a person calls it, e.g. "archive 2021-03-01 (monthly)"."""
        return f"archive {self.start_date} ({self.period})"


class ArchiveRow(msgspec.Struct):
    """A row of a listing, of which nothing is taken for granted: servers list archives of messages, and empty ones, beside it."""

    archive_type: msgspec.Raw = _NULL
    type: msgspec.Raw = _NULL
    hash: msgspec.Raw = _NULL
    start_date: msgspec.Raw = _NULL
    period: msgspec.Raw = _NULL
    record_count: msgspec.Raw = _NULL
    size: msgspec.Raw = _NULL
    download_url: msgspec.Raw = _NULL


def archive_of(row: ArchiveRow) -> Archive | None:
    """The archive of runs that a row is of; None if it is of messages, or empty.

    Servers since the end of 2025 list empty archives without hash and address.
    """
    if (decode_or_none(row.archive_type, str) or decode_or_none(row.type, str)) != "run":
        return None
    record_count = decode_or_none(row.record_count, int)
    if record_count == 0:
        return None
    md5, start_date, period, address = (
        decode_or_none(value, str) or "" for value in (row.hash, row.start_date, row.period, row.download_url)
    )
    is_whole = _MD5.fullmatch(md5) and record_count is not None and record_count > 0
    return Archive(
        md5 if is_whole else "",
        start_date if _DATE.fullmatch(start_date) else "of an unknown date",
        period if period in _PERIODS else "of an unknown period",
        record_count if is_whole and record_count else 0,
        address if is_whole else "",
        max(0, decode_or_none(row.size, int) or 0),
    )


def read_batches(session: HttpSession, archive: Archive, reader: RowReader[Run]) -> Iterator[Page[Run]]:
    """Give the runs of an archive in batches, and the rows that can't be used beside them.

    Raises
    ------
    DamagedArchiveError
        At the end: the md5 is another.
    ArchiveError
        It is no gzip file.
    RefusedError, TemporaryError, ServiceError
        As `HttpSession.stream`; also for an archive that unpacks to more than is sane.
    """
    where = f"{session.where}: {archive.name}"
    largest_bytes = _LARGEST_ARCHIVE_BYTES + _LARGEST_RUN_BYTES * archive.record_count
    received = hashlib.md5(usedforsecurity=False)
    chunks = _hashed(session.stream(archive.address, archive.name, largest_bytes, archive.size), received)
    problem: Exception | None = None
    count, batch = 0, []
    try:
        with gzip.open(io.BufferedReader(_ChunkReader(chunks), _BUFFER_BYTES)) as file:
            for line in _lines(file, where, largest_bytes):
                count += 1
                batch.append(line)
                if len(batch) == _BATCH:
                    yield reader.read_rows(batch)
                    batch = []
            yield reader.read_rows(batch)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = error
        collections.deque(chunks, maxlen=0)  # the rest, for the hash
    except TooLargeError as error:
        raise ServiceError(f"{where}: a line holds {error}. Ask whoever runs the server.") from None
    if received.hexdigest() != archive.md5:
        raise DamagedArchiveError(f"its md5 is {received.hexdigest()}, the server announced {archive.md5}")
    if problem is not None:
        raise ArchiveError(f"{where}: not a gzip file of runs, one a line. Ask whoever runs the server.")
    if count != archive.record_count:
        _logger.warning("%s: %d runs, the server announced %d; all were kept", where, count, archive.record_count)


def _lines(file: gzip.GzipFile, where: str, largest_bytes: int) -> Iterator[bytes]:
    left = largest_bytes
    while line := file.readline(_LARGEST_LINE_BYTES + 1):
        if len(line) > _LARGEST_LINE_BYTES:
            raise ServiceError(
                f"{where}: a line is longer than {_LARGEST_LINE_BYTES >> 20} MiB; expected a run. "
                "Ask whoever runs the server."
            )
        left -= len(line)
        if left < 0:
            raise ServiceError(
                f"{where}: unpacks to more than {largest_bytes >> 20} MiB; expected at most {_LARGEST_RUN_BYTES >> 10} KiB for "
                "each of the runs that the server announced. Ask whoever runs the server."
            )
        if not line.isspace():
            yield line


class _ChunkReader(io.RawIOBase):
    """Chunks of bytes as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]):
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._chunks, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _hashed(chunks: Iterator[bytes], received: Any) -> Iterator[bytes]:
    for chunk in chunks:
        received.update(chunk)
        yield chunk
