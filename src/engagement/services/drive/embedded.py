"""The embedded twin: a folder."""

import shutil
from pathlib import Path

from engagement.foundation.files import explain_os_errors, hold_directory, open_bytes_for_writing
from engagement.services.drive.saved_files import Outcome, SavedFile, md5_of, split_path
from engagement.services.storage.local_files import check_local_folder


class FolderDrive:
    """Drive's twin: the file at a path is `<directory>/drive/<path>`."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "drive"

    def save_file(self, path: str, source: Path) -> SavedFile:
        """Save a file at a path, unless an identical one is there."""
        target = self._root.joinpath(*split_path(path))
        with hold_directory(target.parent):
            is_there = target.exists()
            if is_there and md5_of(target) == md5_of(source):
                return SavedFile(Outcome.UNCHANGED)
            with explain_os_errors(target), source.open("rb") as file, open_bytes_for_writing(target) as copy:
                shutil.copyfileobj(file, copy)
        return SavedFile(Outcome.UPDATED if is_there else Outcome.CREATED)

    def check_writable(self, path: str) -> None:
        """Raise what `save_file` would raise."""
        check_local_folder(self._root.joinpath(*split_path(path)).parent)
