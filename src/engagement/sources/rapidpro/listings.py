"""Read on in a listing of RapidPro's. Each page is kept together with the position after it.

A position is a time, never a cursor: what a cursor counts may have changed by the next night.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from engagement.services.rapidpro.client import Contact, Page, Run
from engagement.services.rapidpro.paging import Ask, read_oldest_first
from engagement.services.read_ahead import read_ahead
from engagement.sources.rapidpro.state.run_store import ListingPosition, RunStore

# Rows are committed late, and many share one modification time: what is younger than this is asked for again.
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
        # A row of a time that has not come would have the next fetch pass over all that is modified until then.
        if newest and page.answered_on:
            newest = min(newest, page.answered_on)
        # To go on inside a listing is sound only where nothing can be committed late any more: by the server's own
        # clock, a day ago and earlier. Else the next fetch begins a day before the newest that came.
        is_settled = go_on_from and page.answered_on and go_on_from <= page.answered_on - OVERLAP
        with store.transaction():
            keep(page)
            store.keep_position(listing, ListingPosition(newest, go_on_from if is_settled else None))
    if store.position(listing).go_on_from is not None:
        with store.transaction():
            store.keep_position(listing, ListingPosition(newest))
