"""Tables in Google Drive: files and Google Sheets, by the links that people copy from it."""

from engagement.configuration.drive_links import drive_address, drive_id_of, drive_link
from engagement.foundation.errors import ConfigurationError
from engagement.services.drive.found_files import DriveKind, FoundInDrive, digest_content
from engagement.services.drive.reading import DriveReader, open_drive_reader
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import Storage, read_credentials
from engagement.sources.names_of_files import refuse_numbers_in_file_names
from engagement.sources.spreadsheet.names_of_tables import ENDINGS, is_table_name

_MEDIA_TYPES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)


class DriveFiles:
    """Tables that the account of a credentials file may view. Asks nothing before the first link."""

    def __init__(self, credentials_url: str | None, storage: Storage, policy: RetryPolicy):
        self._credentials_url = credentials_url
        self._storage = storage
        self._policy = policy
        self._reader: DriveReader | None = None
        self._found: dict[str, FoundInDrive] = {}

    def find(self, url: str) -> list[str]:
        """Find the address of the table that a link leads to, or those of a folder.

        Raises
        ------
        ConfigurationError
            There is none, or a name holds what looks like a phone number.
        """
        reader = self._open()
        # Without what follows the id: that could be anything.
        file_id = drive_id_of(url) or ""
        link = drive_link(file_id)
        found = reader.describe(file_id, link)
        if found.kind is not DriveKind.FOLDER:
            refuse_numbers_in_file_names(link, [found.name])
            if not _is_table(found):
                what = found.kind.value if found.kind is DriveKind.OTHER else "no table"
                raise ConfigurationError(
                    f"{link}: {found.name!r} is {what}; expected a Google Sheet, or a file that ends in {', '.join(ENDINGS)}. "
                    "Change the link."
                )
            return self._note([found])
        # A name alone does not tell what a file of Drive is.
        tables = [one for one in reader.list_folder(found.file_id, link) if _is_table(one)]
        refuse_numbers_in_file_names(link, [one.name for one in tables])
        if not tables:
            raise ConfigurationError(
                f"{link}: no Google Sheet, and no file that ends in {', '.join(ENDINGS)}; expected at least one. Check the link, "
                "or put it there."
            )
        return self._note(tables)

    def read_bytes(self, address: str) -> bytes:
        """Read a table that was listed; a Google Sheet as a workbook."""
        return self._open().read_bytes(self._found[address])

    def known_digest(self, address: str) -> bytes | None:
        """Return the digest of a table that was listed; None if Drive does not know it."""
        sha256 = self._found[address].sha256
        return None if sha256 is None else bytes.fromhex(sha256)

    def digest_of(self, address: str, content: bytes) -> bytes:
        """Digest the content of a table that was listed."""
        return digest_content(self._found[address], content)

    def _note(self, found: list[FoundInDrive]) -> list[str]:
        noted = {drive_address(one.file_id, one.name): one for one in found}
        self._found |= noted
        return [*noted]

    def _open(self) -> DriveReader:
        if self._reader is None:
            if self._credentials_url is None:
                raise ConfigurationError(
                    "a link to Drive without DriveCredentialsFileURL; expected the key of a service account. Add it."
                )
            self._reader = open_drive_reader(read_credentials(self._storage, self._credentials_url), self._policy)
        return self._reader


def _is_table(found: FoundInDrive) -> bool:
    if found.kind is DriveKind.SHEET:
        return True
    return found.kind is DriveKind.FILE and (is_table_name(found.name) or found.media_type in _MEDIA_TYPES)
