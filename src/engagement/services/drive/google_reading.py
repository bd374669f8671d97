"""Reading from Google Drive, version 3 of its API. A file's content stays in memory."""

import hashlib
import io
from typing import Any

from googleapiclient.http import HttpRequest, MediaIoBaseDownload

from engagement.foundation.errors import ConfigurationError, InputError, PipelineError, ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.drive.found_files import LARGEST_FILE_BYTES, DriveKind, FoundInDrive, too_large
from engagement.services.drive.google_requests import MissingError, connect, explained_failures
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

_GOOGLES_OWN = "application/vnd.google-apps."
_KINDS = {f"{_GOOGLES_OWN}folder": DriveKind.FOLDER, f"{_GOOGLES_OWN}spreadsheet": DriveKind.SHEET}
_SHORTCUT = f"{_GOOGLES_OWN}shortcut"
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FIELDS = "id,name,mimeType,trashed,sha256Checksum,size,shortcutDetails(targetId,targetMimeType)"
# The least that reading needs: this account can change nothing.
_SCOPES = ("https://www.googleapis.com/auth/drive.readonly",)
_CHUNK_BYTES = 8 << 20


class GoogleDriveReader:
    """What a service account may view: what is shared with it, and its shared drives.

    `root_url` points to another server with the same API.
    """

    def __init__(
        self,
        credentials: GoogleCredentials,
        policy: RetryPolicy,
        root_url: str | None = None,
        chunk_bytes: int = _CHUNK_BYTES,
    ) -> None:
        self._account = str(credentials.info.get("client_email", credentials.project_id))
        self._policy = policy
        self._chunk_bytes = chunk_bytes
        self._api = connect(credentials, root_url, _SCOPES)

    def describe(self, file_id: str, url: str) -> FoundInDrive:
        """Find a file, sheet or folder; a shortcut leads to what it stands for."""
        file = self._get(file_id, url)
        if file["mimeType"] == _SHORTCUT:
            file = self._get(str(file.get("shortcutDetails", {}).get("targetId", "")), f"{url}, a shortcut")
        return _describe(file)

    def list_folder(self, folder_id: str, url: str) -> list[FoundInDrive]:
        """List what is directly in a folder, by name. A shortcut to a file counts as the file."""
        files: list[dict[str, Any]] = []
        request = self._api.files().list(
            q=f"'{folder_id}' in parents and trashed = false",
            supportsAllDrives=True,
            includeItemsFromAllDrives=True,
            pageSize=1000,
            fields=f"nextPageToken,files({_FIELDS})",
        )
        while request is not None:
            answer = self._ask(request, url)
            files += answer.get("files", [])
            request = self._api.files().list_next(request, answer)
        found = {one.file_id: one for one in (self._follow(file, url) for file in files)}
        return sorted(found.values(), key=lambda one: (one.name, one.file_id))

    def read_bytes(self, found: FoundInDrive) -> bytes:
        """Read a file in pieces, or a Google Sheet as an Excel workbook."""
        where = f"Drive: {found.name!r}"
        if found.size > LARGEST_FILE_BYTES:
            raise too_large(where, found.size)
        if found.kind is DriveKind.SHEET:
            request = self._api.files().export_media(fileId=found.file_id, mimeType=_WORKBOOK)
            content: bytes = self._ask(request, where)
            if len(content) > LARGEST_FILE_BYTES:
                raise too_large(where, len(content))
            return content
        return _Download(self._api, found, self._account, self._chunk_bytes).read(self._policy)

    def _follow(self, file: dict[str, Any], url: str) -> FoundInDrive:
        target = file.get("shortcutDetails", {}) if file["mimeType"] == _SHORTCUT else {}
        if not target or _kind_of(str(target.get("targetMimeType"))) not in (DriveKind.FILE, DriveKind.SHEET):
            return _describe(file)
        return _describe(self._get(str(target.get("targetId")), f"{url}, a shortcut in it"))

    def _get(self, file_id: str, url: str) -> dict[str, Any]:
        request = self._api.files().get(fileId=file_id, fields=_FIELDS, supportsAllDrives=True)
        file: dict[str, Any] = self._ask(request, url)
        if file.get("trashed"):
            raise ConfigurationError(
                f"{url}: lies in Drive's bin; expected a file in use. Restore it, or change the link."
            )
        return file

    def _ask(self, request: HttpRequest, where: str) -> Any:
        def ask() -> Any:
            with explained_failures(self._account, where, may_not_read):
                return request.execute()

        try:
            return call_with_retries(ask, where, self._policy)
        except MissingError:
            raise not_shared(self._account, where) from None


