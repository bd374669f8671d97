"""Participants whom a data root holds."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.texts import raw_files
from engagement.provenance import read_traced_data
from engagement.sources.contacts_directory import find_contacts_files
from engagement.sources.forgotten import ForgottenPeople, Tombstone


def find_uids_of(data_root: Path, forgotten: ForgottenPeople, person: Tombstone) -> tuple[str, ...]:
    """Find the uids of somebody who was forgotten, in a data root that may hold them still."""
    return tuple(sorted(uid for uid in set(_read_uids(data_root)) if forgotten.find(uid) == person))


def _read_uids(data_root: Path) -> Iterator[str]:
    for path in raw_files(data_root):
        yield from (str(record.values.get(PARTICIPANT_KEY)) for record in read_traced_data(path))
    for path in find_contacts_files(data_root):
        for line in path.read_bytes().split(b"\n"):
            try:
                yield msgspec.json.decode(line, type=_ContactLine).participant
            except msgspec.MsgspecError:
                continue


class _ContactLine(msgspec.Struct):
    participant: str
