"""The program's identity changes with any of its files, and with nothing else."""

from pathlib import Path

import pytest

from engagement.foundation import own_code


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "foundation" / "data").mkdir(parents=True)
    (tmp_path / "foundation" / "own_code.py").write_text("x = 1\n")
    (tmp_path / "foundation" / "data" / "names.csv").write_text("a\n")
    monkeypatch.setattr(own_code, "__file__", str(tmp_path / "foundation" / "own_code.py"))
    return tmp_path


def describe() -> object:
    own_code.describe_own_code.cache_clear()
    try:
        return own_code.describe_own_code()
    finally:
        own_code.describe_own_code.cache_clear()


@pytest.mark.parametrize(
    "name", ["foundation/own_code.py", "foundation/data/names.csv", "foundation/new.py", "new.json"]
)
def test_a_changed_or_new_file_is_another_program(package: Path, name: str):
    before = describe()
    (package / name).write_text("y = 2\n")
    assert describe() != before


def test_a_moved_file_is_another_program(package: Path):
    before = describe()
    (package / "foundation" / "data" / "names.csv").rename(package / "foundation" / "names.csv")
    assert describe() != before


def test_what_python_compiled_is_none_of_it(package: Path):
    before = describe()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "own_code.cpython-312.pyc").write_bytes(b"x")
    (package / "__pycache__" / "leftover").write_bytes(b"x")
    assert describe() == before
