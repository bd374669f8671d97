"""Reading RapidPro's runs or contacts oldest first, without skipping a row while rows change.

A row that changes moves to the end of its listing, where it comes again. Between rows of different times that is harmless. But
among rows that share a time, as after a bulk expiry, the server counts rows: when some of those that were sent leave, it skips
as many that were not. So where a page ends among rows of one time, the listing is begun anew at that time. Where such rows fill
whole pages, each page is asked for with a count that goes back a little, and must begin with a row that came before.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from engagement.foundation.errors import ServiceError
from engagement.foundation.microseconds import MICROSECOND
from engagement.services.rapidpro.client import Contact, Page, Run
from engagement.services.rapidpro.cursors import read_offset

_ROWS_FOR_EACH_REPEATED = 10


class Ask[Row](Protocol):
    """Asks for the rows that were modified from one time to another, all but the first `skip`, page by page."""

    def __call__(self, after: datetime | None, before: datetime | None = None, skip: int = 0) -> Iterator[Page[Row]]:
        """Give the pages, oldest first."""


class Arrival[Row](NamedTuple):
    """A page, and the time from which another reading can go on without missing a row; None before any row came."""

    page: Page[Row]
    go_on_from: datetime | None


def read_oldest_first[Row: Run | Contact](where: str, ask: Ask[Row], after: datetime | None) -> Iterator[Arrival[Row]]:
    """Read every row that was modified at or after a time. `where` names the listing in messages.

    Raises
    ------
    ServiceError
        More rows share a time than the server can count.
    """
    begin: datetime | None = after
    while True:
        after, begin = begin, None
        came = after
        for page in ask(after):
            is_tie = False
            if page.rows:
                came = page.rows[-1].modified_on
                is_tie = page.rows[0].modified_on == came
            offset = 0 if page.following is None else read_offset(page.following)
            is_cut = bool(page.rows) and offset != 0
            if is_cut and is_tie and offset is not None and came is not None:
                for tied in _read_tie(where, ask, came):
                    yield Arrival(tied, came)
                begin = came + MICROSECOND
                break
            yield Arrival(page, came)
            # A server that ignores `after` has nothing but its cursors.
            if is_cut and not is_tie and came is not None and (after is None or came > after):
                begin = came
                break
        if begin is None:
            return


def _read_tie[Row: Run | Contact](where: str, ask: Ask[Row], at: datetime) -> Iterator[Page[Row]]:
    """Read the rows of one time, which are in the order of their ids: what was sent is always the beginning of what is left."""
    sent: set[str] = set()
    skip = repeated = 0
    while True:
        page = next(ask(at, at, skip))
        is_known = page.rows[0].uuid in sent if page.rows else page.following is not None
        if skip and not is_known:
            # Rows that were sent have left; others may lie before this page.
            repeated *= 2
            skip = max(0, skip - repeated)
            continue
        yield page
        sent.update(row.uuid for row in page.rows)
        if page.following is None:
            return
        offset = read_offset(page.following)
        repeated = max(1, len(page.rows) // _ROWS_FOR_EACH_REPEATED)
        if offset is None or offset - repeated <= skip:
            raise ServiceError(
                f"{where}: more than {skip} rows were modified at {at.isoformat()}, and the server goes no further among rows of "
                "one time; expected fewer. Whatever came is kept. Ask whoever runs the server: once the rest of them is modified "
                "again, or archived, it comes."
            )
        skip = offset - repeated
