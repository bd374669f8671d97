"""Running partitions on a Dask cluster whose machines share one file system at the same paths.

The client writes the work to a folder on that file system; each worker process reads it there once, and leaves its
results there. So participants' texts never go through Dask's connections, which are only encrypted if so configured, or
into its logs: only paths, numbers and digests do.

A worker can be lost at any moment, or be thought lost while still working; its partitions then run again elsewhere.
Each try has its own folder, and the client uses the files of the try that reports its end.
"""

import contextlib
import functools
import gc
import hashlib
import mmap
import os
import pickle
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from engagement.foundation.errors import MachineError, ServiceError, listing
from engagement.foundation.files import explain_os_errors
from engagement.foundation.own_code import describe_own_code
from engagement.foundation.partitions import run_one

if TYPE_CHECKING:
    from distributed import Client, Future

_PROCESS, _RESULT = "process", "result"
_SECONDS_TO_CONNECT = 10
_SECONDS_BETWEEN_LOOKS = 10
# The time that a machine may take to restart.
_SECONDS_WITHOUT_WORKERS = 300


@dataclass(frozen=True)
class _Job:
    """Instructions for a worker: the process, its digest and arrays, and the code that may run it."""

    folder: Path
    digest: str
    arrays: int
    code: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Attempt:
    """A worker's report on a partition: the folder with the output, and the digest of the result in it."""

    folder: Path
    digest: str


def count_workers(scheduler: str) -> int:
    """Return how many partitions a cluster runs at a time; `scheduler` is like `tcp://10.0.0.5:8786`.
    Raises
    ------
    ServiceError
        The scheduler can't be reached, or has no worker.
    MachineError
        Dask is not installed.
    """
    with _connect(scheduler) as client:
        return sum(client.nthreads().values())


def run_on_cluster[R](
    process: Callable[..., R], count: int, scratch: Path, scheduler: str, carried: Sequence[ModuleType] = ()
) -> Iterator[R]:
    """Run `process(scratch=…, number=0)` to `number=count - 1` on a cluster; yield results in order.

    `process` is pickled, and leaves its files in the folder it gets as `scratch`; when its result is yielded, they are
    in this function's own `scratch`. The modules in `carried` are sent along, as workers can't import them.

    Raises
    ------
    ServiceError
        The scheduler can't be reached, a worker runs other code or sees another file system, or all workers are gone.
    MachineError
        A partition ended several workers, or Dask is not installed.
    """
    with _connect(scheduler) as client, _job_folder(scratch) as folder:
        job = _write_process(folder, process, carried)
        _refuse_unfit_workers(client, scheduler, job)
        futures = [
            client.submit(_run, job, number, key=f"{folder.name}-{number}", pure=False) for number in range(count)
        ]
        try:
            for number, future in enumerate(futures):
                result = _take_over(_wait_for(client, scheduler, future, number), scratch)
                # This makes the scheduler forget it, so nothing is run again.
                future.release()
                yield result
        finally:
            # Frees the workers' memory; if the scheduler is gone, so are they.
            with contextlib.suppress(Exception):
                client.cancel(futures, force=True)
                client.run(_read_process.cache_clear)


@contextlib.contextmanager
def _connect(scheduler: str) -> "Iterator[Client]":
    try:
        # An optional dependency that takes half a second to import.
        from distributed import Client
    except ImportError:
        raise MachineError(
            "Dask is not installed; expected it for --scheduler. Run the stage with its run script, or install it with "
            "'pipenv sync --categories cluster'."
        ) from None
    client = None
    try:
        client = Client(scheduler, timeout=_SECONDS_TO_CONNECT)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        # The last two without certificates, or with a plain address where encryption is required.
        reason = str(error) or type(error).__name__
    if client is None:
        # Close its remains now: if found while creating another client, they would block forever.
        gc.collect()
        raise _unreachable(scheduler, reason)
    try:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
        except TimeoutError:
            raise ServiceError(
                f"Dask scheduler {scheduler}: it has no workers; expected at least one. Start workers and run this again."
            ) from None
        yield client
    finally:
        client.close(timeout=_SECONDS_TO_CONNECT)


