"""RapidPro's cursors: the base64 of "p=<time>&o=<number>", which are rows after a time, and then so many rows further.

Both parts can be missing. Where a page ends between rows of two times, its cursor is a time, which stays true whatever becomes
of the rows. Where rows share a time it is a number of rows, which is true only until one of them changes.
"""

import base64
import urllib.parse


def read_offset(query: str) -> int | None:
    """How many rows the cursor of a query counts, 0 for one that is a time alone; None for a cursor of another kind.

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
    """The cursor that leaves out so many rows of a listing.

    >>> write_offset(250)
    'bz0yNTA='
    """
    return base64.b64encode(f"o={rows}".encode()).decode()
