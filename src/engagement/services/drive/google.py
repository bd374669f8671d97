"""Google Drive, version 3 of its API.

Names are not unique in Drive, so ids identify files. If the id is unknown, the oldest file of that name in the folder
counts, and any others are reported. A new file gets its id before it is created, so a repeated create request is
refused instead of making a second file.
"""

import logging
import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from googleapiclient.http import HttpRequest, MediaFileUpload

from engagement.foundation.errors import ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.drive.google_requests import (
    ExistsError,
    MissingError,
    connect,
    explained_failures,
    no_leave,
    no_room,
)
from engagement.services.drive.ids import DriveIds
from engagement.services.drive.saved_files import Outcome, SavedFile, md5_of, split_path
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

_logger = logging.getLogger(__name__)

FOLDER = "application/vnd.google-apps.folder"
# Folders, shortcuts and Google's own documents have no bytes.
_NOT_A_FILE = "application/vnd.google-apps."
_FIELDS = "id,name,mimeType,trashed,md5Checksum,createdTime"
# Drive requires a multiple of 256 KiB.
CHUNK_BYTES = 8 * 2**20

_IDS_AT_A_TIME = 20

File = Mapping[str, Any]


class GoogleDrive:
    """Files that a service account sees: in its shared drives, and in folders shared with it.

    `root_url` points to another server with the same API.
    """

    def __init__(
        self,
        credentials: GoogleCredentials,
        ids: DriveIds,
        policy: RetryPolicy,
        root_url: str | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._account = str(credentials.info.get("client_email", credentials.project_id))
        self._ids = ids
        self._policy = policy
        self._chunk_bytes = chunk_bytes
        self._api = connect(credentials, root_url)
        # Files that this object found or created; no need to look again.
        self._folders: dict[str, str] = {}
        self._contents: dict[str, dict[str, list[File]]] = {}
        self._unused_ids: list[str] = []

    def save_file(self, path: str, source: Path) -> SavedFile:
        """Save a file at a path, unless an identical one is there."""
        *folders, name = split_path(path)
        parent = self._open_folder(folders)
        full_path = "/".join([*folders, name])
        found = self._find(full_path, name, parent, is_folder=False)
        if not found:
            return SavedFile(self._create_file(full_path, name, parent, source))
        if len(found) > 1:
            _logger.warning(
                "Drive has %d files named %r in one folder: updating the oldest, leaving the others alone",
                len(found),
                full_path,
            )
        return SavedFile(self._update_file(full_path, found[0], source), others=len(found) - 1)

    def check_writable(self, path: str) -> None:
        """Raise what `save_file` would raise for a file at this path; create nothing."""
        *folders, name = split_path(path)
        walked, parent, found = "", "", []
        for position, step in enumerate([*folders, name]):
            walked = f"{walked}/{step}" if walked else step
            is_folder = position < len(folders)
            found = self._find(walked, step, parent, is_folder)
            if not found and not parent:
                raise _no_first_folder(self._account, step, walked)
            if not found or not is_folder:
                break
            parent = found[0]["id"]
        # Check the file itself if it exists, otherwise the last existing folder.
        file_id, leave = (found[0]["id"], "canEdit") if found else (parent, "canAddChildren")
        fields = "driveId,capabilities(canEdit,canAddChildren)"
        request = self._api.files().get(fileId=file_id, fields=fields, supportsAllDrives=True)
        about = self._call(request, walked)
        if not about.get("capabilities", {}).get(leave):
            raise no_leave(self._account, path, f"{leave} is false")
        if not found and "driveId" not in about:
            raise no_room(self._account, path)

    def _open_folder(self, names: list[str]) -> str:
        """Return the id of the folder at a path, creating missing folders below the first."""
        path, parent = "", ""
        for name in names:
            path = f"{path}/{name}" if path else name
            if path not in self._folders:
                self._folders[path] = self._find_or_make_folder(path, name, parent)
            parent = self._folders[path]
        return parent

    def _find_or_make_folder(self, path: str, name: str, parent: str) -> str:
        found = self._find(path, name, parent, is_folder=True)
        if len(found) > 1:
            _logger.warning("Drive has %d folders named %r: using the oldest", len(found), path)
        if found:
            return str(found[0]["id"])
        if not parent:
            raise _no_first_folder(self._account, name, path)
        return self._create_folder(path, name, parent)

    def _find(self, path: str, name: str, parent: str, is_folder: bool) -> list[File]:
        """Find what is at a path: the remembered file first, then files of that name, oldest first."""
        named = self._named(parent, path).get(name, []) if parent else self._find_shared(name)
        found = [file for file in named if _is_usable(file, is_folder)]
        known = self._ids.find(self._account, path)
        if known is not None:
            remembered = next((file for file in found if file["id"] == known), None) or self._get(path, known)
            if remembered is not None and _is_usable(remembered, is_folder):
                return [remembered, *(file for file in found if file["id"] != known)]
        if found:
            self._ids.keep(self._account, path, found[0]["id"])
        return found

    def _get(self, path: str, file_id: str) -> File | None:
        try:
            file: File = self._ask(self._api.files().get(fileId=file_id, fields=_FIELDS, supportsAllDrives=True), path)
        except MissingError:
            return None
        return file

    def _named(self, parent: str, path: str) -> dict[str, list[File]]:
        """List a folder's files by name; asks Drive once."""
        if parent not in self._contents:
            contents: dict[str, list[File]] = {}
            for file in self._list_files(path, f"'{parent}' in parents"):
                contents.setdefault(file["name"], []).append(file)
            self._contents[parent] = contents
        return self._contents[parent]

    def _find_shared(self, name: str) -> list[File]:
        """Find shared drives of that name, or else folders shared with the account."""
        drives = self._list(self._api.drives(), "drives", name, pageSize=100)
        # A shared drive's root folder has the drive's id.
        found: list[File] = [{"id": drive["id"], "mimeType": FOLDER} for drive in drives if drive["name"] == name]
        return found or self._list_files(
            name, f"name = '{_quote(name)}' and mimeType = '{FOLDER}' and sharedWithMe = true"
        )

    def _list_files(self, path: str, condition: str) -> list[File]:
        found = self._list(
            self._api.files(),
            "files",
            path,
            q=f"{condition} and trashed = false",
            supportsAllDrives=True,
            includeItemsFromAllDrives=True,
            pageSize=1000,
            fields=f"nextPageToken,files({_FIELDS})",
        )
        return sorted(found, key=lambda file: (file["createdTime"], file["id"]))

    def _list(self, resource: Any, items: str, path: str, **arguments: Any) -> list[File]:
        found: list[File] = []
        request = resource.list(**arguments)
        while request is not None:
            answer = self._call(request, path)
            found += answer.get(items, [])
            request = resource.list_next(request, answer)
        return found

    def _create_folder(self, path: str, name: str, parent: str) -> str:
        folder_id = self._make_id(path)
        body = {"id": folder_id, "name": name, "parents": [parent], "mimeType": FOLDER}
        try:
            self._call(self._api.files().create(body=body, fields="id", supportsAllDrives=True), path)
        except ExistsError:
            _logger.info("Drive had already created folder %r at the first try", path)
        return folder_id

    def _make_id(self, path: str) -> str:
        if not self._unused_ids:
            request = self._api.files().generateIds(count=_IDS_AT_A_TIME, space="drive", type="files")
            self._unused_ids = self._call(request, path)["ids"]
        file_id = self._unused_ids.pop()
        self._ids.keep(self._account, path, file_id)
        return file_id

    def _create_file(self, path: str, name: str, parent: str, source: Path) -> Outcome:
        file_id = self._make_id(path)
        body = {"id": file_id, "name": name, "parents": [parent]}
        try:
            self._send(lambda media: self._api.files().create(body=body, media_body=media, **_SENT), path, source)
        except ExistsError:
            # The file was created but the answer got lost. Look again to see whether it has all its content.
            made = self._get(path, file_id)
            if made is None:
                raise _gone(path) from None
            self._update_file(path, made, source)
        return Outcome.CREATED

    def _update_file(self, path: str, file: File, source: Path) -> Outcome:
        if file.get("md5Checksum") == md5_of(source):
            return Outcome.UNCHANGED
        self._send(lambda media: self._api.files().update(fileId=file["id"], media_body=media, **_SENT), path, source)
        return Outcome.UPDATED

    def _call(self, request: HttpRequest, path: str) -> Any:
        try:
            return self._ask(request, path)
        except MissingError:
            raise _gone(path) from None

    def _ask(self, request: HttpRequest, path: str) -> Any:
        def ask() -> Any:
            with explained_failures(self._account, path):
                return request.execute()

        return call_with_retries(ask, f"Drive: {path!r}", self._policy)

    def _send(self, make_request: Callable[[MediaFileUpload], HttpRequest], path: str, source: Path) -> None:
        """Upload in pieces. After a failure, ask how much arrived and continue from there."""
        checksum = md5_of(source)
        upload: HttpRequest | None = None

        def go_on() -> None:
            nonlocal upload
            if upload is None:
                upload = make_request(_Pieces(source, self._chunk_bytes))
            try:
                with explained_failures(self._account, path):
                    answer = None
                    while answer is None:
                        _, answer = upload.next_chunk()
            except MissingError:
                if upload.resumable_uri is None:
                    raise
                upload = None
                raise TemporaryError("forgot the unfinished upload") from None
            if answer.get("md5Checksum", checksum) != checksum:
                upload = None
                raise TemporaryError("holds different content from what was sent", most_attempts=3)

        try:
            call_with_retries(go_on, f"Drive: {path!r}", self._policy)
        except MissingError:
            raise _gone(path) from None


_SENT: Mapping[str, Any] = {"fields": "id,md5Checksum", "supportsAllDrives": True}


class _Pieces(MediaFileUpload):  # type: ignore[misc]  # the library has no types
    """A file sent in pieces of bytes rather than as a stream: a consumed stream can't be sent again."""

    def __init__(self, source: Path, chunk_bytes: int) -> None:
        kind = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
        super().__init__(str(source), mimetype=kind, chunksize=chunk_bytes, resumable=True)

    def has_stream(self) -> bool:
        return False


def _is_usable(file: File, is_folder: bool) -> bool:
    if file.get("trashed"):
        return False
    return file["mimeType"] == FOLDER if is_folder else not file["mimeType"].startswith(_NOT_A_FILE)


def _no_first_folder(account: str, name: str, path: str) -> ServiceError:
    return ServiceError(
        f"Drive: {account} sees no shared drive and no folder named {name!r}; expected one to put "
        f"{path!r} in. Add the account to a shared drive of that name as Content manager."
    )


def _gone(path: str) -> ServiceError:
    return ServiceError(
        f"Drive: {path!r} or its folder disappeared during the run; expected it to stay. Run this again."
    )


def _quote(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")
