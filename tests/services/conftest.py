"""Real local servers for the contract tests of the services."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

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
