"""Rows of one person with the same time, which keep the order of the file."""

from collections import Counter


class SameTimes:
    """Counts each person's rows with the same time. Files often give a time to the minute only.

    Messages are in order of their times, so a later row gets a time that is later by a microsecond or more.

    >>> rows = SameTimes()
    >>> [rows.count_earlier(uid, 1_774_000_800_000_000) for uid in ("a", "b", "a", "a")]
    [0, 0, 1, 2]
    """

    def __init__(self) -> None:
        # Most people have one row at a time: a number is all that is kept of it.
        self._seen: set[int] = set()
        self._repeated: Counter[int] = Counter()

    def count_earlier(self, uid: str, time: int) -> int:
        """Count the earlier rows of this person with this time, in microseconds."""
        place = hash((uid, time))
        if place not in self._seen:
            self._seen.add(place)
            return 0
        self._repeated[place] += 1
        return self._repeated[place]
