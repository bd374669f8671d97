"""Rewriting an archive without some files, or with other content in them."""

import enum
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from engagement.custody.backups.archive import Content, Hashing, verify_archive
from engagement.custody.backups.checksums import drop_checksum, note_checksum
from engagement.custody.backups.contents import BackupEntry
from engagement.custody.backups.members import MemberWriter, write_members
from engagement.custody.backups.writing import (
    CheckedFile,
    HowToWrite,
    add_checksums,
    expect_same_when_read_back,
    header_of,
)
from engagement.foundation.files import open_bytes_for_writing

_CHUNK_BYTES = 2**20
# Until here a file's new content stays in memory.
_MEMORY_BYTES = 2**23


class Unchanged(enum.Enum):
    """What happens to an entry whose content is not written anew."""

    KEPT = enum.auto()
    REMOVED = enum.auto()


# Reads a file's content, and writes the new one.
type Rewriter = Callable[[Content, IO[bytes]], None]


def rewrite_archive(path: Path, decide: Callable[[BackupEntry], Unchanged | Rewriter], how: HowToWrite) -> int:
    """Rewrite an archive; return the number of entries that were removed or changed.

    `decide` is asked about every entry. The archive keeps its name, and is replaced once the new one is complete and was read
    back; without a change it stays as it is. The next backup of the data root then reads every file.

    Raises
    ------
    InputError
        The archive is damaged; it stays as it is.
    UsageError
        It is encrypted, or is not there.
    MachineError
        The disk is full, or the new archive differs when read back. The old one stays.
    """
    try:
        with open_bytes_for_writing(path) as file:
            how.hold(file.fileno())
            checked = CheckedFile(file)
            with write_members(checked, how.threads) as members:
                entries = _RewrittenEntries(members, decide)
                verify_archive(path, entries.receive)
                add_checksums(members, entries.digests)
            expect_same_when_read_back(path, file, checked)
            if not entries.changed:
                raise _NothingChanged
            # Killed in between, it has no checksum rather than a wrong one.
            drop_checksum(path)
        note_checksum(path, checked.checksum)
    except _NothingChanged:
        return 0
    return entries.changed


class _NothingChanged(Exception):  # noqa: N818  # no error
    """The archive stays as it is."""


class _RewrittenEntries:
    """Adds an archive's entries to another one; `digests` has their SHA-256s."""

    def __init__(self, members: MemberWriter, decide: Callable[[BackupEntry], Unchanged | Rewriter]):
        self._members = members
        self._decide = decide
        self.digests: list[tuple[BackupEntry, str]] = []
        self.changed = 0

    def receive(self, entry: BackupEntry, content: Content) -> None:
        """Add an entry, unless it is to be removed."""
        decision = self._decide(entry)
        if decision is Unchanged.KEPT or entry.kind != stat.S_IFREG and decision is not Unchanged.REMOVED:
            self._add(entry, content)
            return
        if not isinstance(decision, Unchanged):
            # The size comes before the content.
            with tempfile.SpooledTemporaryFile(_MEMORY_BYTES) as file:
                before = Hashing(content)
                decision(before, file)
                shutil.copyfileobj(before, _Nowhere(), _CHUNK_BYTES)
                size = file.tell()
                file.seek(0)
                self._add(replace(entry, size=size), file)
            self.changed += self.digests[-1][1] != before.sha256.hexdigest()
            return
        self.changed += 1

    def _add(self, entry: BackupEntry, content: Content) -> None:
        hashing = Hashing(content)
        self._members.add(header_of(entry), _parts(hashing))
        self.digests.append((entry, hashing.sha256.hexdigest()))


class _Nowhere:
    def write(self, data: bytes) -> int:
        """Forget it."""
        return len(data)


def _parts(content: Content) -> Iterator[bytes]:
    while data := content.read(_CHUNK_BYTES):
        yield data
