"""Unfinished uploads: the next process resumes them, and sends nothing twice.

Cloud Storage gives each upload its own address, valid for about a week. It is a secret, because anyone who has it may
send to that object. So its file is private to the user running this, and is removed when the upload ends.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

from engagement.foundation.errors import MachineError
from engagement.foundation.files import explain_os_errors, make_directory, write_json

_VERSION = 1

_logger = logging.getLogger(__name__)


class UploadSessions:
    """Addresses of unfinished uploads, one file each; if one is lost, its upload starts again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, url: str, size: int, checksum: str) -> str | None:
        """Return the address of an unfinished upload of exactly this content to `url`, if known."""
        try:
            kept = json.loads(self._file(url).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        match kept:
            case {"session_url": str(session_url), **rest} if rest == _describe(url, size, checksum):
                return session_url
        return None

    def keep(self, url: str, size: int, checksum: str, session_url: str) -> None:
        """Save an upload that has begun."""
        path = self._file(url)
        try:
            make_directory(path.parent)
            with explain_os_errors(path):
                path.with_name(path.name + ".partial").touch(mode=0o600)
            write_json(path, {**_describe(url, size, checksum), "session_url": session_url})
        except MachineError as error:
            _logger.warning("An upload interrupted now would start again: %s", error)

    def forget(self, url: str) -> None:
        """Remove a saved upload."""
        try:
            self._file(url).unlink(missing_ok=True)
        except OSError as error:
            _logger.warning("%s: could not be removed: %s", self._file(url), error.strerror)

    def _file(self, url: str) -> Path:
        # An address can be longer than a file name.
        return self._directory / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.json"


def _describe(url: str, size: int, checksum: str) -> dict[str, object]:
    # A test server's uploads are not Google's.
    server = os.environ.get("STORAGE_EMULATOR_HOST", "")
    return {"version": _VERSION, "server": server, "url": url, "size": size, "checksum": checksum}
