"""Writing gzip on all processors: blocks are compressed in parallel, each a member of the gzip file.

Every gzip reader treats several members as one stream (RFC 1952, 2.2). Threads suffice, because zlib releases the
interpreter while it works.
"""

import gzip
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

_BLOCK_BYTES = 4 * 2**20
_LEVEL = 6


@contextmanager
def write_gzip(file: IO[bytes], threads: int) -> Iterator["GzipBlocks"]:
    """Compress the block's output into `file`, holding at most twice as many blocks as threads."""
    with ThreadPoolExecutor(threads) as pool:
        blocks = GzipBlocks(file, pool, 2 * threads)
        yield blocks
        blocks.finish()


class GzipBlocks:
    """A binary file for writing."""

    def __init__(self, file: IO[bytes], pool: ThreadPoolExecutor, most_blocks: int):
        self._file = file
        self._pool = pool
        self._most_blocks = most_blocks
        self._block = bytearray()
        self._under_way: deque[Future[bytes]] = deque()

    def write(self, data: bytes) -> int:
        """Accept some bytes."""
        self._block += data
        if len(self._block) >= _BLOCK_BYTES:
            self._compress_block()
        return len(data)

    def finish(self) -> None:
        """Write the rest; an empty input gives an empty gzip file."""
        self._compress_block()
        while self._under_way:
            self._file.write(self._under_way.popleft().result())

    def _compress_block(self) -> None:
        # No time is written, so the same data gives the same archive.
        self._under_way.append(self._pool.submit(gzip.compress, bytes(self._block), _LEVEL, mtime=0))
        self._block.clear()
        while len(self._under_way) > self._most_blocks:
            self._file.write(self._under_way.popleft().result())
