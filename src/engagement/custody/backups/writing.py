"""Writing archives: gzipped tar files that are read back before they get their names."""

import contextlib
import hashlib
import io
import logging
import os
import stat
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from engagement.custody.backups.archive import checksum_line, member_of
from engagement.custody.backups.checksums import ArchiveChecksum
from engagement.custody.backups.contents import CHECKSUMS, BackupEntry, scan, unreadable
from engagement.custody.backups.earlier_members import EntryPlace, MemberCopyError
from engagement.custody.backups.last_archive import LastArchive, open_last
from engagement.custody.backups.members import MemberWriter, Sink, crc_of, write_members
from engagement.custody.backups.piece_digests import PieceDigests
from engagement.foundation.errors import InputError, MachineError
from engagement.foundation.files import begin_to_write, open_bytes_for_writing

# So much is still in the processor's cache when it is hashed.
_CHUNK_BYTES = 2**18
# The disk writes these while the next ones are read or compressed.
_BEGUN_AT_ONCE = 2**23

log = logging.getLogger(__name__)

# Encrypts what is written to it, into a file.
type Wrapper = Callable[[Sink], AbstractContextManager[Sink]]


@dataclass(frozen=True)
class ArchivedEntry:
    """An entry in an archive; `digest` is a file's SHA-256."""

    entry: BackupEntry
    place: EntryPlace
    digest: str
    is_copied: bool


class WrittenArchive(NamedTuple):
    """An archive as it was written.

    `is_full` if nothing was copied, else `copied_pieces` are those of changed files.
    """

    entries: list[ArchivedEntry]
    checksum: ArchiveChecksum
    is_full: bool
    copied_pieces: int
    digests: PieceDigests | None


@dataclass(frozen=True)
class HowToWrite:
    """`hold` gets the file descriptor of the file being written.

    A later archive may copy from it if it `is_listed` afterwards.
    """

    threads: int
    hold: Callable[[int], None]
    wrap: Wrapper = contextlib.nullcontext
    is_listed: bool = False


def write_archive(
    path: Path, data_root: Path, entries: Sequence[BackupEntry], last: LastArchive | None, how: HowToWrite
) -> WrittenArchive:
    """Write an archive of the entries, copying from the last one what did not change since.

    Before the archive gets its name, it is read back, and the data root is listed again.

    Raises
    ------
    InputError
        The data root changed during the backup.
    MachineError
        The disk is full, or the archive differs when read back.
    """
    if last is not None:
        try:
            return _write(path, data_root, entries, last, how)
        except MemberCopyError as error:
            log.warning("%s: damaged: %s; so every file is read. Do not rely on that archive", last.path, error)
    return _write(path, data_root, entries, None, how)


def _write(
    path: Path, data_root: Path, entries: Sequence[BackupEntry], last: LastArchive | None, how: HowToWrite
) -> WrittenArchive:
    digests = None if not how.is_listed else PieceDigests() if last is None else last.digests
    with open_bytes_for_writing(path) as file:
        how.hold(file.fileno())
        checked = _CheckedFile(file)
        with (
            open_last(last) as earlier,
            how.wrap(checked) as sink,
            write_members(sink, how.threads, earlier, digests) as members,
        ):
            added = [_add(members, data_root, entry, last) for entry in entries]
            _add_checksums(members, zip(entries, (digest for digest, _ in added), strict=True))
        _expect_same_when_read_back(path, file, checked)
        if scan(data_root)[0] != entries:
            raise InputError(
                f"{data_root}: changed during the backup; expected nothing to change. No archive was kept. "
                "Stop what changes it, and run this again."
            )
    places = members.places[:-1]
    found = zip(entries, places, added, strict=True)
    archived = [ArchivedEntry(entry, place, *digest) for entry, place, digest in found]
    return WrittenArchive(archived, checked.checksum, last is None, members.copied_pieces, digests)


def _add_checksums(members: MemberWriter, found: Iterable[tuple[BackupEntry, str]]) -> None:
    """Add the last member, with every file's SHA-256."""
    checksums = "".join(checksum_line(entry, digest) for entry, digest in found).encode("utf-8", "surrogateescape")
    entry = BackupEntry(CHECKSUMS, stat.S_IFREG, len(checksums), mode=0o600)
    members.add(_header_of(entry), io.BytesIO(checksums), entry.size)


def _expect_same_when_read_back(path: Path, file: IO[bytes], checked: "_CheckedFile") -> None:
    """Raise if the file is not what was written to it."""
    file.flush()
    if checked.checksum.crc != crc_of(_read_back(Path(file.name))):
        raise MachineError(
            f"{path}: the archive differs when read back; expected what was written. Nothing was kept. "
            "Check the disk, and run this again."
        )


def _header_of(entry: BackupEntry) -> bytes:
    """Return the blocks before an entry's content."""
    return member_of(entry).tobuf(tarfile.PAX_FORMAT, sys.getfilesystemencoding(), "surrogateescape")


def _add(members: MemberWriter, data_root: Path, entry: BackupEntry, last: LastArchive | None) -> tuple[str, bool]:
    """Add one entry; return its SHA-256, and whether it was copied."""
    header = _header_of(entry)
    kept = last.find(entry) if last is not None else None
    if kept is not None:
        members.copy(kept.place, len(header) + entry.size + -entry.size % tarfile.BLOCKSIZE)
        return kept.digest, True
    if entry.kind != stat.S_IFREG:
        members.add(header, io.BytesIO(), 0)
        return "", False
    path = data_root / entry.name
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        # A file cut short meanwhile would leave the archive incomplete.
        if os.fstat(file.fileno()).st_size < entry.size:
            raise unreadable(path, FileNotFoundError())
        content = _FileContent(path, file, entry.size)
        members.add(header, content, entry.size)
    return content.sha256.hexdigest(), False


class _FileContent:
    """A file's first bytes, as many as were there when it was listed.

    Computes their SHA-256 while they are read.
    """

    def __init__(self, path: Path, file: io.FileIO, size: int):
        self._path = path
        self._file = file
        self._left = size
        self.sha256 = hashlib.sha256()

    def readinto(self, view: memoryview) -> int:
        """Read into a view.

        Raises
        ------
        InputError
            The file became shorter.
        """
        part = view[: min(self._left, _CHUNK_BYTES)]
        read = self._file.readinto(part) or 0
        if part and not read:
            raise unreadable(self._path, FileNotFoundError())
        self.sha256.update(part[:read])
        self._left -= read
        return read


class _CheckedFile:
    """Computes size and CRC-32 of what is written to a file, and lets the disk begin meanwhile."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._begun = 0
        self.checksum = ArchiveChecksum(0, 0)

    def write(self, data: bytes | memoryview) -> int:
        """Write to the file itself."""
        size, crc = self.checksum
        self.checksum = ArchiveChecksum(size + len(data), crc_of((data,), crc))
        written = self._file.write(data)
        if self.checksum.size - self._begun > _BEGUN_AT_ONCE:
            begin_to_write(self._file, self._begun)
            self._begun = self.checksum.size
        return written


def _read_back(path: Path) -> Iterator[memoryview]:
    view = memoryview(bytearray(_CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while read := file.readinto(view):
            yield view[:read]
