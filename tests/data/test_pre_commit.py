"""The checks before a commit: each can be run, passes on the project as it is, and fails on what it is there for."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
(REPOSITORY,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = {hook["id"]: hook for hook in REPOSITORY["hooks"]}
PROGRAMS = [name for name, hook in HOOKS.items() if hook["language"] == "system"]
KEY = "-----BEGIN {}PRIVATE KEY-----"

# What each is there for, as a file's name and content.
WRONG = {
    "ruff": ("wrong.py", b"import os\n"),
    "ruff-format": ("wrong.py", b"x = [1,2]\n"),
    "mypy": ("wrong.py", b'number: int = "one"\n'),
    "shellcheck": ("wrong.sh", b"#!/usr/bin/env bash\necho $1\n"),
    "shfmt": ("wrong.sh", b"if true; then\n  echo\nfi\n"),
    "large-files": ("large", bytes(600 * 1024)),
}


def project_files() -> list[Path]:
    """Every file of the project, but for what is made anew and kept out of git."""
    folders = [ROOT / name for name in ("src", "tests", "run_scripts", "configurations", "docs", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*")]
    found += [path for path in ROOT.iterdir() if path.name != ".git"]
    return sorted(path for path in found if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts))


def files_for(hook: dict) -> list[Path]:
    """The files that pre-commit would give to a hook, by their kind."""
    (kind,) = hook.get("types", ["file"])
    if kind == "python":
        return [path for path in project_files() if path.suffix == ".py"]
    if kind == "shell":
        return [path for path in project_files() if path.suffix == ".sh" or path.parent.name == ".ci"]
    return project_files()


def run(hook: dict, *arguments: object) -> subprocess.CompletedProcess:
    command = [*shlex.split(hook["entry"]), *map(str, arguments)]
    # As from a shell of one's own: what the tests are run with is not the tools' concern.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_every_hook_is_known_here():
    assert REPOSITORY["repo"] == "local"
    assert {*WRONG, "private-keys"} == set(HOOKS)


# These take long, and run_tests.sh makes the same checks: they are compared with those, and not made twice.
CHECKED_ALREADY = ("mypy", "shellcheck")
RUN_TESTS = (ROOT / "run_scripts" / "run_tests.sh").read_text()


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in CHECKED_ALREADY])
def test_a_hook_passes_on_the_project(name: str):
    hook = HOOKS[name]
    found = run(hook, *(files_for(hook) if hook.get("pass_filenames", True) else ()))
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_hook_for_types_is_the_check_that_run_tests_makes():
    hook = HOOKS["mypy"]
    assert not hook["pass_filenames"]
    command = f'"$tools/{hook["entry"].removeprefix(".venv/bin/")}'.replace("python ", 'python" ')
    assert f'check "{hook["name"]}" env --chdir="$project_root" {command}\n' in RUN_TESTS


def test_the_hook_for_bash_is_the_check_that_run_tests_makes_of_every_script():
    hook = HOOKS["shellcheck"]
    program, options = hook["entry"].removeprefix(".venv/bin/").split(maxsplit=1)
    assert f'check "{hook["name"]}" "$tools/{program}" {options} "${{scripts[@]}}"\n' in RUN_TESTS
    (patterns,) = re.findall(r"^ +scripts=\((.+)\)$", RUN_TESTS, re.MULTILINE)
    checked = [path for pattern in re.findall(r'"\$project_root"/(\S+)', patterns) for path in ROOT.glob(pattern)]
    assert sorted(checked) == files_for(hook)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_hook_fails_on_what_it_is_there_for(name: str, tmp_path: Path):
    file, content = WRONG[name]
    (tmp_path / file).write_bytes(content)
    assert run(HOOKS[name], tmp_path / file).returncode == 1


def private_keys_in(content: bytes) -> bool:
    pattern = re.compile(HOOKS["private-keys"]["entry"].encode())
    # Line by line, as pre-commit does.
    return any(pattern.search(line) for line in content.splitlines(keepends=True))


def test_no_private_key_is_in_the_project():
    assert [path for path in project_files() if private_keys_in(path.read_bytes())] == []


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_found_as_a_file_and_in_a_service_accounts_json(kind: str):
    begin = KEY.format(kind)
    assert private_keys_in(f"{begin}\nMIIEvQIBADANBgkq\n".encode())
    assert private_keys_in(f'{{"private_key": "{begin}\\nMIIEvQIBADANBgkqhkiG\\n"}}'.encode())
