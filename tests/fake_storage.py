"""As much of Cloud Storage's JSON API as uploads use, with preconditions, checksums and faults; it keeps objects in memory."""

import base64
import contextlib
import http.server
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import google_crc32c

from serving import serve_on_this_machine


@dataclass
class FakeStorage:
    """One bucket, `project`. `faults` are taken in turn by the pieces that arrive: see `_take_piece`."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, tuple[str, int, bytearray]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    received_bytes: int = 0
    before_last_piece: Callable[[], None] = lambda: None
    # How many more requests are answered before the server is dead; none are counted without.
    requests_left: int | None = None

    def describe(self, name: str) -> dict[str, str]:
        content = self.objects[name]
        return {
            "name": name,
            "bucket": "project",
            "size": str(len(content)),
            "crc32c": crc32c(content),
            "generation": "1",
        }


def crc32c(content: bytes) -> str:
    checksum = google_crc32c.Checksum()
    checksum.update(content)
    return base64.b64encode(checksum.digest()).decode()


@contextlib.contextmanager
def fake_storage() -> Iterator[FakeStorage]:
    """A server on this machine."""
    state = FakeStorage()

    class Handler(_Handler):
        storage = state

    with serve_on_this_machine(Handler) as state.url:
        yield state


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: FakeStorage

    def log_message(self, *arguments):
        """Say nothing."""

    def parse_request(self):
        if not super().parse_request():
            return False
        left = self.storage.requests_left
        if left is not None:
            self.storage.requests_left = left - 1
            self.close_connection = left <= 0
        return left is None or left > 0

    def do_GET(self):
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.rpartition("/o/")[2])
        known = "/b/project/o/" in self.path and name in self.storage.objects
        if known and "alt=media" in self.path:
            self._send(200, self.storage.objects[name], {})
        else:
            self._answer(200 if known else 404, self.storage.describe(name) if known else {})

    def do_POST(self):
        body = json.loads(self._body())
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        if "/b/project/o" not in self.path:
            self._answer(404, {})
        elif body["name"] in self.storage.objects and query["ifGenerationMatch"] == ["0"]:
            self._answer(412, {})
        else:
            session = f"s{len(self.storage.sessions)}"
            size = int(self.headers["X-Upload-Content-Length"])
            self.storage.sessions[session] = (body["name"], size, bytearray())
            self._answer(200, {}, Location=f"{self.storage.url}/session/{session}")

    def do_PUT(self):
        session = self.path.rpartition("/")[2]
        if session not in self.storage.sessions:
            self._body()
            self._answer(410, {})
            return
        name, size, held = self.storage.sessions[session]
        found = re.fullmatch(r"bytes (\d+)-(\d+)/\d+", self.headers["Content-Range"])
        if found is not None and not self._take_piece(session, held, int(found[1]), int(found[2]) + 1 == size):
            return
        if found is None:
            self._body()
        if len(held) < size:
            self._answer(308, {}, **({"Range": f"bytes=0-{len(held) - 1}"} if held else {}))
            return
        told = self.headers["X-Goog-Hash"]
        if name in self.storage.objects:
            self._answer(412, {})
        elif told is not None and told != f"crc32c={crc32c(bytes(held))}":
            self._answer(400, {})
        else:
            self.storage.objects[name] = bytes(held)
            self._answer(200, self.storage.describe(name))

    def _take_piece(self, session: str, held: bytearray, start: int, is_last: bool) -> bool:
        """Take a piece, or fail as the next fault says."""
        if is_last:
            self.storage.before_last_piece()
        fault = self.storage.faults.pop(0) if self.storage.faults else "none"
        body = self._body()
        self.storage.received_bytes += len(body)
        if fault == "lost":
            del self.storage.sessions[session]
            self._answer(404, {})
        elif fault == "changed":
            body = b"X" + body[1:]
        elif fault in ("503", "403"):
            self._answer(int(fault), {})
        elif fault in ("half", "unanswered"):
            # A quarter of a MiB is what the service keeps at the least.
            held += body if fault == "unanswered" else body[: len(body) // 2 // 262144 * 262144]
            self.close_connection = True
        if fault in ("none", "changed"):
            assert start == len(held)
            held += body
            return True
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, document: dict[str, str], **headers: str) -> None:
        self._send(status, json.dumps(document).encode(), {**headers, "Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
