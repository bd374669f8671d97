"""State/write_back/<workspace>.sqlite: what RapidPro has, and which groups were filled.

No number, name of a person or text is in it. Without the file contacts are read before they are written, as ever, but a group
that was renamed is not followed any more. It is kept after every request, so whatever a killed process sent is not sent again.
"""

import contextlib
import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from engagement.foundation.errors import MachineError
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.services.rapidpro.group_memory import RememberedGroup

_VERSION = 2
_TARGETS = """
CREATE TABLE groups (uuid TEXT PRIMARY KEY, wanted TEXT, name TEXT, digest TEXT, is_stop INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE flags (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_SCHEMA = f"""
CREATE TABLE settled (contact TEXT, what TEXT, value TEXT, PRIMARY KEY (contact, what)) WITHOUT ROWID;
{_TARGETS}
"""
# Until version 2 groups went by name; who is in STOP's group is kept, and all groups are compared once.
_FROM_1 = """
INSERT OR REPLACE INTO settled SELECT contact, 'group', value FROM settled WHERE what LIKE 'group %';
DELETE FROM settled WHERE what LIKE 'group %';
"""


class WriteBackState:
    """What one workspace is known to have."""

    def __init__(self, connection: sqlite3.Connection, is_dry: bool, is_full: bool):
        self._connection = connection
        self._is_dry = is_dry
        self._is_full = is_full
        self._lost: set[str] = set()

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
        if self._is_dry and what in self._lost:
            return {}
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

    def lose(self, what: str) -> None:
        """Forget what every contact has of something that RapidPro has no more."""
        self._lost.add(what)
        if not self._is_dry:
            self._connection.execute("DELETE FROM settled WHERE what = ?", (what,))

    def holds_group(self, uuid: str, contacts: Collection[str]) -> bool:
        """Check if a group was last compared with just these contacts."""
        if self._is_full:
            return False
        row = self._connection.execute("SELECT digest FROM groups WHERE uuid = ?", (uuid,)).fetchone()
        return row is not None and row[0] == _digest(contacts)

    def keep_group(self, uuid: str, contacts: Collection[str]) -> None:
        """Keep that a group was compared with these contacts."""
        self._change_groups("UPDATE groups SET digest = ? WHERE uuid = ?", _digest(contacts), uuid)

    def remembered_group(self, name: str) -> RememberedGroup | None:
        """Return the group that was written to under this name."""
        query = "SELECT uuid, name FROM groups WHERE wanted = ?"
        row = self._connection.execute(query, (name.casefold(),)).fetchone()
        return None if row is None else RememberedGroup(*row)

    def remember_group(self, name: str, group: RememberedGroup) -> None:
        """Keep that a name stands for this group from now on; the one before is still known by its uuid."""
        wanted = name.casefold()
        if self.remembered_group(name) != group:
            self._change_groups("UPDATE groups SET wanted = NULL WHERE wanted = ? AND uuid != ?", wanted, group.uuid)
            insert = "INSERT INTO groups (uuid, wanted, name) VALUES (?, ?, ?) ON CONFLICT (uuid) "
            self._change_groups(
                f"{insert} DO UPDATE SET wanted = excluded.wanted, name = excluded.name", group.uuid, wanted, group.name
            )

    def forget_group(self, uuid: str) -> None:
        """Forget a group that RapidPro has no more."""
        self._change_groups("DELETE FROM groups WHERE uuid = ?", uuid)

    def use_group(self, uuid: str, is_stop: bool) -> None:
        """Keep whether a group is the one of STOP, which nobody leaves for having withdrawn."""
        self._change_groups("UPDATE groups SET is_stop = ? WHERE uuid = ? AND is_stop != ?", is_stop, uuid, is_stop)

    def other_groups(self, names: Iterable[str]) -> list[str]:
        """Return the uuids of groups that were ever filled, but STOP's and those of these names."""
        wanted = {name.casefold() for name in names}
        rows = self._connection.execute("SELECT uuid, wanted FROM groups WHERE NOT is_stop ORDER BY uuid").fetchall()
        return [uuid for uuid, name in rows if name not in wanted]

    def flags(self) -> frozenset[str]:
        """Return the keys of the fields that were ever written as flags of a selection."""
        return frozenset(key for (key,) in self._connection.execute("SELECT key FROM flags"))

    def remember_flags(self, keys: Iterable[str]) -> None:
        """Keep that fields are flags."""
        if not self._is_dry:
            self._connection.executemany("INSERT OR IGNORE INTO flags VALUES (?)", [(key,) for key in keys])

    def _change_groups(self, statement: str, *values: str | bool) -> None:
        if not self._is_dry:
            self._connection.execute(statement, values)


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
            if version == 1:
                connection.executescript(
                    f"BEGIN; DROP TABLE groups; {_TARGETS} {_FROM_1} PRAGMA user_version = {_VERSION}; COMMIT;"
                )
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
