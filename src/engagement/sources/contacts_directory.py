"""Contacts/: who the contacts of each workspace are, a file for each."""

from pathlib import Path


def contacts_directory(data_root: Path) -> Path:
    """The folder of a data root; it need not exist."""
    return data_root / "Contacts"


def find_contacts_files(data_root: Path) -> list[Path]:
    """The files of all workspaces, by name."""
    return sorted(contacts_directory(data_root).glob("*.jsonl"))
