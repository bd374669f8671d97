"""Merge the partitions' rows into the tables: on this machine, or on the workers of a cluster."""

import functools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engagement.configuration import CodingPlan
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.pipeline.outputs.analysis_parts import AnalysisFolder
from engagement.pipeline.outputs.folder import OutputsFolder
from engagement.pipeline.outputs.group_columns import GroupColumns
from engagement.pipeline.outputs.participant_files import MergedParticipants
from engagement.pipeline.outputs.parts import notes_of_part, part_path
from engagement.pipeline.outputs.tables import Table, write_table
from engagement.processing.partition import ANALYSIS_INDIVIDUALS, ANALYSIS_MESSAGES
from engagement.processing.workload import Workers

_MERGED = "merged"


@dataclass(frozen=True)
class TablesToMerge:
    """The tables of a run, and where they go; their parts are in the scratch folder of `outputs`.

    Notes on rows go to `row_notes`. `withdrawn` counts the messages and the participants; `kept` are the participants whose rows are
    copied from the last run's tables, if any.
    """

    outputs: OutputsFolder
    analysis: AnalysisFolder
    row_notes: Path
    plans: tuple[CodingPlan, ...]
    is_coded: bool
    is_indexed: bool
    partitions: int
    withdrawn: tuple[int, int]
    groups: GroupColumns
    origin_names: tuple[str, ...]
    kept: MergedParticipants | None

    def tasks(self) -> list[Callable[[], object]]:
        """List the tasks that write a table each.

        First Parquet, which takes the most memory, while processes are small.
        """
        tasks: list[Callable[[], object]] = []
        if self.is_coded:
            more = (*self.origin_names, *self.groups.names)
            messages, individuals = self._analysis_parts()
            tasks += self.analysis.table_tasks(self.plans, messages, individuals, self.kept, more)
        earlier = self.outputs.earlier
        return [*tasks, *(functools.partial(write_table, table, self.row_notes, earlier) for table in self._tables())]

    def parts(self) -> list[list[Path]]:
        """List the files that each task reads, in a full run."""
        tables = ([*table.parts, *map(notes_of_part, table.parts)] for table in self._tables())
        return [*(self._analysis_parts() if self.is_coded else ()), *tables]

    def into(self, folder: Path) -> "TablesToMerge":
        """Write everything to one folder instead."""
        return replace(self, outputs=self.outputs.at(folder), analysis=AnalysisFolder(folder, folder), row_notes=folder)

    def _tables(self) -> list[Table]:
        return self.outputs.tables(self.partitions, *self.withdrawn, self.is_indexed, self.groups, self.origin_names)

    def _analysis_parts(self) -> list[list[Path]]:
        return [
            [part_path(self.outputs.scratch, name, number) for number in range(self.partitions)]
            for name in (ANALYSIS_MESSAGES, ANALYSIS_INDIVIDUALS)
        ]


def merge_on_cluster(tables: TablesToMerge, workers: Workers) -> None:
    """Merge the tables of a full run on a cluster.

    A worker that is thought lost may still write, so it writes to a folder of its own, and the tables are moved from there.
    """
    folder = make_directory(tables.outputs.scratch / _MERGED)
    parts = tables.parts()
    for _ in workers.run_on_workers(functools.partial(_merge, tables), len(parts), folder, parts.__getitem__):
        pass
    targets = {".csv": tables.outputs.path, ".rows": tables.row_notes, ".parquet": tables.analysis.path}
    for path in [path for path in sorted(folder.iterdir()) if path.is_file()]:
        with explain_os_errors(path):
            # Outputs/ may be a link to another disk.
            shutil.move(path, targets[path.suffix] / path.name)


def _merge(tables: TablesToMerge, scratch: Path, number: int) -> None:
    tables.into(scratch).tasks()[number]()
