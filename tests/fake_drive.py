"""A server that speaks Google Drive's API v3, as far as the pipeline uses it, and can fail on request.

It knows one service account, shared drives, and folders that people share with the account; making a file in one of those is
refused for want of storage, as Google does. Nothing can be deleted: that is a failed test.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from drive_protocol import FOLDER, SHEET, SHORTCUT, WORKBOOK, ApiError, Upload, as_json, parse_query
from serving import Answer, make_handler

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Fault:
    """What goes wrong with the next request whose "METHOD address" holds `match`; `before` it is carried out, or after."""

    match: str
    raises: Exception
    before: bool = True
    # Of an upload's piece so many bytes still arrive.
    kept_bytes: int = 0


class FakeDrive:
    """The server; `requests` are those that arrived, `files` and `contents` what it holds."""

    account = "pipeline@invented.iam.example.org"

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.shared_drives: dict[str, str] = {}
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.uploads: dict[str, Upload] = {}
        self.token = "not given yet"
        self.tokens_given = 0
        self.page_size = 1000
        # Ids of shared drives, folders and files that the account may only read.
        self.read_only: set[str] = set()
        self._clock = 0
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def running(self) -> Iterator["FakeDrive"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self.answer))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.root_url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def key(self) -> dict[str, str]:
        """The service account's key."""
        pem = _KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {"type": "service_account", "project_id": "invented", "client_email": self.account,
                "private_key_id": "1", "private_key": pem.decode(), "token_uri": f"{self.root_url}token"}  # fmt: skip

    def add_shared_drive(self, name: str) -> str:
        drive_id = f"drive-{name}"
        self.shared_drives[drive_id] = name
        return drive_id

    def add(self, name: str, parent: str | None, content: bytes | None = None, **more: Any) -> str:
        """Put a file, or without content a folder, there as a person would; without a parent it is shared with the account."""
        document = {"name": name, "parents": [parent] if parent else []}
        if content is None:
            document["mimeType"] = more.get("mimeType", FOLDER)
        document["sharedWithMe"] = parent is None
        return self._make(f"by-hand-{len(self.files)}", {**document, **more}, content)["id"]

    def add_sheet(self, name: str, parent: str | None, workbook: bytes) -> str:
        """Put a Google Sheet there; `workbook` is what its export gives."""
        sheet_id = self.add(name, parent, mimeType=SHEET)
        self.contents[sheet_id] = workbook
        return sheet_id

    def add_shortcut(self, name: str, parent: str, target: str) -> str:
        """Put a shortcut there."""
        media_type = self.files[target]["mimeType"] if target in self.files else "text/csv"
        details = {"targetId": target, "targetMimeType": media_type}
        return self.add(name, parent, mimeType=SHORTCUT, shortcutDetails=details)

    def change(self, file_id: str, content: bytes) -> None:
        """Give a file other content, as a person would."""
        self._fill(self.files[file_id], content)

    def remove(self, file_id: str) -> None:
        """Put a file into the bin, as a person would."""
        self.files[file_id]["trashed"] = True

    def fail(self, match: str, raises: Exception, times: int = 1, **more: Any) -> None:
        self.faults += [Fault(match, raises, **more) for _ in range(times)]

    def content_of(self, *names: str) -> list[bytes]:
        """The contents of all files of that path below the shared drives and shared folders."""
        parents = [drive for drive, name in self.shared_drives.items() if name == names[0]]
        parents += [i for i, file in self.files.items() if file["name"] == names[0] and file.get("sharedWithMe")]
        for name in names[1:]:
            parents = [
                i for i, file in self.files.items() if file["name"] == name and set(file["parents"]) & set(parents)
            ]
        return [self.contents[i] for i in parents]

    def answer(self, method: str, address: str, headers: Any, body: bytes) -> Answer:
        """Carry out one request."""
        with self._lock:
            request = f"{method} {address}"
            self.requests.append(request)
            fault = next((fault for fault in self.faults if fault.match in request), None)
            if fault is not None:
                self.faults.remove(fault)
            try:
                if fault is not None and fault.before:
                    if fault.kept_bytes:
                        self._take_piece(address, headers, body[: fault.kept_bytes])
                    raise fault.raises
                answered = self._dispatch(method, address, headers, body)
                if fault is not None:
                    raise fault.raises
                return answered
            except ApiError as error:
                return error.status, error.headers, json.dumps(error.body).encode()

    def _dispatch(self, method: str, address: str, headers: Any, body: bytes) -> Answer:
        parts = urlsplit(address)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/token":
            return as_json(self._give_token(parse_qs(body.decode())["assertion"][0]))
        if headers.get("Authorization") != f"Bearer {self.token}":
            raise ApiError(401, "authError")
        route: tuple[str, str] = (method, re.sub(r"/files/(?!generateIds)[^/?]+", "/files/ID", parts.path))
        file_id = parts.path.removesuffix("/export").rsplit("/", 1)[-1]
        document = json.loads(body) if body and "upload_id" not in query else {}
        if "upload_id" in query:
            return self._go_on(query["upload_id"], headers, body)
        match route:
            case ("GET", "/drive/v3/drives"):
                return as_json({"drives": [{"id": i, "name": name} for i, name in self.shared_drives.items()]})
            case ("GET", "/drive/v3/files/generateIds"):
                return as_json({"ids": [f"made-{uuid.uuid4().hex}" for _ in range(int(query["count"]))]})
            case ("GET", "/drive/v3/files"):
                return as_json(self._list(query))
            case ("GET", "/drive/v3/files/ID/export"):
                return self._export(file_id, query)
            case ("GET", "/drive/v3/files/ID") if query.get("alt") == "media":
                return self._download(file_id, query, headers)
            case ("GET", "/drive/v3/files/ID"):
                return as_json(self._get(file_id, query))
            case ("POST", "/drive/v3/files"):
                self._check_create(document, query, is_file=document.get("mimeType") != FOLDER)
                return as_json(self._make(document["id"], document, None))
            case ("POST", "/upload/drive/v3/files" | "/resumable/upload/drive/v3/files"):
                self._check_create(document, query, is_file=True)
                return self._begin(None, document, headers)
            case ("PATCH", "/upload/drive/v3/files/ID" | "/resumable/upload/drive/v3/files/ID"):
                self._get(file_id, query)
                return self._begin(file_id, document, headers)
        raise AssertionError(f"nobody should ask for {method} {parts.path}")

    def _give_token(self, assertion: str) -> dict[str, Any]:
        head, claims, signature = assertion.split(".")
        decoded = base64.urlsafe_b64decode(signature + "==")
        _KEY.public_key().verify(decoded, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        self.tokens_given += 1
        self.token = f"invented-token-{self.tokens_given}"
        return {"access_token": self.token, "token_type": "Bearer", "expires_in": 3600}

    def _list(self, query: dict[str, str]) -> dict[str, Any]:
        accepts = parse_query(query["q"])
        in_all_drives = query.get("includeItemsFromAllDrives") == "true" == query.get("supportsAllDrives")
        # The newest first: whoever wants another order must sort.
        found = [
            file
            for file in reversed(self.files.values())
            if accepts(file) and (in_all_drives or not self._is_in_shared_drive(file))
        ]
        start, size = int(query.get("pageToken", 0)), min(self.page_size, int(query["pageSize"]))
        answer: dict[str, Any] = {"files": [_public(file) for file in found[start : start + size]]}
        if start + size < len(found):
            answer["nextPageToken"] = str(start + size)
        return answer

    def _get(self, file_id: str, query: dict[str, str]) -> dict[str, Any]:
        # A shared drive's root folder has the drive's own id.
        root = {"id": file_id, "mimeType": FOLDER, "parents": [], "driveId": file_id}
        file = self.files.get(file_id, root if file_id in self.shared_drives else None)
        if file is None or (self._is_in_shared_drive(file) and query.get("supportsAllDrives") != "true"):
            raise ApiError(404, "notFound")
        may_write = file_id not in self.read_only
        about = {"capabilities": {"canEdit": may_write, "canAddChildren": may_write and file["mimeType"] == FOLDER}}
        if self._is_in_shared_drive(file):
            about["driveId"] = "its shared drive"
        return {**about, **_public(file)}

    def _export(self, file_id: str, query: dict[str, str]) -> Answer:
        # An export asks for no shared drives: its parameters have no word for it.
        if self._get(file_id, {"supportsAllDrives": "true"})["mimeType"] != SHEET:
            raise ApiError(403, "fileNotExportable")
        if query["mimeType"] != WORKBOOK:
            raise ApiError(400, "badRequest")
        return 200, {"Content-Type": WORKBOOK}, self.contents[file_id]

    def _download(self, file_id: str, query: dict[str, str], headers: Any) -> Answer:
        if self._get(file_id, query)["mimeType"].startswith("application/vnd.google-apps."):
            raise ApiError(403, "fileNotDownloadable")
        content = self.contents[file_id]
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("Range", ""))
        if found is None:
            return 200, {}, content
        start, end = int(found[1]), min(int(found[2]), len(content) - 1)
        if start >= len(content):
            return 416, {"Content_Range": f"bytes */{len(content)}"}, b""
        piece = content[start : end + 1]
        return 206, {"Content_Range": f"bytes {start}-{end}/{len(content)}"}, piece

    def _is_in_shared_drive(self, file: dict[str, Any]) -> bool:
        return any(
            parent in self.shared_drives or (parent in self.files and self._is_in_shared_drive(self.files[parent]))
            for parent in file["parents"]
        )

    def _check_create(self, document: dict[str, Any], query: dict[str, str], is_file: bool) -> None:
        if document["id"] in self.files:
            raise ApiError(409, "fileIdInUse")
        (parent,) = document["parents"]
        if parent not in self.shared_drives and parent not in self.files:
            raise ApiError(404, "notFound")
        if is_file and not self._is_in_shared_drive(document):
            raise ApiError(403, "storageQuotaExceeded")
        if self._is_in_shared_drive(document) and query.get("supportsAllDrives") != "true":
            raise ApiError(404, "notFound")

    def _make(self, file_id: str, document: dict[str, Any], content: bytes | None) -> dict[str, Any]:
        self._clock += 1
        created = f"2026-04-01T10:00:00.{self._clock:03d}Z"
        file = {"mimeType": "text/csv", "trashed": False, "createdTime": created, **document, "id": file_id}
        self.files[file_id] = file
        if content is not None:
            self._fill(file, content)
        return _public(file)

    def _fill(self, file: dict[str, Any], content: bytes) -> dict[str, Any]:
        self.contents[file["id"]] = content
        file["md5Checksum"] = hashlib.md5(content).hexdigest()
        file["sha256Checksum"] = hashlib.sha256(content).hexdigest()
        file["size"] = str(len(content))
        return _public(file)

    def _begin(self, file_id: str | None, document: dict[str, Any], headers: Any) -> Answer:
        upload_id = uuid.uuid4().hex
        self.uploads[upload_id] = Upload(file_id, document, headers["X-Upload-Content-Type"])
        location = f"{self.root_url}upload/drive/v3/files?uploadType=resumable&upload_id={upload_id}"
        return 200, {"Location": location}, b""

    def _take_piece(self, address: str, headers: Any, body: bytes) -> None:
        upload = self.uploads[parse_qs(urlsplit(address).query)["upload_id"][0]]
        upload.take_part(headers["Content-Range"], body)

    def _go_on(self, upload_id: str, headers: Any, body: bytes) -> Answer:
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise ApiError(404, "notFound")
        if upload.answer is not None:
            return as_json(upload.answer)
        if not upload.take(headers.get("Content-Range", "bytes 0--1/0"), body):
            return 308, upload.arrived, b""
        content = bytes(upload.content)
        if upload.file_id is None:
            if upload.document["id"] in self.files:
                raise ApiError(409, "fileIdInUse")
            document = {"mimeType": upload.kind, **upload.document}
            upload.answer = self._make(document["id"], document, content)
        else:
            upload.answer = self._fill(self.files[upload.file_id], content)
        return as_json(upload.answer)


def _public(file: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in file.items() if name != "sharedWithMe"}
