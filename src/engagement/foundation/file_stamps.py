"""Tell from a file's size, times and inode whether it is as it was, as git's index does.

Such a file need not be read again. A stamp is believed only if the file had been left alone for a while when it was taken. Whoever believes stamps reads everything
once in a while.
"""

from collections.abc import Sequence
from pathlib import Path

# After as many times that believed stamps, one reads everything.
FULL_AFTER = 6
# A file may change again within a tick of the file system's clock, and look the same. The coarsest ticks are of two seconds.
TICK_NANOSECONDS = 2 * 10**9


def stamp_of(path: Path) -> list[int]:
    """Return numbers that change whenever a file does: its size, times of change, and inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def is_settled(stamp: Sequence[int], at: int) -> bool:
    """Tell whether a file had been left alone for more than a tick at a time, in nanoseconds.

    >>> is_settled([5, 10**9, 10**9, 7], at=4 * 10**9), is_settled([5, 10**9, 3 * 10**9, 7], at=4 * 10**9)
    (True, False)
    """
    return max(stamp[1:3]) + TICK_NANOSECONDS < at
