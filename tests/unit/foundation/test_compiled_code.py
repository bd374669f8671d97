"""The project's code is compiled beside, looked at, and only then replaced; what runs it needs the standard library alone."""

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from engagement.foundation import compiled_code
from engagement.foundation.compiled_code import compile_code


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A package of two modules."""
    package = tmp_path / "src" / "package"
    package.mkdir(parents=True)
    for name in ("one", "two"):
        (package / f"{name}.py").write_text(f"TEXT = {name!r}\n")
    return package


def compiled_of(path: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(path)))


def test_only_what_is_newer_is_compiled_again(source: Path, tmp_path: Path):
    assert compile_code(source, tmp_path / "scratch") == 2
    before = compiled_of(source / "one.py").stat()
    assert compile_code(source, tmp_path / "scratch") == 0
    newer = before.st_mtime_ns + 10**9
    os.utime(source / "two.py", ns=(newer, newer))
    assert compile_code(source, tmp_path / "scratch") == 1
    assert compiled_of(source / "one.py").stat().st_ino == before.st_ino
    assert not (tmp_path / "scratch").exists()


def test_what_was_compiled_is_of_this_source_only(source: Path, tmp_path: Path):
    compile_code(source, tmp_path / "scratch")
    status = (source / "one.py").stat()
    (source / "one.py").write_text("TEXT = 'wun'\n")
    # Of the same size and time.
    os.utime(source / "one.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    command = [sys.executable, "-B", "-c", "import one, two; print(one.TEXT, two.TEXT, two.__cached__)"]
    found = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["wun", "two", str(compiled_of(source / "two.py"))]


def test_nothing_is_replaced_where_one_can_not_be_compiled(source: Path, tmp_path: Path):
    (source / "three.py").write_text("TEXT = \n")
    with pytest.raises(py_compile.PyCompileError):
        compile_code(source, tmp_path / "scratch")
    assert not (source / "__pycache__").exists()
    (source / "three.py").write_text("TEXT = 3\n")
    # What the last one left is in nobody's way.
    assert (tmp_path / "scratch").exists()
    assert compile_code(source, tmp_path / "scratch") == 3


def test_a_file_that_was_cut_short_gets_no_name(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = py_compile.compile

    def cut_short(path: str, target: str, *arguments: object, **options: object) -> None:
        real(path, target, *arguments, **options)  # type: ignore[call-overload]
        os.truncate(target, 20)

    monkeypatch.setattr(py_compile, "compile", cut_short)
    with pytest.raises((EOFError, ValueError)):
        compile_code(source, tmp_path / "scratch")
    assert not (source / "__pycache__").exists()


def test_it_runs_by_its_path_without_any_package(source: Path, tmp_path: Path):
    command = [sys.executable, "-I", "-S", compiled_code.__file__, str(source), str(tmp_path / "scratch")]
    subprocess.run(command, check=True)
    assert compiled_of(source / "one.py").exists()
