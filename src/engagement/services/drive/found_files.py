"""Things found in Drive that can be read: files, Google Sheets, and folders."""

import contextlib
import enum
import hashlib
import io
import zipfile
import zlib
from typing import NamedTuple

from engagement.foundation.errors import InputError

# A hundred thousand rows of answers take some twenty.
LARGEST_FILE_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20


class DriveKind(enum.Enum):
    """What can be done with a thing in Drive."""

    FILE = "file"
    SHEET = "Google Sheet"
    FOLDER = "folder"
    OTHER = "something else, like a Google Doc"


class FoundInDrive(NamedTuple):
    """A thing in Drive. `sha256` is of its content, if Drive knows it; a Google Sheet has none."""

    file_id: str
    name: str
    kind: DriveKind
    media_type: str = ""
    sha256: str | None = None
    size: int = 0


def digest_content(found: FoundInDrive, content: bytes) -> bytes:
    """Digest what a file holds.

    Two exports of an unchanged sheet may be different archives of the same parts, so the parts count.
    """
    if found.kind is DriveKind.SHEET:
        # Whoever reads a damaged one says what is wrong.
        with contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            return _digest_parts(content)
    return hashlib.sha256(content).digest()


def _digest_parts(content: bytes) -> bytes:
    digest = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in sorted(archive.namelist()):
            # When it was exported, and by what.
            if name.startswith("docProps/"):
                continue
            digest.update(f"{name}\0{archive.getinfo(name).file_size}\0".encode())
            with archive.open(name) as part:
                while block := part.read(_BLOCK_BYTES):
                    digest.update(block)
    return digest.digest()


def too_large(where: str, found_bytes: int) -> InputError:
    """Return the error for a file beyond the limit."""
    return InputError(
        f"{where}: {found_bytes >> 20} MB; expected at most {LARGEST_FILE_BYTES >> 20}. Part the table into several files."
    )
