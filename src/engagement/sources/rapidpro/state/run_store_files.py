"""Open the state of a source: a SQLite file and the log of lines, for one process at a time.

State/fetch/<name>.sqlite      rows, each page's in one transaction; a run's row has the place of its line
State/fetch/<name>.0.lines     the log of lines; `.1.lines` after a rewrite, then `.0.lines` again
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import count_of
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json
from engagement.sources.rapidpro.de_identify import UNKNOWN_CHANNEL
from engagement.sources.rapidpro.state.line_log import LineLog
from engagement.sources.rapidpro.state.run_store import RunStore
from engagement.sources.state_databases import connect_state, explain_state_error, remove_state, set_up_state

_VERSION = 4
# A log is rewritten when half of it, and more than this, is replaced lines.
_LEAST_GARBAGE_BYTES = 1 << 26
_LINES_A_COPY = 1000
_SCHEMA = """
CREATE TABLE contacts (
    uuid TEXT PRIMARY KEY, participant TEXT, urn_type TEXT, operator_raw TEXT, line INTEGER
) WITHOUT ROWID;
CREATE TABLE places (listing TEXT PRIMARY KEY, newest INTEGER, go_on_from INTEGER) WITHOUT ROWID;
CREATE TABLE flows (
    id INTEGER PRIMARY KEY, uuid TEXT, name TEXT, rendering TEXT, written_runs INTEGER, written_size INTEGER,
    written_at INTEGER, full_texts INTEGER DEFAULT 0, UNIQUE (uuid, name)
);
CREATE TABLE archives (flow INTEGER, md5 TEXT, PRIMARY KEY (flow, md5)) WITHOUT ROWID;
CREATE TABLE runs (
    flow INTEGER, id INTEGER, uuid TEXT, contact TEXT, modified INTEGER, run_id ANY, start INTEGER, length INTEGER,
    is_archived INTEGER DEFAULT 0, texts_from INTEGER, PRIMARY KEY (flow, id)
) WITHOUT ROWID;
CREATE TABLE waiting (
    flow INTEGER, uuid TEXT, contact TEXT, modified INTEGER, run_id ANY, run BLOB, is_archived INTEGER DEFAULT 0,
    PRIMARY KEY (flow, uuid)
) WITHOUT ROWID;
CREATE INDEX to_look_up ON runs (contact, texts_from) WHERE texts_from IS NOT NULL;
CREATE TABLE asked_for (contact TEXT PRIMARY KEY, time INTEGER, is_gone INTEGER) WITHOUT ROWID;
CREATE TABLE messages (contact TEXT, created INTEGER, text TEXT, PRIMARY KEY (contact, created, text)) WITHOUT ROWID;
CREATE TABLE line_log (number INTEGER, size INTEGER);
INSERT INTO line_log VALUES (0, 0);
"""
# The copied part of the contacts' file, and the workspace.
_CONTACTS_FILE = """
CREATE TABLE contact_file (file TEXT, size INTEGER, lines INTEGER, tail BLOB);
INSERT INTO contact_file VALUES ('', 0, 0, '');
CREATE TABLE source (workspace TEXT);
INSERT INTO source VALUES (NULL);
"""
# Earlier versions took a URN without a scheme, often a bare phone number, for the name of a channel.
_HAS_NO_SCHEME = "urn_type NOT GLOB '[a-z]*' OR urn_type GLOB '*[^a-z0-9+.-]*'"

# Upgrades from each earlier version to the next.
_UPGRADES = {
    2: """
ALTER TABLE places DROP COLUMN following;
ALTER TABLE places ADD COLUMN go_on_from INTEGER;
ALTER TABLE runs ADD COLUMN is_archived INTEGER DEFAULT 0;
ALTER TABLE runs ADD COLUMN texts_from INTEGER;
ALTER TABLE waiting ADD COLUMN is_archived INTEGER DEFAULT 0;
ALTER TABLE flows ADD COLUMN full_texts INTEGER DEFAULT 0;
CREATE INDEX to_look_up ON runs (contact, texts_from) WHERE texts_from IS NOT NULL;
CREATE TABLE asked_for (contact TEXT PRIMARY KEY, time INTEGER, is_gone INTEGER) WITHOUT ROWID;
CREATE TABLE messages (contact TEXT, created INTEGER, text TEXT, PRIMARY KEY (contact, created, text)) WITHOUT ROWID;
-- Once more, because they have whole texts of runs that came without.
DELETE FROM archives;
""",
    3: f"ALTER TABLE contacts ADD COLUMN line INTEGER; {_CONTACTS_FILE}",
}

_logger = logging.getLogger(__name__)


class _LostStateError(Exception):
    """The state can't be used, and everything must be fetched again. The text says why."""


@contextlib.contextmanager
def open_run_store(path: Path, writes_log_anew: bool = False) -> Iterator[RunStore]:
    """Open a source's state, or start a new one; restarts a damaged or another version's with a warning.

    Raises
    ------
    LockedError
        Another process has it open.
    """
    make_directory(path.parent)
    with contextlib.ExitStack() as resources:
        try:
            try:
                connection, log = _open(path, resources, writes_log_anew)
            except _LostStateError as lost:
                _logger.warning("%s: %s; everything is fetched again", path, lost)
                resources.close()
                _save_contacts(path)
                _remove(path)
                connection, log = _open(path, resources)
            _take_saved_contacts(path, connection)
            yield RunStore(connection, log)
        except sqlite3.Error as error:
            raise explain_state_error(path, error) from error


