"""The sandbox's API answers as a RapidPro 7 does: order, paging, bounds, refusals."""

import http.client
import json
import socket
import struct
from urllib.parse import quote, urlencode, urlsplit

import pytest

from engagement.sandbox.api import PAGE_SIZE, Api
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED
from sandbox_season import cached_workspace

WORKSPACE = cached_workspace(DEFAULT_SEED, 0)
API = Api(WORKSPACE)
HOST = "sandbox.example:8010"


def get(endpoint: str, **query: str) -> dict:
    reply = API.get(f"/api/v2/{endpoint}.json?{urlencode(query)}", f"Token {WORKSPACE.token}", HOST)
    assert reply.status == 200
    return json.loads(reply.body)


def status_of(path: str, authorization: str | None = f"Token {WORKSPACE.token}") -> int:
    return API.get(path, authorization, HOST).status


def walk(endpoint: str, **query: str) -> list[list[dict]]:
    pages, page = [], get(endpoint, **query)
    while True:
        pages.append(page["results"])
        if page["next"] is None:
            return pages
        assert page["next"].startswith(f"http://{HOST}/api/v2/{endpoint}.json?")
        reply = API.get(page["next"], f"Token {WORKSPACE.token}", HOST)
        page = json.loads(reply.body)


@pytest.mark.parametrize(
    ("endpoint", "time"),
    [("runs", "modified_on"), ("contacts", "modified_on"), ("messages", "created_on"), ("flows", "created_on")],
)
def test_pages_of_250_newest_first_hold_every_row_once(endpoint, time):
    pages = walk(endpoint)
    rows = [row for page in pages for row in page]
    assert all(len(page) == PAGE_SIZE for page in pages[:-1])
    assert 0 < len(pages[-1]) <= PAGE_SIZE
    assert sorted(json.dumps(row) for row in rows) == sorted(json.dumps(row) for row in getattr(WORKSPACE, endpoint))
    assert [row[time] for row in rows] == sorted((row[time] for row in rows), reverse=True)


@pytest.mark.parametrize("endpoint", ["runs", "contacts"])
def test_reverse_is_the_same_rows_oldest_first(endpoint):
    newest_first = [row for page in walk(endpoint) for row in page]
    assert [row for page in walk(endpoint, reverse="true") for row in page] == newest_first[::-1]


def test_limit_is_ignored_on_cursor_endpoints():
    assert len(get("runs", limit="10")["results"]) == PAGE_SIZE


def test_bounds_are_inclusive():
    rows = [row for page in walk("runs") for row in page]
    bound = rows[300]["modified_on"]
    after = [row for page in walk("runs", after=bound) for row in page]
    before = [row for page in walk("runs", before=bound, reverse="1") for row in page]
    assert after == [row for row in rows if row["modified_on"] >= bound]
    assert before == [row for row in rows[::-1] if row["modified_on"] <= bound]
    assert bound in {after[-1]["modified_on"], before[-1]["modified_on"]}


def test_a_bound_goes_with_every_page():
    oldest = min(row["modified_on"] for row in WORKSPACE.runs)
    pages = walk("runs", after=WORKSPACE.runs[0]["modified_on"], flow=WORKSPACE.runs[0]["flow"]["uuid"], reverse="true")
    rows = [row for page in pages for row in page]
    assert rows
    assert all(row["flow"] == WORKSPACE.runs[0]["flow"] and row["modified_on"] >= oldest for row in rows)


@pytest.mark.parametrize(
    "query", [{"flow": "8a0d4a46-1111-4222-8333-123456789abc"}, {"after": "yesterday"}, {"before": "26/08/2026"}]
)
def test_an_unknown_flow_or_an_unreadable_date_gives_an_empty_list(query):
    assert get("runs", **query) == {"next": None, "previous": None, "results": []}


def test_runs_have_id_uuid_and_input():
    run = next(row for row in get("runs")["results"] if row["values"])
    assert {"id", "uuid", "start"} <= set(run)
    assert all("input" in value for value in run["values"].values())


def test_deleted_contacts_are_listed_apart():
    deleted = get("contacts", deleted="true")["results"]
    assert len(deleted) == len(WORKSPACE.deleted_contacts) > 0
    assert all(contact["urns"] == [] and contact["name"] is None for contact in deleted)
    assert {row["uuid"] for row in deleted} & {row["contact"]["uuid"] for row in WORKSPACE.runs}


def test_archives_page_by_limit_and_offset():
    first = get("archives", limit="20", archive_type="run")
    total = sum(archive.row["archive_type"] == "run" for archive in WORKSPACE.archives)
    assert first["count"] == total
    pages = walk("archives", limit="20", archive_type="run")
    assert [len(page) for page in pages] == [20, total - 20]
    assert all(row["archive_type"] == "run" for page in pages for row in page)
    assert len(get("archives", offset=str(total))["results"]) == len(WORKSPACE.archives) - total


@pytest.mark.parametrize("authorization", [None, "", "Token wrong", WORKSPACE.token])
def test_a_wrong_token_is_403(authorization):
    assert status_of("/api/v2/flows.json", authorization) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v2/nothing.json",
        "/api/v2/deleted contacts.json",
        "/api/v2/runs",
        "/archives/run_D20260101_0.jsonl.gz",
        "/api/v2/runs.json?cursor=nonsense",
        "/api/v2/runs.json?cursor=cD0x",  # readable, but not a place in a list
        f"/api/v2/contacts.json?cursor={quote('ünreadable')}",
    ],
)
def test_what_is_not_there_and_a_malformed_cursor_are_404(path):
    assert status_of(path) == 404


def test_flow_and_contact_together_are_400():
    assert status_of("/api/v2/runs.json?flow=a&contact=b") == 400


def test_the_server_keeps_connections_open_and_gives_archives_without_a_token():
    with serve(WORKSPACE) as base_url:
        address = urlsplit(base_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        headers = {"Authorization": f"Token {WORKSPACE.token}"}
        connection.request("GET", "/api/v2/archives.json", headers=headers)
        first_socket = connection.sock
        listed = json.loads(connection.getresponse().read())["results"][-1]
        connection.request("POST", "/api/v2/flows.json", body=b"{}", headers=headers)
        refused = connection.getresponse()
        assert (refused.status, bool(refused.read())) == (405, True)
        connection.request("GET", urlsplit(listed["download_url"]).path)
        content = connection.getresponse().read()
        assert connection.sock is first_socket
        connection.close()
    assert content == WORKSPACE.archives[-1].content
    assert listed["download_url"].startswith(base_url)


def test_the_server_is_gone_after_the_block():
    with serve(WORKSPACE) as base_url:
        port = urlsplit(base_url).port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/")


def test_a_client_that_hangs_up_is_not_spoken_of(capfd):
    request = f"GET /api/v2/runs.json HTTP/1.1\r\nHost: x\r\nAuthorization: Token {WORKSPACE.token}\r\n\r\n"
    with serve(WORKSPACE) as base_url:
        address = urlsplit(base_url)
        for _ in range(5):
            hanging_up = socket.create_connection((address.hostname, address.port), timeout=5)
            # Closed with a reset, in the middle of the answer.
            hanging_up.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            hanging_up.sendall(request.encode() * 50)
            hanging_up.recv(10)
            hanging_up.close()
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        connection.request("GET", "/")
        assert connection.getresponse().status == 404
        connection.close()
    assert capfd.readouterr().err == ""
