"""Participants of selections whom no workspace knows: made contacts only with WriteBack.Create.

Nobody who withdrew gets a contact. Numbers come from the uuid table, and stay in memory; the state keeps which participant the
new contact is, until the next fetch knows it.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from engagement.delivery.write_back.workspace import OpenWorkspace, Target, attempt
from engagement.foundation.errors import count_of
from engagement.services.rapidpro.written import Written

MADE = "participant"
_CREATE = Target("Create", "new contacts", is_new=True)

_logger = logging.getLogger(__name__)

FindNumbers = Callable[[], Mapping[str, str]]


def made_contacts(space_contacts: Mapping[str, Sequence[str]], made: Mapping[str, str]) -> dict[str, list[str]]:
    """Add contacts that were made earlier, where Contacts/ has not heard of them yet."""
    known = {contact for contacts in space_contacts.values() for contact in contacts}
    found = {uid: [*contacts] for uid, contacts in space_contacts.items()}
    for contact, uid in made.items():
        if contact not in known:
            found.setdefault(uid, []).append(contact)
    return found


def create_contacts(space: OpenWorkspace, missing: Sequence[str], find_numbers: FindNumbers) -> None:
    """Make contacts of participants who have none, and add them to the workspace's."""
    numbers = find_numbers()
    if len(numbers) < len(missing):
        _logger.warning(
            "%s: Create: %s without a contact got none, as the uuid table tells no number of theirs",
            space.where,
            count_of(len(missing) - len(numbers), "participant"),
        )
    holders = {contact: uid for uid, contacts in space.contacts.items() for contact in contacts}
    taken = 0

    def keep(uid: str, contact: str) -> None:
        nonlocal taken
        if holders.setdefault(contact, uid) != uid:
            taken += 1
            return
        space.state.settle([contact], {MADE: uid})
        space.add_contact(uid, contact)

    def write(uids: Collection[str]) -> Written:
        return space.contact_writer.create({uid: f"tel:{numbers[uid]}" for uid in sorted(uids)}, keep)

    attempt(space, _CREATE, lambda: [uid for uid in missing if uid in numbers], write)
    if taken:
        _logger.warning(
            "%s: Create: %s whose number a contact of another participant has; nothing is written to these",
            space.where,
            count_of(taken, "participant"),
        )


def tell_missing(count: int) -> None:
    """Say that participants of selections have no contact, and that none is made."""
    if count:
        _logger.info(
            "%s of selections without a contact in RapidPro: not written, as WriteBack.Create is not true",
            count_of(count, "participant"),
        )
