"""Creating files at gs:// and file:// addresses: the embedded twin, two servers that Google's client talks to, one suite."""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engagement.foundation.errors import ConfigurationError, InputError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage import google_upload as storage_google_upload
from engagement.services.storage.local_files import Uploaded
from engagement.services.storage.protocol import open_storage
from fake_storage import fake_storage

MEBIBYTE = 2**20


@pytest.fixture
def policy():
    return RetryPolicy(sleep=lambda _: None, budget_seconds=20)


@pytest.fixture
def fake():
    with fake_storage() as server:
        yield server


@pytest.fixture
def google(fake, monkeypatch, policy):
    """Google's client on the server that can be told to fail; pieces are small."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.url)
    monkeypatch.setattr(storage_google_upload, "PIECE_BYTES", MEBIBYTE)
    return open_storage(GoogleCredentials("test", {}), policy)


@pytest.fixture(params=["embedded", "fake", "gcs_server", "file"])
def target(request, tmp_path, monkeypatch, policy):
    """A storage, and the start of addresses that lie in it."""
    if request.param in ("embedded", "file"):
        start = "gs://project/" if request.param == "embedded" else f"file://{tmp_path}/some%20folder/"
        return open_storage(EmbeddedCredentials(tmp_path / "embedded"), policy), start
    server = request.getfixturevalue(request.param)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server if isinstance(server, str) else server.url)
    return open_storage(GoogleCredentials("test", {}), policy), f"gs://project/{tmp_path.name}/"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "my file"
    path.write_bytes(os.urandom(3 * MEBIBYTE + 1))
    return path


@pytest.mark.parametrize("size", [0, 1, 262_144, 9 * MEBIBYTE])
def test_a_file_arrives_whole(target, tmp_path, size):
    storage, start = target
    source = tmp_path / "my file"
    source.write_bytes(os.urandom(size))
    url = f"{start}data-{size} of a run.tar.gz" if start.startswith("gs:") else f"{start}data-{size}.tar.gz"
    assert not storage.has_object(url)
    assert storage.upload(source, url) is Uploaded.CREATED
    assert storage.has_object(url)
    assert storage.read_bytes(url) == source.read_bytes() if size < MEBIBYTE else True


def test_a_file_arrives_whole_from_a_file_system_that_the_system_copies_nothing_from(tmp_path, policy):
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as source:  # noqa: S108 - the file system in memory
        source.write(content := os.urandom(2 * MEBIBYTE + 1))
        source.flush()
        storage, url = open_storage(EmbeddedCredentials(tmp_path / "embedded"), policy), "gs://project/data.tar.gz"
        assert storage.upload(Path(source.name), url) is Uploaded.CREATED
    assert storage.read_bytes(url) == content


def test_what_is_there_is_never_replaced(target, source):
    storage, start = target
    assert storage.upload(source, f"{start}a") is Uploaded.CREATED
    assert storage.upload(source, f"{start}a") is Uploaded.IDENTICAL
    for change in (b"x", b""):
        source.write_bytes(source.read_bytes()[:-1] + change)
        assert storage.upload(source, f"{start}a") is Uploaded.DIFFERENT


def test_a_log_that_grew_since_is_the_same(target, source):
    storage, start = target
    assert storage.upload(source, f"{start}a", is_growing=True) is Uploaded.CREATED
    with source.open("ab") as file:
        file.write(b"more")
    assert storage.upload(source, f"{start}a") is Uploaded.DIFFERENT
    assert storage.upload(source, f"{start}a", is_growing=True) is Uploaded.IDENTICAL
    source.write_bytes(b"y" + source.read_bytes()[1:])
    assert storage.upload(source, f"{start}a", is_growing=True) is Uploaded.DIFFERENT
    source.write_bytes(b"y")
    assert storage.upload(source, f"{start}a", is_growing=True) is Uploaded.DIFFERENT


def test_a_file_that_is_not_there_is_an_input_error(target, tmp_path):
    storage, start = target
    with pytest.raises(InputError, match="missing: no such file"):
        storage.upload(tmp_path / "missing", f"{start}a")
    assert not storage.has_object(f"{start}a")


@pytest.mark.parametrize("server", ["fake", "gcs_server"])
def test_a_bucket_that_is_not_there_is_told(server, request, monkeypatch, source, policy):
    address = request.getfixturevalue(server)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address if isinstance(address, str) else address.url)
    storage = open_storage(GoogleCredentials("test", {}), policy)
    assert not storage.has_object("gs://no-such-bucket/a")
    with pytest.raises(ConfigurationError, match="gs://no-such-bucket/a: no such bucket"):
        storage.upload(source, "gs://no-such-bucket/a")


@pytest.mark.parametrize(
    "faults", [["503"], ["none", "503", "503"], ["half"], ["unanswered"], ["none", "none", "none", "half"]]
)
def test_what_arrived_is_not_sent_again(google, fake, source, faults):
    fake.faults += faults
    assert google.upload(source, "gs://project/a") is Uploaded.CREATED
    assert fake.objects == {"a": source.read_bytes()}
    # No fault costs more than its own piece.
    assert fake.received_bytes <= source.stat().st_size + MEBIBYTE * len([fault for fault in faults if fault != "none"])
    assert fake.faults == []


def test_the_answer_to_the_last_piece_may_get_lost(google, fake, source):
    fake.faults += ["none", "none", "none", "unanswered"]
    assert google.upload(source, "gs://project/a") is Uploaded.CREATED
    assert fake.received_bytes == source.stat().st_size


def test_an_upload_that_the_service_forgot_begins_again(google, fake, source):
    fake.faults += ["none", "lost"]
    assert google.upload(source, "gs://project/a") is Uploaded.CREATED
    assert fake.objects == {"a": source.read_bytes()}
    fake.faults += ["lost"] * 3
    with pytest.raises(ServiceError, match="gs://project/b: the upload was forgotten several times"):
        google.upload(source, "gs://project/b")


@pytest.mark.parametrize("is_same", [True, False])
def test_who_comes_second_replaces_nothing(google, fake, source, is_same):
    theirs = source.read_bytes() if is_same else b"theirs"
    fake.before_last_piece = lambda: fake.objects.setdefault("a", theirs)
    assert google.upload(source, "gs://project/a") is (Uploaded.IDENTICAL if is_same else Uploaded.DIFFERENT)
    assert fake.objects == {"a": theirs}


def test_what_changes_on_the_way_is_not_created(google, fake, source):
    fake.faults += ["changed"]
    with pytest.raises(ServiceError, match="gs://project/a: answered 400"):
        google.upload(source, "gs://project/a")
    assert fake.objects == {}


def test_a_refusal_names_the_address_and_is_not_tried_again(google, fake, source):
    fake.faults += ["403", "none"]
    with pytest.raises(ServiceError, match=r"gs://project/a: answered 403 .*; expected write permission"):
        google.upload(source, "gs://project/a")
    assert fake.faults == ["none"]


def test_a_service_that_stays_away_ends_in_a_service_error_that_hides_the_session(google, fake, source):
    fake.faults += ["503"] * 100
    with pytest.raises(ServiceError, match="gs://project/a: answered 503") as refused:
        google.upload(source, "gs://project/a")
    assert "session" not in str(refused.value)
    assert fake.objects == {}


SERVE = """
import time, fake_storage
with fake_storage.fake_storage() as server:
    print(server.url, flush=True)
    time.sleep(600)
