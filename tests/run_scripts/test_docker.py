"""Stages in real containers of the real image, where a Docker engine answers."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RUN_SCRIPTS = PROJECT_ROOT / "run_scripts"

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine():
    """A Docker engine that answers."""
    if shutil.which("docker") is None:
        pytest.skip("NOTHING WAS TESTED IN CONTAINERS: there is no docker command on this machine")
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        pytest.skip("NOTHING WAS TESTED IN CONTAINERS: the Docker engine takes longer than 10 seconds to answer")
    if answer.returncode != 0:
        pytest.skip("NOTHING WAS TESTED IN CONTAINERS: no Docker engine answers on this machine")


def clean_environment(**variables):
    """This process's environment, but for what the run scripts would take from it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
    return {**inherited, **variables}


@pytest.fixture(scope="module")
def demos(engine, tmp_path_factory):
    """The demo, run from the same seed in Docker and on this machine: the directories of both."""
    directories = {runtime: tmp_path_factory.mktemp(runtime) / "my demo" for runtime in ("docker", "host")}
    processes = [
        subprocess.Popen(
            [RUN_SCRIPTS / "run_demo.sh", "--runtime", runtime, directory],
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for runtime, directory in directories.items()
    ]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    return directories


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
        for name in ("firebase.json", "drive.json"):
            (storage / name).write_text(json.dumps({"type": "embedded", "directory": "../.."}))
        (storage / "rapid-pro-token.txt").write_text("invented-token\n")

    def start(self, script, *arguments, **variables):
        return subprocess.Popen(
            [RUN_SCRIPTS / script, *arguments],
            env=clean_environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script, *arguments, **variables):
        process = self.start(script, *arguments, **variables)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    @property
    def arguments(self):
        """The positional arguments of stages 2 and 3."""
        return ["me", self.credentials, self.configuration, self.data_root]

    def fetch_from(self, server):
        """Start stage 2 on a RapidPro that is on this machine."""
        document = json.loads(self.configuration.read_text())
        document["RawDataSources"][0]["Domain"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        self.configuration.write_text(json.dumps(document))
        return self.start("2_fetch_raw_data.sh", *self.arguments)

    def containers(self):
        """Ids of the containers that see this project, ended ones included."""
        filters = [f"--filter=volume={folder}" for folder in (self.data_root, self.configuration.parent)]
        command = ["docker", "ps", "--all", "--quiet", *filters]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def project(engine, tmp_path):
    return Project(tmp_path)


def outputs_of(directory):
    folder = directory / "data root" / "Outputs"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix == ".csv" or path.parent.name == "Coda Files"
    }


def test_the_outputs_are_the_same_bytes_in_containers_and_on_this_machine(demos):
    in_containers, on_this_machine = outputs_of(demos["docker"]), outputs_of(demos["host"])
    assert {"messages.csv", "individuals.csv", "production.csv"} <= set(in_containers)
    assert sorted(in_containers) == sorted(on_this_machine)
    assert [name for name in in_containers if in_containers[name] != on_this_machine[name]] == []


def test_the_demo_has_maps_that_need_boundaries(demos):
    for directory in demos.values():
        maps = directory / "data root" / "Outputs" / "Automated Analysis" / "maps"
        assert (maps / "mogadishu_sub_district" / "total.png").exists(), directory


def test_what_containers_write_is_the_callers_alone(demos):
    for path in (demos["docker"] / "data root").rglob("*"):
        found = path.stat()
        assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid()), path
        assert stat.S_IMODE(found.st_mode) & 0o077 == 0, path


def test_a_run_leaves_the_memory_profile_of_stage_3(demos):
    for directory in demos.values():
        (log,) = (directory / "performance logs").glob("*.log")
        lines = log.with_name(f"memory-{log.stem}.profile").read_text().splitlines()
        assert sum(bool(re.fullmatch(r"MEM \d+\.\d+ \d+\.\d+", line)) for line in lines) >= 2


PROBE = """
import json, pathlib, socket

def attempt(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "done"

def connect(host, port):
    return attempt(lambda: socket.create_connection((host, port), timeout=2))

def write(folder):
    return attempt(lambda: pathlib.Path(folder, "probe.txt").write_text("invented"))

here = pathlib.Path(__file__).parent
settings = json.loads((here / "probe.json").read_text())
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
found = {
    "network": [connect("192.0.2.1", 80), connect("127.0.0.1", settings["port"])],
    "elsewhere": [write(folder) for folder in (here, "/", "/app/src", "/etc", "/var/tmp", "/root")],
    "allowed": [write(folder) for folder in (settings["data_root"], "/tmp")],
    "capabilities": status["CapEff"].strip(),
    "no new privileges": status["NoNewPrivs"].strip(),
}
pathlib.Path(settings["data_root"], "found.json").write_text(json.dumps(found))

def clean(text):
    return None
"""


