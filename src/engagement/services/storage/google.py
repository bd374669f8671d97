"""Cloud Storage for gs:// addresses; file:// addresses are on this machine, as everywhere."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import google.api_core.exceptions
import google.auth.exceptions
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage  # type: ignore[attr-defined]  # the library has no types
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.foundation.files import open_bytes_for_writing
from engagement.services.credentials import GoogleCredentials
from engagement.services.google_keys import refuse_broken_key
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries
from engagement.services.storage.google_upload import (
    ObjectExistsError,
    Sending,
    SessionLostError,
    checksum_of,
    send_pieces,
)
from engagement.services.storage.local_files import (
    Uploaded,
    check_local_folder,
    copy_local_file,
    create_local_file,
    list_local_folder,
    local_file,
    no_folder,
    read_local_file,
    split_bucket_url,
    split_folder_url,
    unreadable_upload,
)
from engagement.services.storage.upload_sessions import UploadSessions

_TIMEOUT_SECONDS = (20.0, 120.0)
_TEMPORARY = (
    google.api_core.exceptions.ServerError,
    google.api_core.exceptions.TooManyRequests,
    google.auth.exceptions.TransportError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    DataCorruption,
)


_logger = logging.getLogger(__name__)


class GoogleStorage:
    """Buckets of a service account; with `sessions`, uploads resume where a killed process stopped."""

    def __init__(self, credentials: GoogleCredentials, policy: RetryPolicy, sessions: UploadSessions | None = None):
        self._policy = policy
        self._sessions = sessions
        self._client = _connect(credentials)

    def local_path(self, url: str) -> Path | None:
        """Return the path of a file:// address; None for gs://."""
        return local_file(url)

    def read_bytes(self, url: str) -> bytes:
        """Read a small file."""
        path = local_file(url)
        if path is not None:
            return read_local_file(path, url)
        blob = self._blob(url)

        def read() -> bytes:
            with _explained_failures(url):
                content: bytes = blob.download_as_bytes(timeout=_TIMEOUT_SECONDS, retry=None)
                return content

        return call_with_retries(read, url, self._policy)

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`, checking its checksum on the way."""
        source = local_file(url)
        if source is not None:
            copy_local_file(source, url, path)
            return
        blob = self._blob(url)

        def copy() -> None:
            with open_bytes_for_writing(path) as file, _explained_failures(url):
                blob.download_to_file(file, timeout=_TIMEOUT_SECONDS, retry=None)

        call_with_retries(copy, url, self._policy)

    def has_object(self, url: str) -> bool:
        """Tell whether there is a file at the address."""
        path = local_file(url)
        return path.exists() if path is not None else self._describe(url) is not None

    def list_folder(self, url: str) -> list[str]:
        """List the names of the files directly in a folder."""
        path = local_file(url)
        if path is not None:
            return list_local_folder(path, url)
        bucket, prefix = split_folder_url(url)

        def list_names() -> list[str]:
            with _explained_failures(url, "permission to list the bucket"):
                try:
                    # Objects in deeper folders come together as prefixes, which are passed over.
                    found = self._client.list_blobs(
                        bucket,
                        prefix=prefix,
                        delimiter="/",
                        fields="items(name),nextPageToken",
                        timeout=_TIMEOUT_SECONDS,
                        retry=None,
                    )
                    return [blob.name.removeprefix(prefix) for blob in found]
                except google.api_core.exceptions.NotFound:
                    raise no_folder(url) from None

        names = call_with_retries(list_names, url, self._policy)
        if not names and prefix:
            raise no_folder(url)
        # A console that made the folder left an object of the folder's own name.
        return sorted(filter(None, names))

    def upload(self, path: Path, url: str, is_growing: bool = False) -> Uploaded:
        """Create an object; compare checksums if it already exists."""
        target = local_file(url)
        if target is not None:
            return create_local_file(path, target, is_growing)
        # More than one try, in case somebody else creates the object, or the service forgets the upload, meanwhile.
        for _ in range(3):
            there = self._describe(url)
            try:
                size = path.stat().st_size
            except OSError as error:
                raise unreadable_upload(path, error) from None
            if there is not None:
                self._forget_session(url)
                compared = there.size if is_growing and there.size <= size else size
                is_same = there.size == compared and there.crc32c == checksum_of(path, compared)
                return Uploaded.IDENTICAL if is_same else Uploaded.DIFFERENT
            try:
                self._send(path, url, size)
            except (ObjectExistsError, SessionLostError, google.api_core.exceptions.PreconditionFailed):
                self._forget_session(url)
                continue
            self._forget_session(url)
            return Uploaded.CREATED
        raise ServiceError(f"{url}: the upload was forgotten several times; expected it to be kept. Run this again.")

    def check_writable(self, url: str) -> None:
        """Raise what an upload would raise: begins one, and cancels it before sending anything."""
        target = local_file(url)
        if target is not None:
            check_local_folder(target.parent)
            return
        with contextlib.suppress(google.api_core.exceptions.PreconditionFailed):
            session_url = self._begin_upload(url, 1)
            # If this gets no answer, the upload expires after a week.
            with contextlib.suppress(requests.exceptions.RequestException):
                requests.delete(session_url, headers={"Content-Length": "0"}, timeout=_TIMEOUT_SECONDS)

    def _send(self, path: Path, url: str, size: int) -> None:
        """Send a file, resuming an earlier upload if there is one."""
        checksum = checksum_of(path, size)
        begun_before = self._sessions.find(url, size, checksum) if self._sessions is not None else None
        session_url = begun_before or self._begin_upload(url, size)
        if begun_before is not None:
            _logger.info("%s: resuming an earlier upload", url)
        elif self._sessions is not None:
            self._sessions.keep(url, size, checksum, session_url)
        sending = Sending(session_url, path, size, checksum, url, _TIMEOUT_SECONDS, begun_before is not None)
        send_pieces(sending, self._policy)

    def _forget_session(self, url: str) -> None:
        if self._sessions is not None:
            self._sessions.forget(url)

    def _describe(self, url: str) -> storage.Blob | None:
        """Return an object's description, or None if it does not exist."""
        blob = self._blob(url)

        def describe() -> storage.Blob | None:
            with _explained_failures(url):
                try:
                    blob.reload(timeout=_TIMEOUT_SECONDS, retry=None)
                except google.api_core.exceptions.NotFound:
                    return None
            return blob

        return call_with_retries(describe, url, self._policy)

    def _begin_upload(self, url: str, size: int) -> str:
        """Begin an upload in pieces that never overwrites; return its address, which is a secret."""
        blob = self._blob(url)

        def begin() -> str:
            with _explained_failures(url, "write permission"):
                try:
                    address: str = blob.create_resumable_upload_session(
                        "application/octet-stream", size, if_generation_match=0, timeout=_TIMEOUT_SECONDS, retry=None
                    )
                except google.api_core.exceptions.NotFound:
                    raise ConfigurationError(
                        f"{url}: no such bucket; expected it to exist. Create it, or check the address in the configuration."
                    ) from None
            return address

        return call_with_retries(begin, url, self._policy)

    def _blob(self, url: str) -> storage.Blob:
        bucket, name = split_bucket_url(url)
        return self._client.bucket(bucket).blob(name)


@contextlib.contextmanager
def _explained_failures(url: str, expected: str = "read permission") -> Iterator[None]:
    try:
        yield
    except google.api_core.exceptions.NotFound:
        raise ConfigurationError(
            f"{url}: no such object; expected a file. Check the address in the configuration."
        ) from None
    except google.api_core.exceptions.PreconditionFailed:
        raise
    except _TEMPORARY as error:
        raise TemporaryError(f"answered {type(error).__name__}") from None
    except google.auth.exceptions.GoogleAuthError:
        raise ServiceError(
            f"{url}: the service account's key was refused; expected a valid one. Check the credentials file."
        ) from None
    except (google.api_core.exceptions.GoogleAPIError, InvalidResponse) as error:
        raise ServiceError(
            f"{url}: answered {type(error).__name__}; expected {expected}. "
            "Check the service account's roles on the bucket."
        ) from None


def _connect(credentials: GoogleCredentials) -> storage.Client:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project=credentials.project_id, credentials=AnonymousCredentials())
    with refuse_broken_key(credentials):
        return storage.Client.from_service_account_info(dict(credentials.info))
