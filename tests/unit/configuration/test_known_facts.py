"""What was found out of a project's files: it counts only while nothing that it is of has changed."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import engagement.configuration
from engagement.configuration import _HOMES
from engagement.configuration.known_facts import digest_project_files, keep_facts, recall_facts
from example_project import write_project


class Facts(msgspec.Struct, frozen=True):
    """As a stage may have them."""

    names: list[str]


FACTS = Facts(["one"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipeline configuration whose project's facts are known."""
    path = write_project(tmp_path / "configuration")
    keep_facts(tmp_path / "known.json", path, digest_project_files(path), ["a warning"], FACTS)
    return path


def recall(project: Path) -> Facts | None:
    known = recall_facts(project.parents[1] / "known.json", project, Facts)
    return None if known is None else known.facts


def test_facts_are_recalled_with_the_warnings(project: Path):
    known = recall_facts(project.parents[1] / "known.json", project, Facts)
    assert known is not None
    assert (known.facts, known.warnings) == (FACTS, ["a warning"])


def append_space(name: str) -> Callable[[Path], object]:
    def do(project: Path) -> None:
        path = project.parent / name
        path.write_bytes(path.read_bytes() + b" ")

    return do


def change_note(key: str, value: object) -> Callable[[Path], object]:
    def do(project: Path) -> None:
        note = project.parents[1] / "known.json"
        note.write_text(json.dumps({**json.loads(note.read_text()), key: value}))

    return do


def make_pipe(project: Path) -> None:
    path = project.parent / "coding_plans.json"
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "change",
    [
        append_space("pipeline_configuration.json"),
        append_space("coding_plans.json"),
        append_space("code_schemes/episode1.json"),
        lambda project: (project.parent / "code_schemes" / "episode1.json").unlink(),
        make_pipe,
        change_note("program", "another version"),
        change_note("facts", {"names": 1}),
        lambda project: (project.parents[1] / "known.json").write_text("{"),
        lambda project: (project.parents[1] / "known.json").unlink(),
    ],
)
def test_facts_of_anything_else_are_not(project: Path, change: Callable[[Path], object]):
    assert recall(project) == FACTS
    change(project)
    assert recall(project) is None


def test_facts_are_those_of_one_folder(project: Path):
    moved = project.parent.rename(project.parent.with_name("moved"))
    # The files are at their paths, but the folder has another name, which can be the pipeline's.
    project.parent.symlink_to(moved)
    assert recall(project) is None


def test_facts_are_those_of_the_files_beside_a_link(project: Path, tmp_path: Path):
    other = tmp_path / "other" / project.name
    shutil.copytree(project.parent, other.parent)
    other.unlink()
    other.symlink_to(project)
    # Beside the link there may be other coding plans.
    assert recall_facts(tmp_path / "known.json", other, Facts) is None


def test_facts_that_can_not_be_kept_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = write_project(tmp_path / "configuration")
    (tmp_path / "file").touch()
    keep_facts(tmp_path / "file" / "known.json", path, digest_project_files(path), [], FACTS)
    assert "The next run has to read the whole configuration again: " in caplog.text


def test_nothing_is_kept_of_files_that_changed_while_they_were_read(tmp_path: Path):
    path = write_project(tmp_path / "configuration")
    before = digest_project_files(path)
    append_space("coding_plans.json")(path)
    keep_facts(tmp_path / "known.json", path, before, [], FACTS)
    assert not (tmp_path / "known.json").exists()


def test_nothing_is_kept_of_files_that_can_not_be_read(tmp_path: Path):
    path = write_project(tmp_path / "configuration")
    path.write_text("{}")
    assert digest_project_files(path) == {}
    keep_facts(tmp_path / "known.json", path, {}, [], FACTS)
    assert not (tmp_path / "known.json").exists()


def test_each_name_of_the_package_has_its_home():
    assert sorted(_HOMES) == sorted(engagement.configuration.__all__)
    assert all(getattr(engagement.configuration, name).__module__.startswith("engagement.") for name in _HOMES)
    with pytest.raises(ImportError):
        from engagement.configuration import Nothing  # type: ignore[attr-defined]  # noqa: F401, PLC0415
