"""Write a table of statistics as Parquet, with the types of figures, counts, days and instants."""

from __future__ import annotations

import datetime
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow.parquet import ParquetWriter

from engagement.foundation.files import open_bytes_for_writing

# Columns whose texts say a day or an instant, with how they are read.
_TIMES = {
    "date": (pyarrow.date32(), datetime.date.fromisoformat),
    "start": (pyarrow.timestamp("us", "UTC"), datetime.datetime.fromisoformat),
}
_KINDS = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}


def kinds_of(row: type) -> dict[str, type]:
    """Tell the type of each column of a row: text, count or figure."""
    return {name: _kind_of(hint) for name, hint in typing.get_type_hints(row).items()}


def _kind_of(hint: Any) -> type:
    # A figure that is not defined is None.
    kind: type = next((part for part in typing.get_args(hint) if part is not type(None)), hint)
    return kind


def write_parquet(path: Path, kinds: Mapping[str, type], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows in columns of these kinds; a figure that is not defined is null."""
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    arrays, fields = [], []
    for (name, kind), values in zip(kinds.items(), columns, strict=True):
        arrow, read = _TIMES.get(name, (_KINDS[kind], None))
        fields.append(pyarrow.field(name, arrow))
        arrays.append(pyarrow.array(values if read is None else list(map(read, values)), arrow))
    table = pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))
    with open_bytes_for_writing(path) as file, ParquetWriter(file, table.schema, compression="zstd") as writer:
        writer.write_table(table)
