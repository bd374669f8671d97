"""Numbers of a flow's runs in the state: 0, 1, 2, … in order of arrival.

They are in memory: uuids have no order, so an index of them in the database would be written to in as many places as a page
has runs, which costs more than all else that is kept of the page.

A first fetch only has to know that no run came before. For that, a short hash of each uuid is enough; as soon as one comes
again, or two have the same hash, the uuids and numbers are read from the database.

Later fetches begin with runs that came last time. So the last ones are read first, and more of them only while one is not found.
"""

from collections.abc import Callable, Iterable, Sequence

# Up to here an int takes the least memory.
_SHORT = (1 << 60) - 1
_FIRST_READ = 1000


class RunNumbers:
    """Numbers of one flow's runs.

    `count` is how many are in the database; `read` gives those from one number to before another.
    """

    def __init__(self, count: int, read: Callable[[int, int], Iterable[tuple[str, int]]]):
        self._read = read
        self._count = count
        self._hashes: set[int] = set()
        self._numbers: dict[str, int] | None = {} if count else None
        # Those from here on are in `_numbers`.
        self._first_read = count
        self._next_read = _FIRST_READ

    def known(self, uuids: Iterable[str]) -> list[int]:
        """Return the numbers of those of the runs that are in the database."""
        uuids = list(uuids)
        if self._numbers is None and self._hashes.isdisjoint(map(_shorten, uuids)):
            return []
        numbers = self._read_until_found(uuids)
        return [numbers[uuid] for uuid in uuids if uuid in numbers]

    def number(self, uuids: Sequence[str]) -> list[int]:
        """Return the number of each run; a new one gets the next.

        Put them into the database before the next call.
        """
        if self._numbers is None:
            hashes = set(map(_shorten, uuids))
            if len(hashes) == len(uuids) and self._hashes.isdisjoint(hashes):
                self._hashes |= hashes
                first, self._count = self._count, self._count + len(uuids)
                return list(range(first, self._count))
        numbers = self._read_until_found(uuids)
        for uuid in uuids:
            if uuid not in numbers:
                numbers[uuid] = self._count
                self._count += 1
        return [numbers[uuid] for uuid in uuids]

    def _read_until_found(self, uuids: Iterable[str]) -> dict[str, int]:
        if self._numbers is None:
            self._numbers, self._first_read = dict(self._read(0, self._count)), 0
            self._hashes.clear()
        while self._first_read and not self._numbers.keys() >= set(uuids):
            end, self._first_read = self._first_read, max(0, self._first_read - self._next_read)
            self._numbers.update(self._read(self._first_read, end))
            # Every one is read once at most, however many are not found.
            self._next_read *= 2
        return self._numbers


def _shorten(uuid: str) -> int:
    return hash(uuid) & _SHORT
