"""Old rows that stay and new ones: whatever goes where, what is copied is what a merge row by row gives."""

import io
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.foundation.errors import InputError
from engagement.foundation.hashes import are_among
from engagement.pipeline.outputs.stretches import copy_stretches, interleave

# A row is its bytes; an old one may go. Sizes of 0 are there as well.
OLD = st.lists(st.tuples(st.binary(max_size=3), st.booleans()), max_size=12)
NEW = st.lists(st.tuples(st.binary(max_size=3), st.integers(0, 12)), max_size=6)


@given(old=OLD, new=NEW)
def test_stretches_hold_the_rows_in_order(tmp_path_factory: pytest.TempPathFactory, old: list, new: list):
    places = sorted(min(place, len(old)) for _, place in new)
    expected: list[bytes] = []
    for position in range(len(old) + 1):
        expected += [row for (row, _), place in zip(new, places, strict=True) if place == position]
        expected += [row for row, stays in old[position : position + 1] if stays]
    folder = tmp_path_factory.mktemp("stretches")
    (folder / "old").write_bytes(b"header" + b"".join(row for row, _ in old) + b"and what comes behind")
    (folder / "new").write_bytes(b"".join(row for row, _ in new))
    order = interleave(numpy.array([stays for _, stays in old], bool), numpy.array(places, numpy.int64))
    old_sizes, new_sizes = (numpy.array([len(row) for row, _ in rows], numpy.int64) for rows in (old, new))
    written = io.BytesIO()
    stretches = order.stretches(old_sizes, new_sizes)
    copy_stretches(written, stretches, folder / "old", folder / "new", start=len(b"header"))
    assert written.getvalue() == b"".join(expected)
    assert order.apply(old_sizes, new_sizes).tolist() == [len(row) for row in expected]


def test_what_stays_together_is_one_stretch():
    order = interleave(numpy.array([True] * 1000), numpy.array([500, 500]))
    sizes = numpy.full(1000, 10)
    assert list(order.stretches(sizes, sizes[:2])) == [(False, 0, 5000), (True, 0, 20), (False, 5000, 10000)]


def test_a_file_that_became_shorter_is_not_copied(tmp_path: Path):
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(b"12345")
    with pytest.raises(InputError, match="old: cut while it was read"):
        copy_stretches(io.BytesIO(), iter([(False, 0, 6)]), tmp_path / "old", tmp_path / "new")


@given(values=st.lists(st.integers(0, 2**64 - 1)), some=st.sets(st.integers(0, 2**64 - 1)))
def test_are_among_is_what_in_says(values: list[int], some: set[int]):
    values += list(some)[:3]
    found = are_among(numpy.array(values, numpy.uint64), numpy.array(sorted(some), numpy.uint64))
    assert found.tolist() == [value in some for value in values]
