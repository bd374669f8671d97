"""Find who is meant: by a uid, by a phone number, or by a file."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engagement.configuration import Project
from engagement.configuration.participant_ids import find_id_problem
from engagement.foundation.errors import UsageError
from engagement.processing.records.participant_links import load_links
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials
from engagement.services.uuid_tables.protocol import UuidTable, open_uuid_table
from engagement.sources.forgotten import ForgottenPeople, Tombstone
from engagement.sources.holders import find_beyond_gaps, holder_id
from engagement.sources.number_cells import read_number_cell
from engagement.sources.participant_lists import read_participant_list


def open_table(project: Project, storage: Storage) -> UuidTable:
    """Open the project's uuid table."""
    settings = project.configuration.phone_number_uuid_table
    credentials = read_credentials(storage, settings.firebase_credentials_file_url)
    return open_uuid_table(credentials, settings.table_name, RetryPolicy())


def read_uids(project: Project, uid: str | None, file: Path | None) -> list[tuple[str, ...]]:
    """Read who was asked for, each with all of their uids.

    Raises
    ------
    UsageError
        It is no uid; the message does not show it.
    """
    configuration = project.configuration
    if file is not None:
        asked = sorted(read_participant_list(file, configuration.participant_prefix).uids)
    else:
        asked = [uid or ""]
        problem = find_id_problem(asked[0], configuration.participant_prefix)
        if problem is not None:
            raise UsageError(
                f"--uid: what is there {problem}; expected an id as in the column 'uid'. For a number use --phone-number-from-stdin."
            )
    return list({frozenset(uids): uids for uids in (all_uids(project, one) for one in asked)}.values())


def all_uids(project: Project, uid: str) -> tuple[str, ...]:
    """Return a uid and those that are linked to it."""
    links = load_links(project.configuration, project.path.parent)
    return (uid, *sorted(links.all_of([uid]) - {uid}))


def find_holder(project: Project, table: UuidTable, forgotten: ForgottenPeople) -> tuple[str, Tombstone | None]:
    """Exchange the number on standard input for its latest holder's uid and tombstone.

    The uid is empty if nobody has the number, or they were forgotten. Nobody gets a new uid.

    Raises
    ------
    UsageError
        It is no number; the message does not show it.
    """
    countries = {getattr(source, "country", None) for source in project.configuration.raw_data_sources}
    country = countries.pop() if len(countries) == 1 else None
    number = read_number_cell(sys.stdin.readline(), country)
    if number is None:
        raise UsageError(
            "--phone-number-from-stdin: no phone number in the first line; expected one with its country's code, like +252…. "
            "Type it so, then Enter."
        )
    known = _look_up(table, forgotten, number.identities)
    beyond = find_beyond_gaps(table, number.identities)
    identity = next((one for one in number.identities if one in known or one in beyond), "")
    found, (holder, _) = known.get(identity, ("", None)), beyond.get(identity, (2, ""))
    while identity and (later := _look_up(table, forgotten, [holder_id(identity, holder)])):
        (found,), holder = later.values(), holder + 1
    return found


def _look_up(
    table: UuidTable, forgotten: ForgottenPeople, ids: Sequence[str]
) -> Mapping[str, tuple[str, Tombstone | None]]:
    uuids = table.find(ids)
    marks = table.marks(ids) if table.marks_key in forgotten.marks_keys else {}
    people = {identifier: forgotten.find_mark(mark) for identifier, mark in marks.items()}
    return {
        identifier: (uuids.get(identifier, ""), people.get(identifier))
        for identifier in ids
        if identifier in uuids or people.get(identifier) is not None
    }
