"""Cloud Storage, for gs:// addresses; file:// addresses are this machine's, as everywhere."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import google.api_core.exceptions
import google.auth.exceptions
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from engagement.errors import ConfigurationError, ServiceError
from engagement.files import open_bytes_for_writing
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries
from engagement.services.storage import copy_local_file, local_file, read_local_file, split_bucket_url

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


class GoogleStorage:
    """The buckets that a service account may read."""

    def __init__(self, credentials: GoogleCredentials, policy: RetryPolicy):
        self._policy = policy
        self._client = _connect(credentials)

    def local_path(self, url: str) -> Path | None:
        """Where a file:// file lies; None for gs://."""
        return local_file(url)

    def read_bytes(self, url: str) -> bytes:
        """The content of a small file."""
        path = local_file(url)
        if path is not None:
            return read_local_file(path, url)
        blob = self._blob(url)

        def read() -> bytes:
            with _explained_failures(url):
                return blob.download_as_bytes(timeout=_TIMEOUT_SECONDS, retry=None)

        return call_with_retries(read, url, self._policy)

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`; its checksum is compared as it arrives."""
        source = local_file(url)
        if source is not None:
            copy_local_file(source, url, path)
            return
        blob = self._blob(url)

        def copy() -> None:
            with open_bytes_for_writing(path) as file, _explained_failures(url):
                blob.download_to_file(file, timeout=_TIMEOUT_SECONDS, retry=None)

        call_with_retries(copy, url, self._policy)

    def _blob(self, url: str) -> storage.Blob:
        bucket, name = split_bucket_url(url)
        return self._client.bucket(bucket).blob(name)


@contextlib.contextmanager
def _explained_failures(url: str) -> Iterator[None]:
    try:
        yield
    except google.api_core.exceptions.NotFound:
        raise ConfigurationError(
            f"{url}: no such object; expected a file. Check the address in the configuration."
        ) from None
    except _TEMPORARY as error:
        raise TemporaryError(f"answered {type(error).__name__}") from None
    except google.auth.exceptions.GoogleAuthError:
        raise ServiceError(
            f"{url}: the service account's key was refused; expected a valid one. Check the credentials file."
        ) from None
    except (google.api_core.exceptions.GoogleAPIError, InvalidResponse) as error:
        raise ServiceError(
            f"{url}: answered {type(error).__name__}; expected leave to read. "
            "Check the service account's roles on the bucket."
        ) from None


def _connect(credentials: GoogleCredentials) -> storage.Client:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return storage.Client(project=credentials.project_id, credentials=AnonymousCredentials())
    try:
        return storage.Client.from_service_account_info(dict(credentials.info))
    except (ValueError, google.auth.exceptions.GoogleAuthError):
        raise ConfigurationError(
            f"project {credentials.project_id}: the service account's key can't be read; expected a whole one. "
            "Download the key again."
        ) from None
