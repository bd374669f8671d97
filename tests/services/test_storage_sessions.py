"""Uploads that are killed: the next process sends only what is missing, and the address that it needs is kept as a secret."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage import google_upload as storage_google_upload
from engagement.services.storage.local_files import Uploaded
from engagement.services.storage.protocol import open_storage
from fake_storage import fake_storage

SOURCE = Path(__file__).resolve().parents[2] / "src"
MEBIBYTE = 2**20
URL = "gs://project/data.tar.gz"

# A process that dies, without a chance to clear up, once it has sent so many pieces.
UPLOAD_AND_DIE = """
import os, sys
from pathlib import Path
from engagement.services.storage import google_upload as uploads
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage

path, url, sessions, piece_bytes, pieces = sys.argv[1:]
uploads.PIECE_BYTES = int(piece_bytes)
send, sent = uploads._Upload.send, 0

def send_and_die(upload, piece, start):
    global sent
    if sent == int(pieces):
        os._exit(9)
    send(upload, piece, start)
    sent += 1

uploads._Upload.send = send_and_die
open_storage(GoogleCredentials("test", {}), RetryPolicy(), Path(sessions)).upload(Path(path), url)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "my archive"
    path.write_bytes(os.urandom(4 * MEBIBYTE + 1))
    return path


@pytest.fixture
def sessions(tmp_path):
    return tmp_path / "back ups" / ".uploads"


@pytest.fixture
def fake(monkeypatch):
    with fake_storage() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        monkeypatch.setattr(storage_google_upload, "PIECE_BYTES", MEBIBYTE)
        yield server


def upload(source, sessions, url=URL):
    policy = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
    return open_storage(GoogleCredentials("test", {}), policy, sessions).upload(source, url)


def upload_and_die(source, sessions, pieces, url=URL, piece_bytes=MEBIBYTE):
    arguments = [str(source), url, str(sessions), str(piece_bytes), str(pieces)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    assert subprocess.run([sys.executable, "-c", UPLOAD_AND_DIE, *arguments], env=environment).returncode == 9


def test_an_upload_that_was_killed_goes_on_where_it_was(fake, source, sessions, caplog):
    caplog.set_level("INFO")
    upload_and_die(source, sessions, 3)
    (kept,) = sessions.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert fake.received_bytes == 3 * MEBIBYTE
    assert upload(source, sessions) is Uploaded.CREATED
    assert fake.objects == {"data.tar.gz": source.read_bytes()}
    assert fake.received_bytes == source.stat().st_size
    assert len(fake.sessions) == 1
    assert "resuming an earlier upload" in caplog.text
    # The address is worth nothing any more, and is in no log.
    assert list(sessions.iterdir()) == []
    assert "/session/" not in caplog.text


def test_the_file_of_an_address_is_private_whatever_the_umask(fake, source, sessions):
    before = os.umask(0)
    try:
        upload_and_die(source, sessions, 1)
    finally:
        os.umask(before)
    (kept,) = sessions.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_an_upload_that_was_killed_before_it_was_told_that_it_ended_is_not_sent_again(fake, source, sessions):
    upload_and_die(source, sessions, 4)
    fake.faults += ["unanswered"]
    (session,) = fake.sessions
    # The last piece arrives, and nobody is there to hear of it.
    kept = fake.sessions[session][2]
    kept += source.read_bytes()[len(kept) :]
    assert upload(source, sessions) is Uploaded.CREATED
    assert fake.objects == {"data.tar.gz": source.read_bytes()}
    assert fake.received_bytes == 4 * MEBIBYTE


def test_what_arrived_of_another_content_is_not_gone_on_with(fake, source, sessions):
    upload_and_die(source, sessions, 2)
    source.write_bytes(os.urandom(source.stat().st_size))
    assert upload(source, sessions) is Uploaded.CREATED
    assert fake.objects == {"data.tar.gz": source.read_bytes()}
    assert list(sessions.iterdir()) == []


def test_an_upload_that_the_service_has_forgotten_since_begins_again(fake, source, sessions):
    upload_and_die(source, sessions, 2)
    fake.sessions.clear()
    assert upload(source, sessions) is Uploaded.CREATED
    assert fake.objects == {"data.tar.gz": source.read_bytes()}


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: "",
        lambda kept: "{",
        lambda kept: "[]",
        lambda kept: json.dumps({**json.loads(kept), "version": 0}),
        lambda kept: json.dumps({**json.loads(kept), "session_url": 5}),
        lambda kept: json.dumps({**json.loads(kept), "server": "http://another"}),
    ],
)
def test_a_note_that_can_not_be_used_costs_sending_the_file_again(fake, source, sessions, damage):
    upload_and_die(source, sessions, 2)
    (kept,) = sessions.iterdir()
    kept.write_text(damage(kept.read_text()))
    assert upload(source, sessions) is Uploaded.CREATED
    assert fake.received_bytes == 2 * MEBIBYTE + source.stat().st_size
    assert list(sessions.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_no_reason_not_to_upload(fake, source, sessions, caplog):
    sessions.parent.mkdir()
    sessions.write_text("in the way")
    assert upload(source, sessions) is Uploaded.CREATED
    assert "An upload interrupted now would start again" in caplog.text


def test_two_at_once_leave_one_whole_object(fake, source, sessions):
    upload_and_die(source, sessions, 1)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    arguments = [str(source), URL, str(sessions), str(MEBIBYTE), "1000"]
    command = [sys.executable, "-c", UPLOAD_AND_DIE, *arguments]
    processes = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert fake.objects == {"data.tar.gz": source.read_bytes()}
    assert list(sessions.iterdir()) == []


def test_an_upload_to_a_real_server_leaves_no_address_behind(gcs_server, monkeypatch, source, sessions):
    # That server takes the question what has arrived for the end of the upload: it can't be asked to go on.
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    url = f"gs://project/{time.time_ns()}.tar.gz"
    storage = open_storage(GoogleCredentials("test", {}), RetryPolicy(), sessions)
    assert storage.upload(source, url) is Uploaded.CREATED
    assert storage.read_bytes(url) == source.read_bytes()
    assert list(sessions.iterdir()) == []
