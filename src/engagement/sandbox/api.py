"""RapidPro's REST API v2 for a workspace: selection, order, paging and refusals, without a network.

Observed on RapidPro 7.0.4: runs and contacts come newest modified_on first, flows and messages newest created_on first;
`reverse=true` reverses this. `after` and `before` are inclusive. An unknown flow or an unreadable date gives an empty
list; a malformed cursor gives 404, a wrong token 403. Archives page by limit and offset.
"""

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from engagement.foundation.microseconds import count_microseconds
from engagement.sandbox.rows import ApiRow
from engagement.sandbox.workspace import InventedWorkspace

PAGE_SIZE = 250
_PATH_START, _PATH_END = "/api/v2/", ".json"
_ARCHIVES_PATH = "/archives/"
_TRUE = ("true", "1", "yes", "t", "y", "on")


@dataclass(frozen=True)
class Reply:
    """A response to a request."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class _Entry:
    """A row, encoded once; `position` orders it: microseconds since 1970, then a tie-breaker."""

    position: tuple[int, int]
    row: ApiRow
    encoded: bytes


class _RefusedError(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.reply = Reply(status, _encode({"detail": detail}))


class Api:
    """The API of one workspace, safe to use from several threads."""

    def __init__(self, workspace: InventedWorkspace) -> None:
        self._authorization = f"Token {workspace.token}"
        self._workspace = _encode(workspace.workspace)
        self._archives = workspace.archives
        self._archive_contents = {_ARCHIVES_PATH + archive.name: archive.content for archive in workspace.archives}
        self._entries = {
            "flows": _oldest_first(workspace.flows, "created_on"),
            "runs": _oldest_first(workspace.runs, "modified_on"),
            "contacts": _oldest_first(workspace.contacts, "modified_on"),
            "messages": _oldest_first(workspace.messages, "created_on"),
            "groups": _oldest_first(workspace.groups, None),
            "fields": _oldest_first(workspace.fields, None),
        }
        self._deleted_contacts = _oldest_first(workspace.deleted_contacts, "modified_on")
        self._runs_by_flow: dict[str, list[_Entry]] = {}
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

    def _answer(self, path: str, query: Mapping[str, str], authorization: str | None, host: str) -> bytes:
        if not (path.startswith(_PATH_START) and path.endswith(_PATH_END)):
            raise _RefusedError(404, "Not found.")
        if authorization != self._authorization:
            raise _RefusedError(403, "Invalid token")
        endpoint = path.removeprefix(_PATH_START).removesuffix(_PATH_END)
        if endpoint in ("workspace", "org"):
            return self._workspace
        address = f"http://{host}{path}"
        if endpoint == "archives":
            return self._archives_page(query, address, host)
        if endpoint not in self._entries:
            raise _RefusedError(404, "Not found.")
        return _cursor_page(self._select(endpoint, query), query, address)

    def _select(self, endpoint: str, query: Mapping[str, str]) -> Sequence[_Entry]:
        """Return the entries that a query matches, oldest first."""
        if endpoint == "runs" and "flow" in query and "contact" in query:
            raise _RefusedError(400, "You may only specify one of the contact, flow parameters")
        if endpoint == "runs" and "flow" in query:
            entries: Sequence[_Entry] = self._runs_by_flow.get(query["flow"], [])
        elif endpoint == "contacts" and query.get("deleted", "").lower() in _TRUE:
            entries = self._deleted_contacts
        else:
            entries = self._entries[endpoint]
        for name, matches in _FILTERS[endpoint].items():
            if name in query:
                entries = [entry for entry in entries if matches(entry.row, query[name])]
        return _within(entries, query.get("after"), query.get("before"))

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
        return _encode({"count": len(wanted), "next": following, "previous": None, "results": rows})


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


def _oldest_first(rows: Iterable[ApiRow], time_key: str | None) -> list[_Entry]:
    entries = [
        _Entry((_microseconds(row[time_key]) if time_key else 0, row.get("id", number)), row, _encode(row))
        for number, row in enumerate(rows)
    ]
    return sorted(entries, key=lambda entry: entry.position)


def _within(entries: Sequence[_Entry], after: str | None, before: str | None) -> Sequence[_Entry]:
    try:
        first = 0 if after is None else bisect_left(entries, _microseconds(after), key=lambda entry: entry.position[0])
        last = len(entries)
        if before is not None:
            last = bisect_right(entries, _microseconds(before), key=lambda entry: entry.position[0])
    except ValueError:
        return []
    return entries[first:last]


def _cursor_page(entries: Sequence[_Entry], query: Mapping[str, str], address: str) -> bytes:
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
    return b'{"next":%s,"previous":null,"results":[%s]}' % (_encode(following), results)


def _write_cursor(position: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(f"p={position[0]}|{position[1]}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        microseconds, number = base64.urlsafe_b64decode(cursor).decode().removeprefix("p=").split("|")
        return int(microseconds), int(number)
    except ValueError:
        raise _RefusedError(404, "Invalid cursor") from None


def _microseconds(time: str) -> int:
    moment = datetime.fromisoformat(time)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return count_microseconds(moment)


def _first_values(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _encode(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
