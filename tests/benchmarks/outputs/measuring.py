"""How long a program takes, how much of the processors, and how much memory it and all that it starts have together."""

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

_ROOT = Path(__file__).resolve().parents[3]
_SECONDS_BETWEEN_LOOKS = 0.1
# Python writes no compiled code here, as under the run scripts, which do that themselves.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Measured:
    """`processor_seconds` are those of all processes together."""

    seconds: float
    processor_seconds: float
    peak_mebibytes: float


def measure_engagement(*arguments: str) -> Measured:
    """Run `python -m engagement`."""
    return measure([sys.executable, "-m", "engagement", *arguments])


def measure(command: Sequence[str | Path], **environment: str) -> Measured:
    """Run a program to its end; what it says is only shown when it fails."""
    has_ended = threading.Event()
    # A file, as nobody reads while the program is watched: a full pipe would stop it for ever.
    with tempfile.TemporaryFile("w+") as errors:
        # Beside the one that waits: it takes up to 0.1 s to see the end, which many programs do not run for.
        with ThreadPoolExecutor(1) as watcher:
            before, started = _processor_seconds(), time.perf_counter()
            with subprocess.Popen(
                command, env={**ENVIRONMENT, **environment}, stdout=subprocess.DEVNULL, stderr=errors, text=True
            ) as process:
                peak = watcher.submit(_watch, process.pid, has_ended)
                process.wait()
                seconds, processor_seconds = time.perf_counter() - started, _processor_seconds() - before
                has_ended.set()
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{command}: status {process.returncode}\n{errors.read()}")
    return Measured(seconds, processor_seconds, peak.result())


def take_best(run: Callable[[], Measured], times: int) -> Measured:
    """The least of several runs, number by number: what another program on the machine adds is never negative."""
    runs = [run() for _ in range(times)]
    return Measured(*(min(numbers) for numbers in zip(*((m.seconds, m.processor_seconds, m.peak_mebibytes) for m in runs), strict=True)))  # fmt: skip


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _watch(number: int, has_ended: threading.Event) -> float:
    peak = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        watched = psutil.Process(number)
        while not has_ended.is_set():
            peak = max(peak, sum(map(_bytes, [watched, *watched.children(recursive=True)])))
            has_ended.wait(_SECONDS_BETWEEN_LOOKS)
    return peak / 2**20


def _bytes(process: psutil.Process) -> int:
    """A process's memory; what it shares with others is shared out among them, where the system tells."""
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return getattr(memory, "pss", 0) or memory.rss
