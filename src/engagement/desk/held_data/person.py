"""One person: their uids, contacts and texts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.texts import FoundTexts, read_texts
from engagement.services.coda.protocol import CodaDatabase
from engagement.services.uuid_tables.protocol import UuidTable
from engagement.sources.contacts_directory import find_contacts_files
from engagement.sources.forgotten import Tombstone
from engagement.sources.state_databases import look_into_state, state_files


@dataclass(frozen=True)
class PersonSearch:
    """A search for one person in a data root, and in `coda`.

    `uids` are all of theirs, linked ones included, the asked one first; none of a person whom `tombstone` alone tells of, as their
    number has no uid any more. `keeps_ids`: those in the uuid table `table` stay.
    """

    project: Project
    data_root: Path
    uids: tuple[str, ...]
    coda: CodaDatabase | None = None
    table: UuidTable | None = None
    keeps_ids: bool = False
    tombstone: Tombstone | None = None

    @cached_property
    def contacts(self) -> tuple[str, ...]:
        """Uuids of their contacts in RapidPro, as long as the data root knows them."""
        found = {contact for contact, _ in find_contact_lines(self.data_root, self.uids)}
        for path in state_files(self.data_root, "contacts"):
            with look_into_state(path) as connection:
                for uid in self.uids:
                    rows = connection.execute("SELECT uuid FROM contacts WHERE participant = ?", (uid,))
                    found.update(uuid for (uuid,) in rows)
        return tuple(sorted(found))

    @cached_property
    def texts(self) -> FoundTexts:
        """Their texts, and those that others wrote too."""
        return read_texts(self.project, self.data_root, lambda values: values.get(PARTICIPANT_KEY) in self.uids)

    def name_of(self, path: Path) -> str:
        """Name a file by its path in the data root."""
        return path.relative_to(self.data_root).as_posix()


def find_contact_lines(data_root: Path, uids: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Find the lines of these uids in Contacts/: the contact, and the file."""
    for path in find_contacts_files(data_root):
        for line in path.read_bytes().split(b"\n"):
            if (contact := contact_of(line, uids)) is not None:
                yield contact, path


def contact_of(line: bytes, uids: tuple[str, ...]) -> str | None:
    """Return the contact of a line of Contacts/, if it is of one of these uids."""
    if not any(uid.encode() in line for uid in uids):
        return None
    try:
        document = json.loads(line)
        return str(document["contact"]) if document["participant"] in uids else None
    except (ValueError, LookupError, TypeError):
        return None
