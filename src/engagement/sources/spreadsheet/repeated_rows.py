"""Rows that are the same: how often each stands in the files."""

_ENDS_AT = "-"


class RepeatedRows:
    """Counts equal rows: of those that several files have, as many as the file with most of them has.

    >>> rows = RepeatedRows()
    >>> [rows.add("ab"), rows.add("cd"), rows.add("ab")], rows.end_file(), [rows.add("ab"), rows.add("ef")], len(rows)
    (['ab-1', 'cd-1', 'ab-2'], None, [None, 'ef-1'], 4)
    >>> "ab-2" in rows, "ab-3" in rows, "a row that is gone" in rows
    (True, False, False)
    """

    def __init__(self) -> None:
        # Digests as bytes: half of what they take as texts.
        self._most: dict[bytes, int] = {}
        self._in_file: dict[bytes, int] | None = None
        self._count = 0

    def __len__(self) -> int:
        """Return how many rows count."""
        return self._count

    def __contains__(self, key: str) -> bool:
        """Tell whether a row with this key counts."""
        digest, _, number = key.rpartition(_ENDS_AT)
        try:
            return 1 <= int(number) <= self._most.get(bytes.fromhex(digest), 0)
        except ValueError:
            return False

    def add(self, digest: str) -> str | None:
        """Return the key of the file's next row with this digest; None if another file had it."""
        short = bytes.fromhex(digest)
        if self._in_file is None:
            # The first file, which is mostly the only one.
            number = self._most.get(short, 0) + 1
        else:
            number = self._in_file.get(short, 0) + 1
            self._in_file[short] = number
            if number <= self._most.get(short, 0):
                return None
        self._most[short] = number
        self._count += 1
        return f"{digest}{_ENDS_AT}{number}"

    def end_file(self) -> None:
        """Begin the next file."""
        self._in_file = {}
