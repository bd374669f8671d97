"""Archives: a tar file in gzip with the SHA-256 of every file as its last member, so that a cut or changed one is noticed.

The last member is in the form of sha256sum, which can check an archive that was unpacked without this project.
"""

import contextlib
import gzip
import hashlib
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from engagement.custody.backups.contents import CHECKSUMS, BackupEntry, scan, unreadable
from engagement.custody.backups.gzip_blocks import write_gzip
from engagement.foundation.errors import InputError, MachineError, UsageError
from engagement.foundation.files import open_bytes_for_writing

_CHUNK_BYTES = 2**20
_REMEDY = "It was not restored. Use another archive, or another copy of this one."
_TYPES = {stat.S_IFREG: tarfile.REGTYPE, stat.S_IFDIR: tarfile.DIRTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
_KINDS = {type_: kind for kind, type_ in _TYPES.items()}


class Content(Protocol):
    """The content of a file in an archive: it can only be read."""

    def read(self, size: int = -1, /) -> bytes:
        """Give the next bytes; none at the end."""


# Takes an entry and the content of its file, and reads that to its end.
type _Receiver = Callable[[BackupEntry, Content], None]


def write_archive(
    path: Path, data_root: Path, entries: Sequence[BackupEntry], threads: int, hold: Callable[[int], None]
) -> None:
    """Write an archive of the entries. It is read back and compared with the data root before it gets its name.

    `hold` is called with the descriptor of the file that is being written.

    Raises
    ------
    InputError
        The data root changed meanwhile.
    MachineError
        The disk is full, or what was read back is not what was written.
    """
    with open_bytes_for_writing(path) as file:
        hold(file.fileno())
        with (
            write_gzip(file, threads) as compressed,
            tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_CHUNK_BYTES) as tar,  # type: ignore[call-overload]  # only written to
        ):
            lines = [_add(tar, data_root, entry) for entry in entries]
            checksums = "".join(lines).encode("utf-8", "surrogateescape")
            tar.addfile(
                _member(BackupEntry(CHECKSUMS, stat.S_IFREG, len(checksums), mode=0o600)), io.BytesIO(checksums)
            )
        file.flush()
        try:
            listed = verify_archive(Path(file.name))
        except InputError as error:
            raise MachineError(
                f"{path}: what was read back is not what was written; expected the same. Nothing was kept. "
                "Check the disk, and run this again."
            ) from error
        if listed != [(entry.name, entry.kind, entry.size) for entry in entries] or scan(data_root)[0] != entries:
            raise InputError(
                f"{data_root}: changed during the backup; expected nothing to change. No archive was kept. "
                "Stop what changes it, and run this again."
            )


def verify_archive(path: Path, receive: _Receiver | None = None) -> list[tuple[str, int, int]]:
    """Read an archive to its end and compare every checksum; gives name, kind and size of what is in it.

    Raises
    ------
    InputError
        It is damaged, cut off, or none of this project's.
    """
    found: list[tuple[str, int, int]] = []
    lines: list[str] = []
    checksums: str | None = None
    for entry, content in _read(path):
        if checksums is not None:
            raise InputError(f"{path}: {entry.name!r} comes after the checksums; expected them last. {_REMEDY}")
        if entry.name == CHECKSUMS:
            checksums = _Hashing(content, path).read().decode("utf-8", "surrogateescape")
            continue
        hashed = _Hashing(content, path)
        if receive is not None:
            receive(entry, hashed)
        while hashed.read(_CHUNK_BYTES):
            pass
        lines.append(_checksum_line(entry, hashed.sha256.hexdigest()))
        found.append((entry.name, entry.kind, entry.size))
    if checksums is None:
        raise InputError(f"{path}: no checksums in it; expected a whole archive of this pipeline. {_REMEDY}")
    if checksums != "".join(lines):
        raise InputError(f"{path}: its files are not those of its checksums; expected the same. {_REMEDY}")
    return found


def _read(path: Path) -> Iterator[tuple[BackupEntry, IO[bytes]]]:
    """The members of an archive, in order."""
    with (
        _explain_damage(path),
        gzip.open(path, "rb") as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK_BYTES) as tar,
    ):
        for member in tar:
            if member.type not in _KINDS or not _stays_inside(member.name):
                raise InputError(f"{path}: {member.name!r} is nothing that this pipeline archives. {_REMEDY}")
            kind = _KINDS[member.type]
            entry = BackupEntry(member.name, kind, member.size, member.mtime, member.mode, member.linkname)
            yield entry, tar.extractfile(member) if kind == stat.S_IFREG else io.BytesIO()  # type: ignore[misc]  # of a file there is one
        # The last checksum of gzip comes after all that tar reads.
        while stream.read(_CHUNK_BYTES):
            pass


@contextlib.contextmanager
def _explain_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; expected an archive. Check the path.") from None
    except (tarfile.TarError, OSError, zlib.error, EOFError, ValueError) as error:
        raise InputError(f"{path}: damaged: {error}; expected a whole archive. {_REMEDY}") from None


def _stays_inside(name: str) -> bool:
    return bool(name) and not name.startswith("/") and ".." not in name.split("/")


def _add(tar: tarfile.TarFile, data_root: Path, entry: BackupEntry) -> str:
    """Add one entry; gives its line of the checksums."""
    member = _member(entry)
    if entry.kind != stat.S_IFREG:
        tar.addfile(member)
        return ""
    path = data_root / entry.name
    try:
        file = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        # A file that is cut off meanwhile would leave the archive without an end.
        if os.fstat(file.fileno()).st_size < entry.size:
            raise unreadable(path, FileNotFoundError())
        content = _Hashing(file)
        tar.addfile(member, content)
    return _checksum_line(entry, content.sha256.hexdigest())


def _member(entry: BackupEntry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(entry.name)
    member.type = _TYPES[entry.kind]
    member.size, member.mtime, member.mode, member.linkname = entry.size, entry.modified, entry.mode, entry.link_target
    return member


class _Hashing:
    """A file to read from, with the SHA-256 of what was read. `archive` is what it lies in, if it lies in one."""

    def __init__(self, file: IO[bytes], archive: Path | None = None):
        self._file = file
        self._archive = archive
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read as from the file itself."""
        # Here, because whoever reads would take it for an error in what they write.
        with _explain_damage(self._archive) if self._archive is not None else contextlib.nullcontext():
            data = self._file.read(size)
        self.sha256.update(data)
        return data


def _checksum_line(entry: BackupEntry, digest: str) -> str:
    if entry.kind != stat.S_IFREG:
        return ""
    escaped = entry.name.replace("\\", "\\\\").replace("\n", "\\n")
    mark = "\\" if escaped != entry.name else ""
    return f"{mark}{digest}  {escaped}\n"
