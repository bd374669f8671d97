"""What State/write_back/ knows of participants and contacts, and its removal.

Of a participant it is that they got a contact, until the next fetch knows.
"""

import contextlib
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from engagement.delivery.write_back.missing import MADE
from engagement.sources.state_databases import explain_state_error, leave_no_trace, look_into_state, state_files


def find_made_contacts(data_root: Path) -> set[str]:
    """Find the participants of contacts that were made."""
    found: set[str] = set()
    for path in state_files(data_root, "settled", "write_back"):
        with look_into_state(path) as connection:
            rows = connection.execute("SELECT value FROM settled WHERE what = ?", (MADE,))
            found.update(participant for (participant,) in rows)
    return found


def remove_made_contacts(data_root: Path, uids: Collection[str]) -> None:
    """Remove whose contacts were made for these participants. May be killed and repeated."""
    for path in state_files(data_root, "settled", "write_back"):
        with look_into_state(path) as connection:
            rows = connection.execute("SELECT value FROM settled WHERE what = ?", (MADE,))
            own = sorted({(MADE, participant) for (participant,) in rows if participant in uids})
        if own:
            _delete(path, "what = ? AND value = ?", own)


def remove_settled(data_root: Path, contacts: Collection[str]) -> None:
    """Remove what RapidPro is known to have of these contacts. May be killed and repeated."""
    for path in state_files(data_root, "settled", "write_back"):
        with look_into_state(path) as connection:
            known = connection.execute("SELECT DISTINCT contact FROM settled")
            own = sorted((contact,) for (contact,) in known if contact in contacts)
        if own:
            _delete(path, "contact = ?", own)


def _delete(path: Path, which: str, rows: Sequence[tuple[str, ...]]) -> None:
    try:
        database = contextlib.closing(sqlite3.connect(path, isolation_level=None))
        with database as connection, leave_no_trace(connection):
            connection.executemany(f"DELETE FROM settled WHERE {which}", rows)  # noqa: S608 - names of our own
    except sqlite3.Error as error:
        raise explain_state_error(path, error) from error
