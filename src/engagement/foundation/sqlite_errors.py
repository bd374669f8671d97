"""What SQLite's errors mean for the person who has to mend them."""

import sqlite3


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether the disk is full, or a quota used up."""
    code = getattr(error, "sqlite_errorcode", None)
    # SQLite reports a write that the kernel refused for want of space as FULL, of its log's index as IOERR_SHMSIZE.
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
