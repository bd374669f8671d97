"""The RapidPro client against a server on this machine, in fair weather and foul."""

import json
import logging
import socket

import pytest

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.rapidpro.client import Workspace as RapidProWorkspace
from engagement.services.retries import RetryPolicy
from fake_rapidpro import TOKEN, Workspace, contact, message, once, run


@pytest.fixture
def waits():
    """The waits that the client asked for, none of which is waited."""
    return []


@pytest.fixture
def workspace():
    flow_runs = [run(number, "s01e01", of=number % 3, answer=f"haa {number}") for number in range(10)]
    return Workspace(["s01e01", "demog"], runs=flow_runs, page_size=4)


@pytest.fixture
def connect(workspace, waits):
    with fake_rapidpro.serve(workspace) as address:
        policy = RetryPolicy(sleep=waits.append, jitter=lambda: 0.5)
        clients = []

        def connect(token=TOKEN, domain=address):
            clients.append(RapidProClient(domain, token, policy))
            return clients[-1]

        yield connect
        for client in clients:
            client.__exit__()


def read_runs(client, *bounds):
    return [row.uuid for page in client.runs("uuid of s01e01", *(bounds or [None])) for row in page.rows]


def test_runs_come_oldest_first_and_whole(connect, workspace):
    assert read_runs(connect()) == [f"run-{number:04}" for number in range(10)]
    assert all("reverse=true" in request for request in workspace.requests)


def test_pages_share_one_connection(connect, workspace):
    client = connect()
    ports = set()
    workspace.trouble += [once("runs", lambda request: ports.add(request.client_address[1]) or False) for _ in range(9)]
    read_runs(client)
    assert len(ports) == 1


def test_times_bound_what_is_asked_for_and_are_included(connect):
    first, last = (next(connect().runs("uuid of s01e01", None)).rows[position].modified_on for position in (1, 3))
    assert read_runs(connect(), first, last) == ["run-0001", "run-0002", "run-0003"]
    assert read_runs(connect(), last)[0] == "run-0003"


def test_rows_are_left_out_as_the_server_itself_counts_them(connect, workspace):
    workspace.runs = [{**row, "modified_on": workspace.runs[0]["modified_on"]} for row in workspace.runs]
    assert read_runs(connect(), None, None, 3) == [f"run-{number:04}" for number in range(3, 10)]


def test_a_contact_is_asked_for_by_uuid(connect, workspace):
    workspace.contacts = [contact(1), contact(2)]
    client = connect()
    assert [row.urns for row in client.contact("contact-2").rows] == [["tel:+252615000002"]]
    assert client.contact("contact-3").rows == []


def test_of_a_message_nothing_is_read_that_says_who_wrote_it(connect, workspace):
    workspace.messages = [message(1, of=2, text="haa")]
    (row,) = next(connect().messages(None)).rows
    assert (row.contact.uuid, row.direction, row.text) == ("contact-2", "in", "haa")
    assert not any(secret in repr(row) for secret in ("25261", "Zzyzx"))
    assert "folder=incoming" in workspace.requests[-1]


