"""RapidPro's REST API v2 for a workspace: selection, order, paging and refusals, without a network.

Observed on RapidPro 7.0.4: runs and contacts come newest modified_on first, flows and messages newest created_on first;
`reverse=true` reverses this. `after` and `before` are inclusive. An unknown flow or an unreadable date gives an empty
list; a malformed cursor gives 404, a wrong token 403. Archives page by limit and offset.
"""

import base64
import json
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from engagement.sandbox.contact_changes import ContactChanges, RefusedWriteError, WritableContacts
from engagement.sandbox.entries import Entry, GrowingRows, encode, microseconds, oldest_first, within
from engagement.sandbox.rows import ApiRow, api_time
from engagement.sandbox.workspace import InventedWorkspace

PAGE_SIZE = 250
_PATH_START, _PATH_END = "/api/v2/", ".json"
_ARCHIVES_PATH = "/archives/"
_EPOCH = "2026-01-01T00:00:00Z"
_TRUE = ("true", "1", "yes", "t", "y", "on")


@dataclass(frozen=True)
class Reply:
    """A response to a request."""

    status: int
    body: bytes
    content_type: str = "application/json"


class _RefusedError(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.reply = Reply(status, encode({"detail": detail}))


class Api:
    """The API of one workspace, safe to use from several threads.

    `changes` are earlier writes to its contacts; `save` is called after each new one.
    """

    def __init__(
        self,
        workspace: InventedWorkspace,
        changes: ContactChanges | None = None,
        save: Callable[[ContactChanges], None] | None = None,
    ) -> None:
        self._authorization = f"Token {workspace.token}"
        self._workspace = encode(workspace.workspace)
        self._archives = workspace.archives
        self._archive_contents = {_ARCHIVES_PATH + archive.name: archive.content for archive in workspace.archives}
        self._changes = changes or ContactChanges()
        self._entries = {
            "flows": oldest_first(workspace.flows, "created_on"),
            "runs": oldest_first(workspace.runs, "modified_on"),
            "contacts": oldest_first(workspace.contacts, "modified_on"),
            "messages": oldest_first(workspace.messages, "created_on"),
            "groups": oldest_first((*workspace.groups, *self._changes.groups), None),
            "fields": oldest_first((*workspace.fields, *self._changes.fields), None),
        }
        self._lock = threading.Lock()
        self._save = save
        self._written_on = datetime.fromisoformat(
            max((row["modified_on"] for row in workspace.contacts), default=_EPOCH)
        )
        self._apply_changes(workspace)
        self._deleted_contacts = oldest_first(workspace.deleted_contacts, "modified_on")
        self._runs_by_flow: dict[str, list[Entry]] = {}
        for entry in self._entries["runs"]:
            self._runs_by_flow.setdefault(entry.row["flow"]["uuid"], []).append(entry)

    def get(self, url: str, authorization: str | None, host: str) -> Reply:
        """Answer a GET; `host` is the request's Host header, from which the response builds addresses."""
        path, query = urlsplit(url).path, _first_values(urlsplit(url).query)
        if path in self._archive_contents:  # like a pre-signed address, it needs no token
            return Reply(200, self._archive_contents[path], "application/octet-stream")
        try:
            return Reply(200, self._answer(path, query, authorization, host))
        except _RefusedError as error:
            return error.reply

    def post(self, url: str, body: bytes, authorization: str | None) -> Reply:
        """Answer a POST; what it changes is saved before the answer."""
        path, query = urlsplit(url).path, _first_values(urlsplit(url).query)
        try:
            endpoint = self._endpoint(path, authorization)
            with self._lock:
                status, answer = self._writable.post(endpoint, query, _decode(body))
                if self._save is not None:
                    self._save(self._changes)
            return Reply(status, b"" if answer is None else encode(answer))
        except RefusedWriteError as error:
            return Reply(error.status, encode(error.answer))
        except _RefusedError as error:
            return error.reply

    def _apply_changes(self, workspace: InventedWorkspace) -> None:
        """Put earlier writes over the workspace's rows, and get ready for new ones."""
        contacts = {row["uuid"]: dict(row) for row in workspace.contacts}
        for uuid, row in self._changes.contacts.items():
            if uuid in contacts:
                row["modified_on"] = max(row["modified_on"], contacts[uuid]["modified_on"])
                contacts[uuid].update(row)
        self._entries["contacts"] = oldest_first(contacts.values(), "modified_on")
        self._writable = WritableContacts(
            contacts,
            GrowingRows(self._entries["groups"], self._changes.groups),
            GrowingRows(self._entries["fields"], self._changes.fields),
            self._now,
            self._change_contact,
        )

    def _now(self) -> str:
        # Later than everything in the workspace; the next round's rows come after it.
        self._written_on += timedelta(milliseconds=1)
        return api_time(self._written_on)

    def _change_contact(self, row: ApiRow) -> None:
        self._changes.contacts[row["uuid"]] = {
            key: row.get(key) for key in ("groups", "fields", "blocked", "modified_on")
        }
        for key, value in (row.get("fields") or {}).items():
            if value is not None and any(made["key"] == key for made in self._changes.fields):
                self._changes.set_on.setdefault(row["uuid"], {}).setdefault(key, row["modified_on"])
        number = row.get("id", len(self._entries["contacts"]))
        others = [entry for entry in self._entries["contacts"] if entry.row["uuid"] != row["uuid"]]
        # A new list: whoever reads a page meanwhile keeps theirs.
        self._entries["contacts"] = [*others, Entry((microseconds(row["modified_on"]), number), row, encode(row))]

    def _endpoint(self, path: str, authorization: str | None) -> str:
        if not (path.startswith(_PATH_START) and path.endswith(_PATH_END)):
            raise _RefusedError(404, "Not found.")
        if authorization != self._authorization:
            raise _RefusedError(403, "Invalid token")
        return path.removeprefix(_PATH_START).removesuffix(_PATH_END)

    def _answer(self, path: str, query: Mapping[str, str], authorization: str | None, host: str) -> bytes:
        endpoint = self._endpoint(path, authorization)
        if endpoint in ("workspace", "org"):
            return self._workspace
        address = f"http://{host}{path}"
        if endpoint == "archives":
            return self._archives_page(query, address, host)
        if endpoint not in self._entries:
            raise _RefusedError(404, "Not found.")
        return _cursor_page(self._select(endpoint, query), query, address)

    def _select(self, endpoint: str, query: Mapping[str, str]) -> Sequence[Entry]:
        """Return the entries that a query matches, oldest first."""
        if endpoint == "runs" and "flow" in query and "contact" in query:
            raise _RefusedError(400, "You may only specify one of the contact, flow parameters")
        if endpoint == "runs" and "flow" in query:
            entries: Sequence[Entry] = self._runs_by_flow.get(query["flow"], [])
        elif endpoint == "contacts" and query.get("deleted", "").lower() in _TRUE:
            entries = self._deleted_contacts
        else:
            entries = self._entries[endpoint]
        for name, matches in _FILTERS[endpoint].items():
            if name in query:
                entries = [entry for entry in entries if matches(entry.row, query[name])]
        return within(entries, query.get("after"), query.get("before"))

    def _archives_page(self, query: Mapping[str, str], address: str, host: str) -> bytes:
        try:
            start, size = int(query.get("offset", 0)), min(int(query.get("limit", PAGE_SIZE)), PAGE_SIZE)
        except ValueError:
            start, size = 0, PAGE_SIZE
        wanted = [
            archive
            for archive in self._archives
            if all(archive.row[name] == query[name] for name in ("archive_type", "period") if name in query)
        ]
        rows = [
            {**archive.row, "download_url": f"http://{host}{_ARCHIVES_PATH}{archive.name}"}
            for archive in wanted[start : start + size]
        ]
        following = None
        if start + size < len(wanted):
            following = f"{address}?{urlencode({**query, 'limit': size, 'offset': start + size})}"
        return encode({"count": len(wanted), "next": following, "previous": None, "results": rows})


_FILTERS: Mapping[str, Mapping[str, Callable[[ApiRow, str], bool]]] = {
    "flows": {"uuid": lambda row, value: row["uuid"] == value},
    "runs": {
        "uuid": lambda row, value: row["uuid"] == value,
        "contact": lambda row, value: row["contact"]["uuid"] == value,
        "responded": lambda row, value: row["responded"] or value.lower() not in _TRUE,
    },
    "contacts": {
        "uuid": lambda row, value: row["uuid"] == value,
        "urn": lambda row, value: value in row["urns"],
        "group": lambda row, value: any(value in (group["uuid"], group["name"]) for group in row["groups"]),
    },
    "messages": {
        "contact": lambda row, value: row["contact"]["uuid"] == value,
        "folder": lambda _, value: value in ("inbox", "flows", "incoming"),
    },
    "groups": {"uuid": lambda row, value: row["uuid"] == value},
    "fields": {"key": lambda row, value: row["key"] == value},
}


def _cursor_page(entries: Sequence[Entry], query: Mapping[str, str], address: str) -> bytes:
    is_reversed = query.get("reverse", "").lower() in _TRUE
    cursor = _read_cursor(query["cursor"]) if "cursor" in query else None
    if is_reversed:
        start = 0 if cursor is None else bisect_right(entries, cursor, key=lambda entry: entry.position)
        page = entries[start : start + PAGE_SIZE]
        more = start + PAGE_SIZE < len(entries)
    else:
        end = len(entries) if cursor is None else bisect_left(entries, cursor, key=lambda entry: entry.position)
        page = entries[max(0, end - PAGE_SIZE) : end][::-1]
        more = end > PAGE_SIZE
    following = None
    if more:
        following = f"{address}?{urlencode({**query, 'cursor': _write_cursor(page[-1].position)})}"
    results = b",".join(entry.encoded for entry in page)
    return b'{"next":%s,"previous":null,"results":[%s]}' % (encode(following), results)


def _write_cursor(position: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"p={position[0]}|{position[1]}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        microseconds, number = base64.urlsafe_b64decode(cursor).decode().removeprefix("p=").split("|")
        return int(microseconds), int(number)
    except ValueError:
        raise _RefusedError(404, "Invalid cursor") from None


def _first_values(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise _RefusedError(400, "JSON parse error") from None
