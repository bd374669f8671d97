"""Ask RapidPro, one by one, for contacts that runs wait for, missed by a listing or gone."""

import logging
from collections.abc import Callable

from engagement.services.rapidpro.client import Contact, RapidProClient
from engagement.sources.rapidpro.state.run_store import RunStore

# One request each, out of the thousands an hour that all clients share.
_MOST_ASKED_FIRST = 100
_MOST_ASKED_AGAIN = 3

_logger = logging.getLogger(__name__)


def ask_for_contacts(store: RunStore, client: RapidProClient, keep: Callable[[list[Contact]], object]) -> set[str]:
    """Ask for some of the contacts that runs wait for; returns those that prove to be gone.

    Contacts never asked for come first, then those asked for longest ago. A contact that is gone is not asked for again: its runs
    stay where they are, without an owner.
    """
    gone = set()
    for contact in _choose(store):
        page = client.contact(contact)
        is_gone = not page.rows and not page.unreadable
        with store.transaction():
            keep(page.rows)
            _note(store, contact, is_gone)
        if is_gone:
            gone.add(contact)
    if gone:
        _logger.warning(
            "RapidPro %s: the contact of some runs is gone, so that they are left out for good: %s",
            client.domain,
            ", ".join(sorted(gone)),
        )
    return gone


def _choose(store: RunStore) -> list[str]:
    query = (
        "SELECT DISTINCT waiting.contact, asked_for.time FROM waiting LEFT JOIN asked_for USING (contact) "
        "WHERE NOT coalesce(is_gone, 0) AND waiting.contact NOT IN (SELECT uuid FROM contacts) "
        "ORDER BY asked_for.time, waiting.contact LIMIT ?"
    )
    found = store.connection.execute(query, (_MOST_ASKED_FIRST + _MOST_ASKED_AGAIN,)).fetchall()
    new = [contact for contact, time in found if time is None][:_MOST_ASKED_FIRST]
    again = [contact for contact, time in found if time is not None][:_MOST_ASKED_AGAIN]
    return new + again


def _note(store: RunStore, contact: str, is_gone: bool) -> None:
    # A growing number serves as the time.
    query = "REPLACE INTO asked_for SELECT ?, coalesce(max(time), 0) + 1, ? FROM asked_for"
    store.connection.execute(query, (contact, is_gone))
