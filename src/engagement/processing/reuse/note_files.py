"""The files of a run's notes, without what is in them: this loads quickly."""

import hashlib
from pathlib import Path

VERSION = 4
NOTES = "notes.json"


def notes_folder(data_root: Path) -> Path:
    """Return the path of State/outputs/ in a data root."""
    return data_root / "State" / "outputs"


def digest_notes(folder: Path) -> dict[str, str]:
    """Digest every file of notes but `notes.json` itself."""
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != NOTES:
            with path.open("rb") as file:
                digests[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
