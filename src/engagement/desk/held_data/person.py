"""Find who is meant: the uids and the contacts of one person."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.participant_ids import find_id_problem
from engagement.desk.held_data.texts import PersonTexts, read_texts
from engagement.foundation.errors import UsageError
from engagement.processing.records.participant_links import load_links
from engagement.services.coda.protocol import CodaDatabase
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials
from engagement.services.uuid_tables.protocol import open_uuid_table
from engagement.sources.contacts_directory import find_contacts_files
from engagement.sources.holders import holder_id
from engagement.sources.number_cells import read_number_cell
from engagement.sources.participant_lists import read_participant_list
from engagement.sources.state_databases import look_into_state


@dataclass(frozen=True)
class PersonSearch:
    """A search for one person in a data root, and in `coda`.

    `uids` are all of theirs, linked ones included, the asked one first.
    """

    project: Project
    data_root: Path
    uids: tuple[str, ...]
    coda: CodaDatabase | None = None

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
    def texts(self) -> PersonTexts:
        """Their texts, and those that others wrote too."""
        return read_texts(self.project, self.data_root, frozenset(self.uids))

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


def state_files(data_root: Path, table: str, folder: str = "fetch") -> list[Path]:
    """List the state's databases that have a table.

    None of them is left open: who changes one needs it alone.
    """
    found = []
    for path in sorted((data_root / "State" / folder).glob("*.sqlite")):
        with look_into_state(path) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                found.append(path)
    return found


def read_uids(
    project: Project, storage: Storage, uid: str | None, file: Path | None, with_number: bool
) -> list[tuple[str, ...]]:
    """Read who was asked for, each with all of their uids.

    They have none if the uuid table knows no such number.

    Raises
    ------
    UsageError
        It is no uid or number; the message does not show it.
    """
    configuration = project.configuration
    if file is not None:
        asked = sorted(read_participant_list(file, configuration.participant_prefix).uids)
    elif with_number:
        asked = [_find_uid(project, storage)]
    else:
        asked = [uid or ""]
        problem = find_id_problem(asked[0], configuration.participant_prefix)
        if problem is not None:
            raise UsageError(
                f"--uid: what is there {problem}; expected an id as in the column 'uid'. For a number use --phone-number-from-stdin."
            )
    links = load_links(configuration, project.path.parent)
    found = [(one, *sorted(links.all_of([one]) - {one})) if one else () for one in asked]
    return list({frozenset(uids): uids for uids in found}.values())


def _find_uid(project: Project, storage: Storage) -> str:
    """Exchange the number on standard input for its latest holder's uid.

    It is empty if nobody has the number. Nobody gets a new uid.
    """
    countries = {getattr(source, "country", None) for source in project.configuration.raw_data_sources}
    country = countries.pop() if len(countries) == 1 else None
    number = read_number_cell(sys.stdin.readline(), country)
    if number is None:
        raise UsageError(
            "--phone-number-from-stdin: no phone number in the first line; expected one with its country's code, like +252…. "
            "Type it so, then Enter."
        )
    settings = project.configuration.phone_number_uuid_table
    credentials = read_credentials(storage, settings.firebase_credentials_file_url)
    table = open_uuid_table(credentials, settings.table_name, RetryPolicy())
    with contextlib.closing(table):
        known = table.find(number.identities)
        identity = next((one for one in number.identities if one in known), "")
        uid, holder = known.get(identity, ""), 2
        while uid and (later := table.find([holder_id(identity, holder)])):
            (uid,), holder = later.values(), holder + 1
        return uid
