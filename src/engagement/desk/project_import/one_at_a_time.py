"""Let imports into the same place take turns.

Two at once would remove each other's half-written folders.
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

log = logging.getLogger(__name__)


@contextlib.contextmanager
def wait_for_turn(folders: Sequence[Path]) -> Iterator[None]:
    """Hold the places where folders will appear; wait for other imports into them.

    The lock is on the directories themselves, so that nothing is left behind, also by a kill.
    """
    with contextlib.ExitStack() as stack:
        # In one order, so that two imports never wait for each other.
        for place in sorted({_find_existing(folder.absolute().parent) for folder in folders}):
            descriptor = os.open(place, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.info("Waiting for another import into %s", place)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _find_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir()).resolve()
