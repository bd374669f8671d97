"""The virtual environment on this machine is made once, by one run at a time, and renewed with the lock file."""

import os
import shutil
import subprocess
import sys

import pytest

from engagement.foundation import compiled_code

FETCH = "2_fetch_raw_data.sh"

FAKE_PIPENV = """#!/usr/bin/env bash
[[ $1 != --version ]] || { echo 'pipenv, version 0'; exit "${FAKE_PIPENV_VERSION_EXIT:-0}"; }
printf '%s\\n' "$PIPENV_VENV_IN_PROJECT" "$PIPENV_PIPFILE" "$HOME" "$@" "---" >>"$FAKE_PIPENV_LOG"
[[ $1 != sync || -z ${FAKE_PIPENV_WAITS_FOR:-} ]] || until [[ -e $FAKE_PIPENV_WAITS_FOR ]]; do sleep 0.02; done
[[ $1 != sync ]] || { printf 'what pipenv printed\\n'; exit "${FAKE_PIPENV_EXIT:-0}"; }
mkdir -p "${PIPENV_PIPFILE%/*}/.venv/bin"
cp "$FAKE_ENVIRONMENT_PYTHON" "${PIPENV_PIPFILE%/*}/.venv/bin/python"
"""
FAKE_PYTHON_3_12 = """#!/usr/bin/env bash
[[ $1 != --version ]] || echo 'Python 3.12.0'
exit "${FAKE_PYTHON_3_12_EXIT:-0}"
"""


@pytest.fixture
def bare_clone(clone):
    """A clone without a virtual environment, on a machine with Python 3.12 and pipenv."""
    python = clone.work / "environment python"
    shutil.move(clone.root / ".venv" / "bin" / "python", python)
    shutil.rmtree(clone.root / ".venv")
    clone.write_program(clone.programs / "python3.12", FAKE_PYTHON_3_12)
    clone.write_program(clone.programs / "pipenv", FAKE_PIPENV)
    # The user's own home, which is looked up when HOME says nothing, is not to matter.
    clone.write_program(clone.programs / "getent", "#!/usr/bin/env bash\nexit 2\n")
    clone.pipenv_log = clone.work / "pipenv.log"
    clone.variables = {
        "PIPELINE_RUNTIME": "host",
        "FAKE_PIPENV_LOG": str(clone.pipenv_log),
        "FAKE_ENVIRONMENT_PYTHON": str(python),
        "HOME": "",
        "PYENV_ROOT": str(clone.work),
    }
    return clone


def pipenv_calls(clone):
    if not clone.pipenv_log.exists():
        return []
    return [part.strip("\n").split("\n") for part in clone.pipenv_log.read_text().split("---\n") if part.strip()]


def fetch(clone, **variables):
    return clone.run(FETCH, *clone.arguments_of(FETCH), **{**clone.variables, **variables})


def test_a_bare_machine_is_set_up_once_also_with_an_empty_home(bare_clone):
    result = fetch(bare_clone)
    assert result.returncode == 0, result.stderr
    assert "Setting up the virtual environment with Python 3.12.0" in result.stderr
    home = str(bare_clone.root / ".tools" / "home")
    pipfile = str(bare_clone.root / "Pipfile")
    assert pipenv_calls(bare_clone) == [
        ["1", pipfile, home, "--python", str(bare_clone.programs / "python3.12")],
        ["1", pipfile, home, "sync"],
    ]
    assert "Setting up" not in fetch(bare_clone).stderr
    assert len(pipenv_calls(bare_clone)) == 2
    install, *fetches = bare_clone.stage_calls
    requirement = str(bare_clone.root / ".tools" / "boundaries.txt")
    assert install == ["install", "--no-deps", "--require-hashes", "--requirement", requirement]
    assert [call[0] for call in fetches] == ["fetch-raw-data"] * 2


def test_boundaries_are_added_to_an_environment_without_them_and_are_no_must(clone):
    (clone.root / ".venv" / "boundaries").unlink()
    arguments = (FETCH, *clone.arguments_of(FETCH))
    without = clone.run(*arguments, PIPELINE_RUNTIME="host", PIPELINE_MAPS="no")
    assert (without.returncode, [call[0] for call in clone.stage_calls]) == (0, ["fetch-raw-data"])
    refused = clone.run(*arguments, PIPELINE_RUNTIME="host", FAKE_STATUS="install=1")
    assert refused.returncode == 14
    assert "the boundaries for maps could not be installed" in refused.stderr
    assert "with PIPELINE_MAPS=no it does without them" in refused.stderr
    assert clone.run(*arguments, PIPELINE_RUNTIME="host").returncode == 0
    assert clone.run(*arguments, PIPELINE_RUNTIME="host").returncode == 0
    assert [call[0] for call in clone.stage_calls[1:]] == ["install", "install", "fetch-raw-data", "fetch-raw-data"]


