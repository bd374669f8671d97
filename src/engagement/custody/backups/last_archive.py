"""The members of the last archive by file, which the next one copies where nothing changed.

Of large files it has the pieces, too.

The list lies beside the archives, one for each data root. Its first line has the SHA-256 of the second.
"""

import base64
import contextlib
import functools
import hashlib
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engagement.custody.backups.contents import BackupEntry
from engagement.custody.backups.earlier_members import Earlier, EntryPlace, PiecePlace, list_pieces
from engagement.custody.backups.members import MEMBERS_FORMAT
from engagement.custody.backups.names import key_of
from engagement.custody.backups.piece_digests import PieceDigests
from engagement.foundation.file_stamps import FULL_AFTER, is_settled
from engagement.foundation.files import explain_os_errors, make_directory, open_bytes_for_writing

FOLDER = ".members"


@dataclass(frozen=True)
class KeptMembers:
    """A file's members in the last archive, and its SHA-256."""

    entry: BackupEntry
    place: EntryPlace
    digest: str


@dataclass(frozen=True)
class LastArchive:
    """An archive to copy from; `copies` counts the archives that copied since everything was read.

    `digests` are by the secret of its pieces' digests.
    """

    path: Path
    files: Mapping[str, KeptMembers]
    copies: int
    digests: PieceDigests

    def find(self, entry: BackupEntry) -> KeptMembers | None:
        """Return an entry's members if nothing about the file has changed since."""
        kept = self.files.get(entry.name)
        return kept if kept is not None and kept.entry == entry else None

    @functools.cached_property
    def pieces(self) -> Mapping[bytes, PiecePlace]:
        """The pieces of all files, by their digests."""
        return {digest: place for kept in self.files.values() for digest, place in list_pieces(kept.place)}


@dataclass(frozen=True)
class NothingToCopy:
    """Why everything is read; `is_odd`: an operator should know."""

    reason: str
    is_odd: bool = False


def find_last_archive(backups: Path, data_root: Path) -> LastArchive | NothingToCopy:
    """Return the data root's last archive in a directory, or why nothing can be copied from it."""
    path = notes_path(backups, data_root)
    try:
        first, _, second = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return NothingToCopy("this is the first archive here that later ones can copy from")
    except OSError as error:
        return NothingToCopy(f"{path} can't be read: {error.strerror}", is_odd=True)
    if first != hashlib.sha256(second).hexdigest().encode():
        return NothingToCopy(f"{path} is damaged", is_odd=True)
    document = json.loads(second)
    archive = backups / document["archive"]
    if document["format"] != MEMBERS_FORMAT:
        return NothingToCopy("this version writes archives in another way than the last one")
    if document["copies"] >= FULL_AFTER:
        return NothingToCopy(f"so does one archive in {FULL_AFTER + 1}")
    try:
        is_same = _stamp(archive) == document["stamp"]
    except OSError:
        return NothingToCopy(f"the last archive, {archive.name}, is gone", is_odd=True)
    if not is_same:
        return NothingToCopy(f"the last archive, {archive.name}, is not as it was written", is_odd=True)
    digests = PieceDigests(bytes.fromhex(document["secret"]))
    return LastArchive(archive, dict(map(_file_of, document["files"])), document["copies"], digests)


def list_members(last: LastArchive, data_root: Path, scanned_at: int) -> None:
    """Write the list of an archive for the next one.

    `scanned_at`: when the data root was listed, in nanoseconds. Of a file that changed just before, only pieces can be copied.
    """
    rows = [
        (
            entry.name,
            entry.size,
            entry.modified,
            entry.mode,
            *(entry.stamp if settled else (None, None, None)),
            place.start,
            place.size,
            place.crc,
            kept.digest,
            base64.b64encode(place.pieces).decode(),
        )
        for kept in last.files.values()
        for entry, place in ((kept.entry, kept.place),)
        if entry.stamp is not None and ((settled := is_settled((entry.size, *entry.stamp), scanned_at)) or place.pieces)
    ]
    document: dict[str, Any] = {
        "archive": last.path.name,
        "stamp": _stamp(last.path),
        "format": MEMBERS_FORMAT,
        "copies": last.copies,
        "secret": last.digests.secret.hex(),
        "files": rows,
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    path = notes_path(last.path.parent, data_root)
    make_directory(path.parent).chmod(0o700)
    with open_bytes_for_writing(path) as file:
        file.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def drop_list(backups: Path, data_root: Path) -> None:
    """Drop the list before an archive is replaced: the next one then reads everything."""
    path = notes_path(backups, data_root)
    with explain_os_errors(path):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def open_last(last: LastArchive | None) -> Iterator[Earlier | None]:
    """Open the archive to copy from, if there is one."""
    if last is None:
        yield None
        return
    with last.path.open("rb") as file:
        yield Earlier(file, lambda: last.pieces)


def _file_of(cells: Sequence[Any]) -> tuple[str, KeptMembers]:
    name, size, modified, mode, modified_ns, changed_ns, inode, start, length, crc, digest, pieces = cells
    stamp = None if inode is None else (modified_ns, changed_ns, inode)
    entry = BackupEntry(name, stat.S_IFREG, size, modified, mode, stamp=stamp)
    return name, KeptMembers(entry, EntryPlace(start, length, crc, base64.b64decode(pieces)), digest)


def notes_path(backups: Path, data_root: Path, ending: str = ".json") -> Path:
    """Return where something is noted about a data root's archives."""
    return backups / FOLDER / f"{key_of(data_root)}{ending}"


def _stamp(archive: Path) -> list[int]:
    status = archive.stat()
    return [status.st_size, status.st_mtime_ns]
