"""Files of a table: those named, and those of named folders; no numbers in the data root."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from engagement.configuration.drive_links import drive_id_of
from engagement.foundation.errors import ConfigurationError
from engagement.services.retries import RetryPolicy
from engagement.services.storage.local_files import address_in_folder
from engagement.services.storage.protocol import Storage
from engagement.sources.names_of_files import refuse_numbers_in_file_names
from engagement.sources.spreadsheet.drive_files import DriveFiles
from engagement.sources.spreadsheet.model import SpreadsheetSource
from engagement.sources.spreadsheet.names_of_tables import ENDINGS, is_table_name


class TableFiles:
    """Files of a source's tables: on this machine, in buckets, and in Drive."""

    def __init__(self, source: SpreadsheetSource, storage: Storage, policy: RetryPolicy):
        self._storage = storage
        self._drive = DriveFiles(source.drive_credentials_file_url, storage, policy)

    def find(self, urls: Iterable[str]) -> list[str]:
        """Find the addresses of the files, those of a folder by name.

        Raises
        ------
        ConfigurationError
            A folder is not there, or has no file that could be a table.
        """
        found: list[str] = []
        for url in urls:
            if _is_in_drive(url):
                found += self._drive.find(url)
            elif self._is_folder(url):
                found += self._list_folder(f"{url.rstrip('/')}/")
            else:
                found.append(url)
        return list(dict.fromkeys(found))

    def _is_folder(self, url: str) -> bool:
        # On this machine the folder itself tells; in a bucket only the / at its end does.
        path = None if url.endswith("/") else self.local_path(url)
        return url.endswith("/") or (path is not None and path.is_dir())

    def _list_folder(self, url: str) -> list[str]:
        names = [name for name in self._storage.list_folder(url) if is_table_name(name)]
        refuse_numbers_in_file_names(url, names)
        if not names:
            raise ConfigurationError(
                f"{url}: no file that ends in {', '.join(ENDINGS)}; expected at least one. Check the address, or put it there."
            )
        return [address_in_folder(url, name) for name in names]

    def local_path(self, url: str) -> Path | None:
        """Return a file's path, if it lies on this machine."""
        return None if _is_in_drive(url) else self._storage.local_path(url)

    def has(self, url: str) -> bool:
        """Tell whether a listed file is there: in Drive, listing it told."""
        return _is_in_drive(url) or self._storage.has_object(url)

    def read_bytes(self, url: str) -> bytes:
        """Read a listed file."""
        return self._drive.read_bytes(url) if _is_in_drive(url) else self._storage.read_bytes(url)

    def known_digest(self, url: str) -> bytes | None:
        """Return the digest of a listed file's content, if it is known without reading it."""
        return self._drive.known_digest(url) if _is_in_drive(url) else None

    def digest_of(self, url: str, content: bytes) -> bytes:
        """Digest the content of a listed file."""
        return self._drive.digest_of(url, content) if _is_in_drive(url) else hashlib.sha256(content).digest()

    def refuse_numbers_in_data_root(self, urls: Iterable[str], data_root: Path) -> None:
        """Refuse files with phone numbers in the data root, whose backups would hold them.

        Raises
        ------
        ConfigurationError
            Names the first one. Nothing was read.
        """
        paths = {url: path for url in urls if (path := self.local_path(url)) is not None and path.exists()}
        # In a container a file has another path than in the data root, but it is the same file.
        inside = set(_find_identities(data_root)) if paths else set()
        for url, path in paths.items():
            status = path.stat()
            if (status.st_dev, status.st_ino) in inside or path.resolve().is_relative_to(data_root.resolve()):
                raise ConfigurationError(
                    f"{url}: a file with phone numbers in the data root; expected it outside, as no number may be kept there. Move it."
                )


def _is_in_drive(url: str) -> bool:
    return drive_id_of(url) is not None


def _find_identities(data_root: Path) -> Iterator[tuple[int, int]]:
    for folder, _, names in os.walk(data_root):
        for name in names:
            try:
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - a data root has many files
            except OSError:
                continue
            yield status.st_dev, status.st_ino
