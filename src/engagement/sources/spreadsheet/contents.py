"""Contents of a table's files, each read once unless they are many."""

from engagement.sources.spreadsheet.files import TableFiles

_MOST_BYTES = 24 << 20


class FileContents:
    """Gives each file's digest, then its content.

    Large files are read a second time instead of being kept.
    """

    def __init__(self, files: TableFiles):
        self._files = files
        self._kept: dict[str, bytes] = {}
        self._bytes = 0

    def digest(self, url: str) -> bytes:
        """Digest a file. It is read, unless its digest is known without."""
        known = self._files.known_digest(url)
        if known is not None:
            return known
        content = self._files.read_bytes(url)
        if self._bytes + len(content) <= _MOST_BYTES:
            self._kept[url] = content
            self._bytes += len(content)
        return self._files.digest_of(url, content)

    def take(self, url: str) -> bytes:
        """Give a file's content, which is not kept any longer."""
        content = self._kept.pop(url, None)
        return self._files.read_bytes(url) if content is None else content
