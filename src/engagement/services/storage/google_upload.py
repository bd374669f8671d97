"""Uploading to Cloud Storage in pieces: after a broken connection, nothing is sent twice.

Creates the object or nothing: an existing object of that name is never replaced.
"""

import base64
import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c
import requests

from engagement.foundation.errors import ServiceError
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries, temporary_failure_of
from engagement.services.storage.local_files import unreadable_upload

# Cloud Storage requires multiples of 256 KiB.
PIECE_BYTES = 8 * 2**20
_READ_BYTES = 2**20


class ObjectExistsError(Exception):
    """Somebody else created the object meanwhile."""


class SessionLostError(Exception):
    """The service no longer knows the upload; begin again."""


def checksum_of(path: Path, size: int) -> str:
    """Return the CRC32C of a file's first `size` bytes, as Cloud Storage writes it."""
    checksum = google_crc32c.Checksum()
    left = size
    try:
        with path.open("rb") as file:
            while left and (data := file.read(min(left, _READ_BYTES))):
                checksum.update(data)
                left -= len(data)
    except OSError as error:
        raise unreadable_upload(path, error) from None
    return base64.b64encode(checksum.digest()).decode()


@dataclass(frozen=True)
class Sending:
    """An upload to send: the first `size` bytes of a file; messages call the object `url`.

    `was_begun_before`: another process began it, so some of it may have arrived.
    """

    session_url: str = field(repr=False)
    path: Path
    size: int
    checksum: str
    url: str
    timeout: Any
    was_begun_before: bool = False


def send_pieces(sending: Sending, policy: RetryPolicy) -> None:
    """Send a file; each piece has the policy's whole budget.

    Raises
    ------
    ObjectExistsError, SessionLostError
        See above.
    ServiceError
        The service refused, stayed away, or ended up with different content.
    """
    with sending.path.open("rb") as file, requests.Session() as http:
        upload = _Upload(sending, http)
        if sending.was_begun_before:
            call_with_retries(upload.look, sending.url, policy)
        while upload.created is None:
            file.seek(upload.position)
            piece = file.read(min(PIECE_BYTES, sending.size - upload.position))
            call_with_retries(functools.partial(upload.send, piece, upload.position), sending.url, policy)
    found = (int(upload.created.get("size", -1)), upload.created.get("crc32c"))
    if found != (sending.size, sending.checksum):
        raise ServiceError(
            f"{sending.url}: {found[0]} bytes with the checksum {found[1]} arrived; expected {sending.size} with "
            f"{sending.checksum}. Remove the object, and run this again."
        )


class _Upload:
    """An upload in progress: its position, and at the end the object's description."""

    def __init__(self, sending: Sending, http: requests.Session):
        self._sending = sending
        self._http = http
        self._is_position_known = True
        self._has_answered = not sending.was_begun_before
        self.position = 0
        self.created: dict[str, Any] | None = None

    def look(self) -> None:
        """Ask the service how much has arrived."""
        self._put(b"", {"Content-Range": f"bytes */{self._sending.size}"})

    def send(self, piece: bytes, start: int) -> None:
        """Send a piece that begins at `start`; after a failure, first ask how much of it arrived."""
        size = self._sending.size
        if not self._is_position_known:
            self.look()
        if self.created is None and self.position == start:
            end = start + len(piece)
            # An empty file has no first byte to name.
            headers = {"Content-Range": f"bytes {start}-{end - 1}/{size}" if piece else f"bytes */{size}"}
            if end == size:
                # The service compares it, and creates nothing on a mismatch.
                headers["X-Goog-Hash"] = f"crc32c={self._sending.checksum}"
            self._put(piece, headers)

    def _put(self, data: bytes, headers: dict[str, str]) -> None:
        self._is_position_known = False
        try:
            answer = self._http.put(
                self._sending.session_url,
                data=data,
                headers={**headers, "Content-Length": str(len(data))},
                timeout=self._sending.timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TemporaryError(f"the connection failed ({type(error).__name__})") from None
        temporary = temporary_failure_of(answer.status_code, answer.reason, answer.headers)
        if temporary is not None:
            raise temporary
        if answer.status_code in (200, 201):
            self.created = answer.json()
        elif answer.status_code == 308:
            # "bytes=0-524287"; without it, nothing has arrived.
            arrived = answer.headers.get("Range")
            self.position = int(arrived.rpartition("-")[2]) + 1 if arrived else 0
        elif answer.status_code == 412:
            raise ObjectExistsError
        elif answer.status_code in (404, 410) or not self._has_answered:
            # Another process's upload may have problems that a new one does not.
            raise SessionLostError
        else:
            raise ServiceError(
                f"{self._sending.url}: answered {answer.status_code} ({answer.reason}); expected write permission. "
                "Check the service account's roles on the bucket."
            )
        self._is_position_known = self._has_answered = True
