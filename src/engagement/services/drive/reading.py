"""The protocol of reading from Drive: files, Google Sheets and folders, by their ids.

Nothing of it is kept on the disk.
"""

from typing import Protocol

from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.drive.embedded_reading import FolderDriveReader
from engagement.services.drive.found_files import FoundInDrive
from engagement.services.drive.protocol import emulator_root_url
from engagement.services.retries import RetryPolicy


class DriveReader(Protocol):
    """What one account may view in Drive. Messages name `url`, the link that led to it.

    Methods raise ConfigurationError if it is not there or not shared with the account, InputError if it is too large, and
    ServiceError if Drive refuses or can't be reached.
    """

    def describe(self, file_id: str, url: str) -> FoundInDrive:
        """Find a file, sheet or folder; a shortcut leads to what it stands for."""

    def list_folder(self, folder_id: str, url: str) -> list[FoundInDrive]:
        """List what is directly in a folder, by name."""

    def read_bytes(self, found: FoundInDrive) -> bytes:
        """Read a file, or a Google Sheet as an Excel workbook."""


def open_drive_reader(credentials: Credentials, policy: RetryPolicy) -> DriveReader:
    """Open the Drive that the credentials are for; see `open_drive`."""
    if isinstance(credentials, EmbeddedCredentials):
        return FolderDriveReader(credentials.directory)
    # The Google client is slow to import; few projects read from Drive.
    from engagement.services.drive.google_reading import GoogleDriveReader

    return GoogleDriveReader(credentials, policy, emulator_root_url())
