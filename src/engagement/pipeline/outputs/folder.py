"""Build the Outputs folder beside the old one, and replace that when the new one is complete."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.configuration import CodingPlan, CodingPlans
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.foundation.csv_cells import encode_line
from engagement.foundation.files import link_tree, make_directory, write_csv, write_json
from engagement.foundation.replaced_folders import replace_folder
from engagement.pipeline.coding.automatic import AutomaticCoder
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.outputs.coda_files import CodaTexts, make_coda_messages
from engagement.pipeline.outputs.group_columns import NO_GROUPS, GroupColumns
from engagement.pipeline.outputs.icr import IcrSample
from engagement.pipeline.outputs.index_rows import MESSAGES_INDEX, index_header, withdrawn_index_row
from engagement.pipeline.outputs.participant_files import ParticipantFile
from engagement.pipeline.outputs.parts import (
    INDIVIDUALS_TRACED_DATA,
    MESSAGES_TRACED_DATA,
    part_path,
    scratch_directory,
)
from engagement.pipeline.outputs.places import AUTOMATED_ANALYSIS, current_outputs
from engagement.pipeline.outputs.rows import WITHDRAWN, AnalysisRows, ProductionRows
from engagement.pipeline.outputs.stretches import EarlierOutputs
from engagement.pipeline.outputs.tables import Table
from engagement.provenance import Metadata, TracedData

# A task that depends on none of the others.
Task = Callable[[], object]
Suggest = Callable[[CodingPlan, list[Mapping[str, Any]]], list[Mapping[str, Any]]]


class OutputsFolder:
    """The next version of Outputs/. Partitions leave their parts in `scratch`; the methods merge them.

    Rows of `earlier` outputs are copied, if given.
    """

    def __init__(
        self, path: Path, scratch: Path, plans: CodingPlans, is_coded: bool, earlier: EarlierOutputs | None
    ) -> None:
        self.path = path
        self._plans = plans
        self._is_coded = is_coded
        self.earlier = earlier
        self.scratch = scratch

    def traced_data_files(self) -> list[ParticipantFile]:
        """Open the files of messages' and individuals' provenance for parts; before coding there are none."""
        columns = {MESSAGES_TRACED_DATA: "messages_bytes", INDIVIDUALS_TRACED_DATA: "individual_bytes"}
        return [
            ParticipantFile(
                self.path / f"{name}.jsonl",
                self.scratch,
                None if self.earlier is None else self.earlier.files / f"{name}.jsonl",
                column,
            )
            for name, column in (columns.items() if self._is_coded else ())
        ]

    def at(self, path: Path) -> "OutputsFolder":
        """Write to another folder, from the same parts."""
        return OutputsFolder(path, self.scratch, self._plans, self._is_coded, self.earlier)

    def tables(
        self,
        partitions: int,
        withdrawn_messages: int,
        withdrawn_individuals: int,
        is_indexed: bool = True,
        groups: GroupColumns = NO_GROUPS,
        origin_names: Sequence[str] = (),
    ) -> list[Table]:
        """List the CSVs, with their parts.

        Withdrawals are only counted, by identical last rows. Before coding there is only production.csv. The index of messages is
        written if `is_indexed`. Where messages came from has the columns `origin_names`; listening `groups` have columns of their own.
        """
        header = encode_line(ProductionRows(self._plans.all).header, quote_all=True)
        tables = [Table(self.path / "production.csv", header, self._parts("production", partitions))]
        if self._is_coded:
            rows = AnalysisRows(self._plans.all, groups=groups, origin_names=origin_names)
            header, last = encode_line(rows.header), encode_line(rows.withdrawn_row())
            for name, withdrawn in (("messages", withdrawn_messages), ("individuals", withdrawn_individuals)):
                parts = self._parts(name, partitions)
                tables.append(Table(self.path / f"{name}.csv", header, parts, last, withdrawn))
            if is_indexed:
                header, last = (
                    encode_line(index_header(self._plans.all)),
                    encode_line(withdrawn_index_row(self._plans.all)),
                )
                parts = self._parts(MESSAGES_INDEX, partitions)
                tables.append(Table(self.path / f"{MESSAGES_INDEX}.csv", header, parts, last, withdrawn_messages))
        return tables

    def _parts(self, name: str, partitions: int) -> list[Path]:
        return [part_path(self.scratch, name, number) for number in range(partitions)]

    def coda_file_tasks(
        self,
        texts: Mapping[str, CodaTexts],
        coders: Mapping[str, AutomaticCoder],
        datasets: Mapping[str, CodedDataset],
        suggest: Suggest | None = None,
    ) -> list[Task]:
        """List the tasks that write each dataset's Coda file; the first three arguments are by raw field.

        `suggest` adds suggestions to a dataset's messages.
        """
        folder = make_directory(self.path / "Coda Files")

        def write(plan: CodingPlan, name: str) -> None:
            field = plan.raw_field
            messages = make_coda_messages(
                texts.get(field, CodaTexts()), coders[field], datasets[field], leave_out_withdrawn=self._is_coded
            )
            write_json(folder / name, messages if suggest is None else suggest(plan, messages))

        names = ((plan, plan.coda_filename) for plan in self._plans.all)
        return [functools.partial(write, plan, name) for plan, name in names if name is not None]

    def write_icr_files(self, samples: Mapping[str, IcrSample]) -> None:
        """Write the samples for inter-coder reliability; `samples` is by raw field."""
        folder = make_directory(self.path / "ICR")
        for plan in self._plans.rqa:
            if plan.icr_filename is not None:
                write_csv(folder / plan.icr_filename, *samples.get(plan.raw_field, IcrSample()).rows(plan))


def encode_withdrawn(last: Metadata) -> bytes:
    """Make the traced-data line of a withdrawn message or individual, with nothing of theirs in it."""
    return TracedData.start({UID_FIELD: WITHDRAWN, CONSENT_FIELD: "true"}, last).encode_line()


@contextlib.contextmanager
def write_outputs(
    data_root: Path, plans: CodingPlans, is_coded: bool, earlier: EarlierOutputs | None = None
) -> Iterator[OutputsFolder]:
    """Build the next Outputs/ beside the old one; replace the old one if the block succeeds.

    Otherwise the old one stays as it was and nothing of the new one is left.
    """
    current = current_outputs(data_root)
    with replace_folder(current) as building:
        with scratch_directory(building / ".parts") as scratch:
            yield OutputsFolder(building, scratch, plans, is_coded, earlier)
        if (current / AUTOMATED_ANALYSIS).is_dir():
            link_tree(current / AUTOMATED_ANALYSIS, building / AUTOMATED_ANALYSIS)
