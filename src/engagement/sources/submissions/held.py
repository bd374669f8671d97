"""Look at the submissions that a fetch holds, without writing anything: for plans."""

import contextlib
import sqlite3
import urllib.parse
from pathlib import Path


def look_at_versions(path: Path) -> dict[str, str]:
    """Read the version of each submission of a form's state, by its key.

    None if there is no state that can be read. A fetch that is at work, or was killed, may hold more.
    """
    if not path.exists():
        return {}
    # Opened as immutable: SQLite then makes no file beside it, and waits for no lock.
    address = f"file:{urllib.parse.quote(str(path.resolve()))}?immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            return dict(connection.execute("SELECT key, version FROM submissions"))
    except sqlite3.Error:
        return {}
