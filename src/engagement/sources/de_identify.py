"""The door: what a contact's URN becomes before anything is kept. No URN goes further than this module's caller."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from engagement.services.rapidpro import Contact
from engagement.services.uuid_tables import UuidTable

_PHONE_SCHEMES = ("tel", "whatsapp")
_OPERATOR_DIGITS = 5
_DISPLAY_OR_QUERY = re.compile(r"[#?].*", re.DOTALL)
_NOT_A_DIGIT = re.compile(r"[^0-9]")


class Participant(NamedTuple):
    """Who a contact is: a uuid, the channel, and the first digits of a phone number (of other channels the name)."""

    uuid: str
    urn_type: str
    operator_raw: str


def split_urn(urn: str) -> tuple[str, str]:
    """The scheme and path of a URN, without display name and query.

    >>> split_urn("telegram:1234#amina")
    ('telegram', '1234')
    """
    scheme, _, path = _DISPLAY_OR_QUERY.sub("", urn).partition(":")
    return scheme.strip().lower(), path.strip()


def participant_id(urn: str) -> str:
    """What a URN is looked up by in the uuid table: a number's digits, or "<scheme>:<path>" of other channels.

    >>> participant_id("tel:+252 61 5000001"), participant_id("whatsapp:0252615000001"), participant_id("telegram:1234#a")
    ('252615000001', '252615000001', 'telegram:1234')
    """
    return _identify(*split_urn(urn))


def operator_raw(urn: str) -> str:
    """The first five digits of a phone number; of other channels the scheme.

    >>> operator_raw("tel:+252 61 5000001"), operator_raw("whatsapp:252615000001")
    ('25261', 'whatsapp')
    """
    scheme, path = split_urn(urn)
    return _find_operator(scheme, _identify(scheme, path))


def de_identify_contacts(contacts: Iterable[Contact], table: UuidTable) -> dict[str, Participant]:
    """Who each contact is, by the contact's uuid; the first URN counts. Contacts without any are left out."""
    met: list[tuple[str, str, str]] = []
    for contact in contacts:
        if contact.urns:
            scheme, path = split_urn(contact.urns[0])
            met.append((contact.uuid, scheme, _identify(scheme, path)))
    uuids = table.uuids_for({identifier for _, _, identifier in met})
    return {
        contact: Participant(uuids[identifier], scheme, _find_operator(scheme, identifier))
        for contact, scheme, identifier in met
    }


def _identify(scheme: str, path: str) -> str:
    digits = _NOT_A_DIGIT.sub("", path).lstrip("0") if scheme in _PHONE_SCHEMES else ""
    return digits or f"{scheme}:{path}"


def _find_operator(scheme: str, identifier: str) -> str:
    return identifier[:_OPERATOR_DIGITS] if scheme == "tel" and identifier.isdigit() else scheme
