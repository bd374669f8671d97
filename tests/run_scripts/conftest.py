"""A clone of the run scripts whose docker and Python only write down how they were called."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline_runs import LATER_SCRIPTS

PROJECT_ROOT = Path(__file__).resolve().parents[2]

# Each call is its arguments, one a line, and "---". A plan is what the project's own code would print.
FAKE_DOCKER = """#!/usr/bin/env bash
printf '%s\\n' "$@" "---" >>"$FAKE_DOCKER_LOG"
case "$1" in
    context) printf '%s' "${FAKE_DOCKER_ENGINE:-unix:///invented.sock}" ;;
    info) printf '%s' "${FAKE_DOCKER_INFO:-}"; exit "${FAKE_DOCKER_INFO_EXIT:-0}" ;;
    save) printf 'an image'; exit "${FAKE_DOCKER_SAVE_EXIT:-0}" ;;
    images)
        [[ $2 != --format ]] || { cat "$FAKE_DOCKER_LOG.list" 2>/dev/null; exit 0; }
        printf '%s' "${FAKE_DOCKER_IMAGES:-}"; grep --fixed-strings --line-regexp "$3" "$FAKE_DOCKER_LOG.built" 2>/dev/null
        ;;
    image)
        [[ $2 != inspect || $4 != *engagement.clone* ]] || { sed -n "s/^$5 //p" "$FAKE_DOCKER_LOG.clones"; exit 0; }
        printf '%s' "${FAKE_DOCKER_REVISION:-}"
        ;;
    ps) [[ ${FAKE_DOCKER_PS:-} != *"${4#*=}"* ]] || printf '%b' "${FAKE_DOCKER_PS_ROW:-}" ;;
    build)
        [[ -z ${FAKE_DOCKER_BUILD_WAITS:-} ]] || timeout 60 bash -c 'until [[ -e $0 ]]; do sleep 0.02; done' "$FAKE_DOCKER_BUILD_WAITS"
        printf '%s\\n' "$@" >>"$FAKE_DOCKER_LOG.built"
        printf '%b\\n' "${FAKE_DOCKER_BUILD_OUTPUT:-what the build printed}"
        exit "${FAKE_DOCKER_BUILD_EXIT:-0}"
        ;;
    run)
        for argument in "$@"; do
            [[ $argument != container-plan ]] || {
                printf '%s\\n' "${FAKE_DOCKER_PLAN:-network none}"
                exit "${FAKE_DOCKER_PLAN_EXIT:-0}"
            }
        done
        # What a stage does that comes to run.
        [[ -z ${FAKE_DOCKER_RAN:-} ]] || printf '%s\\n' "$ENGAGEMENT_LOCK_HOLDER" >"$ENGAGEMENT_LOCK_FILE"
        exit "${FAKE_DOCKER_EXIT:-0}"
        ;;
esac
exit 0
"""

# FAKE_STATUS holds "<stage>=<status>" words; FAKE_SLEEP names a stage that goes on until a signal ends it.
FAKE_PYTHON = """#!/usr/bin/env bash
[[ $1 == -m ]] || exit 0
shift 2
stage="$1"
printf '%s\\n' "$@" "---" >>"$FAKE_PYTHON_LOG"
printf 'this is %s\\n' "$stage" >&2
options=("$@")
case "$stage" in
    sandbox-serve)
        trap 'printf "%s\\n" sandbox-stopped --- >>"$FAKE_PYTHON_LOG"; exit 0' TERM
        [[ " ${FAKE_STATUS:-} " != *" sandbox-serve="* ]] || exit "${FAKE_STATUS##*=}"
        printf '8010' >"${options[4]}"
        ;;
    "${FAKE_SLEEP:-nothing}")
        for signal in INT TERM; do
            # shellcheck disable=SC2064
            trap "printf '%s\\n' got-$signal --- >>'$FAKE_PYTHON_LOG'; exit 1" "$signal"
        done
        ;;
    *)
        touch "${FAKE_TOUCH:-/dev/null}"
        for word in ${FAKE_STATUS:-}; do
            [[ ${word%=*} != "$stage" ]] || exit "${word#*=}"
        done
        exit 0
        ;;
