"""The door: identifies each contact once, when it first appears. URNs go no further than this module.

A contact gets the uuid that the uuid table has for its first URN, and keeps it even if its URNs change. One participant may
have several contacts: by SMS and on WhatsApp, or created again after a deletion. But a number that changes hands must not make
two people one, since a STOP from one would be a STOP for both. So when a new contact gets the uuid of another contact of the
workspace:

- the other one still has the number, or was deleted, or has no URN left: both are one participant;
- the other one is still there, with other URNs: the number has changed hands. It keeps its uuid. The new contact becomes
  the number's next holder, with a uuid of its own, which the table knows by "holder 2:<number>" (3, 4, … after it).

From then on, anybody with that number, in any project of this table, is its latest holder.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from engagement.services.rapidpro.client import Contact
from engagement.services.uuid_tables.protocol import UuidExchange
from engagement.sources.holders import find_latest_holders, holder_id
from engagement.sources.urns import Urn, first_scheme, first_urn, identities_of, operator_raw, parse_urn

# The channel of a contact without a URN scheme that still is a participant.
UNKNOWN_CHANNEL = "unknown"
AskForContact = Callable[[str], Contact | None]


class ContactIdentity(NamedTuple):
    """A contact's participant: uuid, channel, and the number's first digits (or the channel's name)."""

    uuid: str
    urn_type: str
    operator_raw: str


class Holder(NamedTuple):
    """A contact that has a participant's uuid. `is_new`: it first appeared in this fetch."""

    contact: str
    urn_type: str
    is_new: bool


class KnownContacts(Protocol):
    """The workspace's known contacts."""

    def holders(self, participants: Sequence[str]) -> Mapping[str, Sequence[Holder]]:
        """Find the contacts that have these uuids, by uuid."""


class ContactsByUrn:
    """Identifies contacts by their URNs. `ask` returns a current contact, None if the workspace lacks it.

    `left_out` are the contacts whose URNs identify nobody.
    """

    def __init__(self, table: UuidExchange, known: KnownContacts, ask: AskForContact, country: str | None = None):
        self._table = table
        self._known = known
        self._ask = ask
        self._country = country
        self._identities: dict[str, frozenset[str]] = {}
        self.left_out: set[str] = set()

    def identify(self, contacts: Sequence[Contact]) -> dict[str, ContactIdentity]:
        """Identify new contacts, by their uuids; those without a URN are left out."""
        urns: dict[str, Urn] = {}
        for contact in contacts:
            urn = first_urn(contact.urns)
            if urn is not None:
                urns[contact.uuid] = urn
            elif contact.urns:
                self.left_out.add(contact.uuid)
        possible = {contact: identities_of(urn, self._country) for contact, urn in urns.items()}
        identities, latest, known = find_latest_holders(self._table, possible)
        holders = {uuid: list(found) for uuid, found in self._known.holders(known).items()} if known else {}
        participants: dict[str, ContactIdentity] = {}
        for contact in (contact for contact in contacts if contact.uuid in urns):
            urn, identity = urns[contact.uuid], identities[contact.uuid]
            number, uuid = latest[identity]
            while uuid in holders and self._has_changed_hands(contact, urn.scheme, holders[uuid]):
                number += 1
                next_holder = holder_id(identity, number)
                uuid = self._table.uuids_for([next_holder])[next_holder]
                latest[identity] = (number, uuid)
            holders.setdefault(uuid, []).append(Holder(contact.uuid, urn.scheme, is_new=True))
            participants[contact.uuid] = ContactIdentity(
                uuid, urn.scheme, operator_raw(urn, possible[contact.uuid][-1])
            )
        return participants

    def _has_changed_hands(self, contact: Contact, scheme: str, holders: Sequence[Holder]) -> bool:
        """Check if all other holders of the uuid lack the number by now, and one of them still exists."""
        others = [holder for holder in holders if holder.contact != contact.uuid]
        # Two contacts that came at once on two channels both have the number. A URN belongs to one contact at a time.
        if not others or any(holder.is_new and holder.urn_type != scheme for holder in others):
            return False
        own = self._read_identities(contact.urns)
        theirs = [self._identities_now(holder.contact) for holder in others]
        return not any(own & identities for identities in theirs) and any(theirs)

    def _identities_now(self, contact: str) -> frozenset[str]:
        if contact not in self._identities:
            found = self._ask(contact)
            self._identities[contact] = self._read_identities(found.urns if found is not None else [])
        return self._identities[contact]

    def _read_identities(self, urns: Sequence[str]) -> frozenset[str]:
        return frozenset(
            identity
            for urn in map(parse_urn, urns)
            if urn is not None
            for identity in identities_of(urn, self._country)
        )


class ContactsByUuid:
    """Makes each contact a participant, as URNs are hidden. `workspace` is its uuid, or its name here.

    No number shows the operator, so the channel takes its place.
    """

    def __init__(self, table: UuidExchange, workspace: str):
        self._table = table
        self._workspace = workspace
        self.left_out: set[str] = set()

    def identify(self, contacts: Sequence[Contact]) -> dict[str, ContactIdentity]:
        """Identify new contacts, by their uuids."""
        ids = {contact.uuid: f"contact of {self._workspace}:{contact.uuid}" for contact in contacts}
        uuids = self._table.uuids_for(set(ids.values()))
        channels = {contact.uuid: first_scheme(contact.urns) or UNKNOWN_CHANNEL for contact in contacts}
        return {
            contact: ContactIdentity(uuids[identity], channels[contact], channels[contact])
            for contact, identity in ids.items()
        }
