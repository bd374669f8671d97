"""SQLite files of the fetch's state: private, for one process at a time, whole after any kill."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import LockedError, MachineError
from engagement.foundation.files import explain_os_errors
from engagement.foundation.sqlite_errors import is_full

_CACHE_KIBIBYTES = 8192
_BYTES_A_CHECKPOINT = 64 << 20
_LOCK_TIMEOUT_SECONDS = 1.0


class DamagedStateError(MachineError):
    """A state's file that was damaged, and is removed: a fetch that begins now starts again."""

    def __init__(self, path: Path, found: str):
        super().__init__(f"{path}: damaged ({found}); everything is fetched again")


def connect_state(path: Path) -> sqlite3.Connection:
    """Connect to a state's file, creating it if missing."""
    with explain_os_errors(path):
        path.touch(mode=0o600)
    return sqlite3.connect(path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)


def set_up_state(connection: sqlite3.Connection, page_bytes: int = 4096) -> None:
    """Lock the file, and choose how it is written. A file that exists keeps the size of its pages."""
    connection.execute(f"PRAGMA page_size = {page_bytes}")
    # Nobody else may write between our transactions, and without sharing they cost less.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    # Safe when the process is killed; after a power cut the last pages may be asked for again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA wal_autocheckpoint = {_BYTES_A_CHECKPOINT // page_bytes}")


def find_damage(connection: sqlite3.Connection) -> str | None:
    """Read all pages, and return what SQLite says of a damaged one."""
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else str(found)


def remove_state(path: Path) -> None:
    """Remove a state's file, and SQLite's own files beside it."""
    with explain_os_errors(path):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


def explain_state_error(path: Path, error: sqlite3.Error) -> LockedError | MachineError:
    """Turn SQLite's error into one that says what to do."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return LockedError(
            f"{path}: another process has it open; expected one fetch at a time. Wait until it has ended."
        )
    if is_full(error):
        return MachineError(
            f"{path}: the state of the fetch could not be written: the disk is full. What it holds is kept. "
            "Free some space and run this again."
        )
    return MachineError(
        f"{path}: the state of the fetch could not be used: {error}. Check the disk and the file's permissions; "
        "it may be removed, at the cost of fetching everything again."
    )


@contextlib.contextmanager
def leave_no_trace(connection: sqlite3.Connection) -> Iterator[None]:
    """Have what the block deletes gone from the file and from those beside it."""
    connection.execute("PRAGMA secure_delete = ON")
    yield
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextlib.contextmanager
def look_into_state(path: Path) -> Iterator[sqlite3.Connection]:
    """Read a state without changing it; what a process has open may not be in it yet."""
    # With a log beside it, only SQLite knows what counts; without one, it must not make any file there.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise explain_state_error(path, error) from error


def state_files(data_root: Path, table: str, folder: str = "fetch") -> list[Path]:
    """List the state's databases that have a table.

    None of them is left open: who changes one needs it alone.
    """
    found = []
    for path in sorted((data_root / "State" / folder).glob("*.sqlite")):
        with look_into_state(path) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                found.append(path)
    return found
