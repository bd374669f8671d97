"""Writing an archive's entries as gzip members of their own, compressed on all processors.

Every gzip reader treats several members as one stream (RFC 1952, 2.2). A small entry is one member. Of a larger one, the
header and each piece of the content are one, so the next archive can copy unchanged entries, and unchanged pieces of the
others. The same entry gives the same bytes, whether it is copied or compressed.
"""

import tarfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, NamedTuple, Protocol

import isal
from isal import igzip, isal_zlib

from engagement.custody.backups.earlier_members import (
    Earlier,
    EntryPlace,
    PiecePlace,
    pack_piece,
    read_members,
    read_run,
)
from engagement.custody.backups.piece_digests import DIGESTS_FORMAT, PieceDigests
from engagement.custody.backups.pieces import LEAST_BYTES, PIECES_FORMAT, Batch, Readable, cut, make_buffer
from engagement.foundation.errors import MachineError

# Changing any of these needs another name, because then earlier members are no longer those of a full archive.
MEMBERS_FORMAT = f"isal {isal.ISAL_VERSION}, level 2, {PIECES_FORMAT}, {DIGESTS_FORMAT}"
_LEVEL = 2
# What a compressed batch may await: more would only take memory.
_BATCHES_A_THREAD = 4


class Sink(Protocol):
    """Takes an archive's bytes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take all of them."""


class _LookedUp(NamedTuple):
    """Pieces by their digests, with the places of those that the earlier archive has.

    The others are being compressed; the buffer that they are read from is free afterwards. What nobody looks for later has no
    digest.
    """

    places: list[tuple[bytes, PiecePlace | None]]
    new: Future[list[bytes]] | None
    buffer: bytearray


type _Part = Future[bytes] | _LookedUp | EntryPlace | None


