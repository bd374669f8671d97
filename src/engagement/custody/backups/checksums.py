"""What archives looked like when they were written: size and CRC-32, beside the archives.

So a byte that changed is found even where it changes no file, or in an encrypted archive that can't be opened here.
"""

from pathlib import Path
from typing import NamedTuple

from engagement.custody.backups.last_archive import FOLDER
from engagement.custody.backups.members import crc_of
from engagement.custody.backups.names import find_archives
from engagement.foundation.errors import InputError, PipelineError
from engagement.foundation.files import explain_os_errors, make_directory, read_json, write_json

_ENDING = ".checksum.json"
_CHUNK_BYTES = 2**20


class ArchiveChecksum(NamedTuple):
    """An archive's size in bytes, and its CRC-32."""

    size: int
    crc: int


def note_checksum(archive: Path, written: ArchiveChecksum) -> None:
    """Note an archive as it was written, and drop the notes of archives that are gone."""
    folder = make_directory(archive.parent / FOLDER)
    folder.chmod(0o700)
    write_json(_note_of(archive), {"size": written.size, "crc32": f"{written.crc:08x}"})
    there = {_note_of(path).name for path in find_archives(archive.parent)}
    for path in folder.glob(f"*{_ENDING}"):
        if path.name not in there:
            path.unlink(missing_ok=True)


def drop_checksum(archive: Path) -> None:
    """Drop an archive's note, before it is replaced."""
    with explain_os_errors(archive.parent):
        _note_of(archive).unlink(missing_ok=True)


def compare_checksum(archive: Path) -> bool:
    """Compare a whole archive with what was written; False if nobody noted that.

    Raises
    ------
    InputError
        It differs, or can't be read.
    """
    found = _read(archive)
    noted = _noted(archive)
    if noted is None:
        return False
    if found != noted:
        raise InputError(
            f"{archive}: {found.size} bytes with the CRC-32 {found.crc:08x}; expected {noted.size} bytes with "
            f"{noted.crc:08x}, as it was written. It is damaged: use another archive, or another copy of this one."
        )
    return True


def _note_of(archive: Path) -> Path:
    return archive.parent / FOLDER / f"{archive.name}{_ENDING}"


def _noted(archive: Path) -> ArchiveChecksum | None:
    try:
        document = read_json(_note_of(archive))
        return ArchiveChecksum(int(document["size"]), int(document["crc32"], 16))
    except (PipelineError, KeyError, TypeError, ValueError):
        # Missing or damaged, it proves nothing about the archive.
        return None


def _read(archive: Path) -> ArchiveChecksum:
    size = crc = 0
    try:
        with archive.open("rb", buffering=0) as file:
            while data := file.read(_CHUNK_BYTES):
                size, crc = size + len(data), crc_of((data,), crc)
    except OSError as error:
        raise InputError(
            f"{archive}: can't be read: {error.strerror}; expected an archive. Check the disk and the file's permissions."
        ) from None
    return ArchiveChecksum(size, crc)
