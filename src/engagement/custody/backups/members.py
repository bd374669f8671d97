"""Writing an archive's entries as gzip members of their own, compressed on all processors.

Every gzip reader treats several members as one stream (RFC 1952, 2.2). A member never spans two entries, so the next
archive can copy what did not change. The same entry gives the same bytes, whether it is copied or compressed.
"""

import os
import tarfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Protocol

import isal
from isal import igzip, isal_zlib

from engagement.foundation.errors import MachineError

# Changing any of these needs another name, because then earlier members are no longer those of a full archive.
MEMBERS_FORMAT = f"isal {isal.ISAL_VERSION}, level 2, 1 MiB"
PIECE_BYTES = 2**20
_LEVEL = 2
# What a compressed piece may await: more would only take memory.
_PIECES_A_THREAD = 4


class Sink(Protocol):
    """Takes an archive's bytes."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""


@dataclass(frozen=True)
class EntryPlace:
    """Where an entry's members are in an archive, and their CRC-32."""

    start: int
    size: int
    crc: int


class MemberCopyError(Exception):
    """Members to copy are not those that were written."""


class MemberWriter:
    """Writes entries one after the other; `places` has those that are written."""

    def __init__(self, sink: Sink, pool: ThreadPoolExecutor, most_pieces: int):
        self._sink = sink
        self._pool = pool
        self._most_pieces = most_pieces
        self._under_way: deque[Future[bytes] | Callable[[], Iterator[bytes]] | None] = deque()
        self._start = self._size = self._crc = 0
        self._tar_bytes = 0
        self.places: list[EntryPlace] = []

    def add(self, header: bytes, content: Iterator[bytes]) -> None:
        """Add an entry; its content comes without the padding that ends it."""
        piece = bytearray(header)
        size = 0
        for data in content:
            piece += data
            size += len(data)
            while len(piece) >= PIECE_BYTES:
                self._compress(bytes(piece[:PIECE_BYTES]))
                del piece[:PIECE_BYTES]
        padding = -size % tarfile.BLOCKSIZE
        piece += bytes(padding)
        if piece:
            self._compress(bytes(piece))
        self._end_entry(len(header) + size + padding)

    def copy(self, archive: IO[bytes], place: EntryPlace, tar_bytes: int) -> None:
        """Add an entry from an earlier archive, in which it takes so many bytes before compression."""
        self._put(lambda: _read_members(archive, place))
        self._end_entry(tar_bytes)

    def finish(self) -> None:
        """Write the end of the archive."""
        end = 2 * tarfile.BLOCKSIZE
        end += -(self._tar_bytes + end) % tarfile.RECORDSIZE
        self._compress(bytes(end))
        while self._under_way:
            self._write_next()

    def _compress(self, piece: bytes) -> None:
        self._put(self._pool.submit(compress_piece, piece))

    def _end_entry(self, tar_bytes: int) -> None:
        self._tar_bytes += tar_bytes
        self._put(None)

    def _put(self, part: Future[bytes] | Callable[[], Iterator[bytes]] | None) -> None:
        self._under_way.append(part)
        while len(self._under_way) > self._most_pieces:
            self._write_next()

    def _write_next(self) -> None:
        part = self._under_way.popleft()
        if part is None:
            self.places.append(EntryPlace(self._start, self._size, self._crc))
            self._start, self._size, self._crc = self._start + self._size, 0, 0
            return
        for data in (part.result(),) if isinstance(part, Future) else part():
            self._sink.write(data)
            self._size += len(data)
            self._crc = isal_zlib.crc32(data, self._crc)


@contextmanager
def write_members(sink: Sink, threads: int) -> Iterator[MemberWriter]:
    """Compress the block's entries into `sink`, holding a few pieces for each thread."""
    with ThreadPoolExecutor(threads) as pool:
        writer = MemberWriter(sink, pool, _PIECES_A_THREAD * threads)
        try:
            yield writer
            writer.finish()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def compress_piece(piece: bytes) -> bytes:
    """Compress a piece, and make sure that it comes back.

    No time is written, so the same piece gives the same bytes.
    """
    member: bytes = igzip.compress(piece, _LEVEL, mtime=0)
    if isal_zlib.decompress(member, 31, len(piece)) != piece:
        raise MachineError(
            "The archive: a part differs after compression; expected what was read. Nothing was kept. "
            "Check this machine's memory, and run this again."
        )
    return member


def crc_of(parts: Sequence[bytes] | Iterator[bytes], crc: int = 0) -> int:
    """Return the CRC-32 of bytes that come in parts."""
    for part in parts:
        crc = isal_zlib.crc32(part, crc)
    return crc


def _read_members(archive: IO[bytes], place: EntryPlace) -> Iterator[bytes]:
    """Read the members at a place; raise if they are not those that were written there."""
    left, crc = place.size, 0
    while left:
        try:
            data = os.pread(archive.fileno(), min(left, PIECE_BYTES), place.start + place.size - left)
        except OSError as error:
            raise MemberCopyError(f"can't be read: {error.strerror}") from None
        if not data:
            raise MemberCopyError("ends too early")
        left -= len(data)
        crc = isal_zlib.crc32(data, crc)
        yield data
    if crc != place.crc:
        raise MemberCopyError("its bytes changed since it was written")
