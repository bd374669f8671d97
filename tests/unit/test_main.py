"""The entry point by itself: its help, its version, and what it says of a wrong name."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engagement import __main__ as entry
from engagement.__main__ import COMMANDS, DESK, MACHINERY, STAGES, main
from engagement.foundation.revision import find_revision

ALL = {**STAGES, **COMMANDS}
SOURCE = Path(entry.__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ALL)
def test_the_help_says_of_each_command_what_its_module_says(name: str):
    command = ALL[name]
    path = SOURCE / Path(*command.module.split(".")).with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring is not None
    assert command.summary == docstring.splitlines()[0].removesuffix(".")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_has_one_line_a_command_in_three_groups(capsys: pytest.CaptureFixture[str], option: str):
    assert main([option]) == 0
    shown = capsys.readouterr().out
    groups = re.split(r"\n\n(\w+):\n", shown)[1:]
    assert groups[::2] == ["Stages", "Desk", "Machinery"]
    for lines, commands in zip(groups[1::2], (STAGES, DESK, MACHINERY), strict=True):
        listed = [line.split(maxsplit=1) for line in lines.splitlines()]
        assert listed == [[name, command.summary] for name, command in commands.items()]


def test_no_command_is_in_two_groups():
    assert len(ALL) == len(STAGES) + len(DESK) + len(MACHINERY)


def test_neither_the_help_nor_the_version_imports_a_command():
    program = """if True:
        import sys
        from engagement.__main__ import COMMANDS, STAGES, main
        main(["--help"])
        main(["--version"])
        sys.exit(bool({command.module for command in {**STAGES, **COMMANDS}.values()} & set(sys.modules)))
    """
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, stdout=subprocess.DEVNULL).returncode == 0


def test_an_unknown_name_is_a_usage_error_that_shows_the_help(capsys: pytest.CaptureFixture[str]):
    assert main(["fetch"]) == main([]) == 2
    errors = capsys.readouterr().err
    assert "no stage or command named 'fetch'" in errors
    assert errors.count("Usage: ") == 2


def copy_entry(folder: Path) -> Path:
    """Put a package there that is no clone's: its `__main__`, and a link to all else."""
    package = folder / "src" / "engagement"
    package.mkdir(parents=True)
    for path in (SOURCE / "engagement").iterdir():
        if path.name != "__main__.py":
            (package / path.name).symlink_to(path)
    (package / "__main__.py").write_bytes((SOURCE / "engagement" / "__main__.py").read_bytes())
    return package.parent


def version_of(source: Path, **variables: str) -> str:
    path = {"PATH": os.environ["PATH"]}
    # Above the folder may be anybody's repository.
    environment = {**path, "PYTHONPATH": str(source), "GIT_CEILING_DIRECTORIES": str(source.parents[1]), **variables}
    command = [sys.executable, "-m", "engagement", "--version"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_version_is_the_commit_that_is_checked_out(tmp_path: Path):
    source = copy_entry(tmp_path / "clone")
    git = ["git", "-C", tmp_path / "clone", "-c", "user.name=Invented", "-c", "user.email=invented@example.org"]
    for arguments in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message=Invent something"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert version_of(source) == f"engagement {commit}"
    # The clone's own counts, whatever the surroundings say.
    assert version_of(source, ENGAGEMENT_REVISION="0" * 40) == f"engagement {commit}"


def test_without_git_the_version_is_the_images_else_unknown(tmp_path: Path):
    source = copy_entry(tmp_path / "clone")
    assert version_of(source) == "engagement unknown\n"
    assert version_of(source, ENGAGEMENT_REVISION="a" * 40) == f"engagement {'a' * 40}\n"
    assert version_of(source, ENGAGEMENT_REVISION="a" * 40, PATH=str(tmp_path)) == f"engagement {'a' * 40}\n"


def test_the_version_of_this_clone_is_a_commit_or_unknown():
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", find_revision())


def test_an_error_that_can_not_be_written_down_keeps_its_status(tmp_path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "engagement", "status", tmp_path / "missing"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
        assert subprocess.run(command, stderr=full, env=environment).returncode == 2


def test_garbage_is_looked_for_again_once_the_modules_are_there(tmp_path: Path):
    # In a process of its own, as main() leaves the rest of this one alone.
    program = (
        "import atexit, gc, runpy; atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000));"
        "runpy.run_module('engagement', run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", program, "status", tmp_path / "missing"]
    found = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (2, "True True\n")
