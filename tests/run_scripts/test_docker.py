"""Stages in real containers of the real image, where a Docker engine answers."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RUN_SCRIPTS = PROJECT_ROOT / "run_scripts"

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine():
    """A Docker engine that answers."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker command on this machine")
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        pytest.skip("the Docker engine takes longer than 10 seconds to answer")
    if answer.returncode != 0:
        pytest.skip("no Docker engine answers on this machine")


class Project:
    """The demo's configuration and embedded services, in folders with spaces in their names."""

    def __init__(self, folder: Path):
        self.credentials = folder / "my credentials" / "embedded.json"
        self.embedded = folder / "embedded services"
        self.configuration = folder / "my project" / "pipeline_configuration.json"
        self.data_root = folder / "data root"
        shutil.copytree(PROJECT_ROOT / "configurations" / "demo", self.configuration.parent)
        storage = self.embedded / "storage" / "demo-credentials"
        for directory in (self.credentials.parent, self.embedded / "coda", storage):
            directory.mkdir(parents=True)
        self.credentials.write_text(json.dumps({"type": "embedded", "directory": "../embedded services"}))
        (storage / "firebase.json").write_text(json.dumps({"type": "embedded", "directory": "../.."}))
        (storage / "rapid-pro-token.txt").write_text("invented-token\n")

    def start(self, script, *arguments):
        environment = {name: value for name, value in os.environ.items() if name != "PIPELINE_RUNTIME"}
        return subprocess.Popen(
            [RUN_SCRIPTS / script, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetch(self):
        return self.start("2_fetch_raw_data.sh", "me", self.credentials, self.configuration, self.data_root)

    def containers(self):
        """Ids of the containers that see this project's data root, ended ones included."""
        command = ["docker", "ps", "--all", "--quiet", "--filter", f"volume={self.data_root}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def project(engine, tmp_path):
    return Project(tmp_path)


def test_a_stage_reads_and_writes_through_its_mounts_and_leaves_no_container(project):
    message = {
        "MessageID": "invented",
        "Text": "invented",
        "CreationDateTimeUTC": "2026-09-01T10:00:00+00:00",
        "Labels": [],
        "SequenceNumber": 1,
        "LastUpdated": "2026-09-02T10:00:00+00:00",
    }
    (project.embedded / "coda" / "DEMO_gender.json").write_text(json.dumps([message]))
    process = project.start(
        *["1_coda_get.sh", "--pipeline-configuration", project.configuration],
        *[project.credentials, project.embedded, project.data_root],
    )
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    written = project.data_root / "Coded Coda Files" / "DEMO_gender.json"
    assert [found["MessageID"] for found in json.loads(written.read_text())] == ["invented"]
    assert written.stat().st_uid == os.getuid()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert project.containers() == []


def test_a_stages_status_comes_out_of_the_container(project):
    project.configuration.write_text("{}")
    process = project.fetch()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 10, errors
    assert f"ERROR: {project.configuration}: " in errors


def test_a_stage_reaches_this_machines_own_server_and_a_signal_ends_it(project):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(120)
        document = json.loads(project.configuration.read_text())
        document["RawDataSources"][0]["Domain"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        project.configuration.write_text(json.dumps(document))
        process = project.fetch()
        # The server takes the call and never answers, so the stage is in the middle of its work.
        with contextlib.closing(server.accept()[0]):
            assert len(project.containers()) == 1
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert project.containers() == []
