"""Contacts/: the participants of each workspace's contacts, one file a workspace."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from engagement.foundation.files import open_bytes_for_writing


class _Line(msgspec.Struct):
    participant: str


_decode = msgspec.json.Decoder(_Line).decode


def contacts_directory(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "Contacts"


def find_contacts_files(data_root: Path) -> list[Path]:
    """List the files of all workspaces, by name."""
    return sorted(contacts_directory(data_root).glob("*.jsonl"))


def read_participants(data_root: Path) -> set[str]:
    """Read whose contacts there are; what is no line of a contact is left to the fetch."""
    found: set[str] = set()
    for path in find_contacts_files(data_root):
        with path.open("rb") as file:
            found.update(participant for line in file if (participant := _participant_of(line)) is not None)
    return found


def find_contacts_of(data_root: Path, uids: Collection[str]) -> set[str]:
    """Find the contacts of these participants."""
    found: set[str] = set()
    for path in find_contacts_files(data_root):
        with path.open("rb") as file:
            lines = (line for line in file if _participant_of(line) in uids)
            found.update(str(msgspec.json.decode(line).get("contact")) for line in lines)
    return found


def remove_participants(data_root: Path, uids: Collection[str]) -> None:
    """Write the files that have contacts of these participants without them.

    Other lines keep their bytes. The next fetch makes the copies in State/ agree.
    """
    for path in find_contacts_files(data_root):
        with path.open("rb") as file:
            is_named = any(_participant_of(line) in uids for line in file)
        if is_named:
            with path.open("rb") as before, open_bytes_for_writing(path) as file:
                file.writelines(line for line in before if _participant_of(line) not in uids)


def _participant_of(line: bytes) -> str | None:
    try:
        return _decode(line).participant
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
