"""Bounds on listings: how many rows there can be, and how many to ask for at once."""

from engagement.foundation.errors import ServiceError

# Far above any real form or post: the largest have some hundreds of thousands.
_MOST_ROWS = 2_000_000
_MOST_PAGES = 20_000
# People answer while it is read, and services count late.
_MORE_THAN_TOLD = 10_000
# What is found out of a row that is too large for any page begins so.
TOO_LARGE = "too large: "


class ListingLimit:
    """Counts what a listing gave; refuses one that does not end. `told`: the service's count of rows."""

    def __init__(self, where: str, told: int | None = None):
        self._where = where
        self._told = told
        self._most_rows = _MOST_ROWS if told is None else min(2 * told + _MORE_THAN_TOLD, _MOST_ROWS)
        self._rows = self._pages = 0

    def count(self, rows: int) -> None:
        """Count a page.

        Raises
        ------
        ServiceError
            There are more pages or rows than there can be.
        """
        self._rows += rows
        self._pages += 1
        if self._rows > self._most_rows:
            told = "" if self._told is None else f", while the service counts {self._told:,}"
            raise self._endless(f"{self._rows:,} rows so far{told}; expected at most {self._most_rows:,}")
        if self._pages > _MOST_PAGES:
            raise self._endless(f"{self._pages:,} pages so far; expected at most {_MOST_PAGES:,}")

    def _endless(self, found: str) -> ServiceError:
        return ServiceError(
            f"{self._where}: the listing does not end: {found}. Run this again, as whatever arrived is kept; if it stays so, ask whoever "
            "runs the server."
        )


class PageSize:
    """How many rows to ask for at once: fewer where a page is too large, then more again."""

    def __init__(self, most: int):
        self.rows = self._most = most

    def halve(self) -> bool:
        """Ask for half as many until `grow`; False if it is one already."""
        is_one = self.rows == 1
        self.rows = max(1, self.rows // 2)
        return not is_one

    def grow(self) -> None:
        """Ask for twice as many, up to the most."""
        self.rows = min(2 * self.rows, self._most)

    def halve_for_good(self) -> None:
        """Ask for half as many from now on."""
        self.halve()
        self._most = self.rows
