"""How the processor time of stage 3 on a Dask cluster is shared out: PYTHONPATH=src:tests python tests/benchmarks/outputs/cluster_shares.py

Prints a line for each phase: the processor seconds of the workers, and of the machine that the stage is started on, on its own
process and on those it starts. What is not on the workers does not become faster by more of them. Processor time is what a noisy
machine changes least. Invents its data in a temporary folder, in TMPDIR; 100,000 messages need 3 GB there.
"""

import argparse
import functools
import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.outputs.season import Season, write_season
from dask_cluster import SOURCE, DaskCluster
from engagement.processing.reuse import incremental
from engagement.stages import generate_outputs, outputs_making

_PHASES = (
    ("find the runs", incremental, "find_runs"),
    ("process the partitions", outputs_making, "process_partitions"),
    ("note the participants", outputs_making, "keep_unchanged"),
    ("merge", outputs_making, "write_all"),
    ("remember", outputs_making, "remember"),
)


@dataclass(frozen=True)
class Spent:
    """Processor seconds: of the stage's process, of those it started on its machine, and of the cluster's workers."""

    own: float = 0.0
    started: float = 0.0
    workers: float = 0.0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.own - other.own, self.started - other.started, self.workers - other.workers)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.own + other.own, self.started + other.started, self.workers + other.workers)

    @property
    def total(self) -> float:
        """All of it."""
        return self.own + self.started + self.workers


def look(cluster: DaskCluster) -> Spent:
    """What was spent until now; processes that the stage started count once they have ended."""
    own, started = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    workers = [psutil.Process(worker.pid).cpu_times() for worker in cluster.workers]
    return Spent(
        own.ru_utime + own.ru_stime, started.ru_utime + started.ru_stime, sum(w.user + w.system for w in workers)
    )


def measure_phases(season: Season, cluster: DaskCluster, options: Sequence[str]) -> dict[str, Spent]:
    """Run stage 3 in this process, and take the time of each phase."""
    spent = {name: Spent() for name, *_ in _PHASES}

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **named: Any) -> Any:
            before = look(cluster)
            try:
                return function(*args, **named)
            finally:
                spent[name] += look(cluster) - before

        return watched

    kept = [(module, attribute, getattr(module, attribute)) for _, module, attribute in _PHASES]
    parser = argparse.ArgumentParser()
    generate_outputs.add_arguments(parser)
    before = look(cluster)
    for name, module, attribute in _PHASES:
        setattr(module, attribute, watch(name, getattr(module, attribute)))
    try:
        generate_outputs.run(parser.parse_args([*season.options(), "--full", "--scheduler", cluster.address, *options]))
    finally:
        for module, attribute, function in kept:
            setattr(module, attribute, function)
    whole = look(cluster) - before
    spent["everything else"] = whole - functools.reduce(Spent.__add__, spent.values())
    spent["all"] = whole
    return spent


def make_lines(spent: dict[str, Spent]) -> Iterator[str]:
    """The phases as a table in Markdown."""
    yield "| Phase | Stage's process | Started by it | Workers | Share of all that is not on workers |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    total = spent["all"].total
    for name, part in spent.items():
        share = (part.own + part.started) / total
        yield f"| {name} | {part.own:.2f} | {part.started:.2f} | {part.workers:.2f} | {share:.1%} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", type=int, nargs="?", default=100_000, help="size of the season")
    parser.add_argument("--workers", type=int, default=2, help="workers of the cluster, on this machine")
    parser.add_argument("--jobs", default="2", help="processes of the machine that the stage is started on")
    parser.add_argument("--season", type=Path, help="folder with a season of that size from an earlier run, or for one")
    args = parser.parse_args()
    # As the pipeline's own start does: a thread of another kind would keep the stage from starting processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.season or Path(scratch) / "season"
        season = Season(folder / "configuration" / "pipeline_configuration.json", folder / "credentials.json", folder / "data root")  # fmt: skip
        if not folder.exists():
            season = write_season(folder, args.messages)
        cluster = DaskCluster(Path(scratch), *[SOURCE] * args.workers)
        try:
            spent = measure_phases(season, cluster, ["--jobs", args.jobs])
        finally:
            cluster.end()
    print(f"{args.messages:,} messages, {args.workers} workers", *make_lines(spent), sep="\n")


if __name__ == "__main__":
    main()
