"""The files of a run's notes, without what is in them: this loads quickly."""

import hashlib
import os
from pathlib import Path

from engagement.foundation.files import explain_os_errors

VERSION = 4
NOTES = "notes.json"


def notes_folder(data_root: Path) -> Path:
    """Return the path of State/outputs/ in a data root."""
    return data_root / "State" / "outputs"


def find_time_of_inputs(data_root: Path) -> int:
    """Find since when the last run's inputs may have changed, in nanoseconds; 0 without notes.

    It is the time of the notes' own file: when the run began to read, or saw that nothing had changed.
    """
    path = notes_folder(data_root) / NOTES
    return path.stat().st_mtime_ns if path.exists() else 0


def note_unchanged_inputs(data_root: Path) -> None:
    """Note that a run saw that nothing had changed."""
    path = notes_folder(data_root) / NOTES
    with explain_os_errors(path):
        os.utime(path)


def digest_notes(folder: Path) -> dict[str, str]:
    """Digest every file of notes but `notes.json` itself."""
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != NOTES:
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
