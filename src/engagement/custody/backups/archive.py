"""Archives: gzipped tar files whose last member has every file's SHA-256, to detect damage.

The last member is in sha256sum format, so an archive can be checked after unpacking it without this project.
"""

import contextlib
import hashlib
import io
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol

from isal import igzip
from isal.igzip_lib import IsalError

from engagement.custody.backups.contents import CHECKSUMS, BackupEntry
from engagement.custody.backups.encryption import open_archive
from engagement.foundation.errors import InputError, UsageError

_CHUNK_BYTES = 2**20
_REMEDY = "Nothing was restored. Use another archive, or another copy of this one."
_TYPES = {stat.S_IFREG: tarfile.REGTYPE, stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
_KINDS = {type_: kind for kind, type_ in _TYPES.items()}


class Content(Protocol):
    """The read-only content of a file in an archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; none at the end."""


# Takes an entry and its file's content, which it reads to the end.
type _Receiver = Callable[[BackupEntry, Content], None]


def verify_archive(
    path: Path, receive: _Receiver | None = None, identity: Path | None = None
) -> list[tuple[str, int, int]]:
    """Read a whole archive and compare every checksum; return the name, kind and size of its members.

    `identity` is a file with the secret key that an encrypted archive needs.

    Raises
    ------
    InputError
        It is damaged, cut off, or not one of this project's.
    """
    found: list[tuple[str, int, int]] = []
    lines: list[str] = []
    checksums: str | None = None
    for entry, content in _read(path, identity):
        if checksums is not None:
            raise InputError(
                f"{path}: {entry.name!r} comes after the checksums; expected nothing after them. {_REMEDY}"
            )
        if entry.name == CHECKSUMS:
            checksums = Hashing(content, path).read().decode("utf-8", "surrogateescape")
            continue
        hashed = Hashing(content, path)
        if receive is not None:
            receive(entry, hashed)
        while hashed.read(_CHUNK_BYTES):
            pass
        lines.append(checksum_line(entry, hashed.sha256.hexdigest()))
        found.append((entry.name, entry.kind, entry.size))
    if checksums is None:
        raise InputError(f"{path}: contains no checksums; expected a complete archive of this pipeline. {_REMEDY}")
    if checksums != "".join(lines):
        raise InputError(f"{path}: its files do not match its checksums; expected the same ones. {_REMEDY}")
    return found


def _read(path: Path, identity: Path | None) -> Iterator[tuple[BackupEntry, IO[bytes]]]:
    """Read the members of an archive, in order."""
    with (
        _explain_damage(path),
        open_archive(path, identity) as file,
        igzip.IGzipFile(fileobj=file, mode="rb") as stream,  # type: ignore[no-untyped-call]  # like gzip.GzipFile
        tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK_BYTES) as tar,
    ):
        for member in tar:
            if member.type not in _KINDS or not _stays_inside(member.name):
                raise InputError(
                    f"{path}: {member.name!r} is not something that this pipeline archives; expected its own archive. {_REMEDY}"
                )
            kind = _KINDS[member.type]
            entry = BackupEntry(member.name, kind, member.size, member.mtime, member.mode, member.linkname)
            yield entry, tar.extractfile(member) if kind == stat.S_IFREG else io.BytesIO()  # type: ignore[misc]  # of a file there is one
        # gzip's last checksum comes after everything that tar reads.
        while stream.read(_CHUNK_BYTES):
            pass


@contextlib.contextmanager
def _explain_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; expected an archive. Check the path.") from None
    except (tarfile.TarError, OSError, zlib.error, IsalError, EOFError, ValueError) as error:  # type: ignore[misc]  # its stub calls it a variable
        raise InputError(f"{path}: damaged: {error}; expected a complete archive. {_REMEDY}") from None


def _stays_inside(name: str) -> bool:
    return bool(name) and not name.startswith("/") and ".." not in name.split("/")


def member_of(entry: BackupEntry) -> tarfile.TarInfo:
    """Return an entry's header in the archive."""
    member = tarfile.TarInfo(entry.name)
    member.type = _TYPES[entry.kind]
    member.size, member.mtime, member.mode, member.linkname = entry.size, entry.modified, entry.mode, entry.link_target
    return member


class Hashing:
    """Computes a file's SHA-256 while it is read; `archive` is the archive that contains it."""

    def __init__(self, file: Content, archive: Path):
        self._file = file
        self._archive = archive
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read as from the file itself."""
        # Raised here, because the reader would take it for an error in writing.
        with _explain_damage(self._archive):
            data = self._file.read(size)
        self.sha256.update(data)
        return data


def checksum_line(entry: BackupEntry, digest: str) -> str:
    """Return an entry's line of the checksums; empty for what has no content."""
    if entry.kind != stat.S_IFREG:
        return ""
    escaped = entry.name.replace("\\", "\\\\").replace("\n", "\\n")
    mark = "\\" if escaped != entry.name else ""
    return f"{mark}{digest}  {escaped}\n"
