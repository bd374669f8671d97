"""The first fetch after an old data root was taken over: the same uids, and nothing lost that RapidPro no longer has."""

from pathlib import Path

import pytest

import fake_rapidpro
from chain_project import ChainProject, make_workspace
from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.desk.project_import.old_data.old_data_root import take_over_data_root
from engagement.provenance import read_traced_data


def take_over(project: ChainProject) -> dict[str, bytes]:
    """Take over the project's data root in place of its old one; returns its raw files."""
    loaded = load_project(project.configuration)
    new = project.folder / "taken over"
    with take_over_data_root(project.data_root, new, loaded.configuration, [], {}):
        pass
    project.data_root = new
    return raw_files(new)


def raw_files(data_root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data_root / "Raw Data").glob("*.jsonl")}


def uids_in(data_root: Path) -> set[str]:
    return {
        run.values["avf_phone_id"]
        for path in (data_root / "Raw Data").glob("*.jsonl")
        for run in read_traced_data(path)
    }


def test_the_old_uuid_table_gives_the_same_uids(tmp_path: Path):
    workspace = make_workspace()
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path / "project", address)
        assert main(project.arguments(2)) == 0
        before = raw_files(project.data_root)
        assert take_over(project) == before
        uids = uids_in(project.data_root)
        assert main(project.arguments(2)) == 0
        assert uids_in(project.data_root) == uids


def test_a_fetch_that_lacks_many_old_runs_replaces_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace = make_workspace()
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path / "project", address)
        assert main(project.arguments(2)) == 0
        taken = take_over(project)
        del workspace.runs[3:]
        assert main(project.arguments(2)) == 12
        assert "far fewer runs came than before" in capsys.readouterr().err
        assert raw_files(project.data_root) == taken
