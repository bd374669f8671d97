"""Files that several machines share: making sure that one machine sees what another one wrote.

A machine may see an old version of a file on a file system over a network, or none, for as long as it keeps what it knows of it:
NFS for up to a minute. So whoever sends work to another machine describes the files, and whoever gets it waits until it sees them so.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class SharedFile:
    """A file as one machine sees it; `modified` is in nanoseconds, or None where the size is enough.

    The size is enough for a file that is written once, under a name that no other had before.
    """

    path: Path
    size: int
    modified: int | None = None


def describe_new(path: Path) -> SharedFile:
    """Describe a file that is written once."""
    return SharedFile(path, path.stat().st_size)


def describe_old(path: Path) -> SharedFile:
    """Describe a file that had other versions, of which a machine may still see one."""
    status = path.stat()
    return SharedFile(path, status.st_size, status.st_mtime_ns)


def find_unseen(files: Iterable[SharedFile], seconds: float) -> str | None:
    """Wait until all files are seen as described; after so many seconds say which one is not."""
    deadline = time.monotonic() + seconds
    for file in files:
        while (problem := _find_difference(file)) is not None:
            if time.monotonic() >= deadline:
                return problem
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    return None


def _find_difference(file: SharedFile) -> str | None:
    try:
        # Opening a file, and not its status alone, makes NFS ask the server for its state.
        with file.path.open("rb") as opened:
            status = os.fstat(opened.fileno())
    except OSError as error:
        return f"{file.path}: {error.strerror}; expected a file of {file.size} bytes"
    if status.st_size != file.size:
        return f"{file.path}: {status.st_size} bytes; expected {file.size}"
    if file.modified not in (None, status.st_mtime_ns):
        return f"{file.path}: an older or newer version than that of the machine where the stage was started"
    return None
