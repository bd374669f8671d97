"""The Outputs folder: built beside the old one, and put in its place when it is complete."""

import contextlib
import functools
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engagement.coding.automatic import AutomaticCoder
from engagement.coding.coded_datasets import CodedDataset
from engagement.configuration import CodingPlan, CodingPlans
from engagement.configuration.field_names import CONSENT_FIELD, UID_FIELD
from engagement.files import (
    finish_replacing,
    link_tree,
    make_directory,
    open_bytes_for_writing,
    replace_directory,
    write_csv,
    write_json,
)
from engagement.outputs.coda_files import CodaTexts, make_coda_messages
from engagement.outputs.icr import IcrSample
from engagement.outputs.parts import append_file, merge_sorted_lines, part_path, scratch_directory
from engagement.outputs.rows import WITHDRAWN, AnalysisRows, ProductionRows, csv_writer
from engagement.provenance import Metadata, TracedData, encode_lines

# Stage 5 owns this folder in Outputs/: it is carried across unchanged.
AUTOMATED_ANALYSIS = "Automated Analysis"

# Something to do that depends on none of the others.
Task = Callable[[], object]


class OutputsFolder:
    """The next version of Outputs/. Partitions leave their parts in `scratch`; the methods merge them."""

    def __init__(self, path: Path, scratch: Path, plans: CodingPlans, is_coded: bool) -> None:
        self._path = path
        self._plans = plans
        self._is_coded = is_coded
        self.scratch = scratch

    @contextlib.contextmanager
    def open_traced_data(self, last: Metadata) -> Iterator["TracedDataFiles"]:
        """The files with the provenance, for the partitions' parts; `last` is the metadata of the records of those who withdrew."""
        with (
            open_bytes_for_writing(self._path / "messages_traced_data.jsonl") as messages,
            open_bytes_for_writing(self._path / "individuals_traced_data.jsonl") as individuals,
        ):
            yield TracedDataFiles(self.scratch, messages, individuals, last)

    def table_tasks(self, partitions: int, withdrawn_messages: int, withdrawn_individuals: int) -> list[Task]:
        """What there is to do for the CSVs. Of those who withdrew there is only their number, in the last rows.

        Before coding there is production.csv alone.
        """
        header = csv_writer(quote_all=True)(ProductionRows(self._plans.all).header)
        production = self._parts("production", partitions)
        tasks: list[Task] = [functools.partial(merge_sorted_lines, self._path / "production.csv", header, production)]
        if self._is_coded:
            rows, write = AnalysisRows(self._plans.all), csv_writer()
            header, last = write(rows.header), write(rows.withdrawn_row())
            for name, withdrawn in (("messages", withdrawn_messages), ("individuals", withdrawn_individuals)):
                path, parts = self._path / f"{name}.csv", self._parts(name, partitions)
                tasks.append(functools.partial(merge_sorted_lines, path, header, parts, last, withdrawn))
        return tasks

    def _parts(self, name: str, partitions: int) -> list[Path]:
        return [part_path(self.scratch, name, number) for number in range(partitions)]

    def coda_file_tasks(
        self,
        texts: Mapping[str, CodaTexts],
        coders: Mapping[str, AutomaticCoder],
        datasets: Mapping[str, CodedDataset],
    ) -> list[Task]:
        """What there is to do for the files of each dataset for Coda; all three arguments are by raw field."""
        folder = make_directory(self._path / "Coda Files")

        def write(plan: CodingPlan, name: str) -> None:
            field = plan.raw_field
            messages = make_coda_messages(
                texts.get(field, CodaTexts()), coders[field], datasets[field], leave_out_withdrawn=self._is_coded
            )
            write_json(folder / name, messages)

        names = ((plan, plan.coda_filename) for plan in self._plans.all)
        return [functools.partial(write, plan, name) for plan, name in names if name is not None]

    def write_icr_files(self, samples: Mapping[str, IcrSample]) -> None:
        """Write the samples for inter-coder reliability, which are by raw field."""
        folder = make_directory(self._path / "ICR")
        for plan in self._plans.rqa:
            if plan.icr_filename is not None:
                write_csv(folder / plan.icr_filename, *samples.get(plan.raw_field, IcrSample()).rows(plan))


@dataclass(frozen=True)
class TracedDataFiles:
    """The open files with the provenance of messages and individuals."""

    scratch: Path
    messages: IO[bytes]
    individuals: IO[bytes]
    last: Metadata

    def take(self, number: int) -> None:
        """Take over what a partition left; the partitions come in their order."""
        append_file(self.messages, part_path(self.scratch, "messages_traced_data", number))
        append_file(self.individuals, part_path(self.scratch, "individuals_traced_data", number))

    def write_withdrawn(self, messages: int, individuals: int) -> None:
        """Write the records of those who withdrew: nothing of theirs."""
        record = encode_lines([TracedData.start({UID_FIELD: WITHDRAWN, CONSENT_FIELD: "true"}, self.last)])
        for file, times in ((self.messages, messages), (self.individuals, individuals)):
            for _ in range(times):
                file.write(record)


@contextlib.contextmanager
def write_outputs(data_root: Path, plans: CodingPlans, is_coded: bool) -> Iterator[OutputsFolder]:
    """Build the next Outputs/ beside the old one; it takes the old one's place when the block ends well.

    When it does not, the old one stays as it was and nothing of the new one is left.
    """
    current, building = data_root / "Outputs", data_root / "Outputs.partial"
    finish_replacing(current, building)
    make_directory(building)
    try:
        with scratch_directory(building / ".parts") as scratch:
            yield OutputsFolder(building, scratch, plans, is_coded)
        if (current / AUTOMATED_ANALYSIS).is_dir():
            link_tree(current / AUTOMATED_ANALYSIS, building / AUTOMATED_ANALYSIS)
        replace_directory(building, current)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
