"""Files that the configuration names by address: gs:// in Cloud Storage or in the embedded directory, file:// on this machine."""

import enum
import os
import shutil
import urllib.parse
from pathlib import Path
from typing import IO, Protocol

from engagement.foundation.errors import ConfigurationError, InputError, MachineError
from engagement.foundation.files import hold_directory, open_bytes_for_writing
from engagement.services.credentials import Credentials, EmbeddedCredentials, parse_credentials
from engagement.services.retries import RetryPolicy

_BLOCK_BYTES = 2**20


class Uploaded(enum.Enum):
    """What became of an upload. What is there is never replaced."""

    CREATED = "uploaded"
    IDENTICAL = "there already, the same"
    DIFFERENT = "there already, and not the same"


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


class EmbeddedStorage:
    """Cloud Storage's twin: gs://<bucket>/<object> is the file `<directory>/storage/<bucket>/<object>`."""

    def __init__(self, directory: Path):
        self._root = directory / "storage"

    def local_path(self, url: str) -> Path:
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
        return read_local_file(self.local_path(url), url)

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`."""
        copy_local_file(self.local_path(url), url, path)

    def has_object(self, url: str) -> bool:
        """Whether there is a file at the address."""
        return self.local_path(url).exists()

    def upload(self, path: Path, url: str, is_growing: bool = False) -> Uploaded:
        """Create the file at the address, and the folders above it."""
        return create_local_file(path, self.local_path(url), is_growing)

    def check_writable(self, url: str) -> None:
        """Raise what an upload to the address would raise."""
        check_local_folder(self.local_path(url).parent)


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
    with file, open_bytes_for_writing(target) as copy:
        shutil.copyfileobj(file, copy)


def create_local_file(source: Path, target: Path, is_growing: bool) -> Uploaded:
    """Copy a file to where none is; see Storage.upload."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise unreadable_upload(source, error) from None
    with file, hold_directory(target.parent):
        if target.exists():
            return Uploaded.IDENTICAL if _has_content_of(file, target, is_growing) else Uploaded.DIFFERENT
        with open_bytes_for_writing(target) as copy:
            shutil.copyfileobj(file, copy, _BLOCK_BYTES)
    return Uploaded.CREATED


def check_local_folder(folder: Path) -> None:
    """Check that a file can be made in a folder, or the folder itself in the nearest one above that is there.

    Raises
    ------
    MachineError
        This user may not.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise MachineError(
            f"{folder}: this user may not write there; expected leave to. Check {there} and its permissions."
        )


def unreadable_upload(path: Path, error: OSError) -> InputError | MachineError:
    """What to say of a file that is to be uploaded and can't be read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such file; expected the file to upload. Check the path.")
    return MachineError(f"{path}: can't be read: {error.strerror}; expected leave to. Check the file's permissions.")


def _has_content_of(file: IO[bytes], target: Path, is_growing: bool) -> bool:
    with target.open("rb") as there:
        while block := there.read(_BLOCK_BYTES):
            if file.read(len(block)) != block:
                return False
    return is_growing or not file.read(1)


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