"""


def test_a_server_that_dies_in_the_middle_is_waited_for_in_vain_and_told(monkeypatch, source, tmp_path):
    """The server is a process that is killed once the upload has begun."""
    tests = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env={**os.environ, "PYTHONPATH": tests}, stdout=subprocess.PIPE, text=True
    )
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", process.stdout.readline().strip())
    monkeypatch.setattr(storage_google_upload, "PIECE_BYTES", 262_144)
    send = storage_google_upload._Upload.send

    def send_and_kill(upload, piece, start):
        if start == 262_144 and process.poll() is None:
            process.kill()
            process.wait()
        send(upload, piece, start)

    monkeypatch.setattr(storage_google_upload._Upload, "send", send_and_kill)
    storage = open_storage(GoogleCredentials("test", {}), RetryPolicy(sleep=lambda _: None, budget_seconds=5))
    began = time.monotonic()
    with pytest.raises(ServiceError, match="gs://project/a: the connection failed"):
        storage.upload(source, "gs://project/a")
    assert time.monotonic() - began < 20


def test_of_many_who_create_one_local_file_at_once_one_does(tmp_path):
    storage = open_storage(EmbeddedCredentials(tmp_path / "embedded"), RetryPolicy())
    sources = [tmp_path / str(number) for number in range(8)]
    for source in sources:
        source.write_bytes(source.name.encode() * MEBIBYTE)
    with ThreadPoolExecutor(len(sources)) as pool:
        results = list(pool.map(lambda source: storage.upload(source, "gs://project/a"), sources))
    assert sorted(result.name for result in results) == ["CREATED"] + ["DIFFERENT"] * 7
    winner = sources[results.index(Uploaded.CREATED)]
    assert storage.read_bytes("gs://project/a") == winner.read_bytes()
