"""Drive, where the outputs go: files at paths, made once and from then on updated in place. Nothing is ever deleted.

The protocol has two implementations: Google Drive, and a folder for the demo and for tests.
"""

import contextlib
import enum
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engagement.configuration.drive_checks import split_drive_path
from engagement.foundation.errors import ConfigurationError, MachineError
from engagement.foundation.files import explain_os_errors, hold_directory, open_bytes_for_writing
from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import check_local_folder


class Outcome(enum.StrEnum):
    """What became of a file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class SavedFile:
    """A file in Drive. `others` tells how many more files of that name lie in the same folder, untouched."""

    outcome: Outcome
    others: int = 0


class Drive(Protocol):
    """One account's Drive."""

    def save_file(self, path: str, source: Path) -> SavedFile:
        """Put a file at a path, `<folder>/…/<name>`: made if it is not there, with its folders, else updated in place.

        A file with the same content is left as it is. Safe to kill and to repeat: it never becomes two.

        Raises
        ------
        ConfigurationError
            The path can't be one of Drive.
        ServiceError
            Drive can't be reached, the first folder is not there, or the account may not write.
        """

    def check_writable(self, path: str) -> None:
        """Raise what `save_file` would raise for a file at this path; nothing is made."""


def open_drive(credentials: Credentials, state_directory: Path, policy: RetryPolicy) -> Drive:
    """Open the Drive of the credentials. `state_directory` is where the ids of files are kept for the next time.

    DRIVE_EMULATOR_HOST names another server that speaks Drive's API, for tests; it is sent what Drive would be.
    """
    if isinstance(credentials, EmbeddedCredentials):
        return FolderDrive(credentials.directory)
    # The Google client takes its time to import, and the demo does without it.
    from engagement.services.drive.google import GoogleDrive
    from engagement.services.drive.ids import DriveIds

    host = os.environ.get("DRIVE_EMULATOR_HOST")
    root_url = f"http://{host.removeprefix('http://').rstrip('/')}/" if host else None
    return GoogleDrive(credentials, DriveIds(state_directory / "ids.json"), policy, root_url)


class FolderDrive:
    """Drive's twin: the file at a path is `<directory>/drive/<path>`."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "drive"

    def save_file(self, path: str, source: Path) -> SavedFile:
        """Put a file at a path, unless the same one is there."""
        target = self._root.joinpath(*split_path(path))
        with hold_directory(target.parent):
            is_there = target.exists()
            if is_there and md5_of(target) == md5_of(source):
                return SavedFile(Outcome.UNCHANGED)
            with explain_os_errors(target), source.open("rb") as file, open_bytes_for_writing(target) as copy:
                shutil.copyfileobj(file, copy)
        return SavedFile(Outcome.UPDATED if is_there else Outcome.CREATED)

    def check_writable(self, path: str) -> None:
        """Raise what `save_file` would raise."""
        check_local_folder(self._root.joinpath(*split_path(path)).parent)


def split_path(path: str) -> list[str]:
    """The names along a path in Drive: folders, then the file.

    >>> split_path("/project/2026/messages.csv")
    ['project', '2026', 'messages.csv']

    Raises
    ------
    ConfigurationError
        There is no folder, or a name that stands for another place.
    """
    # Paths of the configuration were checked when it was read; names below AutomatedAnalysisDir were not.
    with contextlib.suppress(ValueError):
        names = split_drive_path(path)
        if len(names) >= 2:
            return names
    raise ConfigurationError(
        f"Drive path {path!r}: not a file in a folder; expected <shared drive or shared folder>/…/<name>. "
        "Change it in the configuration."
    )


def md5_of(path: Path) -> str:
    """The checksum by which Drive tells contents apart, as hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise MachineError(f"{path}: could not be read: {error.strerror}. Check it and run this again.") from None
