"""Leave the contacts of people who were forgotten out of a fetch.

Their runs never become lines, and never wait for their contact. A contact that turns up later, perhaps on another channel, is
known by its uid, and left out from then on by its own uuid as well.
"""

from collections.abc import Sequence
from datetime import datetime

from engagement.services.rapidpro.client import Contact
from engagement.sources.forgotten import ForgottenPeople
from engagement.sources.rapidpro.de_identify import ContactIdentity, ContactsByUrn, ContactsByUuid
from engagement.sources.rapidpro.state.run_store import RunStore


class ContactsButForgotten:
    """Identifies contacts, but for those of people who are forgotten at the time of the fetch."""

    def __init__(self, identity: ContactsByUrn | ContactsByUuid, forgotten: ForgottenPeople, now: datetime):
        self._identity = identity
        self._forgotten = forgotten
        self._now = now

    @property
    def left_out(self) -> set[str]:
        """Contacts whose URNs identify nobody."""
        return self._identity.left_out

    def identify(self, contacts: Sequence[Contact]) -> dict[str, ContactIdentity]:
        """Identify new contacts, by their uuids."""
        asked = [contact for contact in contacts if not self._forgotten.holds_back(contact.uuid, self._now)]
        met = self._identity.identify(asked)
        held_back = {contact for contact, who in met.items() if self._forgotten.holds_back(who.uuid, self._now)}
        for contact, who in met.items():
            # Also of those who are taken again: what they sent before stays out.
            self._forgotten.add_contacts(who.uuid, [contact])
        return {contact: who for contact, who in met.items() if contact not in held_back}


def drop_waiting(store: RunStore, forgotten: ForgottenPeople, now: datetime) -> None:
    """Drop runs that came before their contact was known to be of somebody who was forgotten."""
    if not forgotten:
        return
    query = "SELECT contact FROM waiting UNION SELECT contact FROM asked_for"
    found = [(contact,) for (contact,) in store.connection.execute(query) if forgotten.holds_back(contact, now)]
    with store.transaction():
        for table in ("waiting", "asked_for"):
            store.connection.executemany(f"DELETE FROM {table} WHERE contact = ?", found)  # noqa: S608 - names of our own
