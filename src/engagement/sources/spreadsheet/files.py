"""Files of a table: those named, and those of named folders; no numbers in the data root."""

import os
from collections.abc import Iterator
from pathlib import Path

from engagement.foundation.errors import ConfigurationError
from engagement.services.storage.protocol import Storage
from engagement.sources.names_of_files import refuse_numbers_in_file_names

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx")


def list_files(urls: tuple[str, ...], storage: Storage) -> list[str]:
    """List the addresses of the files, those of a folder by name.

    Raises
    ------
    ConfigurationError
        A folder is not there, or has no file that could be a table.
    """
    found: list[str] = []
    for url in urls:
        if not url.endswith("/"):
            found.append(url)
            continue
        folder = storage.local_path(url)
        if folder is None or not folder.is_dir():
            raise ConfigurationError(f"{url}: no such folder; expected one of this machine. Check the address.")
        names = sorted(path.name for path in folder.iterdir() if _is_table(path))
        refuse_numbers_in_file_names(url, names)
        if not names:
            raise ConfigurationError(
                f"{url}: no file that ends in {', '.join(ENDINGS)}; expected at least one. Check the address, or put it there."
            )
        found += [f"{url}{name}" for name in names]
    return list(dict.fromkeys(found))


def _is_table(path: Path) -> bool:
    # Spreadsheet programs keep "~$groups.xlsx" beside an open workbook.
    return path.is_file() and path.suffix.lower() in ENDINGS and not path.name.startswith((".", "~$"))


def refuse_numbers_in_data_root(urls: list[str], storage: Storage, data_root: Path) -> None:
    """Refuse files with phone numbers in the data root, whose backups would hold them.

    Raises
    ------
    ConfigurationError
        Names the first one. Nothing was read.
    """
    paths = {url: path for url in urls if (path := storage.local_path(url)) is not None and path.exists()}
    # In a container a file has another path than in the data root, but it is the same file.
    inside = set(_find_identities(data_root)) if paths else set()
    for url, path in paths.items():
        status = path.stat()
        if (status.st_dev, status.st_ino) in inside or path.resolve().is_relative_to(data_root.resolve()):
            raise ConfigurationError(
                f"{url}: a file with phone numbers in the data root; expected it outside, as no number may be kept there. Move it."
            )


def _find_identities(data_root: Path) -> Iterator[tuple[int, int]]:
    for folder, _, names in os.walk(data_root):
        for name in names:
            try:
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - a data root has many files
            except OSError:
                continue
            yield status.st_dev, status.st_ino
