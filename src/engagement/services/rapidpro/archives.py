"""Archives of runs: finding the readable ones in a listing, and streaming their runs.

Only at the end does the md5 show whether an archive is complete. Decompresses a few hundred lines at a time.
"""

import collections
import gzip
import hashlib
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from engagement.foundation.errors import ServiceError
from engagement.services.http import HttpSession
from engagement.services.rapidpro.reading import RowReader, TooLargeError, decode_or_none
from engagement.services.rapidpro.rows import Page, Run

_BUFFER_BYTES = 1 << 18
# Some 200 runs: what a page of the live server has.
_BLOCK_BYTES = 1 << 19
_LARGEST_LINE_BYTES = 16 << 20
# A run has a few KB with all its events.
_LARGEST_ARCHIVE_BYTES, _LARGEST_RUN_BYTES = 64 << 20, 256 << 10
_MD5 = re.compile(r"[0-9a-f]{32}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIODS = ("daily", "monthly")
_NULL = msgspec.Raw(b"null")

_logger = logging.getLogger(__name__)


class ArchiveError(ServiceError):
    """An archive can't be fetched, or is damaged; everything else can continue."""


class DamagedArchiveError(Exception):
    """The download does not match what the server announced; the text says how."""


@dataclass(frozen=True)
class Archive:
    """A gzip file of old runs, one a line.

    `md5` is of the compressed bytes; `address` is empty if the server gives none.
    """

    md5: str
    start_date: str
    period: str
    record_count: int
    address: str
    size: int = 0

    @property
    def name(self) -> str:
        """Name for people, e.g. "archive 2021-03-01 (monthly)"."""
        return f"archive {self.start_date} ({self.period})"


class ArchiveRow(msgspec.Struct):
    """A row of a listing, decoded without assumptions: some are message archives, or empty."""

    archive_type: msgspec.Raw = _NULL
    type: msgspec.Raw = _NULL
    hash: msgspec.Raw = _NULL
    start_date: msgspec.Raw = _NULL
    period: msgspec.Raw = _NULL
    record_count: msgspec.Raw = _NULL
    size: msgspec.Raw = _NULL
    download_url: msgspec.Raw = _NULL


def archive_of(row: ArchiveRow) -> Archive | None:
    """Return the run archive that a row describes; None for a message archive or an empty one.

    Since the end of 2025, servers list empty archives without hash and address.
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
    """Give an archive's runs in batches, each with its unreadable rows.

    Raises
    ------
    DamagedArchiveError
        At the end: the md5 differs.
    ArchiveError
        It is not a gzip file.
    RefusedError, TemporaryError, ServiceError
        As for `HttpSession.stream`; also if an archive unpacks to far too much.
    """
    where = f"{session.where}: {archive.name}"
    largest_bytes = _LARGEST_ARCHIVE_BYTES + _LARGEST_RUN_BYTES * archive.record_count
    received = hashlib.md5(usedforsecurity=False)
    chunks = _hashed(session.stream(archive.address, archive.name, largest_bytes, archive.size), received)
    problem: Exception | None = None
    count = 0
    # Imported here, as few fetches read an archive.
    from isal import igzip
    from isal.igzip_lib import IsalError

    try:
        packed = io.BufferedReader(_ChunkReader(chunks), _BUFFER_BYTES)
        with igzip.IGzipFile(fileobj=packed, mode="rb") as file:  # type: ignore[no-untyped-call]  # like gzip.GzipFile
            for block in _whole_lines(file, where, largest_bytes):
                lines, page = reader.read_lines(block)
                count += lines
                yield page
    except (EOFError, IsalError, gzip.BadGzipFile) as error:  # type: ignore[misc]  # IsalError has no stub
        problem = error
        collections.deque(chunks, maxlen=0)  # read the rest, for the hash
    except TooLargeError as error:
        raise ServiceError(f"{where}: a line holds {error}. Ask whoever runs the server.") from None
    if received.hexdigest() != archive.md5:
        raise DamagedArchiveError(f"its md5 is {received.hexdigest()}, but the server announced {archive.md5}")
    if problem is not None:
        raise ArchiveError(f"{where}: not a gzip file; expected runs, one a line. Ask whoever runs the server.")
    if count != archive.record_count:
        _logger.warning("%s: %d runs, but the server announced %d; kept them all", where, count, archive.record_count)


def _whole_lines(file: io.BufferedIOBase, where: str, largest_bytes: int) -> Iterator[bytes]:
    """Give the file in blocks that end with a line's end, but for the last, which may lack its own."""
    left = largest_bytes
    rest: list[bytes] = []
    rest_bytes = 0
    while block := file.read(_BLOCK_BYTES):
        left -= len(block)
        if left < 0:
            raise ServiceError(
                f"{where}: unpacks to more than {largest_bytes >> 20} MiB; expected at most {_LARGEST_RUN_BYTES >> 10} KiB for "
                "each of the runs that the server announced. Ask whoever runs the server."
            )
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, block[:end]])
            rest, rest_bytes = [], 0
        rest.append(block[end:])
        rest_bytes += len(block) - end
        if rest_bytes > _LARGEST_LINE_BYTES:
            raise ServiceError(
                f"{where}: a line is longer than {_LARGEST_LINE_BYTES >> 20} MiB; expected a run. "
                "Ask whoever runs the server."
            )
    if rest_bytes:
        yield b"".join(rest)


class _ChunkReader(io.RawIOBase):
    """Presents chunks of bytes as a file that can be read once."""

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
