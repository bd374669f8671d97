"""Replacing a whole folder at once, so that one complete version exists at every moment."""

import contextlib
import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.files import explain_os_errors, make_directory
from engagement.foundation.odd_paths import follow_link

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def replace_folder(current: Path) -> Iterator[Path]:
    """Give an empty folder for the next version of `current`; swap it in on success, else remove it.

    It stands beside `current`, as `<name>.partial`; beside its target if it is a link, perhaps to another disk. Whenever this
    is killed, one complete version exists, at the latest after the next call has cleaned up.
    """
    complete_replacement(current)
    current = follow_link(current)
    building, aside = _folders_beside(current)
    try:
        yield make_directory(building)
        with explain_os_errors(current):
            _swap_in(building, current, aside)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def complete_replacement(current: Path) -> None:
    """Complete a replacement of `current` that was killed, or remove its remains.

    For whoever keeps the folder that is there: beside it may be the one before, with data that should be gone.
    """
    current = follow_link(current)
    building, aside = _folders_beside(current)
    with explain_os_errors(current):
        # The old folder is only moved aside once the new one is complete.
        if not current.exists() and aside.exists():
            (building if building.exists() else aside).rename(current)
        for left_over in (aside, building):
            if left_over.exists():
                shutil.rmtree(left_over)


def _folders_beside(current: Path) -> tuple[Path, Path]:
    return current.with_name(current.name + ".partial"), current.with_name(current.name + ".old")


def _swap_in(building: Path, current: Path, aside: Path) -> None:
    """Exchange the two in one step if the file system can; otherwise move the old folder aside first."""
    if not current.exists():
        building.rename(current)
    elif _exchange(building, current):
        shutil.rmtree(building)
    else:
        current.rename(aside)
        building.rename(current)
        shutil.rmtree(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two paths in one step; return False if the kernel or the file system can't."""
    # The C library is already loaded; searching for its file would start two programs.
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    done = library.renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM):
        return False
    raise OSError(number, os.strerror(number), str(second))