def test_stage_3_has_no_network_and_writes_nowhere_but_in_its_mounts(project, demos):
    shutil.copytree(demos["host"] / "data root" / "Raw Data", project.data_root / "Raw Data")
    plans = project.configuration.with_name("coding_plans.json")
    plans.write_text(plans.read_text().replace('"somali.gender"', '"probe:clean"'))
    project.configuration.with_name("probe.py").write_text(PROBE)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        settings = {"port": server.getsockname()[1], "data_root": str(project.data_root)}
        project.configuration.with_name("probe.json").write_text(json.dumps(settings))
        result = project.run("3_generate_outputs.sh", "--allow-project-code", *project.arguments)
    assert result.returncode == 0, result.stderr
    found = json.loads((project.data_root / "found.json").read_text())
    assert found["network"] == ["Network is unreachable", "Connection refused"]
    assert set(found["elsewhere"]) <= {"Read-only file system", "Permission denied"}
    assert found["allowed"] == ["done", "done"]
    assert (found["capabilities"], found["no new privileges"]) == ("0" * 16, "1")


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
    result = project.run(
        *["1_coda_get.sh", "--pipeline-configuration", project.configuration],
        *[project.credentials, project.embedded, project.data_root],
    )
    assert result.returncode == 0, result.stderr
    written = project.data_root / "Coded Coda Files" / "DEMO_gender.json"
    assert [found["MessageID"] for found in json.loads(written.read_text())] == ["invented"]
    assert written.stat().st_uid == os.getuid()
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert project.containers() == []


@pytest.mark.parametrize(
    ("script", "damage", "status"),
    [
        # What damages the project, and which of its own statuses the stage gives.
        ("2_fetch_raw_data.sh", lambda project: project.configuration.write_text("{}"), 10),
        ("3_generate_outputs.sh", lambda project: None, 11),
    ],
)
def test_a_stages_status_comes_out_of_the_container(project, script, damage, status):
    damage(project)
    result = project.run(script, *project.arguments)
    assert result.returncode == status, result.stderr
    assert "ERROR: " in result.stderr
    assert result.stdout == ""


def test_on_a_terminal_the_stage_has_it_too(project):
    terminal, end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as terminal, os.fdopen(end) as end:
        script = [RUN_SCRIPTS / "3_generate_outputs.sh", *project.arguments]
        streams = {"stdin": end, "stdout": end, "stderr": end}
        assert subprocess.run(script, env=clean_environment(), **streams, timeout=300).returncode == 11
        assert b"ERROR: " in terminal.read(65536)


@pytest.mark.parametrize(
    ("name", "status"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129), ("SIGKILL", -signal.SIGKILL)]
)
def test_a_script_that_is_ended_takes_its_container_along(project, name, status):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(120)
        process = project.fetch_from(server)
        # The server takes the call and never answers, so the stage is in the middle of its work.
        with contextlib.closing(server.accept()[0]):
            assert len(project.containers()) == 1
            process.send_signal(signal.Signals[name])
            _, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    wait_until_there_is_no_container(project)


@pytest.mark.parametrize("seconds", [0.6, 0.9, 1.2, 1.5])
def test_a_script_that_is_ended_while_it_starts_leaves_no_container(project, seconds):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        process = project.fetch_from(server)
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode in (143, -signal.SIGTERM)
    wait_until_there_is_no_container(project)


def processes_of_client(process):
    """Ids of the docker client that a script has started for its stage, which waits for the server."""
    command = ["pgrep", "--parent", str(process.pid), "docker"]
    return [int(pid) for pid in subprocess.run(command, capture_output=True, text=True).stdout.split()]


def names_of(containers):
    command = ["docker", "inspect", "--format", "{{slice .Name 1}}", *containers]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@contextlib.contextmanager
