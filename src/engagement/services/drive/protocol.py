"""Drive, where the outputs go: files at paths, made once and from then on updated in place. Nothing is ever deleted.

The protocol has two implementations: Google Drive, and a folder for the demo and for tests.
"""

import os
from pathlib import Path
from typing import Protocol

from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.drive.embedded import FolderDrive
from engagement.services.drive.saved_files import SavedFile
from engagement.services.retries import RetryPolicy


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
