"""Opens the store of a form: a new one if it is missing, damaged, or of other questions."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.files import make_directory
from engagement.sources.held_back import NOTHING, HeldBack
from engagement.sources.state_databases import connect_state, explain_state_error, remove_state, set_up_state
from engagement.sources.submissions.earlier_lines import EarlierLines
from engagement.sources.submissions.lines import SubmissionLines
from engagement.sources.submissions.store import SubmissionStore

_VERSION = 1
# The lines of a submission have 2 KB or more: a page of 4 KB would hold one of them, and be half empty.
_PAGE_BYTES = 16384
_SCHEMA = """
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE, version TEXT, time INTEGER, episode BLOB, survey BLOB
);
CREATE TABLE set_aside (key TEXT PRIMARY KEY, place TEXT, reason TEXT) WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID;
CREATE INDEX in_order ON submissions (time, key);
"""

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def open_store(
    path: Path,
    flow: str,
    settings: str,
    lines: SubmissionLines,
    earlier: EarlierLines,
    held_back: HeldBack = NOTHING,
) -> Iterator[SubmissionStore]:
    """Open a form's state; a new one if it is missing, damaged, or made with other settings.

    Raises
    ------
    LockedError
        Another process has it open.
    DamagedStateError
        It was used, and is damaged in the middle.
    """
    make_directory(path.parent)
    store: SubmissionStore | None = None
    with contextlib.ExitStack() as resources:
        try:
            connection = _open(path, settings, resources)
            if connection is None:
                resources.close()
                remove_state(path)
                connection = _open(path, settings, resources)
            if connection is None:
                raise sqlite3.DatabaseError("it can't be made anew")
            store = SubmissionStore(path, flow, connection, lines, earlier, held_back)
            store.label_again()
            yield store
        except sqlite3.OperationalError as error:
            raise explain_state_error(path, error) from error
        except sqlite3.Error as error:
            # Perhaps of another form's store, which is open as well.
            if store is not None:
                store.refuse_damage()
            raise explain_state_error(path, error) from error


def _open(path: Path, settings: str, resources: contextlib.ExitStack) -> sqlite3.Connection | None:
    """Connect; None for a state that can't be used."""
    connection = connect_state(path)
    resources.callback(connection.close)
    try:
        set_up_state(connection, _PAGE_BYTES)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not version and not tables:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
            connection.execute("INSERT INTO notes VALUES ('settings', ?)", (settings,))
            return connection
        if version != _VERSION:
            _logger.warning("%s: made by another version of this program; everything is fetched again", path)
            return None
        row = connection.execute("SELECT text FROM notes WHERE name = 'settings'").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        _logger.warning("%s: damaged (%s); everything is fetched again", path, error)
        return None
    if row is None or row[0] != settings:
        _logger.info("%s: its questions changed; everything is fetched again", path)
        return None
    return connection
