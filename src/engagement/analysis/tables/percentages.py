"""Percentages in the tables."""


def percentage(part: int, whole: int) -> str:
    """Return a share in percent with one decimal; "-" of nothing.

    >>> percentage(1, 3), percentage(0, 0)
    ('33.3', '-')
    """
    return "-" if whole == 0 else str(round(100 * part / whole, 1))
