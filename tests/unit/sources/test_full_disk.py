"""A disk that is full while SQLite writes: what is told is to free space, and not to remove anything."""

import contextlib
import sqlite3

import pytest

from engagement.foundation.errors import MachineError
from engagement.foundation.sqlite_errors import is_full
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.rapidpro.state.run_store_files import open_run_store


@contextlib.contextmanager
def full(connection):
    """Let a database grow no further, as on a full disk."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


def test_the_state_of_a_fetch_says_to_free_space_and_keeps_what_it_holds(tmp_path):
    path = tmp_path / "state.sqlite"
    with open_run_store(path):
        pass
    with pytest.raises(MachineError) as refused, open_run_store(path) as store:
        connection = store.connection
        with full(connection):
            connection.execute("CREATE TABLE more (text)")
            connection.executemany("INSERT INTO more VALUES (?)", [("x" * 5000,)] * 100)
    assert "the disk is full" in str(refused.value)
    assert "Free some space" in str(refused.value)
    assert "removed" not in str(refused.value)
    with open_run_store(path):
        pass


def test_a_locked_or_damaged_database_is_not_a_full_disk(tmp_path):
    (tmp_path / "damaged").write_bytes(b"no database" * 1000)
    with contextlib.closing(sqlite3.connect(tmp_path / "damaged")) as connection, pytest.raises(sqlite3.Error) as error:
        connection.execute("SELECT * FROM sqlite_master")
    assert not is_full(error.value)


def test_the_uuid_table_says_to_free_space_and_gives_nobody_another_uuid(tmp_path):
    table = EmbeddedUuidTable(tmp_path, "PROJECT")
    held = table.uuids_for(["252615000001"])
    message = "the disk is full. Nothing was changed. Free some space"
    with pytest.raises(MachineError, match=message), table._transaction() as connection, full(connection):
        connection.execute("CREATE TABLE more (text)")
        connection.executemany("INSERT INTO more VALUES (?)", [("x" * 5000,)] * 100)
    assert EmbeddedUuidTable(tmp_path, "PROJECT").find(["252615000001"]) == held
