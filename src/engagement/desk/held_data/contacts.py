"""A person's contacts: lines of Contacts/, and what was written back to them.

What else is found by contact is removed before: nothing but Contacts/ and State/fetch/ tells which contacts are theirs.
"""

from collections.abc import Iterator

from engagement.delivery.write_back.made_contacts import remove_settled
from engagement.desk.held_data.person import PersonSearch, find_contact_lines
from engagement.desk.held_data.place import HeldItem
from engagement.sources.contacts_directory import remove_participants
from engagement.sources.state_databases import look_into_state, state_files


def find_contacts(search: PersonSearch) -> Iterator[HeldItem]:
    """Find their lines in Contacts/."""
    for contact, path in find_contact_lines(search.data_root, search.uids):
        yield HeldItem(search.name_of(path), "contact", {"contact": contact})


def remove_contacts(search: PersonSearch) -> None:
    """Write the files that have their contacts again without them."""
    remove_participants(search.data_root, search.uids)


def find_written_back(search: PersonSearch) -> Iterator[HeldItem]:
    """Find what RapidPro is known to have of their contacts."""
    for path in state_files(search.data_root, "settled", "write_back"):
        with look_into_state(path) as connection:
            for contact in search.contacts:
                query = "SELECT what, value FROM settled WHERE contact = ? ORDER BY what"
                for what, value in connection.execute(query, (contact,)):
                    found = {"contact": contact, "what": what, "value": value}
                    yield HeldItem(search.name_of(path), "group or field in RapidPro", found)


def remove_written_back(search: PersonSearch) -> None:
    """Remove what RapidPro is known to have of their contacts."""
    remove_settled(search.data_root, search.contacts)
