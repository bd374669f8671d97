"""Processes that draw pictures while the caller goes on with other work, and then helps them."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from engagement.foundation.child_processes import end_with_parent
from engagement.foundation.errors import MachineError

_FEWEST_FOR_PROCESSES = 6  # fewer take less time than starting a second process


class Drawers:
    """Draws `jobs` pictures at a time; leaving its context waits for all of them.

    Then it draws those that no process has begun. This process is one of the jobs: another in its place would have to load, measure and draw the same first.
    A few pictures, and those of a single job, are drawn at once.

    Raises
    ------
    MachineError
        On leaving: the disk is full, or a process was killed.
    """

    def __init__(self, jobs: int) -> None:
        """Start no process yet: perhaps no picture changed."""
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._drawn: list[tuple[Future[None], Callable[[], None]]] = []
        self._finishing: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def draw[W](self, draw_one: Callable[[W], None], work: Sequence[W], finish: Callable[[], None]) -> None:
        """Begin to draw, the longest descriptions first; call `finish` when all are drawn.

        A long picture that began last would keep one process at work while the others have nothing to do.
        """
        self._finishing.append(finish)
        if self._jobs == 1 or (self._pool is None and len(work) < _FEWEST_FOR_PROCESSES):
            for item in work:
                draw_one(item)
            return
        if self._pool is None:
            # Not forked: this process already has threads, which makes a fork unsafe.
            self._pool = ProcessPoolExecutor(
                self._jobs - 1,
                multiprocessing.get_context("spawn"),
                initializer=end_with_parent,
                initargs=(os.getpid(),),
            )
        try:
            for item in sorted(work, key=lambda item: len(repr(item)), reverse=True):
                self._drawn.append((self._pool.submit(draw_one, item), functools.partial(draw_one, item)))
        except BrokenProcessPool:
            raise _say_killed() from None

    def wait(self) -> None:
        """Draw what no process has begun, wait for the rest, and end the processes.

        With them goes the memory that they hold.
        """
        try:
            # From the end, where the short descriptions are: the process that began last should end soon.
            for drawn, draw_here in reversed(self._drawn):
                if drawn.cancel():
                    draw_here()
            for drawn, _ in self._drawn:
                if not drawn.cancelled():
                    drawn.result()
        except BrokenProcessPool:
            raise _say_killed() from None
        finally:
            self._end()
        for finish in self._finishing:
            finish()
        self._drawn, self._finishing = [], []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait; after an error of the caller's only for the pictures that are being drawn."""
        if kind is None:
            self.wait()
        else:
            self._end()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _say_killed() -> MachineError:
    return MachineError(
        "Processes: one of them was killed, most likely because memory ran out. Run this again with fewer --jobs."
    )
