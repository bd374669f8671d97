"""Contacts/: the participants of each workspace's contacts, one file a workspace."""

from pathlib import Path


def contacts_directory(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "Contacts"


def find_contacts_files(data_root: Path) -> list[Path]:
    """List the files of all workspaces, by name."""
    return sorted(contacts_directory(data_root).glob("*.jsonl"))
