"""k-anonymity: finding combinations of answers that too few participants share."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

Cells = Sequence[str]


def find_rare_participants(
    read_rows: Callable[[], Iterable[tuple[str, Cells]]], columns: Sequence[int], fewest: int
) -> set[str]:
    """Return the uids of participants whose cells in `columns` are shared by fewer than `fewest`.

    `read_rows` gives each participant's uid and row. It is called twice: first to count combinations, then to look them
    up. `columns` are positions in a row.

    >>> rows = [("a", ["young", "north"]), ("b", ["young", "north"]), ("c", ["old", "north"])]
    >>> find_rare_participants(lambda: rows, [0, 1], 2)
    {'c'}
    """
    counts = Counter(_combination(row, columns) for _, row in read_rows())
    rare = {combination for combination, count in counts.items() if count < fewest}
    return {uid for uid, row in read_rows() if _combination(row, columns) in rare} if rare else set()


def _combination(row: Cells, columns: Sequence[int]) -> tuple[str, ...]:
    return tuple(row[column] for column in columns)
