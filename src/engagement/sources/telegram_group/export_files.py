"""Find and open the exports of a group. They hold names, so none may get into the data root."""

import contextlib
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from engagement.foundation.errors import ConfigurationError, InputError
from engagement.services.storage.protocol import Storage
from engagement.sources.names_of_files import refuse_numbers_in_file_names

_BLOCK_BYTES = 1 << 20


class ExportFile(NamedTuple):
    """An export: what messages call it, and its path on this machine."""

    name: str
    path: Path


@contextlib.contextmanager
def open_exports(urls: Iterable[str], storage: Storage, data_root: Path | None = None) -> Iterator[list[ExportFile]]:
    """Give the exports at addresses of files and folders, by name.

    Those in a bucket are copied to the temporary folder of this machine, and removed afterwards.

    Raises
    ------
    ConfigurationError
        There is no export at an address, or it lies in the data root.
    """
    with tempfile.TemporaryDirectory(prefix="telegram-export-") as folder:
        found: dict[str, ExportFile] = {}
        for url in urls:
            path = storage.local_path(url)
            if path is None:
                path = Path(folder) / f"{len(found)}.json"
                storage.download(url, path)
                found[url] = ExportFile(url, path)
                continue
            refuse_inside(path, url, data_root)
            for file in find_exports(path, url):
                refuse_inside(file.path, file.name, data_root)
                found[file.name] = file
        yield [found[name] for name in sorted(found)]


def refuse_inside(path: Path, name: str, data_root: Path | None) -> None:
    """Refuse an export in the data root, which a container sees under another path."""
    if data_root is None or not data_root.exists():
        return
    folders = [path, *path.resolve().parents]
    if any(folder.exists() and folder.samefile(data_root) for folder in folders):
        raise ConfigurationError(
            f"{name}: lies in the data root, although it holds people's names; expected it outside, where no backup takes it. Move "
            "it, and change ExportURLs."
        )


def digest_of(file: ExportFile) -> str:
    """Return a digest of a file's content."""
    digest = hashlib.blake2b(digest_size=20)
    with open_export(file) as content:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def open_export(file: ExportFile) -> BinaryIO:
    """Open an export for reading."""
    try:
        return file.path.open("rb")
    except OSError as error:
        raise InputError(
            f"{file.name}: could not be read: {error.strerror}; expected an export of Telegram Desktop. Check the file."
        ) from None


def find_exports(path: Path, url: str) -> list[ExportFile]:
    """List the exports in a folder and the folders in it; a file is itself one."""
    if path.is_file():
        return [ExportFile(url, path)]
    files = sorted(file for file in path.rglob("*.json") if file.is_file())
    if not files:
        raise ConfigurationError(
            f"{url}: {'no .json in the folder' if path.is_dir() else 'not there'}; expected an export of Telegram Desktop in its "
            "format 'Machine-readable JSON'. Check ExportURLs."
        )
    refuse_numbers_in_file_names(url, [str(file.relative_to(path)) for file in files])
    return [ExportFile(f"{url.rstrip('/')}/{file.relative_to(path)}", file) for file in files]
