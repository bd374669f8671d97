"""Let imports into the same place take turns.

Two at once would remove each other's half-written folders.
"""

import contextlib
import functools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from engagement.foundation.files import hold_directory

log = logging.getLogger(__name__)


@contextlib.contextmanager
def wait_for_turn(folders: Sequence[Path]) -> Iterator[None]:
    """Hold the places where folders will appear; wait for other imports into them."""
    with contextlib.ExitStack() as stack:
        # In one order, so that two imports never wait for each other.
        for place in sorted({_find_existing(folder.absolute().parent) for folder in folders}):
            say_waiting = functools.partial(log.info, "Waiting for another import into %s", place)
            stack.enter_context(hold_directory(place, say_waiting))
        yield


def _find_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.is_dir()).resolve()
