"""Hear what a program warns of, to say it again when its work need not be done again."""

import contextlib
import io
import json
import logging
import os
from collections.abc import Collection, Iterator


class HeardWarnings(logging.Handler):
    """The warnings so far, also those of processes that were forked meanwhile."""

    def __init__(self, besides: Collection[str]) -> None:
        """`besides` are loggers not to listen to."""
        super().__init__(logging.WARNING)
        self._besides = besides
        # A file in memory: a forked process has the same one, and appends to it.
        self._file = io.FileIO(os.memfd_create("heard warnings"), "r+")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        if record.name not in self._besides:
            self._file.write(f"{json.dumps(record.getMessage())}\n".encode())

    def list_all(self) -> list[str]:
        """List them, in the order in which they were said."""
        number = self._file.fileno()
        content = os.pread(number, os.fstat(number).st_size, 0)
        return [json.loads(line) for line in content.split(b"\n") if line]

    def close(self) -> None:
        """Forget them."""
        self._file.close()
        super().close()


@contextlib.contextmanager
def hear_warnings(besides: Collection[str] = ()) -> Iterator[HeardWarnings]:
    """Hear the warnings of the program's own modules during the block, but for the loggers `besides`."""
    heard, logger = HeardWarnings(besides), logging.getLogger("engagement")
    logger.addHandler(heard)
    try:
        yield heard
    finally:
        logger.removeHandler(heard)
        heard.close()
