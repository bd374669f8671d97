"""Work for a Dask cluster: write it to the shared folder, run it on a worker, take over the results.

The worker checks that it sees the files that it needs as the client does, and the client that it sees the worker's results.
"""

import functools
import hashlib
import mmap
import os
import pickle
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from engagement.foundation.errors import ServiceError
from engagement.foundation.files import explain_os_errors
from engagement.foundation.own_code import describe_own_code
from engagement.foundation.partitions import run_one
from engagement.foundation.shared_files import SharedFile, describe_new, find_unseen
from engagement.foundation.working_lock import is_locked

_PROCESS, _RESULT, _LOCK, _ANSWER = "process", "result", "lock", "answer"
_SHARING = "See docs/cluster.md on what the file system must offer, check how it is mounted, and run this again."


@dataclass(frozen=True)
class Job:
    """Instructions for a worker: the process, its digest, arrays and files, and the code that may run it.

    A file that is not seen at once is waited for, `patience` seconds.
    """

    folder: Path
    digest: str
    files: tuple[SharedFile, ...]
    code: tuple[tuple[str, str], ...]
    patience: float


@dataclass(frozen=True)
class Fitness:
    """A worker's answer whether it can run a job: a problem, or a file that the client must see."""

    problem: str | None
    answer: SharedFile | None = None


@dataclass(frozen=True)
class Attempt:
    """A worker's report on a partition: the output's folder and files, and the result's digest."""

    folder: Path
    files: tuple[SharedFile, ...]
    digest: str


# The client runs the following functions, on the shared folder.


def write_job(folder: Path, process: Callable[..., Any], carried: Sequence[ModuleType], patience: float) -> Job:
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
    files = []
    for number, content in enumerate((pickled, *(array.raw() for array in arrays))):
        path = folder / f"{_PROCESS}.{number}"
        with explain_os_errors(folder):
            with path.open("wb") as file:
                file.write(content)
            files.append(describe_new(path))
    return Job(folder, hashlib.sha256(pickled).hexdigest(), tuple(files), describe_own_code(), patience)


def lock_path(folder: Path) -> Path:
    """Return the path of the file that the client locks: a worker must find it locked."""
    return folder / _LOCK


def find_unseen_answer(job: Job, answer: SharedFile) -> str | None:
    """Say why the client does not see what a worker wrote; None if it does."""
    problem = find_unseen([answer], job.patience)
    if problem is None and answer.path.read_bytes() != job.digest.encode():
        problem = f"{answer.path}: other content than the worker wrote"
    return problem


def take_over(job: Job, attempt: Attempt, scratch: Path) -> Any:
    """Move the files of a successful try into `scratch`; return its result."""
    with explain_os_errors(scratch):
        problem = find_unseen(attempt.files, job.patience)
        if problem is not None:
            raise ServiceError(
                f"A worker's output is not seen {job.patience:g} s after it was written: {problem}. {_SHARING}"
            )
        result = attempt.folder / _RESULT
        pickled = result.read_bytes()
        if hashlib.sha256(pickled).hexdigest() != attempt.digest:
            raise ServiceError(
                f"{attempt.folder}: the result differs from what the worker wrote; expected one file system that all machines see. "
                f"{_SHARING}"
            )
        # By name, as what a folder holds may be known later than what is in its files.
        for file in attempt.files:
            if file.path != result:
                file.path.replace(scratch / file.path.name)
    shutil.rmtree(attempt.folder, ignore_errors=True)
    return pickle.loads(pickled)  # noqa: S301  # the worker's own, by its digest


# Workers run the following functions.


def find_fitness(job: Job) -> Fitness:
    """Find out whether this process can run a job, and leave a file for the client if it can."""
    problem = _find_unfitness(job)
    if problem is not None:
        return Fitness(problem)
    os.umask(0o077)
    try:
        if not is_locked(lock_path(job.folder)):
            return Fitness(
                f"its locks on {job.folder} are its own; expected those of other machines to be seen, as with NFS 4, or NFS 3 without 'nolock'"
            )
        descriptor, name = tempfile.mkstemp(prefix=f"{_ANSWER}.", dir=job.folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(job.digest.encode())
        return Fitness(None, describe_new(Path(name)))
    except OSError as error:
        return Fitness(f"it can't write or lock files in {job.folder}: {error.strerror}; expected write permission")


def _find_unfitness(job: Job) -> str | None:
    """Return the reason why this process must not run a job; None if it may."""
    own, expected = dict(describe_own_code()), dict(job.code)
    others = [f"{name} is {own.get(name)}" for name in expected if own.get(name) != expected[name]]
    if others:
        wanted = ", ".join(f"{name} {expected[name]}" for name in expected if own.get(name) != expected[name])
        return f"its {', its '.join(others)}; expected {wanted}"
    problem = find_unseen(job.files, job.patience)
    if problem is not None:
        return f"it does not see the stage's files after {job.patience:g} s: {problem}, with the data root under the same path"
    if hashlib.sha256(job.files[0].path.read_bytes()).hexdigest() != job.digest:
        return f"it sees other files in {job.folder}; expected the same data root under the same path"
    return None


@functools.lru_cache(maxsize=1)
def read_process(job: Job) -> Callable[..., Any]:
    """Read the process of a job, once for all partitions."""
    # A worker that joined late was not checked before.
    problem = find_fitness(job).problem
    if problem is not None:
        raise ServiceError(f"Dask worker on {platform.node()}: {problem}. Fix it, restart it, and run this again.")
    first, *others = (file.path for file in job.files)
    process: Callable[..., Any] = pickle.loads(first.read_bytes(), buffers=[_map(path) for path in others])  # noqa: S301  # the client's own, by its digest
    return process


def _map(path: Path) -> bytes | mmap.mmap:
    with path.open("rb") as file:
        # Empty files can't be mapped.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if os.fstat(file.fileno()).st_size else b""


def run_on_worker(job: Job, number: int, reads: Iterable[SharedFile]) -> Attempt:
    """Run one partition, which reads those files."""
    process = read_process(job)
    problem = find_unseen(reads, job.patience)
    if problem is not None:
        raise ServiceError(
            f"Dask worker on {platform.node()}: it does not see the stage's files after {job.patience:g} s: {problem}. {_SHARING}"
        )
    os.umask(0o077)
    with explain_os_errors(job.folder):
        folder = Path(tempfile.mkdtemp(prefix=f"{number}.", dir=job.folder))
    pickled = pickle.dumps(run_one(lambda part: process(scratch=folder, number=part), number))
    with explain_os_errors(folder):
        (folder / _RESULT).write_bytes(pickled)
        files = tuple(describe_new(path) for path in sorted(folder.iterdir()))
    return Attempt(folder, files, hashlib.sha256(pickled).hexdigest())
