"""A person in the note on who has no message any more, which `Retention.UuidTable` keeps."""

from collections.abc import Iterator

from engagement.custody.retention.silent_people import read_silent_people, remove_silent_people, silent_people_path
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem


def find_silence(search: PersonSearch) -> Iterator[HeldItem]:
    """Find when they sent the last message that was removed, and whether they stay for good."""
    people = read_silent_people(search.data_root)
    for uid in search.uids:
        if uid in people.since or uid in people.stays:
            last = people.since.get(uid)
            found = {"uid": uid, "last": None if last is None else last.isoformat(), "stays": uid in people.stays}
            yield HeldItem(search.name_of(silent_people_path(search.data_root)), "time of the last message", found)


def remove_silence(search: PersonSearch) -> None:
    """Remove them from the note."""
    remove_silent_people(search.data_root, search.uids)
