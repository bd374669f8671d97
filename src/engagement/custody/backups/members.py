"""Writing an archive's entries as gzip members of their own, compressed on all processors.

Every gzip reader treats several members as one stream (RFC 1952, 2.2). A small entry is one member. Of a larger one, the
header and each piece of the content are one, so the next archive can copy unchanged entries, and unchanged pieces of the
others. The same entry gives the same bytes, whether it is copied or compressed.
"""

import hashlib
import os
import struct
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple, Protocol

import isal
from isal import igzip, isal_zlib

from engagement.custody.backups.pieces import LEAST_BYTES, PIECES_FORMAT, Readable, cut
from engagement.foundation.errors import MachineError

# Changing any of these needs another name, because then earlier members are no longer those of a full archive.
MEMBERS_FORMAT = f"isal {isal.ISAL_VERSION}, level 2, {PIECES_FORMAT}"
_LEVEL = 2
_CHUNK_BYTES = 2**20
# Pieces are compressed by so many bytes at a time.
_BATCH_BYTES = 2**20
# What a compressed batch may await: more would only take memory.
_BATCHES_A_THREAD = 4
# A piece in the notes: the size and CRC-32 of its member, and its digest.
_ROW = struct.Struct("<II16s")


class Sink(Protocol):
    """Takes an archive's bytes."""

    def write(self, data: bytes, /) -> object:
        """Take all of them."""


@dataclass(frozen=True)
class EntryPlace:
    """Where an entry's members are in an archive, and their CRC-32.

    Its `pieces` are the last of them.
    """

    start: int
    size: int
    crc: int
    pieces: bytes = b""


class PiecePlace(NamedTuple):
    """Where a piece's member is in an archive, and its CRC-32."""

    start: int
    size: int
    crc: int


class MemberCopyError(Exception):
    """Members to copy are not those that were written."""


@dataclass(frozen=True)
class Earlier:
    """An archive to copy from.

    `list_pieces` has its pieces by their digests, and is called once there are any to look for.
    """

    file: IO[bytes]
    list_pieces: Callable[[], Mapping[bytes, PiecePlace]]


class _Ready(NamedTuple):
    """A piece that can be written: its member, or where the earlier archive has it.

    What is never copied has no digest.
    """

    digest: bytes
    member: bytes | PiecePlace


class MemberWriter:
    """Writes entries one after the other; `places` has those that are written."""

    def __init__(self, sink: Sink, pool: ThreadPoolExecutor, most_batches: int, earlier: Earlier | None):
        self._sink = sink
        self._pool = pool
        self._most_batches = most_batches
        self._earlier = earlier
        self._under_way: deque[Future[list[_Ready]] | EntryPlace | None] = deque()
        self._start = self._size = self._crc = 0
        self._pieces = bytearray()
        self._tar_bytes = 0
        self.places: list[EntryPlace] = []
        self.copied_pieces = 0

    def add(self, header: bytes, content: Readable, size: int) -> None:
        """Add an entry; its content of so many bytes comes without the padding that ends it."""
        padding = bytes(-size % tarfile.BLOCKSIZE)
        if size < LEAST_BYTES:
            self._compress(b"".join((header, *cut(content, size), padding)))
        else:
            self._compress(header)
            known = self._earlier.list_pieces() if self._earlier is not None else {}
            for batch in _batch(cut(content, size, padding)):
                self._put(self._pool.submit(_make_ready, batch, known))
        self._end_entry(len(header) + size + len(padding))

    def copy(self, place: EntryPlace, tar_bytes: int) -> None:
        """Add an entry from the earlier archive, in which it takes so many bytes before compression."""
        self._put(place)
        self._end_entry(tar_bytes)

    def finish(self) -> None:
        """Write the end of the archive."""
        end = 2 * tarfile.BLOCKSIZE
        end += -(self._tar_bytes + end) % tarfile.RECORDSIZE
        self._compress(bytes(end))
        while self._under_way:
            self._write_next()

    def _compress(self, data: bytes) -> None:
        self._put(self._pool.submit(lambda: [_Ready(b"", compress_piece(data))]))

    def _end_entry(self, tar_bytes: int) -> None:
        self._tar_bytes += tar_bytes
        self._put(None)

    def _put(self, part: Future[list[_Ready]] | EntryPlace | None) -> None:
        self._under_way.append(part)
        while len(self._under_way) > self._most_batches:
            self._write_next()

    def _write_next(self) -> None:
        part = self._under_way.popleft()
        if part is None:
            self.places.append(EntryPlace(self._start, self._size, self._crc, bytes(self._pieces)))
            self._start, self._size, self._crc = self._start + self._size, 0, 0
            self._pieces.clear()
        elif isinstance(part, EntryPlace):
            self._pieces += part.pieces
            for data in _read_members(self._open_earlier(), part):
                self._write(data)
        else:
            self._write_batch(part.result())

    def _write_batch(self, batch: Sequence[_Ready]) -> None:
        """Write pieces, and read those of the earlier archive that follow each other at once."""
        run: list[PiecePlace] = []
        for digest, member in batch:
            if isinstance(member, PiecePlace):
                if run and run[-1].start + run[-1].size != member.start:
                    self._copy_run(run)
                run.append(member)
                self._pieces += _ROW.pack(member.size, member.crc, digest)
                continue
            self._copy_run(run)
            self._write(member)
            if digest:
                self._pieces += _ROW.pack(len(member), isal_zlib.crc32(member), digest)
        self._copy_run(run)

    def _copy_run(self, run: list[PiecePlace]) -> None:
        if run:
            self._write(_read_run(self._open_earlier(), run))
            self.copied_pieces += len(run)
            run.clear()

    def _open_earlier(self) -> IO[bytes]:
        if self._earlier is None:
            raise ValueError("no archive to copy from")
        return self._earlier.file

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._size += len(data)
        self._crc = isal_zlib.crc32(data, self._crc)


