"""Files by gs:// address: Google's client against a server on this machine, and the embedded twin; one suite on both."""

import contextlib
import http.server
import threading
import urllib.parse
import urllib.request

import pytest

from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage, read_credentials, read_token

CONTENT = b"x" * 3_000_000


@pytest.fixture(params=["embedded", "google"])
def storage(request, tmp_path, monkeypatch):
    policy = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
    if request.param == "google":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("gcs_server"))
        return open_storage(GoogleCredentials("test", {}), policy)
    bucket = tmp_path / "embedded" / "storage" / "project"
    (bucket / "folder").mkdir(parents=True)
    (bucket / "token.txt").write_text("invented-token\n")
    (bucket / "large.jsonl").write_bytes(CONTENT)
    return open_storage(EmbeddedCredentials(tmp_path / "embedded"), policy)


def test_an_object_is_read(storage):
    assert read_token(storage, "gs://project/token.txt") == "invented-token"


def test_an_object_is_downloaded_whole(storage, tmp_path):
    storage.download("gs://project/large.jsonl", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_a_file_of_this_machine_is_read_and_copied(storage, tmp_path):
    (tmp_path / "my token").write_text("  invented-token ")
    url = f"file://{tmp_path}/my%20token"
    storage.download(url, tmp_path / "copy")
    assert read_token(storage, url) == "invented-token"
    assert (tmp_path / "copy").read_text() == "  invented-token "


@pytest.mark.parametrize("url", ["gs://project/missing.txt", "gs://no-such-bucket/token.txt", "file:///no/such/file"])
def test_what_is_missing_is_a_configuration_error_that_names_the_address(storage, tmp_path, url):
    with pytest.raises(ConfigurationError, match=url):
        storage.read_bytes(url)
    with pytest.raises(ConfigurationError, match=url):
        storage.download(url, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("url", ["gs://project", "gs:///token.txt", "http://project/token.txt", "file://host/token"])
def test_what_is_no_address_is_told(storage, url):
    with pytest.raises(ConfigurationError, match="expected"):
        storage.read_bytes(url)


def test_embedded_storage_is_not_left(tmp_path):
    (tmp_path / "secret").write_text("secret")
    storage = open_storage(EmbeddedCredentials(tmp_path / "embedded"), RetryPolicy())
    with pytest.raises(ConfigurationError, match="leads out"):
        storage.read_bytes("gs://project/../../../secret")


@pytest.mark.parametrize("content", [b"", b"two words", b"line\nline", b"\xff\xfe", "tokén".encode()])
def test_what_is_no_token_is_told_and_not_shown(tmp_path, content):
    (tmp_path / "token").write_bytes(content)
    storage = open_storage(EmbeddedCredentials(tmp_path), RetryPolicy())
    with pytest.raises(ConfigurationError, match="expected") as refused:
        read_token(storage, f"file://{tmp_path}/token")
    assert "words" not in str(refused.value)
    assert "line\nline" not in str(refused.value)


def test_credentials_at_an_address(storage, tmp_path, request):
    url = "gs://project/folder/firebase.json"
    if storage.local_path(url) is None:
        assert read_credentials(storage, url).project_id == "p"
        return
    # An embedded directory is relative to the credentials' own folder.
    storage.local_path(url).write_text('{"type": "embedded", "directory": "../../.."}')
    assert read_credentials(storage, url) == EmbeddedCredentials(tmp_path / "embedded")


@pytest.mark.parametrize(
    ("content", "found"),
    [("{not json", "not JSON"), ('{"type": "service_account", "project_id": "p"}', "'private_key'"), ("[]", "'type'")],
)
def test_credentials_that_are_none_are_told(tmp_path, content, found, monkeypatch):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    (tmp_path / "firebase.json").write_text(content)
    storage = open_storage(EmbeddedCredentials(tmp_path), RetryPolicy())
    with pytest.raises(ConfigurationError, match=found):
        read_credentials(storage, f"file://{tmp_path}/firebase.json")


def test_a_bucket_out_of_reach_ends_in_a_service_error(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    storage = open_storage(GoogleCredentials("test", {}), RetryPolicy(budget_seconds=3, sleep=lambda _: None))
    with pytest.raises(ServiceError, match=r"gs://project/token\.txt: answered ConnectionError"):
        storage.read_bytes("gs://project/token.txt")


def test_a_download_that_breaks_off_is_tried_again(gcs_server, monkeypatch, tmp_path):
    """A real client behind a door that cuts the first answers short."""
    with cutting_proxy(gcs_server, cuts=2) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        waits = []
        storage = open_storage(GoogleCredentials("test", {}), RetryPolicy(sleep=waits.append))
        storage.download("gs://project/large.jsonl", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == CONTENT
    assert waits


@contextlib.contextmanager
def cutting_proxy(target, cuts):
    """Hands requests on; the first `cuts` answers end in the middle."""
    left = [cuts]

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            """Say nothing."""

        def do_GET(self):
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            with urllib.request.urlopen(urllib.request.Request(target + self.path, headers=headers)) as answer:
                body = answer.read()
                self.send_response(answer.status)
                for name in ("Content-Type", "X-Goog-Hash", "X-Goog-Generation"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            left[0] -= 1
            self.wfile.write(body[: len(body) // 2] if left[0] >= 0 else body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(storage, request):
    """A folder with two files, one in a folder within, and the object that the console makes for a folder."""
    root = storage.local_path("gs://project/token.txt")
    names = ["uploads/b.csv", "uploads/a b.csv", "uploads/deeper/c.csv", "uploads-of-others/d.csv"]
    for name in names:
        if root is not None:
            path = root.parent / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        else:
            upload_object(request.getfixturevalue("gcs_server"), name, b"x")
    if root is None:
        upload_object(request.getfixturevalue("gcs_server"), "uploads/", b"")
    return "gs://project/uploads/"


def upload_object(address, name, content):
    quoted = urllib.parse.quote(name, safe="")
    url = f"{address}/upload/storage/v1/b/project/o?uploadType=media&name={quoted}"
    urllib.request.urlopen(urllib.request.Request(url, content, {"Content-Type": "text/plain"})).close()


def test_a_folder_is_listed_by_name_without_the_folders_in_it(storage, folder):
    assert storage.list_folder(folder) == ["a b.csv", "b.csv"]
    assert "token.txt" in storage.list_folder("gs://project/")


def test_a_folder_of_this_machine_is_listed_alike(storage, tmp_path):
    (tmp_path / "uploads" / "deeper").mkdir(parents=True)
    (tmp_path / "uploads" / "a.csv").touch()
    assert storage.list_folder(f"file://{tmp_path}/uploads/") == ["a.csv"]


@pytest.mark.parametrize("url", ["gs://project/none/", "gs://no-such-bucket/", "gs://no-such-bucket/a/", "file:///no/"])
def test_a_folder_that_is_not_there_is_told(storage, url):
    with pytest.raises(ConfigurationError, match=f"{url}: no such folder"):
        storage.list_folder(url)


def test_a_folder_that_may_not_be_listed_says_what_is_missing(monkeypatch):
    with refusing_server() as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        storage = open_storage(GoogleCredentials("test", {}), RetryPolicy())
        with pytest.raises(
            ServiceError, match="gs://project/uploads/: answered Forbidden; expected permission to list"
        ):
            storage.list_folder("gs://project/uploads/")


@contextlib.contextmanager
def refusing_server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            """Say nothing."""

        def do_GET(self):
            self.send_error(403)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
