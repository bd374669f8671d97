"""Numbers of a flow's runs in the state: 0, 1, 2, … in order of arrival.

They are in memory: uuids have no order, so an index of them in the database would be written to in as many places as a page
has runs, which costs more than all else that is kept of the page.

A first fetch only has to know that no run came before. For that, a short hash of each uuid is enough; as soon as one comes
again, or two have the same hash, the uuids and numbers are read from the database.
"""

from collections.abc import Callable, Iterable, Sequence

# Up to here an int takes the least memory.
_SHORT = (1 << 60) - 1


class RunNumbers:
    """Numbers of one flow's runs.

    `read` gives those in the database, and `has_any` tells whether there are some.
    """

    def __init__(self, has_any: bool, read: Callable[[], Iterable[tuple[str, int]]]):
        self._read = read
        self._hashes: set[int] = set()
        self._count = 0
        self._numbers = dict(read()) if has_any else None

    def known(self, uuids: Iterable[str]) -> list[int]:
        """Return the numbers of those of the runs that are in the database."""
        uuids = list(uuids)
        if self._numbers is None and self._hashes.isdisjoint(map(_shorten, uuids)):
            return []
        numbers = self._all()
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
        numbers = self._all()
        return [numbers.setdefault(uuid, len(numbers)) for uuid in uuids]

    def _all(self) -> dict[str, int]:
        if self._numbers is None:
            self._numbers = dict(self._read())
            self._hashes.clear()
        return self._numbers


def _shorten(uuid: str) -> int:
    return hash(uuid) & _SHORT
