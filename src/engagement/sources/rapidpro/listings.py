"""Read on in a RapidPro listing. Each page is kept together with the position after it.

A position is a time, never a cursor: the rows that a cursor counts may have changed by the next night.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from engagement.services.rapidpro.client import Contact, Page, Run
from engagement.services.rapidpro.paging import Ask, read_oldest_first
from engagement.services.read_ahead import read_ahead
from engagement.sources.rapidpro.state.run_store import ListingPosition, RunStore

# Rows are committed late, and many share one modification time: younger rows than this are asked for again.
OVERLAP = timedelta(days=1)
_PAGES_A_LOG_LINE = 200

_logger = logging.getLogger(__name__)


def read_on[Row: Run | Contact](
    store: RunStore, domain: str, listing: str, ask: Ask[Row], keep: Callable[[Page[Row]], None]
) -> None:
    """Read a listing to its end; `keep` is called within a transaction."""
    position = store.position(listing)
    newest, rows = position.newest, 0
    after = position.go_on_from or (newest and newest - OVERLAP)
    arrivals = read_oldest_first(f"RapidPro {domain}: {listing}", ask, after)
    for number, (page, go_on_from) in enumerate(read_ahead(arrivals), 1):
        rows += len(page.rows)
        if number % _PAGES_A_LOG_LINE == 0:
            _logger.info("%d rows of the %s came so far", rows, listing)
        times = [row.modified_on for row in page.rows]
        newest = max(times if newest is None else [newest, *times], default=None)
        # A row dated in the future would make the next fetch skip all changes until then.
        if newest and page.answered_on:
            newest = min(newest, page.answered_on)
        # Going on inside a listing is safe only where nothing can be committed late any more: by the server's own
        # clock, a day ago and earlier. Else the next fetch begins a day before the newest that came.
        is_settled = go_on_from and page.answered_on and go_on_from <= page.answered_on - OVERLAP
        with store.transaction():
            keep(page)
            store.keep_position(listing, ListingPosition(newest, go_on_from if is_settled else None))
    if store.position(listing).go_on_from is not None:
        with store.transaction():
            store.keep_position(listing, ListingPosition(newest))
