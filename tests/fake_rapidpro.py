"""A RapidPro server for tests: invented rows behind the REST API, and weather to order.

`Workspace` holds the rows, which a test may change while it is served. `trouble` is a list of functions; each API request takes
the first one that answers it (returns true), so a test says "the second page of runs gets 502" in one line.
"""

import base64
import contextlib
import gzip
import hashlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

from engagement.sandbox.contact_changes import RefusedWriteError, WritableContacts
from serving import serve_on_this_machine

TOKEN = "invented-token-5e1f"
WORKSPACE = "3f9d2c1a-5b7e-4c60-8f2d-1e4a9b7c6d50"
TIMES = {"runs": "modified_on", "contacts": "modified_on", "messages": "modified_on"}
START = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)


def at(minutes: float) -> str:
    """A moment, in minutes after the start, as RapidPro writes it."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def contact(number: int, *urns: str, modified: float | None = None) -> dict:
    """An invented contact, by default with one Somali phone number."""
    return {
        "uuid": f"contact-{number}",
        "name": f"Zzyzx Invented {number}",
        "urns": list(urns) or [f"tel:+25261500{number:04}"],
        "modified_on": at(number if modified is None else modified),
    }


def run(number: int, flow: str, of: int, modified: float | None = None, **results: str | None) -> dict:
    """An invented run with one result per keyword."""
    return {
        "id": 9000 + number,
        "uuid": f"run-{number:04}",
        "flow": {"uuid": f"uuid of {flow}", "name": flow},
        "contact": {"uuid": f"contact-{of}", "urn": f"tel:+25261500{of:04}", "name": f"Zzyzx Invented {of}"},
        "start": None,
        "path": None,
        "values": {
            key: {"value": text, "category": "Has Text", "node": "n", "time": at(number), "input": text, "name": key}
            for key, text in results.items()
        },
        "created_on": at(number),
        "modified_on": at(number if modified is None else modified),
        "exited_on": None,
        "exit_type": None,
    }


def message(number: int, of: int, text: str, minutes: float | None = None, direction: str = "in") -> dict:
    """An invented message, with who sent it."""
    time = at(number if minutes is None else minutes)
    return {
        "id": 70000 + number,
        "uuid": f"message-{number:04}",
        "contact": {"uuid": f"contact-{of}", "name": f"Zzyzx Invented {of}"},
        "urn": f"tel:+25261500{of:04}",
        "direction": direction,
        "text": text,
        "created_on": time,
        "modified_on": time,
    }


@dataclass
class Workspace:
    """What the server holds. `requests` are the API requests that came, in order. A flow is a name, or a whole row."""

    flows: list[str | dict]
    contacts: list[dict] = field(default_factory=list)
    runs: list[dict] = field(default_factory=list)
    archives: dict[str, list[dict]] = field(default_factory=dict)
    messages: list[dict] = field(default_factory=list)
    page_size: int = 250
    largest_offset: int = 100_000
    requests: list[str] = field(default_factory=list)
    trouble: list[Callable[["Request"], bool]] = field(default_factory=list)
    workspace: dict = field(
        default_factory=lambda: {"uuid": WORKSPACE, "name": "Invented", "country": "SO", "anon": False}
    )
    groups: list[dict] = field(default_factory=list)
    fields: list[dict] = field(default_factory=list)
    # The POSTs that were carried out: endpoint, query and document; refused ones are in `requests` alone.
    writes: list[tuple[str, dict, dict]] = field(default_factory=list)
    written_at: float = 1000.0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self._rows: tuple[tuple[int, int], dict[str, dict]] = (0, 0), {}

    def write(self, endpoint: str, query: dict, document: dict) -> tuple[int, dict | None]:
        """Carry out a POST as RapidPro does; each comes a second after the last."""
        with self.lock:
            if self._rows[0] != (id(self.contacts), len(self.contacts)):
                self._rows = (id(self.contacts), len(self.contacts)), {row["uuid"]: row for row in self.contacts}
            rows, known = self._rows[1], len(self.contacts)
            self.written_at += 1 / 60
            contacts = WritableContacts(rows, self.groups, self.fields, lambda: at(self.written_at), lambda row: None)
            status, answer = contacts.post(endpoint, query, document)
            self.contacts += list(rows.values())[known:]
            self.writes.append((endpoint, query, document))
            return status, answer

    def members(self, group: str) -> set[str]:
        """The uuids of the contacts of a group."""
        return {row["uuid"] for row in self.contacts if group in [one["name"] for one in row.get("groups", [])]}

    def values(self, key: str) -> dict[str, str]:
        """The values of a field, by contact's uuid; those without are left out."""
        return {row["uuid"]: row["fields"][key] for row in self.contacts if row.get("fields", {}).get(key)}

    def archive_rows(self, address: str) -> list[dict]:
        """The listing of the archives: one of runs a start date, and one of messages, as old servers mix them."""
        rows = []
        for start_date, runs in self.archives.items():
            content = pack(runs)
            rows.append(
                {
                    "archive_type": "run",
                    "start_date": start_date,
                    "period": "monthly",
                    "record_count": len(runs),
                    "size": len(content),
                    "hash": hashlib.md5(content).hexdigest(),
                    "download_url": f"{address}/archives/{start_date}",
                }
            )
        message = {
            "archive_type": "message",
            "start_date": "2026-01-01",
            "period": "monthly",
            "record_count": 1,
            "size": 9,
        }
        return [*rows, {**message, "hash": "0" * 32, "download_url": f"{address}/archives/none"}]


