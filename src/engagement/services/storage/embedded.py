"""The embedded twin of Cloud Storage: buckets are folders."""

from pathlib import Path

from engagement.foundation.errors import ConfigurationError
from engagement.services.storage.local_files import (
    Uploaded,
    check_local_folder,
    copy_local_file,
    create_local_file,
    list_local_folder,
    local_file,
    read_local_file,
    split_bucket_url,
    split_folder_url,
)


class EmbeddedStorage:
    """Cloud Storage's twin: gs://<bucket>/<object> is the file `<directory>/storage/<bucket>/<object>`."""

    def __init__(self, directory: Path):
        self._root = directory / "storage"

    def local_path(self, url: str) -> Path:
        """Return the file's path, which is always on this machine."""
        path = local_file(url)
        if path is not None:
            return path
        bucket, name = split_bucket_url(url)
        path = (self._root / bucket / name).resolve()
        if not path.is_relative_to(self._root.resolve()):
            raise ConfigurationError(f"{url}: leads out of the embedded storage; expected a name within it. Change it.")
        return path

    def read_bytes(self, url: str) -> bytes:
        """Read a small file."""
        return read_local_file(self.local_path(url), url)

    def download(self, url: str, path: Path) -> None:
        """Copy a file to `path`."""
        copy_local_file(self.local_path(url), url, path)

    def has_object(self, url: str) -> bool:
        """Tell whether there is a file at the address."""
        return self.local_path(url).exists()

    def list_folder(self, url: str) -> list[str]:
        """List the names of the files directly in a folder."""
        if local_file(url) is None and not split_folder_url(url)[1]:
            # The bucket itself.
            return list_local_folder(self.local_path(f"{url}."), url)
        return list_local_folder(self.local_path(url), url)

    def upload(self, path: Path, url: str, is_growing: bool = False) -> Uploaded:
        """Create the file at the address, with its folders."""
        return create_local_file(path, self.local_path(url), is_growing)

    def check_writable(self, url: str) -> None:
        """Raise what an upload to the address would raise."""
        check_local_folder(self.local_path(url).parent)
