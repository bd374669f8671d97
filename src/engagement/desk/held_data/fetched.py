"""What the fetches hold of a person in State/fetch/.

Of RapidPro these are runs and contacts, of forms and other channels submissions.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.place import HeldItem
from engagement.foundation.files import read_json, write_json
from engagement.sources.rapidpro.state.removal import remove_contacts
from engagement.sources.state_databases import look_into_state, state_files
from engagement.sources.submissions.removal import find_submissions, remove_submissions

_QUERIES = {
    "contact": "SELECT uuid, participant, urn_type, operator_raw FROM contacts WHERE uuid = ?",
    "run": "SELECT uuid, contact, modified, run_id FROM runs WHERE contact = ? ORDER BY modified, uuid",
    "run without a participant": "SELECT uuid, contact, modified, run_id, run FROM waiting WHERE contact = ?",
    "question for a contact": "SELECT contact, is_gone FROM asked_for WHERE contact = ?",
    "message": "SELECT contact, created, text FROM messages WHERE contact = ?",
}
_ENDING = ".saved_contacts.json"


def find_fetched(search: PersonSearch) -> Iterator[HeldItem]:
    """Find runs, contacts and messages of RapidPro. Lines of runs are as in Raw Data/."""
    for path in state_files(search.data_root, "contacts"):
        with look_into_state(path) as connection:
            for contact in search.contacts:
                for kind, query in _QUERIES.items():
                    rows = connection.execute(query, (contact,))
                    names = [name for name, *_ in rows.description]
                    for row in rows:
                        content = dict(zip(names, row, strict=True))
                        if "run" in content:
                            content["run"] = msgspec.json.decode(content["run"])
                        yield HeldItem(search.name_of(path), kind, content)
    for path in _saved(search.data_root):
        for contact in _of(search, path):
            yield HeldItem(search.name_of(path), "contact", {"contact": contact})


def remove_fetched(search: PersonSearch) -> None:
    """Remove their contacts, and all that came from these."""
    # Known before the first of the files loses them.
    contacts = search.contacts
    for path in _saved(search.data_root):
        write_json(path, [row for row in read_json(path) if row[1] not in search.uids])
    for path in state_files(search.data_root, "contacts"):
        remove_contacts(path, contacts)


def find_submitted(search: PersonSearch) -> Iterator[HeldItem]:
    """Find submissions of forms, spreadsheets and other channels."""
    for path in state_files(search.data_root, "submissions"):
        with look_into_state(path) as connection:
            for key, lines in find_submissions(connection, search.uids):
                yield HeldItem(search.name_of(path), "submission", {"key": key, **lines})


def remove_submitted(search: PersonSearch) -> None:
    """Remove their submissions."""
    for path in state_files(search.data_root, "submissions"):
        remove_submissions(path, search.uids)


def _saved(data_root: Path) -> list[Path]:
    return sorted((data_root / "State" / "fetch").glob(f"*{_ENDING}"))


def _of(search: PersonSearch, path: Path) -> list[str]:
    return [str(row[0]) for row in read_json(path) if row[1] in search.uids]
