"""What a server can do to whoever asks it: answers without an end, pages in a circle, bombs, secrets in refusals."""

import base64
import gzip
import hashlib
import json
import logging
import time
import tracemalloc

import pytest

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from engagement.services import header_deadline, http
from engagement.services.rapidpro.client import ArchiveError, RapidProClient
from engagement.services.retries import RetryPolicy
from fake_rapidpro import TOKEN, Workspace, once, run

FLOW = "uuid of s01e01"
MEBIBYTE = 1 << 20


@pytest.fixture
def waits():
    """The waits that the client asked for, none of which is waited."""
    return []


@pytest.fixture
def workspace():
    return Workspace(["s01e01"], runs=[run(number, "s01e01", of=1, answer="haa") for number in range(10)], page_size=4)


@pytest.fixture
def client(workspace, waits):
    with (
        fake_rapidpro.serve(workspace) as address,
        RapidProClient(address, TOKEN, RetryPolicy(sleep=waits.append, jitter=lambda: 0.5)) as client,
    ):
        yield client


def read_runs(client):
    return [row.uuid for page in client.runs(FLOW, None) for row in page.rows]


def count_rows(batches):
    return sum(len(batch.rows) for batch in batches)


def always(workspace, endpoint, answer):
    workspace.trouble += [once(endpoint, answer) for _ in range(200)]