esac
for ((i = 0; i < 600; i++)); do sleep 0.05; done
"""


class Clone:
    """A clone of the project in a folder with a space in its name, as a person would use it."""

    def __init__(self, folder: Path):
        self.root = folder / "a clone"
        self.work = folder / "work here"
        self.programs = folder / "programs"
        self.docker_log = folder / "docker.log"
        self.python_log = folder / "python.log"
        for directory in (self.root, self.work, self.programs):
            directory.mkdir()
        shutil.copytree(PROJECT_ROOT / "run_scripts", self.root / "run_scripts")
        for name in ("Dockerfile", ".dockerignore", "Pipfile", "Pipfile.lock"):
            shutil.copy(PROJECT_ROOT / name, self.root)
        for name in ("src/engagement", "configurations/demo"):
            (self.root / name).mkdir(parents=True)
            (self.root / name / "file").write_text("invented\n")
        self.write_program(self.programs / "docker", FAKE_DOCKER)
        self.make_environment()
        self.credentials = self.work / "my key.json"
        self.configuration = self.work / "configuration folder" / "pipeline configuration.json"
        self.configuration.parent.mkdir()
        for path in (self.credentials, self.configuration):
            path.write_text("{}")
        self.data_root = self.work / "data root"
        # What is there is not cloned.
        (self.work / "CodaV2").mkdir()

    @staticmethod
    def write_program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def make_environment(self) -> None:
        """Put a virtual environment there, as the scripts leave it."""
        programs = self.root / ".venv" / "bin"
        programs.mkdir(parents=True)
        self.write_program(programs / "python", FAKE_PYTHON)
        digest = hashlib.sha256((self.root / "Pipfile.lock").read_bytes()).hexdigest()
        (self.root / ".venv" / "synchronised").write_text(f"{digest} default\n")
        for added in ("boundaries", "suggestions"):
            (self.root / ".venv" / added).write_text(f"{digest}\n")
        (self.root / ".venv" / "compiled").touch()

    def environment(self, **variables: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return {
            **inherited,
            "PATH": f"{self.programs}:/usr/local/bin:/usr/bin:/bin",
            "FAKE_DOCKER_LOG": str(self.docker_log),
            "FAKE_PYTHON_LOG": str(self.python_log),
            **variables,
        }

    def start(self, script: str, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.root / "run_scripts" / script, *arguments],
            cwd=cwd or self.work,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, script: str, *arguments: str | Path, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess:
        process = self.start(script, *arguments, cwd=cwd, **variables)
        output, errors = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def run_on_host(self, script: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess:
        return self.run(script, *arguments, PIPELINE_RUNTIME="host", **variables)

    @property
    def docker_calls(self) -> list[list[str]]:
        return _read_calls(self.docker_log)

    @property
    def container_calls(self) -> list[list[str]]:
        """The `docker run` calls."""
        return [call for call in self.docker_calls if call[0] == "run"]

    @property
    def stage_calls(self) -> list[list[str]]:
        """The calls of `python -m engagement`."""
        return _read_calls(self.python_log)

    def arguments_of(self, script: str) -> list[str | Path]:
        """Right positional arguments for a stage's script."""
        if script in ("1_coda_get.sh", "4_coda_add.sh"):
            return [self.credentials, self.work / "CodaV2", self.data_root]
        return ["me", self.credentials, self.configuration, self.data_root]

    @property
    def pipeline_arguments(self) -> list[str | Path]:
        """Right positional arguments for run_pipeline.sh."""
        return [
            "me",
            self.configuration,
            self.credentials,
            self.credentials,
            self.credentials,
            self.work / "CodaV2",
            self.data_root,
            self.work / "back ups",
            self.work / "performance logs",
        ]

    def add_fake_script(self, name: str, status: int = 0) -> None:
        """Put a stage there that only writes down its arguments."""
        lines = ["#!/usr/bin/env bash", f'printf \'%s\\n\' {name} "$@" --- >>"$FAKE_PYTHON_LOG"', f"exit {status}"]
        self.write_program(self.root / "run_scripts" / name, "\n".join(lines) + "\n")

    def read_summary(self) -> dict:
        (path,) = (self.data_root / "Runs").iterdir()
        return json.loads(path.read_text())

    def read_newest(self) -> dict:
        return json.loads(max((self.data_root / "Runs").iterdir()).read_text())


def _read_calls(log: Path) -> list[list[str]]:
    if not log.exists():
        return []
    return [part.strip("\n").split("\n") for part in log.read_text().split("---\n") if part.strip("\n")]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture
def whole_clone(clone: Clone) -> Clone:
    """A clone in which every stage has a script."""
    for name in LATER_SCRIPTS:
        clone.add_fake_script(name)
    return clone


@pytest.fixture
def wait_for() -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Wait until something holds, for at most some seconds."""
    import time

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it never came to hold"
            time.sleep(0.02)

    return wait


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "docker: needs a Docker engine; skipped where none answers")