def _open(
    path: Path, resources: contextlib.ExitStack, writes_log_anew: bool = False
) -> tuple[sqlite3.Connection, LineLog]:
    connection = connect_state(path)
    resources.callback(connection.close)
    try:
        _prepare(connection)
        number, size = connection.execute("SELECT number, size FROM line_log").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise _LostStateError(f"damaged ({error})") from None
    _remove_other_log(path, number, connection)
    log = LineLog(_log_path(path, number), size)
    resources.callback(log.close)
    if not log.is_whole():
        raise _LostStateError(f"{log.path.name} is missing or shorter than it was")
    (live,) = connection.execute("SELECT CAST(total(length) AS INTEGER) FROM runs").fetchone()
    if writes_log_anew or size - live > max(live, _LEAST_GARBAGE_BYTES):
        _logger.info("%s: rewritten, %d MB instead of %d", path, live // 1_000_000, size // 1_000_000)
        log = _write_anew(path, number, connection, log, resources)
    return connection, log


def _save_contacts(path: Path) -> None:
    """Save the readable contacts of an unusable state to a file beside it: they can't be fetched again."""
    contacts: list[tuple[str, str, str, str]] = []
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            channel = f"CASE WHEN {_HAS_NO_SCHEME} THEN '{UNKNOWN_CHANNEL}' ELSE {{}} END"
            columns = f"uuid, participant, {channel.format('urn_type')}, {channel.format('operator_raw')}"
            contacts.extend(connection.execute(f"SELECT {columns} FROM contacts"))  # noqa: S608 - names of our own
    except sqlite3.Error:
        _logger.warning("%s: only %s could be saved of it", path, count_of(len(contacts), "contact"))
    saved = [contact for contact in contacts if all(isinstance(cell, str) for cell in contact)]
    if saved:
        write_json(_saved_contacts_path(path), saved)


def _take_saved_contacts(path: Path, connection: sqlite3.Connection) -> None:
    """Copy the contacts of an abandoned state; a killed process may have left them for the next one."""
    saved = _saved_contacts_path(path)
    if saved.exists():
        connection.execute("BEGIN")
        connection.executemany("INSERT OR IGNORE INTO contacts VALUES (?, ?, ?, ?, NULL)", read_json(saved))
        connection.execute("COMMIT")
        # Safe on the disk before the file is removed.
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        saved.unlink()


def _saved_contacts_path(path: Path) -> Path:
    return path.with_suffix(".saved_contacts.json")


def _write_anew(
    path: Path, number: int, connection: sqlite3.Connection, log: LineLog, resources: contextlib.ExitStack
) -> LineLog:
    """Copy the lines that count into a new log, which replaces the old one in one transaction."""
    new = LineLog(_log_path(path, 1 - number), 0)
    resources.callback(new.close)
    connection.execute("BEGIN IMMEDIATE")
    last = (0, 0)
    query = "SELECT flow, id, start, length FROM runs WHERE (flow, id) > (?, ?) ORDER BY flow, id LIMIT ?"
    while rows := connection.execute(query, (*last, _LINES_A_COPY)).fetchall():
        moved = [(new.append([log.read(start, length)]), flow, run) for flow, run, start, length in rows]
        connection.executemany("UPDATE runs SET start = ? WHERE flow = ? AND id = ?", moved)
        last = rows[-1][:2]
    new.flush()
    connection.execute("UPDATE line_log SET number = ?, size = ?", (1 - number, new.size))
    connection.execute("COMMIT")
    _remove_other_log(path, 1 - number, connection)
    return new


def _remove_other_log(path: Path, number: int, connection: sqlite3.Connection) -> None:
    """Remove a log that the state no longer names, or that was not completed."""
    other = _log_path(path, 1 - number)
    if other.exists():
        # First the choice of the current log must be on the disk.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with explain_os_errors(other):
            other.unlink()


def _prepare(connection: sqlite3.Connection) -> None:
    """Set a connection up, and make the tables of a new state."""
    set_up_state(connection)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not version and not tables:
        connection.executescript(f"BEGIN; {_SCHEMA} {_CONTACTS_FILE} PRAGMA user_version = {_VERSION}; COMMIT;")
        return
    if version in _UPGRADES and connection.execute(f"SELECT 1 FROM contacts WHERE {_HAS_NO_SCHEME}").fetchone():  # noqa: S608
        raise _LostStateError("made by an earlier version, with URNs that may hold phone numbers in it")
    while version in _UPGRADES:
        connection.executescript(f"BEGIN; {_UPGRADES[version]} PRAGMA user_version = {version + 1}; COMMIT;")
        version += 1
    if version != _VERSION:
        raise _LostStateError("made by another version of this program")


def _log_path(path: Path, number: int) -> Path:
    return path.with_suffix(f".{number}.lines")


def _remove(path: Path) -> None:
    remove_state(path)
    with explain_os_errors(path):
        for number in (0, 1):
            _log_path(path, number).unlink(missing_ok=True)
