"""Profiling a stage's time and memory: `--profile-cpu` and `--profile-memory`.

Costs nothing without these options. With `--profile-memory`, functions marked with `@profile` (a builtin while the
pipeline runs, so no import is needed) are measured from call to end.
"""

import argparse
import contextlib
import functools
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.foundation.errors import UsageError
from engagement.foundation.files import open_bytes_for_writing, open_for_writing

if TYPE_CHECKING:
    from psutil import Process
    from pyinstrument.session import Session

log = logging.getLogger(__name__)

# Each sample keeps a stack: often enough for a stage of seconds, and not too many for one of an hour.
_SECONDS_BETWEEN_STACKS = 0.005
_SECONDS_BETWEEN_MEMORY_SAMPLES = 0.1
_MIB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a stage that can be profiled."""
    parser.add_argument(
        "--profile-cpu",
        type=Path,
        metavar="FILE",
        help="profile processor time: a web page, or FlameGraph stacks if FILE ends in .folded",
    )
    parser.add_argument(
        "--profile-memory", type=Path, metavar="FILE", help="record memory over time, for 'mprof plot FILE'"
    )


class Profiler:
    """Measures one run of a stage, as far as requested."""

    def __init__(self, cpu: Path | None = None, memory: Path | None = None):
        self._cpu = cpu
        self._memory = memory
        self._samples: int | None = None

    @classmethod
    def asked_for(cls, arguments: Sequence[str]) -> "Profiler":
        """Return the profiler requested on a stage's command line, ignoring the stage's own options."""
        parser = argparse.ArgumentParser(add_help=False)
        add_arguments(parser)
        given, _ = parser.parse_known_args(arguments)
        return cls(given.profile_cpu, given.profile_memory)

    def profile[**P, R](self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate as `@profile`: return the function itself, or one that records each call."""
        if self._memory is None:
            return function
        name = f"{function.__module__}.{function.__qualname__}"

        @functools.wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            before, started = _own_mebibytes(), time.time()
            try:
                return function(*args, **kwargs)
            finally:
                self._write(f"FUNC {name} {before:.4f} {started:.4f} {_own_mebibytes():.4f} {time.time():.4f}\n")

        return measured

    @contextlib.contextmanager
    def record(self, args: argparse.Namespace, name: str) -> Iterator[None]:
        """Measure the block, a run of stage `name`; write the profile even if the block fails."""
        for path in (self._cpu, self._memory):
            if path is not None and not path.parent.is_dir():
                raise UsageError(
                    f"{path}: no such directory; expected one for the profile. Create it, or name another."
                )
        if self._cpu is not None and getattr(args, "jobs", 1) != 1:
            # The profiler samples only one process; stacks of others would be missing.
            log.info("Profiling the processor's time: doing all work in one process (--jobs 1)")
            args.jobs = 1
        with self._record_memory(name), self._record_cpu(name):
            yield

    @contextlib.contextmanager
    def _record_cpu(self, name: str) -> Iterator[None]:
        if self._cpu is None:
            yield
            return
        from pyinstrument import Profiler as StackSampler
        from pyinstrument.renderers import HTMLRenderer

        sampler = StackSampler(interval=_SECONDS_BETWEEN_STACKS, async_mode="disabled")
        sampler.start(target_description=f"engagement {name}")
        try:
            yield
        finally:
            session = sampler.stop()
            with open_for_writing(self._cpu) as file:
                if self._cpu.suffix == ".folded":
                    file.writelines(f"{stack} {count}\n" for stack, count in sorted(fold_stacks(session).items()))
                else:
                    file.write(HTMLRenderer().render(session))
            log.info("Wrote the CPU profile: %s", self._cpu)

    @contextlib.contextmanager
    def _record_memory(self, name: str) -> Iterator[None]:
        if self._memory is None:
            yield
            return
        import multiprocessing

        failure = None
        with open_bytes_for_writing(self._memory) as file:
            self._samples = file.fileno()
            self._write(f"CMDLINE engagement {name}\n")
            # A separate process: a thread gets no turn while one call parses a large file, when memory grows most.
            context = multiprocessing.get_context("fork")
            sampler = context.Process(target=self._sample, args=(os.getpid(),), daemon=True)
            sampler.start()
            try:
                yield
            except BaseException as error:  # A failed run's profile matters all the more.
                failure = error
            sampler.terminate()
            sampler.join()
            self._sample_once(os.getpid())
            self._samples = None
        log.info("Wrote the memory profile: %s", self._memory)
        if failure is not None:
            raise failure

    def _sample(self, watched: int) -> None:
        # A terminal's Ctrl-C reaches this process, too.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        import psutil

        # The stage can be killed at any moment.
        with contextlib.suppress(psutil.NoSuchProcess):
            while os.getppid() == watched:
                self._sample_once(watched)
                time.sleep(_SECONDS_BETWEEN_MEMORY_SAMPLES)

    def _sample_once(self, watched: int) -> None:
        import psutil

        process = psutil.Process(watched)
        sampled = [process, *(child for child in process.children(recursive=True) if child.pid != os.getpid())]
        self._write(f"MEM {sum(map(_mebibytes, sampled)):.4f} {time.time():.4f}\n")

    def _write(self, line: str) -> None:
        # One write() call on a file that all processes share, so lines never mix. A full disk ends the profile, not
        # the stage.
        if self._samples is not None:
            with contextlib.suppress(OSError):
                os.write(self._samples, line.encode())


def fold_stacks(session: "Session") -> Counter[str]:
    """Sum the microseconds spent in each stack, outermost function first, in FlameGraph's format.

    A stack is `<file>:<function>;<file>:<function>…`.
    """
    stacks: Counter[str] = Counter()
    root = session.root_frame(trim_stem=False)
    unfinished: list[tuple[Any, tuple[str, ...]]] = [] if root is None else [(root, ())]
    while unfinished:
        frame, above = unfinished.pop()
        if not frame.is_synthetic:
            above = (*above, f"{frame.file_path_short}:{frame.function}".replace(";", ",").replace(" ", "_"))
        own = frame.time if not frame.children else frame.absorbed_time
        if round(own * 1e6):
            stacks[";".join(above)] += round(own * 1e6)
        unfinished += ((child, above) for child in frame.children)
    return stacks


def _own_mebibytes() -> float:
    import psutil

    return _mebibytes(psutil.Process())


def _mebibytes(process: "Process") -> float:
    import psutil

    try:
        return process.memory_info().rss / _MIB
    except psutil.Error:  # it has ended meanwhile
        return 0.0
