"""The sandbox's commands: prepare a demo, serve it, label it and go on to the next round."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from engagement.configuration import load_project
from engagement.foundation.errors import InputError, MachineError
from engagement.sandbox import code, prepare, serve
from engagement.sandbox.demo_directory import DemoDirectory, SandboxState
from engagement.sandbox.workspace import DEFAULT_SEED
from engagement.services.coda.embedded import FolderCoda
from engagement.services.credentials import EmbeddedCredentials, load_credentials
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from sandbox_season import cached_workspace

WORKSPACE = cached_workspace(DEFAULT_SEED, 0)


def call(command, *arguments: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    command.run(parser.parse_args(arguments))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("prepared") / "a demo"
    call(prepare, "--directory", str(directory))
    return directory


@pytest.fixture
def directory(prepared, tmp_path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "a demo"))


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".sqlite"
    }


def test_prepare_makes_all_that_a_run_needs(directory):
    demo = DemoDirectory(directory)
    for name in ("google_cloud_credentials.json", "coda_credentials.json"):
        assert load_credentials(demo.credentials / name) == EmbeddedCredentials(demo.embedded.resolve())
    stored = demo.embedded / "storage" / "demo-credentials"
    for name in ("firebase.json", "drive.json"):
        assert load_credentials(stored / name) == EmbeddedCredentials(demo.embedded.resolve())
    assert (stored / "rapid-pro-token.txt").read_text() == WORKSPACE.token + "\n"
    assert load_project(demo.configuration_file).configuration.pipeline_name == "Demo"
    assert {"data root", "backups", "performance logs"} <= {path.name for path in directory.iterdir()}


def test_prepare_gives_participants_the_seed_s_uuids(directory):
    table = EmbeddedUuidTable(directory / "embedded", "DEMO")
    assert table.uuids_for(list(WORKSPACE.uuid_mappings)) == WORKSPACE.uuid_mappings


def test_prepare_twice_changes_nothing(directory):
    # The configuration has the paths of the files that others sent.
    call(prepare, "--directory", str(directory))
    before = contents(directory)
    call(prepare, "--directory", str(directory))
    assert contents(directory) == before


def test_prepare_keeps_the_round_and_the_coda_folder(directory):
    demo = DemoDirectory(directory)
    demo.write_state(SandboxState(round_number=3))
    FolderCoda(demo.embedded).create_dataset("DEMO_age", ["one@example.org"], [])
    call(prepare, "--directory", str(directory))
    assert demo.read_state() == SandboxState(DEFAULT_SEED, 3)
    assert FolderCoda(demo.embedded).has_dataset("DEMO_age")


@pytest.mark.parametrize(
    "state",
    ["[]", "{}", '{"Version": 2, "Seed": 1, "Round": 0}', '{"Version": 1, "Seed": 1, "Round": -1}', "{"],
)
def test_a_damaged_state_is_named(directory, state):
    (directory / "embedded" / "sandbox_state.json").write_text(state)
    with pytest.raises(InputError, match="sandbox_state.json"):
        call(prepare, "--directory", str(directory))


def test_serve_writes_the_address_then_the_ready_file_and_ends_when_told(directory, tmp_path):
    ready_file = tmp_path / "ready"
    arguments = ["sandbox-serve", "--directory", str(directory), "--ready-file", str(ready_file)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen([sys.executable, "-m", "engagement", *arguments], env=environment, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        while not ready_file.exists() and server.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        address = f"http://127.0.0.1:{int(ready_file.read_text())}"
        source, _ = load_project(DemoDirectory(directory).configuration_file).configuration.raw_data_sources
        assert source.domain == address
        token = (directory / "embedded" / "storage" / "demo-credentials" / "rapid-pro-token.txt").read_text().strip()
        request = urllib.request.Request(
            f"{address}/api/v2/workspace.json", headers={"Authorization": f"Token {token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert json.load(reply) == WORKSPACE.workspace
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=10)
    finally:
        server.kill()
    assert server.returncode == 0
    assert not ready_file.exists()
    assert token.encode() not in log


def test_a_port_that_is_taken_is_named(directory, tmp_path):
    with serve.serve(WORKSPACE) as address, pytest.raises(MachineError, match="can't listen"):
        port = address.rpartition(":")[2]
        call(serve, "--directory", str(directory), "--ready-file", str(tmp_path / "ready"), "--port", port)
    assert not (tmp_path / "ready").exists()


def test_code_labels_every_dataset_and_begins_the_next_round(directory, caplog):
    caplog.set_level("INFO")
    demo, texts = DemoDirectory(directory), ["wiil", "gabar", "nin", "naag"]
    coda = FolderCoda(demo.embedded)
    coda.create_dataset("DEMO_gender", ["one@example.org"], [])
    messages = [
        {"MessageID": f"id-{number}", "Text": text, "CreationDateTimeUTC": "2026-08-06T10:00:00Z", "Labels": []}
        for number, text in enumerate(texts)
    ]
    coda.add_messages("DEMO_gender", messages)
    before = coda.read_messages("DEMO_gender")
    call(code, "--directory", str(directory))
    after = coda.read_messages("DEMO_gender")
    assert demo.read_state().round_number == 1
    labelled = [message for message in after if message["Labels"]]
    assert len(labelled) >= 3
    assert [{**message, "Labels": [], "LastUpdated": ""} for message in after] == [
        {**message, "LastUpdated": ""} for message in before
    ]
    assert all(message["LastUpdated"] >= before[0]["LastUpdated"] for message in labelled)
    users = {label["Origin"]["OriginID"] for message in labelled for label in message["Labels"]}
    assert users <= set(load_project(demo.configuration_file).configuration.coda_users)
    assert not any(text in caplog.text for text in texts)


def test_code_before_any_run_only_begins_the_next_round(directory):
    call(code, "--directory", str(directory))
    assert DemoDirectory(directory).read_state() == SandboxState(DEFAULT_SEED, 1)
    assert not list((directory / "data root").iterdir())
