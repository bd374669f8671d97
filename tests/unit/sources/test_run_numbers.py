"""Runs keep the numbers that they get on arrival, whether or not some come again."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from engagement.sources.rapidpro.state import run_numbers
from engagement.sources.rapidpro.state.run_numbers import RunNumbers

UUIDS = st.sampled_from([f"run {number}" for number in range(12)])
PAGES = st.lists(st.lists(UUIDS, unique=True), max_size=6)


def number_pages(pages, before):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE runs (uuid TEXT PRIMARY KEY, id INTEGER UNIQUE)")
    connection.executemany("INSERT INTO runs VALUES (?, ?)", [(uuid, number) for number, uuid in enumerate(before)])
    expected = {uuid: number for number, uuid in enumerate(before)}
    reads = []

    def read(first, end):
        found = connection.execute("SELECT uuid, id FROM runs WHERE id >= ? AND id < ?", (first, end)).fetchall()
        reads.append(len(found))
        return found

    numbers = RunNumbers(len(before), read)
    for page in pages:
        assert numbers.known(page) == [expected[uuid] for uuid in page if uuid in expected]
        found = numbers.number(page)
        assert found == [expected.setdefault(uuid, len(expected)) for uuid in page]
        connection.executemany("REPLACE INTO runs VALUES (?, ?)", list(zip(page, found, strict=True)))
    return reads


@given(PAGES, st.lists(UUIDS, unique=True), st.integers(1, 4))
def test_each_run_has_one_number(pages, before, at_once):
    first_read, run_numbers._FIRST_READ = run_numbers._FIRST_READ, at_once
    try:
        assert sum(number_pages(pages, before)) <= len(before) + sum(map(len, pages))
    finally:
        run_numbers._FIRST_READ = first_read


@given(PAGES)
def test_runs_of_the_same_hash_are_told_apart(pages):
    shorten, run_numbers._shorten = run_numbers._shorten, len
    try:
        number_pages(pages, [])
    finally:
        run_numbers._shorten = shorten


def test_nothing_is_read_while_no_run_comes_again():
    pages = [[f"run {number}", f"other {number}"] for number in range(5)]
    assert number_pages(pages, []) == []
    assert number_pages([*pages, ["run 3"]], []) == [10]


def test_only_the_last_runs_are_read_while_none_is_older_or_new():
    before = [f"run {number}" for number in range(100_000)]
    assert number_pages([before[-250:], before[-600:-350], before[-1000:-750]], before) == [1000]
    assert number_pages([before[-250:], before[-2500:-2250]], before) == [1000, 2000]
    assert sum(number_pages([["new"], before[:1], ["newer"]], before)) == 100_000