class MemberWriter:
    """Writes entries one after the other; `places` has those that are written."""

    def __init__(
        self,
        sink: Sink,
        pool: ThreadPoolExecutor,
        most_batches: int,
        earlier: Earlier | None,
        digests: PieceDigests | None,
    ):
        self._sink = sink
        self._pool = pool
        self._most_batches = most_batches
        self._earlier = earlier
        self._digests = digests
        self._under_way: deque[_Part] = deque()
        # New memory takes longer than reading into it.
        self._free: list[bytearray] = []
        self._start = self._size = self._crc = 0
        self._pieces = bytearray()
        self._tar_bytes = 0
        self.places: list[EntryPlace] = []
        self.copied_pieces = 0

    def add(self, header: bytes, content: Readable, size: int) -> None:
        """Add an entry; its content of so many bytes comes without the padding that ends it."""
        padding = bytes(-size % tarfile.BLOCKSIZE)
        if size < LEAST_BYTES:
            self._compress(b"".join((header, self._read_small(content, size), padding)))
        else:
            self._compress(header)
            known = self._earlier.list_pieces() if self._earlier is not None else {}
            for batch in cut(content, size, padding, self._take_buffer):
                self._put(self._look_up(batch, known))
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
        self._put(self._pool.submit(compress_piece, data))

    def _look_up(self, batch: Batch, known: Mapping[bytes, PiecePlace]) -> _LookedUp:
        """Look for pieces in the earlier archive, while they are in the processor's cache."""
        digest = self._digests.digest if self._digests is not None else lambda _: b""
        digests = list(map(digest, batch.pieces))
        places = [(digest, known.get(digest)) for digest in digests]
        new = [piece for piece, (_, place) in zip(batch.pieces, places, strict=True) if place is None]
        work = self._pool.submit(_compress_pieces, new) if new else None
        return _LookedUp(places, work, batch.buffer)

    def _read_small(self, content: Readable, size: int) -> bytes:
        batches = list(cut(content, size, take_buffer=self._take_buffer))
        self._free += (batch.buffer for batch in batches)
        return b"".join(piece for batch in batches for piece in batch.pieces)

    def _take_buffer(self) -> bytearray:
        return self._free.pop() if self._free else make_buffer()

    def _end_entry(self, tar_bytes: int) -> None:
        self._tar_bytes += tar_bytes
        self._put(None)

    def _put(self, part: _Part) -> None:
        self._under_way.append(part)
        # Written as soon as it can be, so that few buffers are in use, and those are in the processor's cache.
        while self._under_way and (len(self._under_way) > self._most_batches or _can_be_written(self._under_way[0])):
            self._write_next()

    def _write_next(self) -> None:
        part = self._under_way.popleft()
        if part is None:
            self.places.append(EntryPlace(self._start, self._size, self._crc, bytes(self._pieces)))
            self._start, self._size, self._crc = self._start + self._size, 0, 0
            self._pieces.clear()
        elif isinstance(part, EntryPlace):
            self._pieces += part.pieces
            for data in read_members(self._open_earlier(), part):
                self._sink.write(data)
            # It was compared while it was read.
            self._size, self._crc = part.size, part.crc
        elif isinstance(part, _LookedUp):
            self._write_pieces(part)
            self._free.append(part.buffer)
        else:
            self._write(part.result())

    def _write_pieces(self, found: _LookedUp) -> None:
        """Write pieces, and read those of the earlier archive that follow each other at once."""
        run: list[PiecePlace] = []
        members = iter(found.new.result() if found.new is not None else ())
        for digest, place in found.places:
            if place is not None:
                if run and run[-1].start + run[-1].size != place.start:
                    self._copy_run(run)
                run.append(place)
                self._pieces += pack_piece(place.size, place.crc, digest)
                continue
            self._copy_run(run)
            member = next(members)
            self._write(member)
            if digest:
                self._pieces += pack_piece(len(member), isal_zlib.crc32(member), digest)
        self._copy_run(run)

    def _copy_run(self, run: list[PiecePlace]) -> None:
        if run:
            self._write(read_run(self._open_earlier(), run))
            self.copied_pieces += len(run)
            run.clear()

    def _open_earlier(self) -> IO[bytes]:
        if self._earlier is None:
            raise ValueError("no archive to copy from")
        return self._earlier.file

    def _write(self, data: bytes | memoryview) -> None:
        self._sink.write(data)
        self._size += len(data)
        self._crc = isal_zlib.crc32(data, self._crc)


@contextmanager
def write_members(
    sink: Sink, threads: int, earlier: Earlier | None, digests: PieceDigests | None
) -> Iterator[MemberWriter]:
    """Compress the block's entries into `sink`, holding a few batches of pieces for each thread.

    Without `digests`, which are by the same secret as the earlier archive's, pieces are not looked for, now or later.
    """
    with ThreadPoolExecutor(threads) as pool:
        writer = MemberWriter(sink, pool, _BATCHES_A_THREAD * threads, earlier, digests)
        try:
            yield writer
            writer.finish()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _can_be_written(part: _Part) -> bool:
    work = part.new if isinstance(part, _LookedUp) else part
    return not isinstance(work, Future) or work.done()


def _compress_pieces(pieces: Sequence[memoryview]) -> list[bytes]:
    return [compress_piece(piece) for piece in pieces]


def compress_piece(piece: bytes | memoryview) -> bytes:
    """Compress a piece, and make sure that it comes back.

    No time is written, so the same piece gives the same bytes.
    """
    member: bytes = igzip.compress(piece, _LEVEL, mtime=0)
    back: bytes = isal_zlib.decompress(member, 31, len(piece))
    # A view is compared byte by byte by !=, and at once by this.
    if len(back) != len(piece) or not back.startswith(piece):
        raise MachineError(
            "The archive: a part differs after compression; expected what was read. Nothing was kept. "
            "Check this machine's memory, and run this again."
        )
    return member


def crc_of(parts: Iterable[bytes | memoryview], crc: int = 0) -> int:
    """Return the CRC-32 of bytes that come in parts."""
    for part in parts:
        crc = isal_zlib.crc32(part, crc)
    return crc
