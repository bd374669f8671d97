"""Participants whom a data root holds."""

from collections.abc import Iterator
from pathlib import Path

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.texts import raw_files
from engagement.provenance import read_traced_data
from engagement.sources.contacts_directory import read_participants
from engagement.sources.forgotten import ForgottenPeople, Tombstone


def find_uids_of(data_root: Path, forgotten: ForgottenPeople, person: Tombstone) -> tuple[str, ...]:
    """Find the uids of somebody who was forgotten, in a data root that may hold them still."""
    return tuple(sorted(uid for uid in set(_read_uids(data_root)) if forgotten.find(uid) == person))


def _read_uids(data_root: Path) -> Iterator[str]:
    for path in raw_files(data_root):
        yield from (str(record.values.get(PARTICIPANT_KEY)) for record in read_traced_data(path))
    yield from read_participants(data_root)
