"""Files that the configuration names by address: gs:// in Cloud Storage or in the embedded directory, file:// on this machine."""

import shutil
import urllib.parse
from pathlib import Path
from typing import Protocol

from engagement.errors import ConfigurationError
from engagement.files import explain_os_errors, open_bytes_for_writing
from engagement.services.credentials import Credentials, EmbeddedCredentials, parse_credentials
from engagement.services.retries import RetryPolicy


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


def open_storage(credentials: Credentials, policy: RetryPolicy) -> Storage:
    """Give the storage that the credentials are for."""
    if isinstance(credentials, EmbeddedCredentials):
        return EmbeddedStorage(credentials.directory)
    from engagement.services.storage_google import GoogleStorage

    return GoogleStorage(credentials, policy)


class EmbeddedStorage:
    """Cloud Storage's twin: gs://<bucket>/<object> is the file `<directory>/storage/<bucket>/<object>`."""

    def __init__(self, directory: Path):
        self._root = directory / "storage"

    def local_path(self, url: str) -> Path | None:
        """Where the file lies: always on this machine."""
        path = local_file(url)
        if path is not None:
            return path
        bucket, name = split_bucket_url(url)
        path = (self._root / bucket / name).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise ConfigurationError(f"{url}: leads out of the embedded storage; expected a name within it. Change it.")
        return path

    def read_bytes(self, url: str) -> bytes:
        """The content of a small file."""
        path = self.local_path(url)
        return read_local_file(path, url) if path is not None else b""

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`."""
        source = self.local_path(url)
        if source is not None:
            copy_local_file(source, url, path)


def local_file(url: str) -> Path | None:
    """The path that a file:// address names; None for a gs:// address.

    >>> local_file("file:///data/my%20token.txt")
    PosixPath('/data/my token.txt')
    """
    if not url.startswith("file://"):
        return None
    parts = urllib.parse.urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ConfigurationError(f"{url}: not a path on this machine; expected file:///<absolute path>. Change it.")
    return Path(urllib.parse.unquote(parts.path))


def split_bucket_url(url: str) -> tuple[str, str]:
    """Take a gs:// address apart.

    >>> split_bucket_url("gs://bucket/folder/token.txt")
    ('bucket', 'folder/token.txt')
    """
    bucket, _, name = url.removeprefix("gs://").partition("/")
    if not url.startswith("gs://") or not bucket or not name:
        raise ConfigurationError(
            f"{url!r}: not an address; expected gs://<bucket>/<object> or file:///<path>. Change it."
        )
    return bucket, name


def read_local_file(path: Path, url: str) -> bytes:
    """Read a file that the configuration names by `url`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(url, path, error) from None


def copy_local_file(source: Path, url: str, target: Path) -> None:
    """Copy a file that the configuration names by `url`."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unreadable(url, source, error) from None
    with file, explain_os_errors(target), open_bytes_for_writing(target) as copy:
        shutil.copyfileobj(file, copy)


def _unreadable(url: str, path: Path, error: OSError) -> ConfigurationError:
    reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or "can't be read")
    return ConfigurationError(f"{url}: {reason}: {path}; expected a file. Check the address in the configuration.")


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