def test_the_demo_adds_scikit_learn_by_itself_and_says_so(bare_clone):
    demo = bare_clone.work / "demo"
    # The sandbox ends at once, which ends the demo; the environment is whole before that.
    result = bare_clone.run(
        "run_demo.sh", "--runtime", "host", demo, **bare_clone.variables, FAKE_STATUS="sandbox-prepare=14"
    )
    assert result.returncode == 14
    assert [call[3:] for call in pipenv_calls(bare_clone)][1:] == [["sync"], ["sync", "--categories", "suggestions"]]
    assert "Installing scikit-learn for suggested labels, 200 MB; this is done once." in result.stderr


def test_dask_is_added_once_and_only_where_it_is_wanted(bare_clone):
    stage = "3_generate_outputs.sh"
    arguments = bare_clone.arguments_of(stage)
    for _ in range(2):
        assert bare_clone.run(stage, *arguments, **bare_clone.variables).returncode == 0
    assert [call[3:] for call in pipenv_calls(bare_clone)][1:] == [["sync"]]
    on_cluster = (stage, "--scheduler", "tcp://10.0.0.5:8786", *arguments)
    refused = bare_clone.run(*on_cluster, **bare_clone.variables, FAKE_PIPENV_EXIT="1")
    assert refused.returncode == 14
    assert "Dask could not be installed" in refused.stderr
    for _ in range(2):
        assert bare_clone.run(*on_cluster, **bare_clone.variables).returncode == 0
    assert [call[3:] for call in pipenv_calls(bare_clone)][2:] == [["sync", "--categories", "cluster"]] * 2
    assert bare_clone.stage_calls[-1][-2:] == ["--scheduler", "tcp://10.0.0.5:8786"]


def test_a_changed_lock_file_is_synchronised(bare_clone):
    fetch(bare_clone)
    with (bare_clone.root / "Pipfile.lock").open("a") as lock:
        lock.write("\n")
    assert fetch(bare_clone).returncode == 0
    assert [call[3] for call in pipenv_calls(bare_clone)] == ["--python", "sync", "sync"]


def test_two_runs_at_once_set_it_up_once(bare_clone, wait_for):
    arguments = bare_clone.arguments_of(FETCH)[:-1]
    go = bare_clone.work / "go on"
    variables = {**bare_clone.variables, "FAKE_PIPENV_WAITS_FOR": str(go)}
    first = bare_clone.start(FETCH, *arguments, bare_clone.work / "one", **variables)
    wait_for(lambda: [call[3] for call in pipenv_calls(bare_clone)] == ["--python", "sync"])
    second = bare_clone.start(FETCH, *arguments, bare_clone.work / "two", **variables)
    assert "Another run is setting up" in second.stderr.readline()
    go.touch()
    errors = [run.communicate(timeout=30)[1] for run in (first, second)]
    assert [run.returncode for run in (first, second)] == [0, 0]
    assert [call[3] for call in pipenv_calls(bare_clone)] == ["--python", "sync"]
    assert "Another run is setting up" not in errors[0]


def test_a_set_up_that_is_refused_exits_14_and_is_tried_again(bare_clone):
    result = fetch(bare_clone, FAKE_PIPENV_EXIT="1")
    assert result.returncode == 14
    assert "what pipenv printed" in result.stderr
    assert bare_clone.stage_calls == []
    assert fetch(bare_clone).returncode == 0


def test_a_machine_without_python_3_12_exits_14_and_says_what_to_install(bare_clone):
    # What is on the PATH can be pyenv's placeholder, which is there and refuses to run.
    result = fetch(bare_clone, FAKE_PYTHON_3_12_EXIT="127")
    assert result.returncode == 14
    assert "no Python 3.12, 3.13 or 3.14 on this machine. Install one" in result.stderr
    assert pipenv_calls(bare_clone) == []


def test_pyenvs_python_is_found_when_the_one_on_the_path_refuses(bare_clone):
    version = bare_clone.work / "versions" / "3.12.7" / "bin"
    version.mkdir(parents=True)
    bare_clone.write_program(version / "python3.12", "#!/usr/bin/env bash\nexit 0\n")
    assert fetch(bare_clone, FAKE_PYTHON_3_12_EXIT="127").returncode == 0
    assert pipenv_calls(bare_clone)[0][3:] == ["--python", str(version / "python3.12")]


def test_a_machine_without_pipenv_gets_the_version_that_the_dockerfile_names(bare_clone):
    # This Python makes a virtual environment whose own Python writes down that it was asked to install.
    own_python = bare_clone.work / "own python"
    bare_clone.write_program(
        own_python, '#!/usr/bin/env bash\nprintf \'%s\\n\' "$@" --- >>"$FAKE_PIPENV_LOG"\nexit 1\n'
    )
    script = f'#!/usr/bin/env bash\n[[ $2 != venv ]] || {{ mkdir -p "$3/bin"; cp "{own_python}" "$3/bin/python"; }}\n'
    bare_clone.write_program(bare_clone.programs / "python3.12", script)
    result = fetch(bare_clone, FAKE_PIPENV_VERSION_EXIT="1")
    assert result.returncode == 14
    (version,) = [
        line.partition("=")[2]
        for line in (bare_clone.root / "Dockerfile").read_text().splitlines()
        if line.startswith("ARG PIPENV_VERSION=")
    ]
    assert pipenv_calls(bare_clone) == [["-m", "pip", "install", f"pipenv=={version}"]]