@contextmanager
def write_members(sink: Sink, threads: int, earlier: Earlier | None) -> Iterator[MemberWriter]:
    """Compress the block's entries into `sink`, holding a few batches of pieces for each thread."""
    with ThreadPoolExecutor(threads) as pool:
        writer = MemberWriter(sink, pool, _BATCHES_A_THREAD * threads, earlier)
        try:
            yield writer
            writer.finish()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def list_pieces(place: EntryPlace) -> Iterator[tuple[bytes, PiecePlace]]:
    """List the digests and places of an entry's pieces."""
    rows = list(_ROW.iter_unpack(place.pieces))
    start = place.start + place.size - sum(size for size, _, _ in rows)
    for size, crc, digest in rows:
        yield digest, PiecePlace(start, size, crc)
        start += size


def _batch(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _make_ready(batch: Sequence[bytes], known: Mapping[bytes, PiecePlace]) -> list[_Ready]:
    """Find pieces in an earlier archive, and compress the others."""
    ready = []
    for piece in batch:
        digest = hashlib.sha256(piece).digest()[:16]
        ready.append(_Ready(digest, known.get(digest) or compress_piece(piece)))
    return ready


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
        data = _read(archive, place.start + place.size - left, min(left, _CHUNK_BYTES))
        left -= len(data)
        crc = isal_zlib.crc32(data, crc)
        yield data
    _compare(crc, place.crc)


def _read_run(archive: IO[bytes], run: Sequence[PiecePlace]) -> bytes:
    """Read members that follow each other; raise if they are not those that were written there."""
    parts = [_read(archive, run[0].start, sum(place.size for place in run))]
    while (read := sum(map(len, parts))) < run[-1].start + run[-1].size - run[0].start:
        parts.append(_read(archive, run[0].start + read, run[-1].start + run[-1].size - run[0].start - read))
    data = b"".join(parts)
    view = memoryview(data)
    for place in run:
        start = place.start - run[0].start
        _compare(isal_zlib.crc32(view[start : start + place.size]), place.crc)
    return data


def _read(archive: IO[bytes], start: int, size: int) -> bytes:
    try:
        data = os.pread(archive.fileno(), size, start)
    except OSError as error:
        raise MemberCopyError(f"can't be read: {error.strerror}") from None
    if not data:
        raise MemberCopyError("ends too early")
    return data


def _compare(crc: int, expected: int) -> None:
    if crc != expected:
        raise MemberCopyError("its bytes changed since it was written")
