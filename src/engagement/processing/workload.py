"""Split the work: choose processes and partitions by the size of the data, and run them."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from engagement.foundation.clusters import count_workers, run_on_cluster
from engagement.foundation.errors import ServiceError
from engagement.foundation.partitions import count_processors, run_partitions, run_tasks
from engagement.foundation.progress import show_progress
from engagement.pipeline.outputs.participant_files import ParticipantFile
from engagement.processing.partition import process_partition
from engagement.processing.processor import Processor
from engagement.processing.records.raw_runs import Flows, RunPlaces
from engagement.processing.summary import Summary, refuse_bad_input

_BYTES_OF_A_PARTITION = 16 * 2**20
_BYTES_WORTH_A_PROCESS = 4 * 2**20
# Giving work to a cluster takes a second.
_BYTES_WORTH_A_CLUSTER = 64 * 2**20
_TASKS_WORTH_A_CLUSTER = 4


@dataclass(frozen=True)
class Workers:
    """Processes for the partitions: `jobs` on this machine, or `count` workers of a cluster.

    `scheduler` is the cluster's address. `modules` hold the project's own code, which workers of a cluster can't import.
    """

    jobs: int
    count: int
    scheduler: str | None
    modules: Sequence[ModuleType]

    def choose_partitions(self, size: int) -> int:
        """Choose the number of partitions for participants whose lines have `size` bytes in total."""
        return max(1, min(self.count, size // _BYTES_WORTH_A_PROCESS), -(-size // _BYTES_OF_A_PARTITION))

    def are_worth_it(self, size: int) -> bool:
        """Tell whether there is a cluster, and enough work for it: lines of `size` bytes in total."""
        return self.scheduler is not None and size > _BYTES_WORTH_A_CLUSTER

    def run_tasks(self, tasks: Sequence[Callable[[], Any]], reads: Sequence[Path], scratch: Path) -> Iterator[Any]:
        """Run tasks that write nothing, on the cluster if they are enough; yield their results in order.

        They read the files `reads`. A cluster works in the folder `scratch`.
        """
        if self.scheduler is None or len(tasks) <= _TASKS_WORTH_A_CLUSTER:
            return run_tasks(tasks, self.jobs)
        return self.run_on_workers(functools.partial(_run_task, tasks), len(tasks), scratch, lambda number: reads)

    def run_on_workers[R](
        self, process: Callable[..., R], count: int, scratch: Path, reads: Callable[[int], Iterable[Path]]
    ) -> Iterator[R]:
        """Run `process(scratch=…, number=…)` on the cluster; see `run_on_cluster`."""
        return run_on_cluster(process, count, scratch, str(self.scheduler), self.modules, reads)


def _run_task(tasks: Sequence[Callable[[], Any]], scratch: Path, number: int) -> Any:
    return tasks[number]()


def find_workers(flows: Flows, jobs: int | None, scheduler: str | None, modules: Sequence[ModuleType]) -> Workers:
    """Find the available workers; `jobs` is the number of processes asked for, if any."""
    # Starting processes takes longer than the work of a small project.
    is_small = sum(path.stat().st_size for path in flows.paths) <= _BYTES_WORTH_A_PROCESS
    jobs = jobs or (1 if is_small else count_processors())
    return Workers(jobs, jobs if scheduler is None else count_workers(scheduler), scheduler, modules)


def process_partitions(
    processor: Processor,
    places: RunPlaces,
    partitions: int,
    workers: Workers,
    scratch: Path,
    files: Sequence[ParticipantFile],
) -> Summary:
    """Process all partitions, which leave their parts in `scratch`, and append their parts to `files`.

    Raises
    ------
    InputError
        Lists everything that the partitions could not use.
    ServiceError
        A cluster's workers read fewer runs, or more, than there are.
    """
    process = functools.partial(process_partition, processor, places, count=partitions)
    if workers.scheduler is None:
        results = run_partitions(lambda number: process(scratch=scratch, number=number), partitions, workers.jobs)
    else:
        results = workers.run_on_workers(process, partitions, scratch, lambda number: places.flows.paths)
    summary = Summary()
    for number, part in enumerate(show_progress(results, partitions, "participants", "partition")):
        summary.add(part)
        # A partition with bad input left no parts; then nothing is written, but the others' problems are still collected.
        for file in files if not summary.errors else ():
            file.take(number)
    refuse_bad_input(summary)
    if workers.scheduler is not None and summary.runs != len(places.places):
        # Not by any way that is known: the last defence against a file system that shows files in part.
        raise ServiceError(
            f"Dask scheduler {workers.scheduler}: its workers read {summary.runs} runs; expected {len(places.places)}. See docs/cluster.md "
            "on what the file system must offer, check how it is mounted, and run this again."
        )
    return summary
