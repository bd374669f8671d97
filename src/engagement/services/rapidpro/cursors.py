"""RapidPro's cursors: the base64 of "p=<time>&o=<number>": rows after a time, skipping a number.

Either part can be missing. If a page ends between rows with different times, its cursor is a time and stays valid
whatever happens to the rows. If rows share a time, the cursor counts rows, and is valid only until one of them changes.
"""

import base64
import urllib.parse


def read_offset(query: str) -> int | None:
    """Return the offset in a query's cursor: 0 for a time alone, None for another kind of cursor.

    >>> read_offset("flow=f&cursor=bz0yNTA%3D"), read_offset("cursor=cD0yMDI2"), read_offset("cursor=elsewhere")
    (250, 0, None)
    """
    try:
        (cursor,) = urllib.parse.parse_qs(query)["cursor"]
        parts = urllib.parse.parse_qs(base64.b64decode(cursor, validate=True).decode("ascii"))
        return int(parts["o"][0]) if "o" in parts else 0 if "p" in parts else None
    except (KeyError, ValueError):
        return None


def write_offset(rows: int) -> str:
    """Return the cursor that skips a number of rows.

    >>> write_offset(250)
    'bz0yNTA='
    """
    return base64.b64encode(f"o={rows}".encode()).decode()
