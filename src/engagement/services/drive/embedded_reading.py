"""The embedded twin of reading from Drive: what an id names lies in a folder."""

from pathlib import Path

from engagement.foundation.errors import ConfigurationError
from engagement.services.drive.found_files import LARGEST_FILE_BYTES, DriveKind, FoundInDrive, too_large


class FolderDriveReader:
    """Drive's twin: an id is the name, without ending, of a file or folder in `<directory>/drive`."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "drive"

    def describe(self, file_id: str, url: str) -> FoundInDrive:
        """Find a file or folder."""
        for path in sorted(self._root.glob(f"{file_id}*")):
            if file_id in (path.name, path.stem):
                return self._describe(path)
        raise ConfigurationError(
            f"{url}: nothing of that id in {self._root}; expected a file or folder. Check the link."
        )

    def list_folder(self, folder_id: str, url: str) -> list[FoundInDrive]:
        """List what is directly in a folder, by name."""
        return [self._describe(path) for path in sorted((self._root / folder_id).iterdir())]

    def read_bytes(self, found: FoundInDrive) -> bytes:
        """Read a file."""
        if found.size > LARGEST_FILE_BYTES:
            raise too_large(f"Drive: {found.name!r}", found.size)
        return (self._root / found.file_id).read_bytes()

    def _describe(self, path: Path) -> FoundInDrive:
        kind = DriveKind.FOLDER if path.is_dir() else DriveKind.FILE
        file_id = path.relative_to(self._root).as_posix()
        return FoundInDrive(file_id, path.name, kind, size=path.stat().st_size)