def test_a_newer_python_does_where_there_is_no_3_12(bare_clone):
    version = bare_clone.work / "versions" / "3.13.2" / "bin"
    version.mkdir(parents=True)
    bare_clone.write_program(version / "python3.13", "#!/usr/bin/env bash\nexit 0\n")
    assert fetch(bare_clone, FAKE_PYTHON_3_12_EXIT="127").returncode == 0
    assert pipenv_calls(bare_clone)[0][3:] == ["--python", str(version / "python3.13")]


def test_a_python_that_is_named_is_used_or_refused(bare_clone):
    named = bare_clone.work / "my python"
    bare_clone.write_program(named, "#!/usr/bin/env bash\nexit 0\n")
    assert fetch(bare_clone, PIPELINE_PYTHON=str(named)).returncode == 0
    assert pipenv_calls(bare_clone)[0][3:] == ["--python", str(named)]
    (bare_clone.root / ".venv" / "synchronised").unlink()
    assert fetch(bare_clone, PIPELINE_PYTHON="/usr/bin/false").returncode == 14


@pytest.fixture
def coded_clone(clone):
    """A clone whose code is two modules, and whose Python is a real one."""
    package = clone.root / "src" / "engagement"
    (package / "inner").mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "from engagement.inner import said\nprint(said.TEXT, said.__cached__, flush=True)\n"
    )
    (package / "inner" / "said.py").write_text("TEXT = 'one'\n")
    (package / "foundation").mkdir()
    shutil.copy(compiled_code.__file__, package / "foundation")
    (clone.root / ".venv" / "compiled").unlink()
    clone.write_program(clone.root / ".venv" / "bin" / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    return clone


def compiled_files(clone) -> dict[str, int]:
    found = {path.name.partition(".")[0]: path.stat().st_ino for path in clone.root.rglob("__pycache__/*")}
    found.pop("compiled_code", None)
    return found


def test_the_code_is_compiled_once_for_each_change(coded_clone):
    said = coded_clone.root / "src" / "engagement" / "inner" / "said.py"
    assert fetch_on_host(coded_clone).stdout.startswith("one ")
    first = compiled_files(coded_clone)
    assert first.keys() == {"__init__", "__main__", "said"}
    assert fetch_on_host(coded_clone).stdout.startswith("one ")
    assert compiled_files(coded_clone) == first
    # Of the same size and time: what it was compiled from says that it is another one.
    before = said.stat()
    said.write_text("TEXT = 'two'\n")
    os.utime(said, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert fetch_on_host(coded_clone).stdout.startswith("two ")
    assert compiled_files(coded_clone) == first
    said.write_text("TEXT = 'three'\n")
    assert fetch_on_host(coded_clone).stdout.startswith("three ")
    after = compiled_files(coded_clone)
    assert {name for name in first if after[name] != first[name]} == {"said"}
    assert not (coded_clone.root / ".tools" / "compiled").exists()


def test_what_can_not_be_compiled_runs_as_it_is(coded_clone):
    # Where the compiled files would be is no folder that this can make.
    (coded_clone.root / ".tools").mkdir()
    (coded_clone.root / ".tools" / "compiled").write_text("in the way")
    result = fetch_on_host(coded_clone)
    assert (result.returncode, result.stdout[:4]) == (0, "one ")
    assert compiled_files(coded_clone) == {}
    # It is not tried at each start.
    (coded_clone.root / ".tools" / "compiled").unlink()
    fetch_on_host(coded_clone)
    assert compiled_files(coded_clone) == {}


def test_a_full_disk_leaves_no_compiled_file_that_was_cut_short(coded_clone):
    said = coded_clone.root / "src" / "engagement" / "inner" / "said.py"
    said.write_text(f"TEXT = 'one'\nMORE = '{'more ' * 1000}'\n")
    script, *arguments = FETCH, *coded_clone.arguments_of(FETCH)
    limited = ["bash", "-c", 'ulimit -f 2; exec "$@"', "-", coded_clone.root / "run_scripts" / script, *arguments]
    environment = coded_clone.environment(PIPELINE_RUNTIME="host")
    result = subprocess.run(limited, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (result.returncode, result.stdout[:4]) == (0, "one ")
    assert compiled_files(coded_clone) == {}
    said.touch()
    fetch_on_host(coded_clone)
    assert compiled_files(coded_clone).keys() == {"__init__", "__main__", "said"}


def fetch_on_host(clone) -> subprocess.CompletedProcess:
    result = clone.run_on_host(FETCH, *clone.arguments_of(FETCH))
    assert result.returncode == 0, result.stderr
    return result
