"""The protocol of Drive, where outputs go: files are created once, updated in place, never deleted.

Two implementations: Google Drive, and a folder for the demo and for tests.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.drive.embedded import FolderDrive
from engagement.services.drive.saved_files import SavedFile
from engagement.services.retries import RetryPolicy


class Drive(Protocol):
    """The Drive of one account."""

    def save_file(self, path: str, source: Path) -> SavedFile:
        """Save a file at a path, `<folder>/…/<name>`: create it with its folders, or update it in place.

        An identical file stays untouched. Safe to kill and to repeat: the file is never duplicated.

        Raises
        ------
        ConfigurationError
            Drive can't have a file at this path.
        ServiceError
            Drive can't be reached, the first folder does not exist, or the account may not write.
        """

    def check_writable(self, path: str) -> None:
        """Raise what `save_file` would raise for a file at this path; create nothing."""


def open_drive(credentials: Credentials, state_directory: Path, policy: RetryPolicy) -> Drive:
    """Open the Drive that the credentials are for; `state_directory` keeps file ids for the next run.

    For tests, DRIVE_EMULATOR_HOST names another server that speaks Drive's API; it then gets the requests for Drive.
    """
    if isinstance(credentials, EmbeddedCredentials):
        return FolderDrive(credentials.directory)
    # The Google client is slow to import; the demo does not need it.
    from engagement.services.drive.google import GoogleDrive
    from engagement.services.drive.ids import DriveIds

    return GoogleDrive(credentials, DriveIds(state_directory / "ids.json"), policy, emulator_root_url())


def emulator_root_url() -> str | None:
    """Return the address of the server that stands in for Drive in tests; None for Drive itself."""
    host = os.environ.get("DRIVE_EMULATOR_HOST")
    return f"http://{host.removeprefix('http://').rstrip('/')}/" if host else None


OpenDrive = Callable[[Credentials, Path, RetryPolicy], Drive]
