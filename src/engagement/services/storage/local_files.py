"""Files at file:// addresses and in embedded buckets: reading, copying, and creating them once."""

import contextlib
import enum
import os
import re
import shutil
import urllib.parse
from pathlib import Path
from typing import IO

from engagement.foundation.errors import ConfigurationError, InputError, MachineError
from engagement.foundation.files import begin_to_write, hold_directory, open_bytes_for_writing

_BLOCK_BYTES = 2**20
_PIECE_BYTES = 2**25
# Control characters are dropped from an address, or break the line of a log.
_MISREAD = re.compile(r"[%#?\x00-\x1f\x7f-\x9f]")


class Uploaded(enum.Enum):
    """Result of an upload; an existing file is never replaced."""

    CREATED = "uploaded"
    IDENTICAL = "there already, the same"
    DIFFERENT = "there already, and not the same"


def local_file(url: str) -> Path | None:
    """Return the path that a file:// address names; None for a gs:// address.

    >>> local_file("file:///data/my%20token.txt")
    PosixPath('/data/my token.txt')
    """
    if not url.startswith("file://"):
        return None
    parts = urllib.parse.urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ConfigurationError(f"{url}: not a path on this machine; expected file:///<absolute path>. Change it.")
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"{url}: # and ? end the path of an address; expected %23 and %3F in their place. Change it, or rename the file."
        )
    return Path(urllib.parse.unquote(parts.path))


def address_in_folder(url: str, name: str) -> str:
    """Return the address of a file in a folder. Any name is one.

    >>> address_in_folder("file:///data/", "week #3.csv"), address_in_folder("gs://data/", "week #3.csv")
    ('file:///data/week %233.csv', 'gs://data/week #3.csv')
    """
    return url + (_MISREAD.sub(lambda sign: urllib.parse.quote(sign[0]), name) if url.startswith("file://") else name)


def split_bucket_url(url: str) -> tuple[str, str]:
    """Split a gs:// address into bucket and object.

    >>> split_bucket_url("gs://bucket/folder/token.txt")
    ('bucket', 'folder/token.txt')
    """
    bucket, _, name = url.removeprefix("gs://").partition("/")
    if not url.startswith("gs://") or not bucket or not name:
        raise ConfigurationError(
            f"{url!r}: not an address; expected gs://<bucket>/<object> or file:///<path>. Change it."
        )
    return bucket, name


def split_folder_url(url: str) -> tuple[str, str]:
    """Split a gs:// address of a folder, or of a whole bucket, into bucket and prefix.

    >>> split_folder_url("gs://bucket/folder/"), split_folder_url("gs://bucket/")
    (('bucket', 'folder/'), ('bucket', ''))
    """
    bucket, _, name = url.removeprefix("gs://").partition("/")
    if not url.startswith("gs://") or not bucket or not url.endswith("/"):
        raise ConfigurationError(
            f"{url!r}: not the address of a folder; expected gs://<bucket>/<folder>/ or file:///<path>/. Change it."
        )
    return bucket, name


def list_local_folder(path: Path, url: str) -> list[str]:
    """List the names of the files directly in the folder that the configuration calls `url`."""
    try:
        return sorted(entry.name for entry in path.iterdir() if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        raise no_folder(url) from None
    except OSError as error:
        raise ConfigurationError(
            f"{url}: can't be listed: {error.strerror}; expected a folder that this user may read. Check its permissions."
        ) from None


def no_folder(url: str) -> ConfigurationError:
    """Return the error for a folder that is not there."""
    return ConfigurationError(
        f"{url}: no such folder; expected one with files. Check the address in the configuration."
    )


def read_local_file(path: Path, url: str) -> bytes:
    """Read the file that the configuration calls `url`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(url, path, error) from None


def copy_local_file(source: Path, url: str, target: Path) -> None:
    """Copy the file that the configuration calls `url`."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unreadable(url, source, error) from None
    with file, open_bytes_for_writing(target) as copy:
        shutil.copyfileobj(file, copy)


def create_local_file(source: Path, target: Path, is_growing: bool) -> Uploaded:
    """Copy a file to a new place; see Storage.upload."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise unreadable_upload(source, error) from None
    with file, hold_directory(target.parent):
        if target.exists():
            return Uploaded.IDENTICAL if _has_content_of(file, target, is_growing) else Uploaded.DIFFERENT
        with open_bytes_for_writing(target) as copy:
            _copy_big(file, copy)
    return Uploaded.CREATED


def _copy_big(file: IO[bytes], copy: IO[bytes]) -> None:
    """Copy a file, which is perhaps as big as an archive, within the system's own memory where it can."""
    # Between some file systems it can't.
    with contextlib.suppress(OSError):
        while os.copy_file_range(file.fileno(), copy.fileno(), _PIECE_BYTES):
            begin_to_write(copy)
    # Whatever is left; of a full disk, this tells.
    shutil.copyfileobj(file, copy, _BLOCK_BYTES)


def check_local_folder(folder: Path) -> None:
    """Check that files can be created in a folder, or the folder itself in its nearest existing parent.

    Raises
    ------
    MachineError
        This user has no write permission.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise MachineError(
            f"{folder}: this user may not write there; expected write permission. Check {there} and its permissions."
        )


def unreadable_upload(path: Path, error: OSError) -> InputError | MachineError:
    """Return the error for a file to upload that can't be read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path}: no such file; expected the file to upload. Check the path.")
    return MachineError(
        f"{path}: can't be read: {error.strerror}; expected read permission. Check the file's permissions."
    )


def _has_content_of(file: IO[bytes], target: Path, is_growing: bool) -> bool:
    with target.open("rb") as there:
        while block := there.read(_BLOCK_BYTES):
            if file.read(len(block)) != block:
                return False
    return is_growing or not file.read(1)


def _unreadable(url: str, path: Path, error: OSError) -> ConfigurationError:
    reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or "can't be read")
    return ConfigurationError(f"{url}: {reason}: {path}; expected a file. Check the address in the configuration.")