TROUBLE = {
    "a bad gateway's web page": lambda request: request.reply(502, b"<html>Bad Gateway</html>", kind="text/html"),
    "a gateway's time-out": lambda request: request.reply(504, b""),
    "an answer that breaks off": lambda request: request.break_off(),
    "a connection that closes": lambda request: setattr(request, "close_connection", True) or True,
    "JSON that ends early": lambda request: request.reply(200, b'{"next": null, "results": [{"uu'),
    "a throttle": lambda request: request.reply(429, b"{}", {"Retry-After": "7"}),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_bad_weather_loses_nothing(connect, workspace, waits, trouble):
    workspace.trouble += [once("runs", trouble, skip=1), once("runs", trouble, skip=2)]
    assert read_runs(connect()) == [f"run-{number:04}" for number in range(10)]
    assert len(waits) == 2


def test_a_throttle_is_waited_out_as_told(connect, workspace, waits):
    workspace.trouble.append(once("runs", lambda request: request.reply(429, b"{}", {"Retry-After": "2900"})))
    read_runs(connect())
    assert len(waits) == 1
    assert 2900 <= waits[0] < 2901


def test_a_web_page_for_an_answer_names_the_address_and_what_to_check(connect, workspace):
    workspace.trouble.append(
        once("flows", lambda request: request.reply(200, b"<!doctype html><p>Log in", kind="text/html"))
    )
    with pytest.raises(
        ServiceError, match=r"RapidPro http://127\.0\.0\.1:\d+: flows\.json answered with a web page.*Check"
    ):
        connect().flows()


def test_json_of_another_shape_is_refused_without_another_try(connect, workspace, waits):
    workspace.trouble.append(once("flows", lambda request: request.reply(200, b'{"hello": 1}')))
    with pytest.raises(ServiceError, match="API version 2"):
        connect().flows()
    assert not waits


def test_a_wrong_token_is_refused_at_once_and_never_shown(connect, waits, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError, match="TokenFileURL") as refused:
        connect(token="not-the-token-77").flows()
    assert not waits
    assert "not-the-token-77" not in str(refused.value) + caplog.text


def test_an_unknown_host_is_told_soon(connect, waits):
    with pytest.raises(ServiceError, match=r"RapidPro nowhere\.invalid: flows\.json: host not found"):
        connect(domain="nowhere.invalid").flows()
    assert len(waits) == 2


def test_a_host_that_refuses_connections_is_told(connect):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(ServiceError, match="the connection was refused"):
            connect(domain=f"http://127.0.0.1:{free.getsockname()[1]}").flows()


def test_a_domain_that_is_no_address_is_told(connect):
    with pytest.raises(ServiceError, match="RapidPro http://: .*address"):
        connect(domain="http://").flows()


def test_a_next_page_is_asked_of_the_configured_host(connect, workspace):
    def elsewhere(request):
        body = request.page()
        body["next"] = body["next"].replace("127.0.0.1", "internal.invalid")
        return request.reply(200, json.dumps(body).encode())

    workspace.trouble.append(once("runs", elsewhere))
    assert len(read_runs(connect())) == 10


def test_fields_that_servers_leave_out_or_send_as_null_are_none(connect, workspace):
    bare = run(11, "s01e01", of=1, answer="haa")
    del bare["id"], bare["exited_on"]
    del bare["values"]["answer"]["input"]
    workspace.runs = [bare, {**run(12, "s01e01", of=1), "values": None, "contact": {"uuid": "contact-1", "urn": None}}]
    first, second = next(connect().runs("uuid of s01e01", None)).rows
    assert (first.id, first.exited_on) == (None, None)
    assert not isinstance(first.values["answer"].input, str | None)
    assert second.values is None


FLOWS = ("uuid of s01e01",)


def count_rows(batches):
    return sum(len(batch.rows) for batch in batches)


class TestArchives:
    """Archives come whole, or nothing of them is kept."""

    @pytest.fixture(autouse=True)
    def archives(self, workspace):
        workspace.archives = {
            "2026-02-01": [run(n, "s01e01", of=1, answer="haa") for n in range(600)],
            "2026-01-01": [run(n, "demog", of=1, gender="naag") for n in range(600, 603)],
            "2026-03-01": [],
        }

    def test_only_archives_of_runs_are_listed_oldest_first(self, connect):
        assert [archive.name for archive in connect().run_archives()] == [
            "archive 2026-01-01 (monthly)",
            "archive 2026-02-01 (monthly)",
        ]

    def test_runs_stream_in_batches(self, connect, workspace):
        # Some 4 KB each: no more than a few hundred are to be in memory.
        workspace.archives["2026-02-01"] = [run(n, "s01e01", of=1, answer="haa " * 450) for n in range(600)]
        client = connect()
        other, full = client.run_archives()
        batches = client.read_archive(full, FLOWS, lambda pages: [[row.uuid for row in page.rows] for page in pages])
        assert [uuid for batch in batches for uuid in batch] == [f"run-{n:04}" for n in range(600)]
        assert max(map(len, batches)) < 250
        assert client.read_archive(other, FLOWS, count_rows) == 0

    def test_a_damaged_archive_is_never_handed_over_as_whole(self, connect, workspace, waits):
        damaged = bytearray(fake_rapidpro.pack(workspace.archives["2026-02-01"]))
        damaged[len(damaged) // 2] ^= 0xFF
        workspace.trouble += [once("archives/", lambda request: request.reply(200, bytes(damaged))) for _ in range(9)]
        client = connect()
        archive = client.run_archives()[1]
        attempts = []

        def store(batches):
            attempts.append(0)
            for batch in batches:
                attempts[-1] += len(batch.rows)
            pytest.fail("a damaged archive ended as if it were whole")

        with pytest.raises(ServiceError, match=r"archive 2026-02-01 \(monthly\): its md5 is"):
            client.read_archive(archive, FLOWS, store)
        assert len(attempts) == 3

    def test_an_archive_that_breaks_off_is_read_again_from_its_beginning(self, connect, workspace):
        workspace.trouble.append(once("archives/", lambda request: request.break_off()))
        client = connect()
        assert client.read_archive(client.run_archives()[1], FLOWS, count_rows) == 600

    def test_an_expired_address_is_no_wrong_token(self, connect, workspace):
        workspace.trouble.append(once("archives/", lambda request: request.reply(403, b"<Error>expired</Error>")))
        client = connect()
        assert client.read_archive(client.run_archives()[1], FLOWS, count_rows) == 600
        assert len([request for request in workspace.requests if "/api/v2/archives" in request]) == 2

    def test_what_is_no_archive_of_runs_is_told(self, connect, workspace, monkeypatch):
        monkeypatch.setattr(fake_rapidpro, "pack", lambda runs: b"hello")
        client = connect()
        with pytest.raises(ServiceError, match="not a gzip file; expected runs"):
            client.read_archive(client.run_archives()[1], FLOWS, lambda batches: list(batches))


def test_the_workspace_tells_whose_data_they_are(connect, workspace):
    workspace.workspace |= {"anon": True}
    found = connect().workspace()
    assert (found.uuid, found.anon, found.country) == (fake_rapidpro.WORKSPACE, True, "SO")


def test_a_server_that_is_too_old_to_tell_of_its_workspace_is_no_error(connect, workspace):
    workspace.trouble.append(once("workspace", lambda request: request.reply(404, b'{"detail": "Not found."}')))
    assert connect().workspace() == RapidProWorkspace()
