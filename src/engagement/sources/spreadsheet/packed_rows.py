"""Rows packed in memory: a twentieth of what they take as objects. None of it is on the disk."""

import zlib
from collections import deque
from collections.abc import Iterator

import msgspec

_ROWS_A_BLOCK = 500


class PackedRows[Row]:
    """Rows of one type, a named tuple, in the order in which they were added."""

    def __init__(self, row_type: type[Row]):
        self._blocks: deque[bytes] = deque()
        self._last: list[Row] = []
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[list[Row]] = msgspec.msgpack.Decoder(list[row_type])  # type: ignore[valid-type] # a type that is an argument
        self._count = 0

    def __len__(self) -> int:
        """Return how many were added."""
        return self._count

    def add(self, row: Row) -> None:
        """Add a row."""
        self._count += 1
        self._last.append(row)
        if len(self._last) == _ROWS_A_BLOCK:
            self._blocks.append(zlib.compress(self._encoder.encode(self._last), level=1))
            self._last = []

    def take(self) -> Iterator[list[Row]]:
        """Yield the rows in batches; they are gone then."""
        while self._blocks:
            yield self._decoder.decode(zlib.decompress(self._blocks.popleft()))
        if self._last:
            last, self._last = self._last, []
            yield last
