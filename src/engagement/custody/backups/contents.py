"""Contents of a data root's archive: files, directories and links, without a run's own leftovers."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engagement.foundation.errors import InputError, MachineError

RESTORING = ".restoring"
CHECKSUMS = ".sha256sums"
# At the top of the data root: the lock, a killed restore's remains, and files from unpacking without this project.
OWN_NAMES = frozenset({".lock", ".working", RESTORING, CHECKSUMS})


@dataclass(frozen=True)
class BackupEntry:
    """A file, directory or link, by its path in the data root; size and time are only set for files.

    `stamp`: a file's times of modification and of any change, in nanoseconds, and its inode; None in an archive.
    """

    name: str
    kind: int
    size: int = 0
    modified: float = 0.0
    mode: int = 0
    link_target: str = ""
    stamp: tuple[int, int, int] | None = None


def scan(data_root: Path) -> tuple[list[BackupEntry], list[str]]:
    """Return the archive's entries in path order, and the names of everything that can't be archived.

    Links are not followed: they are entries themselves.
    """
    entries: list[BackupEntry] = []
    left_out: list[str] = []
    for name, found in _walk(str(data_root), ""):
        status = found.stat(follow_symlinks=False)
        kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
        if kind == stat.S_IFLNK:
            entries.append(BackupEntry(name, kind, link_target=str(Path(found.path).readlink())))
        elif kind == stat.S_IFDIR:
            entries.append(BackupEntry(name, kind, mode=mode))
        elif kind == stat.S_IFREG:
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
            entries.append(BackupEntry(name, kind, status.st_size, status.st_mtime, mode, stamp=stamp))
        else:
            left_out.append(name)
    return entries, left_out


def _walk(directory: str, place: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """List what is in a directory, with the path from the data root on; `place` is the directory's."""
    try:
        with os.scandir(directory) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(Path(directory), error) from None
    for entry in entries:
        if (not place and entry.name in OWN_NAMES) or entry.name.endswith(".partial"):
            continue
        yield f"{place}{entry.name}", entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{place}{entry.name}/")


def unreadable(path: Path, error: OSError) -> InputError | MachineError:
    """Return the error for something unreadable in the data root."""
    if isinstance(error, FileNotFoundError):
        return InputError(
            f"{path}: vanished or became shorter during the backup; expected nothing to change. Stop what changes it."
        )
    return MachineError(
        f"{path}: can't be read: {error.strerror}; expected read permission for everything in the data root. "
        "Check the file's permissions, and run this again."
    )