class _Download:
    """The content of one file, as far as it arrived; after a failure it goes on from there."""

    def __init__(self, api: Any, found: FoundInDrive, account: str, chunk_bytes: int) -> None:
        self._api = api
        self._found = found
        self._account = account
        self._where = f"Drive: {found.name!r}"
        self._chunk_bytes = chunk_bytes
        self._begin()

    def read(self, policy: RetryPolicy) -> bytes:
        try:
            return call_with_retries(self._go_on, self._where, policy)
        except MissingError:
            raise not_shared(self._account, self._where) from None

    def _begin(self) -> None:
        self._content = io.BytesIO()
        request = self._api.files().get_media(fileId=self._found.file_id, supportsAllDrives=True)
        self._pieces = MediaIoBaseDownload(self._content, request, self._chunk_bytes)

    def _go_on(self) -> bytes:
        with explained_failures(self._account, self._where, may_not_read):
            is_whole = False
            while not is_whole:
                _, is_whole = self._pieces.next_chunk()
                if self._content.tell() > LARGEST_FILE_BYTES:
                    raise too_large(self._where, self._content.tell())
        content = self._content.getvalue()
        told, size = self._found.sha256, self._found.size
        if len(content) != size or (told is not None and hashlib.sha256(content).hexdigest() != told):
            self._begin()
            raise TemporaryError(
                "holds different content from what it is said to hold",
                most_attempts=3,
                remedy="Somebody may have changed it meanwhile: run this again.",
            )
        return content


def may_not_read(account: str, where: str, why: str) -> PipelineError:
    """Return the error for a refusal to show a file."""
    if "exportSizeLimitExceeded" in why:
        return InputError(
            f"{where}: a Google Sheet of more than 10 MB as a workbook, which Google does not export; expected less. Part it, or "
            "download it and put the .xlsx into the folder instead."
        )
    if "accessNotConfigured" in why or "SERVICE_DISABLED" in why:
        return ServiceError(
            f"{where}: {why}: the Drive API is not switched on in the Google Cloud project of {account}; expected it on. Switch it on "
            "in the Cloud console, under 'APIs & Services', and run this again some minutes later."
        )
    return ServiceError(
        f"{where}: {why}; expected a file that {account} may view and download. Share it with {account} as Viewer, and let "
        "viewers download it (the settings in its Share window)."
    )


def not_shared(account: str, where: str) -> ConfigurationError:
    """Return the error for what is not there as far as the account sees."""
    return ConfigurationError(
        f"{where}: not in Drive, or not shared with {account}; expected a file, Google Sheet or folder that it may view. Share it "
        f"with {account} as Viewer; if it is shared, check the link."
    )


def _kind_of(media_type: str) -> DriveKind:
    return _KINDS.get(media_type, DriveKind.OTHER if media_type.startswith(_GOOGLES_OWN) else DriveKind.FILE)


def _describe(file: dict[str, Any]) -> FoundInDrive:
    media_type = str(file["mimeType"])
    kind = _kind_of(media_type)
    return FoundInDrive(
        str(file["id"]), str(file["name"]), kind, media_type, file.get("sha256Checksum"), int(file.get("size", 0))
    )
