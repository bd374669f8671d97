"""Reading RapidPro's runs or contacts oldest first, without missing rows that change meanwhile.

A changed row moves to the end of its listing and comes again there. Between rows with different times that does no
harm. But among rows that share a time, as after a bulk expiry, the server counts rows: when some rows already sent move
away, it skips as many that were not. So if a page ends among rows of one time, the listing starts again at that time.
If such rows fill whole pages, each request goes back a little in the count, and the page must begin with a row that
came before.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from engagement.foundation.errors import ServiceError
from engagement.foundation.microseconds import MICROSECOND
from engagement.services.rapidpro.client import Contact, Page, Run
from engagement.services.rapidpro.cursors import read_offset
from engagement.services.rapidpro.rows import ContactDetails

_ROWS_FOR_EACH_REPEATED = 10


class Ask[Row](Protocol):
    """Requests rows modified in a time range, without the first `skip`, page by page."""

    def __call__(self, after: datetime | None, before: datetime | None = None, skip: int = 0) -> Iterator[Page[Row]]:
        """Give the pages, oldest first."""


class Arrival[Row](NamedTuple):
    """A page, and the time to resume from without missing a row; None before the first row."""

    page: Page[Row]
    go_on_from: datetime | None


def read_oldest_first[Row: Run | Contact | ContactDetails](
    where: str, ask: Ask[Row], after: datetime | None
) -> Iterator[Arrival[Row]]:
    """Read every row modified since a time; messages call the listing `where`.

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
            # A server that ignores `after` only has its cursors.
            if is_cut and not is_tie and came is not None and (after is None or came > after):
                begin = came
                break
        if begin is None:
            return


def _read_tie[Row: Run | Contact | ContactDetails](where: str, ask: Ask[Row], at: datetime) -> Iterator[Page[Row]]:
    """Read the rows of one time, in id order: the rows already sent always come first among those left."""
    sent: set[str] = set()
    skip = repeated = 0
    while True:
        page = next(ask(at, at, skip))
        is_known = page.rows[0].uuid in sent if page.rows else page.following is not None
        if skip and not is_known:
            # Rows already sent have moved away, so others may come before this page.
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
                "one time; expected fewer. Kept whatever arrived. Ask whoever runs the server: once the other rows are modified "
                "again, or archived, it comes."
            )
        skip = offset - repeated
