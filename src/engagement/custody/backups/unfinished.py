"""Archives that were never completed, as a backup was killed."""

import contextlib
import fcntl
from pathlib import Path

from engagement.custody.backups.names import find_unfinished
from engagement.foundation.files import explain_os_errors


def hold(descriptor: int) -> None:
    """Hold a file while writing it: a file that nobody holds is left over from a killed backup."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def remove_unfinished(backups: Path) -> list[Path]:
    """Remove unfinished archives that nobody is writing; return their paths."""
    removed = []
    for path in find_unfinished(backups):
        with explain_os_errors(path), path.open("rb") as file, contextlib.suppress(BlockingIOError):
            hold(file.fileno())
            path.unlink()
            removed.append(path)
    return removed
