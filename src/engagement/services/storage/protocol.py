"""Files that the configuration names by address: gs:// in Cloud Storage or in the embedded directory, file:// on this machine."""

from pathlib import Path
from typing import Protocol

from engagement.foundation.errors import ConfigurationError
from engagement.services.credentials import Credentials, EmbeddedCredentials, parse_credentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.embedded import EmbeddedStorage
from engagement.services.storage.local_files import Uploaded


class Storage(Protocol):
    """Where the files are that the configuration names by gs:// and file:// addresses.

    Each method raises ConfigurationError when there is no such file, and ServiceError when the service refuses.
    """

    def local_path(self, url: str) -> Path | None:
        """Where the file lies on this machine, if it does."""

    def read_bytes(self, url: str) -> bytes:
        """The content of a small file."""

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`: complete, or not at all."""

    def has_object(self, url: str) -> bool:
        """Whether there is a file at the address; False as well where there is no such bucket."""

    def upload(self, path: Path, url: str, is_growing: bool = False) -> Uploaded:
        """Create the file at the address: complete, or not at all.

        A growing file is a log that is still written to: what it holds by now is uploaded, and what is there is the
        same when the file begins with it.
        """

    def check_writable(self, url: str) -> None:
        """Raise what an upload to the address would raise; nothing is left there."""


def open_storage(credentials: Credentials, policy: RetryPolicy, sessions_directory: Path | None = None) -> Storage:
    """Give the storage that the credentials are for.

    `sessions_directory` is where unfinished uploads of large files are remembered, for the next process to go on with.
    """
    if isinstance(credentials, EmbeddedCredentials):
        return EmbeddedStorage(credentials.directory)
    from engagement.services.storage.google import GoogleStorage
    from engagement.services.storage.upload_sessions import UploadSessions

    sessions = None if sessions_directory is None else UploadSessions(sessions_directory)
    return GoogleStorage(credentials, policy, sessions)


def read_text_at(storage: Storage, url: str, what: str) -> str:
    """Read a small text, e.g. a token; its content is part of no message."""
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
    """Read the credentials file at an address; a relative embedded directory starts at the file's folder."""
    text = read_text_at(storage, url, "a credentials file")
    path = storage.local_path(url)
    return parse_credentials(text, where=url, folder=path.parent if path is not None else Path.cwd())
