"""Running partitions on a Dask cluster whose machines share one file system at the same paths.

The client writes the work to a folder on that file system; each worker process reads it there once, and leaves its
results there. So participants' texts never go through Dask's connections, which are only encrypted if so configured, or
into its logs: only paths, numbers and digests do.

A worker can be lost at any moment, or be thought lost while still working; its partitions then run again elsewhere.
Each try has its own folder, and the client uses the files of the try that reports its end.
"""

import contextlib
import gc
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from engagement.foundation.cluster_jobs import (
    Attempt,
    Fitness,
    Job,
    find_fitness,
    find_unseen_answer,
    lock_path,
    read_process,
    run_on_worker,
    take_over,
    write_job,
)
from engagement.foundation.errors import MachineError, ServiceError, listing
from engagement.foundation.files import explain_os_errors
from engagement.foundation.shared_files import describe_old
from engagement.foundation.working_lock import hold_lock

if TYPE_CHECKING:
    from distributed import Client, Future

_SECONDS_TO_CONNECT = 10
_SECONDS_BETWEEN_LOOKS = 10
# The time that a machine may take to restart.
_SECONDS_WITHOUT_WORKERS = 300
# The time after which a machine sees what another one wrote: NFS keeps what it knows for a minute at most, by default.
_SECONDS_TO_SEE = 75.0


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
    process: Callable[..., R],
    count: int,
    scratch: Path,
    scheduler: str,
    carried: Sequence[ModuleType] = (),
    reads: Callable[[int], Iterable[Path]] = lambda number: (),
) -> Iterator[R]:
    """Run `process(scratch=…, number=0)` to `number=count - 1` on a cluster; yield results in order.

    `process` is pickled, and leaves its files in the folder it gets as `scratch`; when its result is yielded, they are
    in this function's own `scratch`. The modules in `carried` are sent along, as workers can't import them. `reads` lists the
    files that a number needs: it only runs where they are seen as they are here.

    Raises
    ------
    ServiceError
        The scheduler can't be reached, a worker runs other code or sees other files, or all workers are gone.
    MachineError
        A partition ended several workers, or Dask is not installed.
    """
    with _connect(scheduler) as client, _job_folder(scratch) as folder, hold_lock(lock_path(folder)):
        job = write_job(folder, process, carried, _SECONDS_TO_SEE)
        _refuse_unfit_workers(client, scheduler, job)
        with explain_os_errors(scratch):
            files = [tuple(map(describe_old, reads(number))) for number in range(count)]
        futures = [
            client.submit(run_on_worker, job, number, files[number], key=f"{folder.name}-{number}", pure=False)
            for number in range(count)
        ]
        try:
            for number, future in enumerate(futures):
                result = take_over(job, _wait_for(client, scheduler, future, number), scratch)
                # This makes the scheduler forget it, so nothing is run again.
                future.release()
                yield result
        finally:
            # Frees the workers' memory; if the scheduler is gone, so are they.
            with contextlib.suppress(Exception):
                client.cancel(futures, force=True)
                client.run(read_process.cache_clear)


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


def _refuse_unfit_workers(client: "Client", scheduler: str, job: Job) -> None:
    problems = []
    for worker, fitness in sorted(client.run(find_fitness, job, on_error="return").items()):
        if isinstance(fitness, Fitness):
            problem = fitness.problem
            if fitness.answer is not None:
                unseen = find_unseen_answer(job, fitness.answer)
                problem = unseen and f"what it writes is not seen by the machine where the stage was started: {unseen}"
        else:
            # If the worker's code predates this module, it can't even be asked.
            problem = f"it can't run this pipeline's code ({type(fitness).__name__})"
        if problem is not None:
            problems.append(f"worker {worker}: {problem}")
    if problems:
        raise ServiceError(
            f"Dask scheduler {scheduler}: {listing(problems)}\n"
            "Every machine needs the same commit of this project, its virtual environment, and the data root under the same "
            "path, on a file system as docs/cluster.md asks for. Fix the workers, restart them, and run this again."
        )


def _wait_for(client: "Client", scheduler: str, future: "Future[Attempt]", number: int) -> Attempt:
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
        attempt: Attempt = future.result()
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
