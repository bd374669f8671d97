"""Ids of the pipeline's files in Drive, kept from run to run: Drive's names are not unique.

Lost ids are looked up by name again: a damaged file counts as empty.
"""

import json
from pathlib import Path

from engagement.foundation.files import make_directory, write_json

_VERSION = 1


class DriveIds:
    """Ids by account and path, stored in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids = _read(path)

    def find(self, account: str, path: str) -> str | None:
        """Return the id that an account has for a path."""
        return self._ids.get(account, {}).get(path)

    def keep(self, account: str, path: str, file_id: str) -> None:
        """Save an id at once, so its file can be found again even if this process is killed."""
        if self.find(account, path) == file_id:
            return
        self._ids.setdefault(account, {})[path] = file_id
        make_directory(self._path.parent)
        write_json(self._path, {"version": _VERSION, "ids": self._ids})


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    match document:
        case {"version": int(version), "ids": dict(ids)} if version == _VERSION:
            return {
                account: {path: known for path, known in paths.items() if isinstance(known, str)}
                for account, paths in ids.items()
                if isinstance(paths, dict)
            }
    return {}
