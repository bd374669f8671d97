"""The protocol of files at addresses: gs:// in Cloud Storage or embedded, file:// on this machine."""

from pathlib import Path
from typing import Protocol

from engagement.foundation.errors import ConfigurationError
from engagement.services.credentials import Credentials, EmbeddedCredentials, parse_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.embedded import EmbeddedStorage
from engagement.services.storage.local_files import Uploaded


class Storage(Protocol):
    """Files that the configuration names by gs:// and file:// addresses.

    Methods raise ConfigurationError if the file does not exist, and ServiceError if the service refuses.
    """

    def local_path(self, url: str) -> Path | None:
        """Return the file's path on this machine, if it has one."""

    def read_bytes(self, url: str) -> bytes:
        """Read a small file."""

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`, completely or not at all."""

    def has_object(self, url: str) -> bool:
        """Tell whether there is a file at the address; False also if there is no such bucket."""

    def list_folder(self, url: str) -> list[str]:
        """List the names of the files directly in the folder at an address that ends in /, in order."""

    def upload(self, path: Path, url: str, is_growing: bool = False) -> Uploaded:
        """Create the file at the address, completely or not at all.

        A growing file is a log still being written: its current content is uploaded. An existing upload counts as the
        same if the log begins with it.
        """

    def check_writable(self, url: str) -> None:
        """Raise what an upload to the address would raise; leaves nothing there."""


def open_storage(credentials: Credentials, policy: RetryPolicy, sessions_directory: Path | None = None) -> Storage:
    """Return the storage that the credentials are for.

    `sessions_directory` keeps unfinished uploads of large files, for the next process to resume.
    """
    if isinstance(credentials, EmbeddedCredentials):
        return EmbeddedStorage(credentials.directory)
    from engagement.services.storage.google import GoogleStorage
    from engagement.services.storage.upload_sessions import UploadSessions

    sessions = None if sessions_directory is None else UploadSessions(sessions_directory)
    return GoogleStorage(credentials, policy, sessions)


def read_text_at(storage: Storage, url: str, what: str) -> str:
    """Read a small text, such as a token; messages never show its content."""
    try:
        return storage.read_bytes(url).decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{url}: not UTF-8 text; expected {what}. Check which file this is.") from None


def read_token(storage: Storage, url: str) -> str:
    """Read a token: one line of printable characters, without white space."""
    token = read_text_at(storage, url, "a token").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(f"{url}: not a token; expected one word on one line. Check which file this is.")
    return token


def read_credentials(storage: Storage, url: str) -> Credentials:
    """Read the credentials file at an address.

    A relative embedded directory starts at the file's folder.
    """
    text = read_text_at(storage, url, "a credentials file")
    path = storage.local_path(url)
    return parse_credentials(text, where=url, folder=path.parent if path is not None else Path.cwd())
