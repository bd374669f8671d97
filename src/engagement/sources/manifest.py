"""Raw Data/manifest.json: the number of lines of each flow's file, and its SHA-256.

Stage 2 writes it, and stage 3 checks the files against it: each line has its own hashes, but these can't show that another line
was removed, doubled or moved. While a file is replaced the manifest names the old and the new version, so that it is right
whenever stage 2 is killed. A file that is not in it is taken as it is.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from engagement.foundation.errors import InputError
from engagement.foundation.files import (
    count_line_ends,
    explain_os_errors,
    make_directory,
    open_bytes_for_writing,
    read_json,
    write_json,
)

MANIFEST = "manifest.json"
_VERSION = 1
_BLOCK_BYTES = 1 << 20

_logger = logging.getLogger(__name__)


class FileVersion(NamedTuple):
    """A file's version: its number of lines and its SHA-256."""

    lines: int
    sha256: str


def read_manifest(folder: Path) -> dict[str, list[FileVersion]]:
    """Read the valid versions of each file of Raw Data, by its name; none if there is no manifest.

    Raises
    ------
    InputError
        It can't be read.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    document = read_json(path, InputError, what="the manifest of the raw data")
    try:
        if document["Version"] != _VERSION:
            raise ValueError
        return {
            str(name): [FileVersion(int(version["Lines"]), str(version["SHA"])) for version in versions]
            for name, versions in document["Files"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{path}: not a manifest of this version; expected lines and SHA-256 of each file. Run stage 2, which writes it again."
        ) from None


def digest_file(path: Path) -> FileVersion:
    """Read a file and compute its version.

    Raises
    ------
    InputError
        It can't be read.
    """
    digest, lines = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                lines += count_line_ends(block)
    except OSError as error:
        raise InputError(
            f"{path}: could not be read: {error.strerror}; expected a raw data file. Check the file."
        ) from None
    return FileVersion(lines, digest.hexdigest())


@dataclass
class RawDataWriter:
    """Writes files of Raw Data and their manifest. Call `finish` when all are written."""

    folder: Path
    _versions: dict[str, list[FileVersion]] = field(init=False)
    _written: dict[str, FileVersion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            self._versions = read_manifest(self.folder)
        except InputError as error:
            _logger.warning("%s It is started again.", error)
            self._versions = {}

    def write(self, path: Path, pieces: Iterable[bytes]) -> None:
        """Replace a file; each piece is whole lines."""
        make_directory(self.folder)
        digest, lines = hashlib.sha256(), 0
        with open_bytes_for_writing(path) as file:
            for piece in pieces:
                digest.update(piece)
                lines += count_line_ends(piece)
                file.write(piece)
            self._expect(path, FileVersion(lines, digest.hexdigest()))

    def move(self, arrived: Path, path: Path) -> None:
        """Move a file into place from elsewhere on the same disk."""
        make_directory(self.folder)
        self._expect(path, digest_file(arrived))
        with explain_os_errors(path):
            arrived.replace(path)

    def finish(self, paths: Iterable[Path]) -> None:
        """Name one version of each file: the written one, else the existing one."""
        versions = {name: known for name, known in self._versions.items() if (self.folder / name).exists()}
        for path in paths:
            known = versions.get(path.name, [])
            if path.name in self._written:
                versions[path.name] = [self._written[path.name]]
            elif len(known) != 1:
                # Not in the manifest yet, or left over from a killed run.
                found = digest_file(path)
                versions[path.name] = [found] if not known or found in known else known
        if versions != self._versions or not (self.folder / MANIFEST).exists():
            self._save(versions)

    def _expect(self, path: Path, version: FileVersion) -> None:
        """Announce that a file may get a new version, before it does."""
        self._written[path.name] = version
        known = self._versions.get(path.name)
        # A file that is not in the manifest may be anything until `finish`.
        if known is not None and version not in known:
            self._save({**self._versions, path.name: [*known, version]})

    def _save(self, versions: Mapping[str, list[FileVersion]]) -> None:
        files = {
            name: [{"Lines": version.lines, "SHA": version.sha256} for version in known]
            for name, known in versions.items()
        }
        write_json(self.folder / MANIFEST, {"Version": _VERSION, "Files": files})
        self._versions = dict(versions)
