"""Restoring a data root from an archive, completely or not at all."""

import contextlib
import itertools
import os
import shutil
import stat
from pathlib import Path

from engagement.custody.backups.archive import Content, verify_archive
from engagement.custody.backups.contents import OWN_NAMES, RESTORING, BackupEntry
from engagement.foundation.errors import UsageError
from engagement.foundation.files import explain_os_errors, make_directory, open_bytes_for_writing

# An archive may come from elsewhere: no setuid, and nobody else may write. What is restored is always of use to its owner.
_SAFE_BITS, _FILE_BITS, _DIRECTORY_BITS = 0o755, 0o600, 0o700


def restore_archive(archive: Path, directory: Path, identity: Path | None = None) -> int:
    """Unpack an archive into an empty or new directory; return its number of entries.

    Files stay in `.restoring` inside the directory until every checksum has been compared. A new directory is removed again
    if nothing is restored into it.

    Raises
    ------
    UsageError
        The directory is not empty.
    InputError
        The archive is damaged; none of it is left in the directory.
    """
    made = _missing(directory)
    make_directory(directory)
    try:
        return _restore_into(archive, directory, identity)
    except BaseException:
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()
        raise


def _missing(directory: Path) -> list[Path]:
    """List the directory and its parents, as far as they have to be made, the innermost first."""
    return list(itertools.takewhile(lambda path: not path.exists(), (directory, *directory.parents)))


def _restore_into(archive: Path, directory: Path, identity: Path | None) -> int:
    held = sorted(path.name for path in directory.iterdir() if path.name not in OWN_NAMES)
    if held:
        raise UsageError(
            f"{directory}: contains {held[0]!r} and {len(held) - 1} more; expected an empty directory, or none. "
            "Restore into another one."
        )
    scratch = directory / RESTORING
    with explain_os_errors(scratch):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            unpacked = _Unpacked(scratch)
            listed = verify_archive(archive, unpacked.receive, identity)
            unpacked.finish()
            for path in sorted(scratch.iterdir()):
                path.rename(directory / path.name)
        finally:
            shutil.rmtree(scratch)
    return len(listed)


class _Unpacked:
    """Unpacks an archive's members, links last, so nothing is ever written through a link."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._later: list[BackupEntry] = []

    def receive(self, entry: BackupEntry, content: Content) -> None:
        """Create a file or a directory."""
        path = self._directory / entry.name
        if entry.kind != stat.S_IFREG:
            self._later.append(entry)
        if entry.kind == stat.S_IFDIR:
            make_directory(path)
        elif entry.kind == stat.S_IFREG:
            make_directory(path.parent)
            with open_bytes_for_writing(path) as file:
                shutil.copyfileobj(content, file, 2**20)
            path.chmod(entry.mode & _SAFE_BITS | _FILE_BITS)
            os.utime(path, (entry.modified, entry.modified))

    def finish(self) -> None:
        """Create the links, and set the directories' own permissions."""
        for entry in reversed(self._later):
            path = self._directory / entry.name
            if entry.kind == stat.S_IFLNK:
                path.symlink_to(entry.link_target)
            else:
                path.chmod(entry.mode & _SAFE_BITS | _DIRECTORY_BITS)