def pack(runs: list[dict]) -> bytes:
    """An archive of runs: gzip of JSON lines, with an event that names the phone number."""
    lines = []
    for row in runs:
        archived = {key: value for key, value in row.items() if key != "start"}
        archived["events"] = [{"type": "msg_received", "msg": {"urn": row["contact"].get("urn"), "text": "…"}}]
        archived["contact"] = {"uuid": row["contact"]["uuid"], "name": row["contact"].get("name")}
        lines.append(json.dumps(archived).replace('Z"', '+00:00"').encode() + b"\n")
    return gzip.compress(b"".join(lines), mtime=0)


class Request(BaseHTTPRequestHandler):
    """One request and how it can be answered."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    workspace: Workspace

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def _meets_trouble(self) -> bool:
        self.url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(self.url.query))
        self.endpoint = self.url.path.removeprefix("/api/v2/").removesuffix(".json")
        self.workspace.requests.append(self.path if self.command == "GET" else f"{self.command} {self.path}")
        for position, trouble in enumerate(self.workspace.trouble):
            if trouble(self):
                del self.workspace.trouble[position]
                return True
        return False

    def do_POST(self) -> None:
        self.document = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if self._meets_trouble():
            return
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            self.reply(403, b'{"detail": "Invalid token"}')
            return
        try:
            status, answer = self.workspace.write(self.endpoint, self.query, self.document)
        except RefusedWriteError as error:
            status, answer = error.status, error.answer
        self.reply(status, b"" if answer is None else json.dumps(answer).encode())

    def do_GET(self) -> None:
        if self._meets_trouble():
            return
        is_archive = self.url.path.startswith("/archives/")
        if is_archive and "Authorization" in self.headers:
            # A presigned address: storage services refuse whoever sends another key along.
            self.reply(400, b"")
        elif is_archive:
            self.reply(200, pack(self.workspace.archives[self.url.path.removeprefix("/archives/")]))
        elif self.headers.get("Authorization") != f"Token {TOKEN}":
            self.reply(403, b'{"detail": "Invalid token"}')
        elif self.endpoint == "workspace":
            self.reply(200, json.dumps(self.workspace.workspace).encode())
        else:
            self.reply(200, json.dumps(self.page()).encode())

    def reply(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> bool:
        """Answer whole."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True

    def break_off(self) -> bool:
        """Answer with half of what was announced, and hang up."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"next": null, "resul')
        self.wfile.flush()
        self.close_connection = True
        return True

    def page(self) -> dict:
        address = f"http://{self.headers['Host']}"
        rows = self._rows(address)
        size = self.workspace.page_size
        if self.endpoint == "archives":
            start = int(self.query.get("offset", 0))
            following = {"limit": size, "offset": start + size}
        else:
            start, following = self._place(rows, size)
        has_more = start + size < len(rows)
        query = urllib.parse.urlencode({**self.query, **following})
        return {
            "next": f"{address}{self.url.path}?{query}" if has_more else None,
            "previous": None,
            "results": rows[start : start + size],
        }

    def _place(self, rows: list[dict], size: int) -> tuple[int, dict[str, str]]:
        """Where a page starts, and the cursor of the next: rows after a time, and so many further where rows share one."""
        times = [row.get(TIMES.get(self.endpoint, ""), "") for row in rows]
        cursor = dict(urllib.parse.parse_qsl(base64.b64decode(self.query.get("cursor", "")).decode()))
        is_newest_first = self.query.get("reverse") != "true"
        first = 0
        if "p" in cursor:
            passed = [time >= cursor["p"] if is_newest_first else time <= cursor["p"] for time in times]
            first = passed.index(False) if False in passed else len(times)
        start = first + min(int(cursor.get("o", 0)), self.workspace.largest_offset)
        end = start + size
        if end >= len(rows):
            return start, {}
        same = end
        while same > first and times[same - 1] == times[end]:
            same -= 1
        position = {"p": times[same - 1]} if same > first else {key: cursor[key] for key in ("p",) if key in cursor}
        parts = {**({"o": end - same} if end > same else {}), **position}
        return start, {"cursor": base64.b64encode(urllib.parse.urlencode(parts).encode()).decode()}

    def _rows(self, address: str) -> list[dict]:
        if self.endpoint == "archives":
            return self.workspace.archive_rows(address)
        if self.endpoint == "flows":
            return [
                flow if isinstance(flow, dict) else {"uuid": f"uuid of {flow}", "name": flow, "archived": False}
                for flow in self.workspace.flows
            ]
        rows = {
            "runs": self.workspace.runs,
            "contacts": self.workspace.contacts,
            "messages": self.workspace.messages,
            "groups": self.workspace.groups,
            "fields": self.workspace.fields,
        }[self.endpoint]
        if self.endpoint in ("groups", "fields"):
            return rows
        key = TIMES[self.endpoint]
        rows = [row for row in rows if self.query.get("after", "") <= row[key] <= self.query.get("before", "9")]
        if "group" in self.query:
            wanted = self.query["group"]
            rows = [row for row in rows if any(wanted in one.values() for one in row.get("groups", []))]
        if "flow" in self.query:
            rows = [row for row in rows if row["flow"]["uuid"] == self.query["flow"]]
        if "uuid" in self.query:
            rows = [row for row in rows if row["uuid"] == self.query["uuid"]]
        rows = sorted(rows, key=lambda row: (row[key], row["uuid"]), reverse=True)
        return rows[::-1] if self.query.get("reverse") == "true" else rows


def once(endpoint: str, answer: Callable[[Request], bool], skip: int = 0) -> Callable[[Request], bool]:
    """Trouble for one request of an endpoint, after letting `skip` of them pass."""
    left = skip

    def trouble(request: Request) -> bool:
        nonlocal left
        if endpoint not in request.url.path:
            return False
        left -= 1
        return left < 0 and answer(request)

    return trouble


@contextlib.contextmanager
def serve(workspace: Workspace, request: type[Request] = Request) -> Iterator[str]:
    """Serve a workspace, by requests of a kind; gives its address."""
    handler = type("Handler", (request,), {"workspace": workspace})
    with serve_on_this_machine(handler) as address:
        yield address
