"""State/write_back/<workspace>.sqlite: what RapidPro is known to have, by contact's uuid.

No number, name or text is in it. The file is safe to delete: contacts are read before they are written. It is kept after every request, so whatever a killed
process sent is not sent again.
"""

import contextlib
import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from engagement.foundation.errors import MachineError
from engagement.foundation.files import explain_os_errors, make_directory

_VERSION = 1
_SCHEMA = """
CREATE TABLE settled (contact TEXT, what TEXT, value TEXT, PRIMARY KEY (contact, what)) WITHOUT ROWID;
CREATE TABLE groups (name TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID;
"""


class WriteBackState:
    """What one workspace is known to have."""

    def __init__(self, connection: sqlite3.Connection, is_dry: bool, is_full: bool):
        self._connection = connection
        self._is_dry = is_dry
        self._is_full = is_full

    @contextlib.contextmanager
    def rehearse(self) -> Iterator[None]:
        """Within it nothing is kept."""
        was_dry, self._is_dry = self._is_dry, True
        try:
            yield
        finally:
            self._is_dry = was_dry

    def settled(self, what: str) -> dict[str, str]:
        """Return the value that each contact is known to have of something."""
        rows = self._connection.execute("SELECT contact, value FROM settled WHERE what = ?", (what,))
        return dict(rows)

    def settle(self, contacts: Iterable[str], values: Mapping[str, str]) -> None:
        """Keep that contacts have these values."""
        if not self._is_dry:
            self._connection.executemany(
                "REPLACE INTO settled VALUES (?, ?, ?)",
                [(contact, what, value) for contact in contacts for what, value in values.items()],
            )

    def forget(self, contacts: Iterable[str], what: str) -> None:
        """Forget what contacts have of something."""
        if not self._is_dry:
            rows = [(contact, what) for contact in contacts]
            self._connection.executemany("DELETE FROM settled WHERE contact = ? AND what = ?", rows)

    def holds_group(self, name: str, contacts: Collection[str]) -> bool:
        """Check if a group was last filled with just these contacts."""
        if self._is_full:
            return False
        row = self._connection.execute("SELECT digest FROM groups WHERE name = ?", (name.casefold(),)).fetchone()
        return row is not None and row[0] == _digest(contacts)

    def keep_group(self, name: str, contacts: Collection[str]) -> None:
        """Keep that a group was filled with these contacts."""
        if not self._is_dry:
            self._connection.execute("REPLACE INTO groups VALUES (?, ?)", (name.casefold(), _digest(contacts)))


def state_path(data_root: Path, workspace: str) -> Path:
    """Name the file of a workspace's state."""
    return data_root / "State" / "write_back" / f"{workspace}.sqlite"


@contextlib.contextmanager
def open_state(path: Path, is_dry: bool = False, is_full: bool = False) -> Iterator[WriteBackState]:
    """Open a workspace's state, or begin it; a damaged one begins again. A dry one is only looked at.

    `is_full`: as if nothing was known, so that everything is compared with RapidPro itself; what the pipeline set is still
    remembered.
    """
    if is_dry and not path.exists():
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(_SCHEMA)
    else:
        with explain_os_errors(path):
            make_directory(path.parent)
        connection = _open(path)
    with contextlib.closing(connection):
        try:
            yield WriteBackState(connection, is_dry, is_full)
        except sqlite3.Error as error:
            raise MachineError(
                f"{path}: could not be used: {error}. Check the disk, and run this again; or remove the file: contacts are read "
                "before they are written."
            ) from error


def _open(path: Path) -> sqlite3.Connection:
    for _ in range(2):
        # Each request is kept at once; a power cut may lose the last ones, which are then read again.
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
                version = _VERSION
            if version == _VERSION:
                return connection
        except sqlite3.DatabaseError:
            pass
        connection.close()
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    raise MachineError(f"{path}: could not be opened; expected a file of this program. Remove it, and run this again.")


def _digest(contacts: Collection[str]) -> str:
    return hashlib.sha256("\n".join(sorted(contacts)).encode()).hexdigest()
