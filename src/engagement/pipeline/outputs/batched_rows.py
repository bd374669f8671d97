"""Rows that come in Arrow batches: take stretches of them, or cut them into tables of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow


class BatchedRows:
    """Rows that come in batches; stretches of them are taken in order."""

    def __init__(self, batches: Iterator[pyarrow.RecordBatch]) -> None:
        self._batches = batches
        self._batch: pyarrow.RecordBatch | None = None
        # The numbers of the batch's first row and of the first row after it.
        self._first = self._end = 0

    def take(self, start: int, end: int) -> Iterator[pyarrow.RecordBatch]:
        while start < end:
            while self._end <= start:
                self._batch = next(self._batches)
                self._first, self._end = self._end, self._end + self._batch.num_rows
            stop = min(end, self._end)
            yield self._batch.slice(start - self._first, stop - start)  # type: ignore[union-attr]  # taken above
            start = stop


def cut_batches(batches: Iterable[pyarrow.RecordBatch], size: int) -> Iterator[pyarrow.Table]:
    """Cut the rows of all batches into tables of exactly `size` rows; the last may have fewer."""
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