@contextlib.contextmanager
def _job_folder(scratch: Path) -> Iterator[Path]:
    """Create a folder unknown to workers that earlier runs may have left behind; remove it at the end."""
    with explain_os_errors(scratch):
        folder = Path(tempfile.mkdtemp(prefix="cluster.", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_unfit_workers(client: "Client", scheduler: str, job: _Job) -> None:
    problems = []
    for worker, problem in sorted(client.run(_find_unfitness, job, on_error="return").items()):
        if isinstance(problem, BaseException):
            # If the worker's code predates this module, it can't even be asked.
            problem = f"it can't run this pipeline's code ({type(problem).__name__})"
        if problem is not None:
            problems.append(f"worker {worker}: {problem}")
    if problems:
        raise ServiceError(
            f"Dask scheduler {scheduler}: {listing(problems)}\n"
            "Every machine needs the same commit of this project, its virtual environment, and the data root under the same "
            "path. Fix the workers, restart them, and run this again."
        )


def _wait_for(client: "Client", scheduler: str, future: "Future[_Attempt]", number: int) -> _Attempt:
    """Wait for a partition's outcome."""
    # An optional dependency, as above.
    from distributed import CancelledError, KilledWorker, wait

    lost = _unreachable(scheduler, "the connection broke during the work")
    seconds_alone = 0
    try:
        while not future.done():
            try:
                wait([future], timeout=_SECONDS_BETWEEN_LOOKS)
            except TimeoutError:
                seconds_alone = 0 if _has_workers(client, lost) else seconds_alone + _SECONDS_BETWEEN_LOOKS
            if seconds_alone >= _SECONDS_WITHOUT_WORKERS:
                raise ServiceError(
                    f"Dask scheduler {scheduler}: it has no workers any more; expected some to come back within "
                    f"{_SECONDS_WITHOUT_WORKERS} s. Start workers and run this again."
                )
        attempt: _Attempt = future.result()
        return attempt
    except CancelledError:
        raise lost from None
    except KilledWorker:
        raise MachineError(
            f"Dask scheduler {scheduler}: partition {number} killed several workers in a row, most likely because "
            "memory ran out. Run this again with more --partitions, or give the workers more memory."
        ) from None


def _has_workers(client: "Client", lost: ServiceError) -> bool:
    try:
        return bool(client.nthreads())
    except OSError:
        raise lost from None


def _unreachable(scheduler: str, reason: str) -> ServiceError:
    return ServiceError(
        f"Dask scheduler {scheduler}: it can't be reached: {reason}; expected one at that address, like tcp://10.0.0.5:8786. "
        "Check the address, the firewall and that it is running, and run this again."
    )


# The client runs the following functions, on the shared folder.


def _write_process(folder: Path, process: Callable[..., Any], carried: Sequence[ModuleType]) -> _Job:
    """Write a process to disk.

    Its large arrays go into files of their own, so a worker reads only what it needs.
    """
    # Installed with Dask.
    import cloudpickle

    arrays: list[pickle.PickleBuffer] = []
    try:
        for module in carried:
            cloudpickle.register_pickle_by_value(module)
        pickled = cloudpickle.dumps(process, protocol=5, buffer_callback=arrays.append)
    finally:
        for module in carried:
            cloudpickle.unregister_pickle_by_value(module)
    for number, content in enumerate((pickled, *(array.raw() for array in arrays))):
        with explain_os_errors(folder), _process_path(folder, number).open("wb") as file:
            file.write(content)
    return _Job(folder, hashlib.sha256(pickled).hexdigest(), len(arrays), describe_own_code())


def _take_over(attempt: _Attempt, scratch: Path) -> Any:
    """Move the files of a successful try into `scratch`; return its result."""
    with explain_os_errors(scratch):
        pickled = (attempt.folder / _RESULT).read_bytes()
        if hashlib.sha256(pickled).hexdigest() != attempt.digest:
            raise ServiceError(
                f"{attempt.folder}: the result differs from what the worker wrote; expected one file system that all machines see. Check "
                "how it is mounted, and run this again."
            )
        (attempt.folder / _RESULT).unlink()
        for path in attempt.folder.iterdir():
            path.replace(scratch / path.name)
        attempt.folder.rmdir()
    return pickle.loads(pickled)  # noqa: S301  # the worker's own, by its digest


# Workers run the following functions.


def _find_unfitness(job: _Job) -> str | None:
    """Return the reason why this process must not run a job; None if it may."""
    own, expected = dict(describe_own_code()), dict(job.code)
    others = [f"{name} is {own.get(name)}" for name in expected if own.get(name) != expected[name]]
    if others:
        wanted = ", ".join(f"{name} {expected[name]}" for name in expected if own.get(name) != expected[name])
        return f"its {', its '.join(others)}; expected {wanted}"
    try:
        pickled = _process_path(job.folder, 0).read_bytes()
    except OSError as error:
        return f"it can't read {job.folder}: {error.strerror}; expected the data root under the same path"
    if hashlib.sha256(pickled).hexdigest() != job.digest:
        return f"it sees other files in {job.folder}; expected the same data root under the same path"
    return None


@functools.lru_cache(maxsize=1)
def _read_process(job: _Job) -> Callable[..., Any]:
    # A worker that joined late was not checked before.
    problem = _find_unfitness(job)
    if problem is not None:
        raise ServiceError(f"Dask worker on {platform.node()}: {problem}. Fix it, restart it, and run this again.")
    arrays = [_map(_process_path(job.folder, number)) for number in range(1, job.arrays + 1)]
    pickled = _process_path(job.folder, 0).read_bytes()
    process: Callable[..., Any] = pickle.loads(pickled, buffers=arrays)  # noqa: S301  # the client's own, by its digest
    return process


def _map(path: Path) -> bytes | mmap.mmap:
    with path.open("rb") as file:
        # Empty files can't be mapped.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(file.fileno()).st_size else b""


def _run(job: _Job, number: int) -> _Attempt:
    """Run one partition."""
    process = _read_process(job)
    os.umask(0o077)
    with explain_os_errors(job.folder):
        folder = Path(tempfile.mkdtemp(prefix=f"{number}.", dir=job.folder))
    pickled = pickle.dumps(run_one(lambda part: process(scratch=folder, number=part), number))
    with explain_os_errors(folder):
        (folder / _RESULT).write_bytes(pickled)
    return _Attempt(folder, hashlib.sha256(pickled).hexdigest())


def _process_path(folder: Path, number: int) -> Path:
    return folder / f"{_PROCESS}.{number}"
