"""Lines that Raw Data has already: a store that starts again keeps those of equal submissions."""

import bisect
from pathlib import Path

from engagement.sources.submissions.lines import hash_of

# A place is one number: the beginning of the line's hash, then where the line begins in the file.
_HASH_DIGITS = 16
_START_BITS = 48


class EarlierLines:
    """Finds lines of the files by the hash of what they hold. Reads the files on first use."""

    def __init__(self, files: dict[str, Path] | None = None):
        self._files = files or {}
        self._places: dict[str, list[int]] = {}

    def find(self, kind: str, line: bytes) -> bytes:
        """Return the file's own line with this content; the given line if it has none."""
        path = self._files.get(kind)
        if path is None:
            return line
        if kind not in self._places:
            self._places[kind] = _read_places(path)
        places = self._places[kind]
        first = _make_place(line, 0)
        for at in range(bisect.bisect_left(places, first), len(places)):
            start = places[at] - first
            if start >> _START_BITS:
                break
            with path.open("rb") as file:
                file.seek(start)
                found = file.readline()
            if hash_of(found) == hash_of(line):
                return found
        return line


def _read_places(path: Path) -> list[int]:
    """Read where each line is, in order of the hashes: there are many, and a list of numbers is small."""
    places: list[int] = []
    start = 0
    try:
        with path.open("rb") as file:
            for line in file:
                places.append(_make_place(line, start))
                start += len(line)
    except OSError:
        # A missing file; another fault is told when the file is written.
        pass
    places.sort()
    return places


def _make_place(line: bytes, start: int) -> int:
    return int(hash_of(line)[:_HASH_DIGITS] or b"0", 16) << _START_BITS | start
