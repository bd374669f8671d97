"""The Outputs folder: built beside the old one, and put in its place when it is complete."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from engagement.coding.automatic import AutomaticCoder
from engagement.coding.coded_datasets import CodedDataset
from engagement.configuration import CodingPlans
from engagement.configuration.cross_checks import CONSENT_FIELD, UID_FIELD
from engagement.files import finish_replacing, link_tree, make_directory, replace_directory, write_csv, write_json
from engagement.outputs.coda_files import CodaTexts, make_coda_messages
from engagement.outputs.icr import IcrSample
from engagement.outputs.parts import concatenate_files, merge_sorted_lines, part_path, scratch_directory
from engagement.outputs.rows import WITHDRAWN, AnalysisRows, csv_writer
from engagement.provenance import Metadata, TracedData

# Stage 5 owns this folder in Outputs/: it is carried across unchanged.
AUTOMATED_ANALYSIS = "Automated Analysis"


class OutputsFolder:
    """The next version of Outputs/. Partitions leave their parts in `scratch`; the methods merge them."""

    def __init__(self, path: Path, scratch: Path, plans: CodingPlans, is_coded: bool) -> None:
        self._path = path
        self._plans = plans
        self._is_coded = is_coded
        self.scratch = scratch

    def write_tables(
        self, partitions: int, withdrawn_messages: int, withdrawn_individuals: int, last: Metadata
    ) -> None:
        """Write the CSVs and the traced data. Of those who withdrew there is only their number, in the last rows.

        `last` is the metadata of their records. Before coding there is production.csv alone.
        """
        header = csv_writer(quote_all=True)([UID_FIELD, *(plan.raw_field for plan in self._plans.all)])
        merge_sorted_lines(self._path / "production.csv", header, self._parts("production", partitions))
        if not self._is_coded:
            return
        rows, write = AnalysisRows(self._plans.all), csv_writer()
        record = TracedData.start({UID_FIELD: WITHDRAWN, CONSENT_FIELD: "true"}, last).encode() + "\n"
        for name, withdrawn in (("messages", withdrawn_messages), ("individuals", withdrawn_individuals)):
            merge_sorted_lines(
                self._path / f"{name}.csv",
                write(rows.header),
                self._parts(name, partitions),
                write(rows.withdrawn_row()),
                withdrawn,
            )
            traced = f"{name}_traced_data"
            concatenate_files(self._path / f"{traced}.jsonl", self._parts(traced, partitions), record, withdrawn)

    def _parts(self, name: str, partitions: int) -> list[Path]:
        return [part_path(self.scratch, name, number) for number in range(partitions)]

    def write_coda_files(
        self,
        texts: Mapping[str, CodaTexts],
        coders: Mapping[str, AutomaticCoder],
        datasets: Mapping[str, CodedDataset],
    ) -> None:
        """Write the file of each dataset for Coda; all three arguments are by raw field."""
        folder = make_directory(self._path / "Coda Files")
        for plan in self._plans.all:
            if plan.coda_filename is not None:
                field = plan.raw_field
                messages = make_coda_messages(
                    texts.get(field, CodaTexts()), coders[field], datasets[field], leave_out_withdrawn=self._is_coded
                )
                write_json(folder / plan.coda_filename, messages)

    def write_icr_files(self, samples: Mapping[str, IcrSample]) -> None:
        """Write the samples for inter-coder reliability, which are by raw field."""
        folder = make_directory(self._path / "ICR")
        for plan in self._plans.rqa:
            if plan.icr_filename is not None:
                write_csv(folder / plan.icr_filename, *samples.get(plan.raw_field, IcrSample()).rows(plan))


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
