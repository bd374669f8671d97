"""Writing what stage 3 leaves for the analysis, part by part: nothing is held in memory as a whole.

Each partition writes its rows in batches. Merging reads a batch at a time, and cuts row groups at the same rows whatever the
number of partitions, so that the bytes do not depend on it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engagement.coding.labels import Label
from engagement.configuration import CodingPlan
from engagement.files import (
    explain_os_errors,
    finish_replacing,
    make_directory,
    open_bytes_for_writing,
    replace_directory,
    write_json,
)
from engagement.messages.message import Message
from engagement.outputs.analysis_files import (
    DATASET,
    RUN_ID,
    TIME,
    UID,
    VERSION,
    Funnel,
    SourceRun,
    analysis_folder,
    codes_column,
    individuals_path,
    messages_path,
    season_path,
    text_column,
)

if TYPE_CHECKING:
    import pyarrow

_ROWS_OF_A_BATCH = 4096
_ROWS_OF_A_ROW_GROUP = 16384


class AnalysisPart:
    """The rows of one partition, written in batches."""

    def __init__(self, path: Path, plans: tuple[CodingPlan, ...], are_messages: bool) -> None:
        self._path = path
        self._plans = plans
        self._schema = _schema(plans, are_messages)
        self._columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}
        self._written: dict[tuple[str, ...], str] = {}

    def __enter__(self) -> AnalysisPart:
        from pyarrow.parquet import ParquetWriter

        with explain_os_errors(self._path):
            self._writer = ParquetWriter(self._path, self._schema, compression="zstd")
        return self

    def __exit__(self, *error: object) -> None:
        with explain_os_errors(self._path):
            if error[0] is None:
                self._flush()
            self._writer.close()

    def add_message(self, uid: str, message: Message) -> None:
        """Write the row of a message."""
        plan = message.plan
        dataset = None if plan is None else plan.coda_dataset or plan.raw_field
        self._add(uid, message.record.values, message.labels, (message.time, dataset, message.run_id))

    def add_individual(self, uid: str, values: Mapping[str, Any], labels: Mapping[str, tuple[Label, ...]]) -> None:
        """Write the row of a participant."""
        self._add(uid, values, labels, ())

    def _add(
        self,
        uid: str,
        values: Mapping[str, Any],
        labels: Mapping[str, tuple[Label, ...]],
        more: tuple[datetime | str | None, ...],
    ) -> None:
        row: list[Any] = [uid, *more]
        for plan in self._plans:
            text = values.get(plan.raw_field)
            row.append(None if text is None else str(text))
            row.extend(self._codes(labels[configuration.coded_field]) for configuration in plan.coding_configurations)
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        if len(self._columns[UID]) == _ROWS_OF_A_BATCH:
            self._flush()

    def _codes(self, labels: tuple[Label, ...]) -> str:
        key = tuple(label.code.code_id for label in labels)
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = json.dumps(key)
        return found

    def _flush(self) -> None:
        import pyarrow

        with explain_os_errors(self._path):
            self._writer.write_batch(pyarrow.RecordBatch.from_pydict(self._columns, self._schema))
        for column in self._columns.values():
            column.clear()


def _schema(plans: tuple[CodingPlan, ...], are_messages: bool) -> pyarrow.Schema:
    import pyarrow

    fields: list[tuple[str, pyarrow.DataType]] = [(UID, pyarrow.string())]
    if are_messages:
        fields += [(TIME, pyarrow.timestamp("us", "UTC")), (DATASET, pyarrow.string()), (RUN_ID, pyarrow.string())]
    for plan in plans:
        fields.append((text_column(plan.raw_field), pyarrow.string()))
        fields += [(codes_column(c.coded_field), pyarrow.string()) for c in plan.coding_configurations]
    return pyarrow.schema(fields)


def _merge_parts(target: Path, parts: Iterable[Path], schema: pyarrow.Schema) -> int:
    """Write the rows of all parts, in order, to one file; returns their number."""
    from pyarrow.parquet import ParquetWriter

    rows = 0
    with open_bytes_for_writing(target) as file, ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _cut(_batches(parts), _ROWS_OF_A_ROW_GROUP):
            writer.write_table(group, row_group_size=_ROWS_OF_A_ROW_GROUP)
            rows += group.num_rows
    return rows


def _batches(parts: Iterable[Path]) -> Iterator[pyarrow.RecordBatch]:
    from pyarrow.parquet import ParquetFile

    for part in parts:
        with ParquetFile(part, pre_buffer=False) as file:
            yield from file.iter_batches(_ROWS_OF_A_BATCH, use_threads=False)


def _cut(batches: Iterable[pyarrow.RecordBatch], size: int) -> Iterator[pyarrow.Table]:
    """The rows of all batches in tables of exactly `size` rows; the last may have fewer."""
    import pyarrow

    waiting: list[pyarrow.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while batch.num_rows - start >= size - count:
            taken = size - count
            yield pyarrow.Table.from_batches([*waiting, batch.slice(start, taken)]).combine_chunks()
            waiting, count, start = [], 0, start + taken
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            count += batch.num_rows - start
    if waiting:
        yield pyarrow.Table.from_batches(waiting).combine_chunks()


class AnalysisFolder:
    """The next version of State/analysis/."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write_tables(
        self, plans: tuple[CodingPlan, ...], messages: Iterable[Path], individuals: Iterable[Path]
    ) -> None:
        """Write the two tables from the parts of the partitions, which are in order."""
        _merge_parts(messages_path(self._path), messages, _schema(plans, are_messages=True))
        _merge_parts(individuals_path(self._path), individuals, _schema(plans, are_messages=False))

    def write_season(self, run: SourceRun, funnel: Funnel) -> None:
        """Write what the run found."""
        write_json(season_path(self._path), {"version": VERSION, "run": asdict(run), "funnel": asdict(funnel)})


@contextlib.contextmanager
def write_analysis_folder(data_root: Path) -> Iterator[AnalysisFolder]:
    """Build the next State/analysis/ beside the old one; it takes the old one's place when the block ends well."""
    current = analysis_folder(data_root)
    building = current.with_name(current.name + ".partial")
    finish_replacing(current, building)
    make_directory(building)
    try:
        yield AnalysisFolder(building)
        replace_directory(building, current)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