class TestSize:
    @pytest.fixture(autouse=True)
    def memory(self):
        """However large the answer, little of it is ever held."""
        tracemalloc.start()
        yield
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 70 * MEBIBYTE

    def test_a_page_that_unpacks_to_much_is_refused_at_once(self, client, workspace, waits):
        pack = gzip.compress(b" " * (60 * MEBIBYTE), compresslevel=1)
        tracemalloc.reset_peak()
        always(workspace, "runs", lambda request: request.reply(200, pack, {"Content-Encoding": "gzip"}))
        with pytest.raises(ServiceError, match=r"runs\.json: the response is larger than 24 MiB; expected less"):
            read_runs(client)
        assert not waits

    def test_a_page_that_is_large_is_refused_before_it_ends(self, client, workspace):
        def flood(request):
            request.send_response(200)
            request.end_headers()
            try:
                while True:
                    request.wfile.write(b" " * MEBIBYTE)
            except OSError:
                request.close_connection = True
            return True

        always(workspace, "runs", flood)
        with pytest.raises(ServiceError, match="larger than 24 MiB"):
            read_runs(client)

    @pytest.mark.parametrize("line", [b" " * 8191 + b"\n", b" "], ids=["lines", "one line"])
    def test_an_archive_that_unpacks_to_much_is_refused(self, client, workspace, line):
        content = gzip.compress(line * (80 * MEBIBYTE // len(line)), compresslevel=1)
        tracemalloc.reset_peak()
        announced = workspace.archive_rows
        workspace.archives = {"2026-01-01": [run(1, "s01e01", of=1)]}
        md5 = hashlib.md5(content).hexdigest()
        workspace.archive_rows = lambda address: [{**row, "hash": md5} for row in announced(address)]
        always(workspace, "/archives/", lambda request: request.reply(200, content))
        (archive,) = client.run_archives()
        with pytest.raises(
            ServiceError, match=r"archive 2026-01-01 \(monthly\): (unpacks to more|a line is longer)"
        ) as refused:
            client.read_archive(archive, (FLOW,), count_rows)
        assert not isinstance(refused.value, ArchiveError)

    def test_an_archive_that_is_large_is_refused_before_it_ends(self, client, workspace, monkeypatch):
        def flood(request):
            request.send_response(200)
            request.end_headers()
            block = gzip.compress(b" " * MEBIBYTE, compresslevel=0)
            try:
                while True:
                    request.wfile.write(block)
            except OSError:
                request.close_connection = True
            return True

        workspace.archives = {"2026-01-01": [run(1, "s01e01", of=1)]}
        always(workspace, "/archives/", flood)
        (archive,) = client.run_archives()
        with pytest.raises(ServiceError, match=r"archive 2026-01-01 \(monthly\): "):
            client.read_archive(archive, (FLOW,), count_rows)

    def test_a_long_refusal_is_not_read_to_its_end(self, client, workspace):
        always(workspace, "runs", lambda request: request.reply(400, b"x" * (30 * MEBIBYTE)))
        with pytest.raises(ServiceError, match="answered status 400; expected 200"):
            read_runs(client)

    def test_an_answer_that_is_packed_is_read(self, client, workspace):
        def pack(request):
            body = json.dumps(request.page()).encode()
            return request.reply(200, gzip.compress(body[:50]) + gzip.compress(body[50:]), {"Content-Encoding": "gzip"})

        always(workspace, "runs", pack)
        assert len(read_runs(client)) == 10

    @pytest.mark.parametrize("damage", [lambda body: body[:-9], lambda body: b"\x00" + body], ids=["short", "none"])
    def test_an_answer_whose_packing_is_damaged_is_asked_for_again(self, client, workspace, waits, damage):
        body = damage(gzip.compress(b'{"results": []}'))
        workspace.trouble.append(once("runs", lambda request: request.reply(200, body, {"Content-Encoding": "gzip"})))
        assert len(read_runs(client)) == 10
        assert len(waits) == 1


class TestTime:
    def drip(self, request, begun=False):
        if not begun:
            request.send_response(200)
            request.end_headers()
        try:
            while True:
                request.wfile.write(b" ")
                request.wfile.flush()
                time.sleep(0.02)
        except OSError:
            request.close_connection = True
        return True

    def test_a_page_that_drips_is_given_up(self, client, workspace, monkeypatch, waits):
        monkeypatch.setattr(http, "_LONGEST_ANSWER_SECONDS", 0.3)
        always(workspace, "runs", self.drip)
        with pytest.raises(ServiceError, match=r"runs\.json: the response did not end within 0 s"):
            read_runs(client)
        assert not waits

    def test_headers_that_drip_are_given_up(self, client, workspace, monkeypatch, waits):
        def drip_headers(request):
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            return self.drip(request, begun=True)

        monkeypatch.setattr(header_deadline, "LONGEST_HEADERS_SECONDS", 0.3)
        always(workspace, "runs", drip_headers)
        with pytest.raises(ServiceError, match=r"runs\.json: the response did not end within"):
            read_runs(client)
        assert not waits

    def test_an_archive_that_drips_is_given_up(self, client, workspace, monkeypatch):
        monkeypatch.setattr(http, "_LONGEST_ANSWER_SECONDS", 0.3)
        workspace.archives = {"2026-01-01": [run(1, "s01e01", of=1)]}
        always(workspace, "/archives/", self.drip)
        (archive,) = client.run_archives()
        with pytest.raises(ServiceError, match=r"archive 2026-01-01 \(monthly\): the response did not end"):
            client.read_archive(archive, (FLOW,), count_rows)

    def test_redirects_in_a_circle_are_told_at_once(self, client, workspace, waits):
        always(workspace, "", lambda request: request.reply(302, b"", {"Location": request.path}))
        with pytest.raises(ServiceError, match=r"runs\.json: more than 5 redirects"):
            read_runs(client)
        assert not waits
        assert len(workspace.requests) <= 7

    @pytest.mark.parametrize("target", ["ftp://x/", "http://[::1", "http://", "//:99999/", "http://\udcff.example/"])
    def test_redirects_to_nowhere_are_told(self, client, workspace, target):
        location = {"Location": target.encode("utf-8", "surrogateescape").decode("latin-1")}
        always(workspace, "", lambda request: request.reply(302, b"", location))
        with pytest.raises(ServiceError, match="RapidPro http://127"):
            read_runs(client)


class TestCircles:
    def lead(self, workspace, following):
        def page(request):
            body = request.page()
            body["next"] = following(request, body)
            return request.reply(200, json.dumps(body).encode())

        always(workspace, "runs", page)

    def test_a_page_that_follows_itself(self, client, workspace):
        self.lead(workspace, lambda request, body: f"http://x{request.path}")
        with pytest.raises(ServiceError, match=r"runs\.json does not end: the next page was already read"):
            read_runs(client)
        assert len(workspace.requests) == 1

    def test_pages_that_go_round(self, client, workspace):
        def go_round(request, body):
            return body["next"] or f"http://x{workspace.requests[0]}"

        self.lead(workspace, go_round)
        with pytest.raises(ServiceError, match="does not end"):
            read_runs(client)
        assert len(workspace.requests) == 3

    def test_the_same_rows_under_another_cursor(self, client, workspace):
        def count_on(request, body):
            request.query.pop("cursor", None)
            return f"http://x/runs.json?flow=uuid+of+s01e01&reverse=true&n={len(workspace.requests)}"

        self.lead(workspace, count_on)
        with pytest.raises(ServiceError, match="does not end: a page repeats the previous one"):
            read_runs(client)

    def test_pages_without_rows(self, client, workspace):
        def nothing(request):
            cursor = base64.b64encode(str(10_000 + len(workspace.requests)).encode()).decode()
            return request.reply(200, json.dumps({"results": [], "next": f"http://x/?cursor={cursor}"}).encode())

        always(workspace, "runs", nothing)
        with pytest.raises(ServiceError, match="empty pages in a row"):
            read_runs(client)


class TestSecrets:
    def refuse(self, client, workspace, status, detail):
        body = json.dumps({"detail": detail}).encode()
        always(workspace, "runs", lambda request: request.reply(status, body))
        with pytest.raises(ServiceError) as refused:
            read_runs(client)
        return str(refused.value)

    def test_what_an_agent_is_refused_with_is_passed_on(self, client, workspace):
        text = self.refuse(client, workspace, 403, "You do not have permission to perform this action.")
        assert "the token was refused (status 403: You do not have permission to perform this action.)" in text
        assert "Domain" not in text

    def test_rapidpros_own_refusals_do_not_ask_to_check_the_domain(self, client, workspace):
        text = self.refuse(client, workspace, 400, "Param 'flow': x is not a valid UUID.")
        assert "answered status 400: Param 'flow': x is not a valid UUID.; expected 200. Ask whoever" in text

    def test_nothing_secret_is_passed_on(self, client, workspace):
        detail = (
            f"{TOKEN} of https://s3.example.org/a.gz?Signature=abc%2F&Expires=1 is refused for +252 61 1234567 "
            + "x" * 999
        )
        text = self.refuse(client, workspace, 403, detail)
        assert len(text) < 600
        assert not [secret for secret in (TOKEN, "Signature", "abc%2F", "1234567") if secret in text]

    @pytest.mark.parametrize("status", [403, 404, 405])
    def test_a_web_page_that_refuses_is_no_wrong_token(self, client, workspace, status):
        always(workspace, "runs", lambda request: request.reply(status, b"<html>No</html>", kind="text/html"))
        with pytest.raises(ServiceError, match="Check that Domain names a RapidPro server"):
            read_runs(client)

    @pytest.mark.parametrize("status", [404, 403, 500, 302, 200])
    def test_the_signature_of_an_address_is_in_no_message_and_no_log(self, client, workspace, caplog, status):
        announced = workspace.archive_rows
        workspace.archives = {"2026-01-01": [run(1, "s01e01", of=1)]}
        workspace.archive_rows = lambda address: [
            {**row, "download_url": f"{row['download_url']}?X-Amz-Signature=5ecre7&Expires=1"}
            for row in announced(address)
        ]
        headers = {"Location": "/archives/2026-01-01?X-Amz-Signature=5ecre7", "Broken header": "\x00"}
        always(workspace, "/archives/", lambda request: request.reply(status, b"no archive", headers))
        (archive,) = client.run_archives()
        with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as refused:
            client.read_archive(archive, (FLOW,), count_rows)
        assert "5ecre7" not in str(refused.value)
        assert "/archives/2026-01-01" in caplog.text
        assert "5ecre7" not in caplog.text