def stage_that_waits(project):
    """Stage 2 in a container, in the middle of its work: the server takes the call and never answers."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(120)
        process = project.fetch_from(server)
        with contextlib.closing(server.accept()[0]):
            yield process, *names_of(project.containers())
            process.kill()
            process.communicate(timeout=60)


def test_a_killed_client_leaves_no_container(project):
    with stage_that_waits(project) as (process, name):
        (client,) = processes_of_client(process)
        os.kill(client, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 137
        assert f"WARNING: removed the container {name} (stage fetch-raw-data)" in errors
        assert project.containers() == []


def test_a_killed_container_is_status_137(project):
    with stage_that_waits(project) as (process, name):
        subprocess.run(["docker", "kill", name], check=True, capture_output=True)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 137
        assert "fetch-raw-data was killed, most likely because memory ran out." in errors
        assert "WARNING" not in errors


def test_a_stage_that_needs_more_memory_than_it_has_is_status_137(project):
    plans = project.configuration.with_name("coding_plans.json")
    plans.write_text(plans.read_text().replace('"somali.gender"', '"hungry:clean"'))
    project.configuration.with_name("hungry.py").write_text("taken = bytearray(b'x' * 2**30)\n")
    options = ["3_generate_outputs.sh", "--allow-project-code", *project.arguments]
    result = project.run(*options, PIPELINE_MEMORY="300m")
    assert result.returncode == 137, result.stderr
    line = result.stderr.splitlines()[-1]
    assert line.startswith(
        "ERROR: generate-outputs was killed, most likely because memory ran out. PIPELINE_MEMORY allows it 300m."
    )
    assert project.containers() == []


def test_a_build_that_fails_leaves_no_image_and_no_container(engine, tmp_path):
    clone = tmp_path / "a clone"
    shutil.copytree(RUN_SCRIPTS, clone / "run_scripts")
    for name in ("src", "configurations/demo"):
        (clone / name).mkdir(parents=True)
    for name in (".dockerignore", "Pipfile", "Pipfile.lock"):
        shutil.copy(PROJECT_ROOT / name, clone)
    lines = (PROJECT_ROOT / "Dockerfile").read_text().splitlines()
    base = next(line.removeprefix("ARG BASE_IMAGE=") for line in lines if line.startswith("ARG BASE_IMAGE="))
    mark = f"invented-{time.time_ns()}"
    steps = [
        f"FROM {base} AS maps",
        f"LABEL invented={mark}",
        "RUN echo one >/one",
        "RUN echo two >/two && exit 3",
    ]
    (clone / "Dockerfile").write_text("\n".join(steps) + "\n")

    def mine():
        filters = [
            ["images", "--all", "--filter", f"label=invented={mark}"],
            ["ps", "--all", "--filter", f"label=invented={mark}"],
        ]
        return [
            subprocess.run(["docker", *words, "--quiet"], capture_output=True, text=True).stdout for words in filters
        ]

    script = "usage() { :; }; source run_scripts/lib/common.sh; PIPELINE_RUNTIME=docker prepare_runtime"
    command = ["bash", "-euc", script]
    result = subprocess.run(command, cwd=clone, env=clean_environment(), capture_output=True, text=True)
    assert result.returncode == 14, result.stderr
    assert "the Docker image could not be built" in result.stderr.splitlines()[-1]
    assert "Step 4/" in (clone / ".tools" / "image.log").read_text()
    assert mine() == ["", ""]


def test_an_orphan_blocks_what_can_not_remove_it_and_is_removed_by_the_next_container(project):
    with stage_that_waits(project) as (process, name):
        (client,) = processes_of_client(process)
        # The script can't clean up, as after a power cut of everything but the engine.
        process.send_signal(signal.SIGSTOP)
        os.kill(client, signal.SIGKILL)
        process.kill()
        process.communicate(timeout=60)
        assert names_of(project.containers()) == [name]
        refused = project.run("2_fetch_raw_data.sh", *project.arguments, PIPELINE_RUNTIME="host")
        assert refused.returncode == 4, refused.stderr
        assert f"still working on this directory: fetch-raw-data in the container {name}, since 20" in refused.stderr
        result = project.run("3_generate_outputs.sh", *project.arguments)
        assert result.returncode == 11
        assert f"WARNING: removed the container {name} (stage fetch-raw-data)" in result.stderr
        assert project.containers() == []


def test_a_second_copy_is_refused_and_leaves_the_first_alone(project):
    with stage_that_waits(project) as (process, name):
        refused = project.run("3_generate_outputs.sh", *project.arguments)
        assert refused.returncode == 4
        assert names_of(project.containers()) == [name]
        assert process.poll() is None


def wait_until_there_is_no_container(project):
    deadline = time.monotonic() + 10
    while project.containers():
        assert time.monotonic() < deadline, "a container is left"
        time.sleep(0.1)


def test_an_engine_of_another_machine_is_refused(project, tmp_path):
    configuration = {"DOCKER_CONFIG": str(tmp_path / "docker configuration")}
    command = ["docker", "context", "create", "far", "--docker", "host=tcp://192.0.2.1:2376"]
    subprocess.run(command, env={**os.environ, **configuration}, check=True, capture_output=True)
    without_host = {name: value for name, value in clean_environment().items() if name != "DOCKER_HOST"}
    for variables in ({"DOCKER_HOST": "ssh://me@192.0.2.1"}, {**configuration, "DOCKER_CONTEXT": "far"}):
        command = [RUN_SCRIPTS / "3_generate_outputs.sh", *project.arguments]
        result = subprocess.run(command, env={**without_host, **variables}, capture_output=True, text=True, timeout=5)
        assert result.returncode == 14
        assert "192.0.2.1" in result.stderr
        assert "is another machine's" in result.stderr


def test_the_image_lists_the_stages_and_names_its_commit(project):
    script = "usage() { :; }; source run_scripts/lib/common.sh; build_image; image_revision; printf '%s' \"$image\""
    command = ["bash", "-euc", script]
    answer = subprocess.run(
        command, cwd=PROJECT_ROOT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    revision, image = answer.stdout.split()
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", revision)
    command = ["docker", "run", "--rm", "--network", "none", image, "--help"]
    usage = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {"fetch-raw-data", "generate-outputs"} <= set(usage.split())
    command[-1] = "--version"
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert version == f"engagement {revision}\n"
