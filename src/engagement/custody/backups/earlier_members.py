"""Members of an earlier archive: where they are, and reading them again."""

import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple

from isal import isal_zlib

_CHUNK_BYTES = 2**20
# A piece in the notes: the size and CRC-32 of its member, and its digest.
_ROW = struct.Struct("<II16s")


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


def pack_piece(size: int, crc: int, digest: bytes) -> bytes:
    """Return a piece as an entry's place has it."""
    return _ROW.pack(size, crc, digest)


def list_pieces(place: EntryPlace) -> Iterator[tuple[bytes, PiecePlace]]:
    """List the digests and places of an entry's pieces."""
    rows = list(_ROW.iter_unpack(place.pieces))
    start = place.start + place.size - sum(size for size, _, _ in rows)
    for size, crc, digest in rows:
        yield digest, PiecePlace(start, size, crc)
        start += size


def read_members(archive: IO[bytes], place: EntryPlace) -> Iterator[memoryview]:
    """Read the members at a place; raise if they are not those that were written there.

    Each view is good until the next one.
    """
    left, crc = place.size, 0
    # New memory for each would take as long as reading into it.
    buffer = memoryview(bytearray(min(left, _CHUNK_BYTES)))
    while left:
        data = _read_into(buffer[:left], archive, place.start + place.size - left)
        left -= len(data)
        crc = isal_zlib.crc32(data, crc)
        yield data
    _compare(crc, place.crc)


def read_run(archive: IO[bytes], run: Sequence[PiecePlace]) -> memoryview:
    """Read members that follow each other; raise if they are not those that were written there."""
    view = memoryview(bytearray(run[-1].start + run[-1].size - run[0].start))
    read = 0
    while read < len(view):
        read += len(_read_into(view[read:], archive, run[0].start + read))
    for place in run:
        start = place.start - run[0].start
        _compare(isal_zlib.crc32(view[start : start + place.size]), place.crc)
    return view


def _read_into(view: memoryview, archive: IO[bytes], start: int) -> memoryview:
    try:
        read = os.preadv(archive.fileno(), [view], start)
    except OSError as error:
        raise MemberCopyError(f"can't be read: {error.strerror}") from None
    if not read:
        raise MemberCopyError("ends too early")
    return view[:read]


def _compare(crc: int, expected: int) -> None:
    if crc != expected:
        raise MemberCopyError("its bytes changed since it was written")
