"""Results of saving a file, its checksum, and the parts of its path."""

import contextlib
import enum
import hashlib
from dataclasses import dataclass
from pathlib import Path

from engagement.configuration.drive_checks import split_drive_path
from engagement.foundation.errors import ConfigurationError, MachineError


class Outcome(enum.StrEnum):
    """Result of saving a file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class SavedFile:
    """A file in Drive; `others` counts further files of the same name in the folder, left untouched."""

    outcome: Outcome
    others: int = 0


def split_path(path: str) -> list[str]:
    """Split a Drive path into its names: folders, then the file.

    >>> split_path("/project/2026/messages.csv")
    ['project', '2026', 'messages.csv']

    Raises
    ------
    ConfigurationError
        There is no folder, or a name such as ".." that points elsewhere.
    """
    # Paths in the configuration were checked on reading; names below AutomatedAnalysisDir were not.
    with contextlib.suppress(ValueError):
        names = split_drive_path(path)
        if len(names) >= 2:
            return names
    raise ConfigurationError(
        f"Drive path {path!r}: not a file in a folder; expected <shared drive or shared folder>/…/<name>. "
        "Change it in the configuration."
    )


def md5_of(path: Path) -> str:
    """Return the checksum that Drive compares contents by, as hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise MachineError(
            f"{path}: could not be read: {error.strerror}; expected a readable file. Check it and run this again."
        ) from None
