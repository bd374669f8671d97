"""Write the tables for the analysis part by part, never holding a whole table in memory.

Each partition writes its rows in batches. Merging reads a batch at a time and cuts row groups at the same rows whatever the number
of partitions, so that the bytes do not depend on it.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy

from engagement.configuration import CodingPlan
from engagement.foundation.files import explain_os_errors, open_bytes_for_writing, write_json
from engagement.foundation.microseconds import count_microseconds
from engagement.foundation.replaced_folders import replace_folder
from engagement.pipeline.coding.codings import Coding
from engagement.pipeline.coding.guesses import find_guessed_positions
from engagement.pipeline.messages.message import Message
from engagement.pipeline.outputs.analysis_files import (
    DATASET,
    RUN_ID,
    TIME,
    UID,
    VERSION,
    Funnel,
    SourceRun,
    analysis_folder,
    codes_column,
    guesses_column,
    individuals_path,
    messages_path,
    season_path,
    text_column,
)
from engagement.pipeline.outputs.batched_rows import BatchedRows, cut_batches
from engagement.pipeline.outputs.group_columns import NO_GROUPS, GroupColumns
from engagement.pipeline.outputs.origin_columns import Origins, encode_codes
from engagement.pipeline.outputs.participant_files import MergedParticipants

if TYPE_CHECKING:
    import pyarrow

_ROWS_OF_A_BATCH = 4096
_ROWS_OF_A_ROW_GROUP = 16384


class AnalysisPart:
    """Rows of one partition, in batches as an Arrow stream: the cheapest to write and to read once."""

    def __init__(
        self,
        path: Path,
        plans: tuple[CodingPlan, ...],
        are_messages: bool,
        groups: GroupColumns = NO_GROUPS,
        origin_names: Sequence[str] = (),
    ) -> None:
        self._path = path
        self._groups = groups
        self._schema = _schema(plans, are_messages, (*origin_names, *groups.names))
        self._rows: list[list[bytes | datetime | None]] = []
        self._encoded: dict[tuple[tuple[str, ...], ...], list[bytes]] = {}
        self._guessed = [find_guessed_positions(plan) for plan in plans]
        widths = [
            1 + len(plan.coding_configurations) + len(guessed)
            for plan, guessed in zip(plans, self._guessed, strict=True)
        ]
        self._stretches = [slice(end - width, end) for end, width in zip(accumulate(widths), widths, strict=True)]
        self._cells: list[bytes | None] = [None] * sum(widths)

    def __enter__(self) -> AnalysisPart:
        import pyarrow

        with explain_os_errors(self._path):
            self._file = self._path.open("wb")
            self._writer = pyarrow.RecordBatchStreamWriter(self._file, self._schema)
        return self

    def __exit__(self, *error: object) -> None:
        with explain_os_errors(self._path), self._file:
            if error[0] is None:
                self._flush()
                self._writer.close()

    def add_message(self, uid: str, message: Message, changed: Sequence[int], origins: Origins = ()) -> None:
        """Write a message's row; `changed` are the numbers of plans whose answers differ from the last row."""
        plan = message.plan
        dataset = None if plan is None else (plan.coda_dataset or plan.raw_field).encode()
        more = (message.time, dataset, message.run_id.encode())
        self._add(uid, message.texts, message.codings, changed, origins, more)

    def add_individual(
        self,
        uid: str,
        texts: Sequence[str | None],
        codings: Sequence[Coding],
        changed: Sequence[int],
        origins: Origins = (),
    ) -> None:
        """Write the row of a participant."""
        self._add(uid, texts, codings, changed, origins, ())

    def _add(
        self,
        uid: str,
        texts: Sequence[str | None],
        codings: Sequence[Coding],
        changed: Sequence[int],
        origins: Origins,
        more: tuple[datetime | bytes | None, ...],
    ) -> None:
        for number in changed:
            self._cells[self._stretches[number]] = self._encode(number, texts[number], codings[number])
        self._rows.append([uid.encode(), *more, *self._cells, *encode_codes(origins), *self._groups.codes(uid)])
        if len(self._rows) == _ROWS_OF_A_BATCH:
            self._flush()

    def _encode(self, number: int, text: str | None, coding: Coding) -> list[bytes | None]:
        encoded = None if text is None else str(text).encode()
        cells = [encoded, *(self._encoded.get(coding.code_ids) or self._encode_codes(coding))]
        for position in self._guessed[number]:
            source = coding.guessed_from(position)
            cells.append(None if source is None else source.encode())
        return cells

    def _encode_codes(self, coding: Coding) -> list[bytes]:
        found = self._encoded[coding.code_ids] = [json.dumps(code_ids).encode() for code_ids in coding.code_ids]
        return found

    def _flush(self) -> None:
        import pyarrow

        columns: Any = zip(*self._rows, strict=True) if self._rows else [()] * len(self._schema)
        arrays = [
            _texts(column) if pyarrow.types.is_string(field.type) else _times(column, field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        with explain_os_errors(self._path):
            self._writer.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._rows.clear()


# Arrays are built from buffers: twice as fast as passing Python values, for which pyarrow loads pandas too.


def _texts(column: Sequence[bytes | None]) -> pyarrow.Array:
    import pyarrow

    are_there = _there(column)
    encoded = cast("Sequence[bytes]", column) if are_there is None else [text or b"" for text in column]
    offsets = numpy.zeros(len(encoded) + 1, numpy.int32)
    numpy.cumsum(numpy.fromiter(map(len, encoded), numpy.int32, len(encoded)), out=offsets[1:])
    buffers = [are_there, pyarrow.py_buffer(offsets), pyarrow.py_buffer(b"".join(encoded))]
    return pyarrow.Array.from_buffers(pyarrow.string(), len(encoded), buffers)


def _times(column: Sequence[datetime | None], kind: pyarrow.DataType) -> pyarrow.Array:
    import pyarrow

    microseconds = [0 if time is None else count_microseconds(time) for time in column]
    buffers = [_there(column), pyarrow.py_buffer(numpy.array(microseconds, numpy.int64))]
    return pyarrow.Array.from_buffers(kind, len(column), buffers)


def _there(column: Sequence[object]) -> pyarrow.Buffer | None:
    """Make the validity bitmap, with a bit for each value; None if no value is missing."""
    import pyarrow

    if None not in column:
        return None
    return pyarrow.py_buffer(numpy.packbits([value is not None for value in column], bitorder="little"))


def _schema(plans: tuple[CodingPlan, ...], are_messages: bool, groups: Sequence[str]) -> pyarrow.Schema:
    import pyarrow

    fields: list[tuple[str, pyarrow.DataType]] = [(UID, pyarrow.string())]
    if are_messages:
        fields += [(TIME, pyarrow.timestamp("us", "UTC")), (DATASET, pyarrow.string()), (RUN_ID, pyarrow.string())]
    for plan in plans:
        fields.append((text_column(plan.raw_field), pyarrow.string()))
        fields += [(codes_column(c.coded_field), pyarrow.string()) for c in plan.coding_configurations]
        guessed = (plan.coding_configurations[position] for position in find_guessed_positions(plan))
        fields += [(guesses_column(c.coded_field), pyarrow.string()) for c in guessed]
    fields += [(codes_column(name), pyarrow.string()) for name in groups]
    return pyarrow.schema(fields)


def _write_table(target: Path, batches: Iterable[pyarrow.RecordBatch], schema: pyarrow.Schema) -> None:
    """Write rows to one file, in groups that do not depend on the batches they come in."""
    from pyarrow.parquet import ParquetWriter

    with open_bytes_for_writing(target) as file, ParquetWriter(file, schema, compression="zstd") as writer:
        for group in cut_batches(batches, _ROWS_OF_A_ROW_GROUP):
            writer.write_table(group, row_group_size=_ROWS_OF_A_ROW_GROUP)


def _batches(parts: Iterable[Path]) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow

    for part in parts:
        with part.open("rb") as file, pyarrow.ipc.open_stream(file) as batches:
            yield from batches


def _batches_of_table(path: Path) -> Iterator[pyarrow.RecordBatch]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(_ROWS_OF_A_BATCH, use_threads=False)


def _interleave(
    stretches: Iterable[tuple[bool, int, int]], old: Path, parts: Iterable[Path]
) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of an earlier table's stretches and of the new table's parts."""
    sources = (BatchedRows(_batches_of_table(old)), BatchedRows(_batches(parts)))
    for is_new, start, end in stretches:
        yield from sources[is_new].take(start, end)


class AnalysisFolder:
    """The next version of State/analysis/."""

    def __init__(self, path: Path, current: Path) -> None:
        self.path = path
        self._current = current

    def table_tasks(
        self,
        plans: tuple[CodingPlan, ...],
        messages: Sequence[Path],
        individuals: Sequence[Path],
        participants: MergedParticipants | None = None,
        groups: Sequence[str] = (),
    ) -> list[Callable[[], object]]:
        """List the tasks that write the two tables from the partitions' parts, which are in order.

        `participants` says which rows of the existing tables are copied, if any; `groups` are the columns behind the plans': of messages' origins and of listening groups.
        """

        def write(locate: Callable[[Path], Path], parts: Sequence[Path], column: str, are_messages: bool) -> None:
            batches = (
                _batches(parts)
                if participants is None
                else _interleave(participants.stretches(column), locate(self._current), parts)
            )
            _write_table(locate(self.path), batches, _schema(plans, are_messages, groups))

        return [
            functools.partial(write, messages_path, messages, "message_rows", are_messages=True),
            functools.partial(write, individuals_path, individuals, "individual_rows", are_messages=False),
        ]

    def write_season(self, run: SourceRun, funnel: Funnel) -> None:
        """Write the findings of the run."""
        write_json(season_path(self.path), {"version": VERSION, "run": asdict(run), "funnel": asdict(funnel)})


@contextlib.contextmanager
def write_analysis_folder(data_root: Path) -> Iterator[AnalysisFolder]:
    """Build the next State/analysis/ beside the old one; replace the old one if the block succeeds."""
    current = analysis_folder(data_root)
    with replace_folder(current) as building:
        yield AnalysisFolder(building, current)
