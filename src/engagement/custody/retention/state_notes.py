"""State/retention/: what retention notes for its next run.

Safe to remove; who asks to be forgotten takes all of it along.

    raw_ages.json           how old the lines of each raw file are
    raw_participants.json   whose they are, where `UuidTable` asks
    last_run.json           when retention last ran, what it removed, and what is due next

A note begins with the SHA-256 of the rest of it.
"""

import hashlib
import shutil
from pathlib import Path

from engagement.foundation.files import explain_os_errors, make_directory, open_bytes_for_writing


def state_notes_folder(data_root: Path) -> Path:
    """Name the folder in a data root; it need not exist."""
    return data_root / "State" / "retention"


def read_state_note(path: Path) -> bytes | None:
    """Read a note; None if it is missing or damaged, and so of no use."""
    try:
        first, _, second = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return second if first == hashlib.sha256(second).hexdigest().encode() else None


def write_state_note(path: Path, note: bytes) -> None:
    """Write a note."""
    make_directory(path.parent)
    with open_bytes_for_writing(path) as file:
        file.write(hashlib.sha256(note).hexdigest().encode() + b"\n" + note)


def remove_state_notes(data_root: Path) -> None:
    """Remove all notes: the next run reads every raw file."""
    folder = state_notes_folder(data_root)
    with explain_os_errors(folder):
        if folder.exists():
            shutil.rmtree(folder)
