"""Splitting work by participant, and running the parts on processes.

A partition is all data of the participants whose hashed uid lies in one of `count` equal ranges. The ranges are
contiguous, so results ordered by hashed uid only need concatenating, whatever the number of partitions.
"""

import gc
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engagement.foundation.errors import MachineError

log = logging.getLogger(__name__)


def hash_uid(uid: str) -> str:
    """Return the SHA-256 of a participant's uid as hex: the order of participants in the traced data."""
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def parse_count(text: str) -> int:
    """Parse a number of partitions or processes from a command line.

    Raises
    ------
    ValueError
        It is not a whole number of at least 1.
    """
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def run_partitions[R](process: Callable[[int], R], count: int, jobs: int) -> Iterator[R]:
    """Run `process(0)` to `process(count - 1)` on `jobs` processes; yield results in order.

    With one job or at most one partition, everything runs in this process. Otherwise, forked processes inherit
    `process` and what it refers to, and only send back results. Processes that are started afresh could not: it refers to
    arrays that would have to be copied, and to the project's own code.

    A fork is safe only while there is no other thread, which may hold a lock that its copy would wait for. The stages have
    none, see `__main__` and `progress`; where there is one all the same, this process does the work alone.
    """
    is_alone = jobs == 1 or count <= 1
    if not is_alone and has_other_threads():
        log.warning("Working on 1 process, not %d: this one has other threads, which makes a fork unsafe", jobs)
        is_alone = True
    if is_alone:
        yield from (run_one(process, number) for number in range(count))
        return
    # Imported here, as they take a twelfth of a quiet stage, which starts no processes.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    from engagement.foundation.child_processes import end_with_parent

    def inherit(parent: int) -> None:
        end_with_parent(parent)
        _inherited[:] = [process]

    try:
        with ProcessPoolExecutor(
            min(jobs, count),
            multiprocessing.get_context("fork"),
            initializer=inherit,
            initargs=(os.getpid(),),
        ) as pool:
            yield from pool.map(_run_inherited, range(count))
    except BrokenProcessPool:
        raise MachineError(
            "Processes: one of them was killed, most likely because memory ran out. "
            "Run this again with more --partitions or fewer --jobs."
        ) from None
    except OSError as error:
        raise MachineError(
            f"Processes: could not start {jobs} of them: {error.strerror}. Run this again with --jobs 1."
        ) from error


def run_tasks[R](tasks: Sequence[Callable[[], R]], jobs: int) -> Iterator[R]:
    """Run tasks that depend on none of the others, as `run_partitions` does."""
    return run_partitions(lambda number: tasks[number](), len(tasks), jobs)


def has_other_threads() -> bool:
    """Tell whether this process has a thread besides the one that asks, be it Python's or a library's.

    A thread that was joined, as those of a pool that was closed, can still be listed for a moment: it gets a second to end.
    """
    deadline = time.monotonic() + 1
    while len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        if threading.active_count() > 1 or time.monotonic() > deadline:
            return True
        time.sleep(0.001)
    return False


_inherited: list[Callable[[int], Any]] = []


def _run_inherited(number: int) -> Any:
    return run_one(_inherited[0], number)


def run_one[R](process: Callable[[int], R], number: int) -> R:
    """Run one part of the work.

    No reference cycles arise, so garbage collection would waste 10 % of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return process(number)
    finally:
        if was_enabled:
            gc.enable()
