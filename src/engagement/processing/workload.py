"""Split the work: choose processes and partitions by the size of the data, and run them."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from engagement.foundation.clusters import count_workers, run_on_cluster
from engagement.foundation.partitions import count_processors, run_partitions
from engagement.foundation.progress import show_progress
from engagement.pipeline.outputs.participant_files import ParticipantFile
from engagement.processing.partition import process_partition
from engagement.processing.processor import Processor
from engagement.processing.records.raw_runs import Flows, RunPlaces
from engagement.processing.summary import Summary, refuse_bad_input

_BYTES_OF_A_PARTITION = 16 * 2**20
_BYTES_WORTH_A_PROCESS = 4 * 2**20


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
    """
    process = functools.partial(process_partition, processor, places, count=partitions)
    if workers.scheduler is None:
        results = run_partitions(lambda number: process(scratch=scratch, number=number), partitions, workers.jobs)
    else:
        results = run_on_cluster(process, partitions, scratch, workers.scheduler, workers.modules)
    summary = Summary()
    for number, part in enumerate(show_progress(results, partitions, "participants", "partition")):
        summary.add(part)
        # A partition with bad input left no parts; then nothing is written, but the others' problems are still collected.
        for file in files if not summary.errors else ():
            file.take(number)
    refuse_bad_input(summary)
    return summary
