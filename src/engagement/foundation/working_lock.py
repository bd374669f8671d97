"""The lock that a stage itself holds on its data root, beside its script's.

A container can outlive the script and the docker client that started it. The script's lock is free then, but this one is
not. It is a second file because the script holds the first one until its stage has ended: a container cannot inherit the
open file, and two locks on one file would wait for each other.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import LockedError
from engagement.foundation.files import explain_os_errors

# The script that starts a stage sets both: the file to lock, and the name of the stage's container or process.
_FILE = "ENGAGEMENT_LOCK_FILE"
_HOLDER = "ENGAGEMENT_LOCK_HOLDER"

# A killed stage's last processes end a moment after it.
_SECONDS_TO_WAIT = 2.0


@contextlib.contextmanager
def hold_working_lock(seconds: float = _SECONDS_TO_WAIT) -> Iterator[None]:
    """Hold the lock that the run script names, and write into it who holds it; without a name do nothing.

    Raises
    ------
    LockedError
        Another stage holds it.
    """
    name = os.environ.get(_FILE)
    if not name:
        yield
        return
    path = Path(name)
    with explain_os_errors(path):
        file = path.open("r+b", buffering=0)
    with file:
        if not _lock(file.fileno(), seconds):
            text = file.read(500).decode("utf-8", "replace")
            holder = "".join(character for character in text if character.isprintable())
            raise LockedError(
                f"{path.parent}: a stage is still working on this directory{': ' * bool(holder)}{holder}; expected none. "
                "Wait until it has ended, or end it ('docker rm --force' and the container's name), and run this again."
            )
        # Only for people to read: on a full disk the lock holds all the same.
        with contextlib.suppress(OSError):
            file.truncate()
            file.write(f"{os.environ.get(_HOLDER, '')}\n".encode("utf-8", "surrogateescape"))
        yield


@contextlib.contextmanager
def hold_data_root(data_root: Path) -> Iterator[None]:
    """Hold both locks of a data root, for a command that changes what stages read.

    Raises
    ------
    LockedError
        A stage is at work on it.
    """
    problem = f"{data_root}: a stage is at work on it; expected none. Wait until it has ended, and run this again."
    with hold_file(data_root / ".lock", problem), hold_file(data_root / ".working", problem):
        yield


@contextlib.contextmanager
def hold_file(path: Path, problem: str) -> Iterator[None]:
    """Hold a lock file, which is made where there is none, and stays.

    Raises
    ------
    LockedError
        Another process holds it: the problem says what is being done then.
    """
    with explain_os_errors(path):
        file = path.open("ab")
    with file:
        if not _lock(file.fileno(), _SECONDS_TO_WAIT):
            raise LockedError(problem)
        yield


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold a lock on a file that is made for it alone, for others to find locked."""
    with explain_os_errors(path), path.open("ab") as file:
        _lock(file.fileno(), 0)
        yield


def is_locked(path: Path) -> bool:
    """Tell whether another process, perhaps on another machine, holds a lock on a file."""
    with path.open("r+b") as file:
        return not _lock(file.fileno(), 0)


def _lock(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True
