"""k-anonymity: whose combination of answers is shared by fewer participants than it should be."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

Cells = Sequence[str]


def find_rare_participants(
    read_rows: Callable[[], Iterable[tuple[str, Cells]]], columns: Sequence[int], fewest: int
) -> set[str]:
    """The uids of participants whose cells in `columns` (places in a row) fewer than `fewest` participants have.

    `read_rows` gives each participant's uid and row, and is called twice: the combinations are counted, then looked up.

    >>> rows = [("a", ["young", "north"]), ("b", ["young", "north"]), ("c", ["old", "north"])]
    >>> find_rare_participants(lambda: rows, [0, 1], 2)
    {'c'}
    """
    counts = Counter(_combination(row, columns) for _, row in read_rows())
    rare = {combination for combination, count in counts.items() if count < fewest}
    return {uid for uid, row in read_rows() if _combination(row, columns) in rare} if rare else set()


def _combination(row: Cells, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(row[column] for column in columns)
