"""The embedded SQLite table; it never stores an id, only its HMAC-SHA256 under a secret key."""

import contextlib
import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from engagement.foundation.errors import InputError, MachineError
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.foundation.sqlite_errors import is_full
from engagement.services.uuid_tables.embedded_key import load_key, read_key
from engagement.services.uuid_tables.uuids import in_batches, make_participant_uuid

_LOCK_TIMEOUT_SECONDS = 120.0


_KEY_CHECK = b"the key of this file"
# What is hashed here can't be found among the table's own hashes without the key.
_MARK = b"forgotten "
_MARKS_KEY = b"the key of marks"


_TABLES = """
CREATE TABLE IF NOT EXISTS mappings (
    table_name TEXT, hash BLOB, uuid TEXT NOT NULL, PRIMARY KEY (table_name, hash)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_check (value BLOB);
"""
# Made when the first rows are released.
_GAPS = "CREATE TABLE IF NOT EXISTS gaps (table_name TEXT PRIMARY KEY) WITHOUT ROWID"
_WHOSE = "FROM mappings WHERE table_name = ? AND uuid IN ({})"


class EmbeddedUuidTable:
    """A table in `<directory>/uuid_tables.sqlite`, hashed with the key in `<directory>/uuid_tables.key`."""

    def __init__(self, directory: Path, table_name: str, make_uuid: Callable[[], str] = make_participant_uuid):
        self._path = directory / "uuid_tables.sqlite"
        self._table_name = table_name
        self._make_uuid = make_uuid
        self._key_path = directory / "uuid_tables.key"
        # The key is only created with the first mapping: one in the wrong place would later pass for the right one.
        self._key = read_key(self._key_path, self._path) if self._is_there() else b""
        # Stays open: opening it for each page of contacts would cost more than the look-up.
        self._connection: sqlite3.Connection | None = None

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each id; a new id gets one."""
        found: dict[str, str] = {}
        if not ids:
            return found
        with self._transaction() as connection:
            for batch in self._in_hashed_batches(ids):
                made = {key: self._make_uuid() for key in batch}
                # Mostly asked for new ids: if all could be inserted, no look-up is needed.
                if self._insert(connection, made) == len(batch):
                    found |= {batch[key]: participant for key, participant in made.items()}
                else:
                    found |= self._look_up(connection, batch)
        return found

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each known id."""
        found: dict[str, str] = {}
        if ids and self._is_there():
            with self._reading() as connection:
                for batch in self._in_hashed_batches(ids):
                    found |= self._look_up(connection, batch)
        return found

    def find_numbers(self, participants: Sequence[str]) -> None:
        """Return None: it stores hashes of ids alone."""

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Tell whether the table has at least one of these uuids."""
        if not self._is_there():
            return False
        query = f"SELECT 1 {_WHOSE.format(_marks(participants))} LIMIT 1"
        with self._reading() as connection:
            return connection.execute(query, (self._table_name, *participants)).fetchone() is not None

    def count_all(self) -> int:
        """Count all ids in the table."""
        if not self._is_there():
            return 0
        query = "SELECT count(*) FROM mappings WHERE table_name = ?"
        with self._reading() as connection:
            return int(connection.execute(query, (self._table_name,)).fetchone()[0])

    def count_ids(self, participants: Collection[str]) -> int:
        """Count the ids of these participants."""
        return len(self._hashes_of(participants))

    def marks_of(self, participants: Collection[str]) -> list[str]:
        """Return a mark of each id of these participants."""
        return sorted(map(self._mark, self._hashes_of(participants)))

    def marks(self, ids: Collection[str]) -> dict[str, str]:
        """Return the mark of each id, known or not."""
        return {
            identifier: self._mark(key) for batch in self._in_hashed_batches(ids) for key, identifier in batch.items()
        }

    @property
    def marks_key(self) -> str | None:
        """Name of the key that marks are made with; None if there is none yet."""
        return hmac.digest(self._key, _MARKS_KEY, hashlib.sha256).hex() if self._key else None

    def remove(self, participants: Collection[str]) -> int:
        """Remove the ids of these participants, also from the file's free space; return how many there were."""
        if not self._is_there():
            return 0
        with self._explaining():
            # Free space is overwritten.
            self._open().execute("PRAGMA secure_delete = ON")
        with self._transaction() as connection:
            # Uuids have no index: each query reads the whole table.
            count = sum(
                connection.execute(f"DELETE {_WHOSE.format(_marks(some))}", (self._table_name, *some)).rowcount
                for some in in_batches(participants)
            )
        with self._explaining():
            self._open().execute("VACUUM")
        return count

    def release(self, participants: Collection[str]) -> int:
        """Remove the ids of these participants, and note first that the table has gaps."""
        if not self._is_there():
            return 0
        with self._transaction() as connection:
            connection.execute(_GAPS)
            connection.execute("INSERT OR IGNORE INTO gaps VALUES (?)", (self._table_name,))
        return self.remove(participants)

    @property
    def has_gaps(self) -> bool:
        """Tell whether rows were released."""
        if not self._is_there():
            return False
        with self._reading() as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'gaps'").fetchone() is None:
                return False
            return bool(connection.execute("SELECT 1 FROM gaps WHERE table_name = ?", (self._table_name,)).fetchone())

    def _hashes_of(self, participants: Collection[str]) -> list[bytes]:
        if not self._is_there():
            return []
        with self._reading() as connection:
            read = connection.execute
            return [
                key
                for some in in_batches(participants)
                for (key,) in read(f"SELECT hash {_WHOSE.format(_marks(some))}", (self._table_name, *some))
            ]

    def _mark(self, key: bytes) -> str:
        return hmac.digest(self._key, _MARK + key, hashlib.sha256).hex()

    def import_mappings(self, mapping: Mapping[str, str]) -> None:
        """Import uuids that were assigned elsewhere.

        Raises
        ------
        InputError
            An id has another uuid here, or a uuid belongs to another id; nothing is imported.
        """
        conflicts = 0
        with self._transaction() as connection:
            for batch in self._in_hashed_batches(mapping):
                self._insert(connection, {key: mapping[identifier] for key, identifier in batch.items()})
                held = self._look_up(connection, batch)
                conflicts += sum(held.get(identifier) != mapping[identifier] for identifier in batch.values())
            # Counted here: an index for unique uuids would double the cost of each new participant.
            query = "SELECT count(*) - count(DISTINCT uuid) FROM mappings WHERE table_name = ?"
            (shared,) = connection.execute(query, (self._table_name,)).fetchone()
            conflicts += shared
            if conflicts:
                raise InputError(
                    f"{self._path}: {conflicts} of {len(mapping)} mappings differ from what table {self._table_name!r} "
                    "holds; expected one permanent uuid for each number. Nothing was imported. Import into a new table."
                )

    def _look_up(self, connection: sqlite3.Connection, batch: Mapping[bytes, str]) -> dict[str, str]:
        rows = connection.execute(
            f"SELECT hash, uuid FROM mappings WHERE table_name = ? AND hash IN ({_marks(batch)})",  # noqa: S608 - only marks
            (self._table_name, *batch),
        )
        return {batch[key]: participant for key, participant in rows}

    def _insert(self, connection: sqlite3.Connection, participants: Mapping[bytes, str]) -> int:
        """Insert the uuids of unknown ids; returns how many there were."""
        cursor = connection.executemany(
            "INSERT OR IGNORE INTO mappings (table_name, hash, uuid) VALUES (?, ?, ?)",
            # In the order of the table, so that neighbours are inserted together.
            [(self._table_name, key, participants[key]) for key in sorted(participants)],
        )
        return cursor.rowcount

    def _in_hashed_batches(self, ids: Iterable[str]) -> Iterator[dict[bytes, str]]:
        """Split ids into batches by their hashes."""
        for batch in in_batches(ids):
            yield {hmac.digest(self._key, identifier.encode(), hashlib.sha256): identifier for identifier in batch}

    def _is_there(self) -> bool:
        return self._path.exists() and self._path.stat().st_size > 0

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give the table for reading; other processes may write meanwhile."""
        with self._explaining():
            yield self._open()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that excludes other writers; undo it if the block raises."""
        with self._explaining():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self._key:
                make_directory(self._path.parent)
                self._key = load_key(self._key_path, self._path)
            with explain_os_errors(self._path):
                self._path.touch(mode=0o600)
            with contextlib.ExitStack() as resources:
                connection = resources.enter_context(
                    contextlib.closing(sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None))
                )
                connection.execute("BEGIN IMMEDIATE")
                for statement in _TABLES.split(";")[:-1]:
                    connection.execute(statement)
                self._check_key(connection)
                connection.execute("COMMIT")
                resources.pop_all()
            self._connection = connection
        return self._connection

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self.close()
            if is_full(error):
                raise MachineError(
                    f"{self._path}: the uuid table could not be written: the disk is full. Nothing was changed. "
                    "Free some space and run this again."
                ) from error
            raise MachineError(
                f"{self._path}: the uuid table could not be used: {error}. "
                "Nothing was changed. Check the disk, or restore the file from a backup with its key."
            ) from error

    def _check_key(self, connection: sqlite3.Connection) -> None:
        """Refuse a key that does not belong to the file: everybody would get a new uuid."""
        expected = hmac.digest(self._key, _KEY_CHECK, hashlib.sha256)
        kept = connection.execute("SELECT value FROM key_check").fetchone()
        if kept is None:
            connection.execute("INSERT INTO key_check VALUES (?)", (expected,))
        elif kept[0] != expected:
            raise MachineError(
                f"{self._key_path}: not the key that {self._path.name} was made with; expected both files from one backup. "
                "Nothing was changed. Restore both together."
            )


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def find_embedded_tables(path: Path) -> list[str]:
    """List the tables in a file; none if there is no file."""
    if not path.exists():
        return []
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'mappings'").fetchone():
                return []
            return [name for (name,) in connection.execute("SELECT DISTINCT table_name FROM mappings ORDER BY 1")]
    except sqlite3.Error as error:
        raise MachineError(
            f"{path}: the uuid table could not be read: {error}. Check the disk, or restore the file from a backup."
        ) from error
