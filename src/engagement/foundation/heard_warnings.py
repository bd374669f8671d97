"""Hear what a program warns of, to say it again when its work need not be done again."""

import contextlib
import logging
from collections.abc import Collection, Iterator


@contextlib.contextmanager
def hear_warnings(besides: Collection[str] = ()) -> Iterator[list[str]]:
    """Collect the warnings of the program's own modules during the block.

    `besides` are loggers not to listen to.
    """
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name not in besides:
                heard.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("engagement")
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
