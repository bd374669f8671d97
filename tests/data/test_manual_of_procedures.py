"""The runbook's procedures do what it says: a participant is deleted, a backup is gone back to, State/ is removed."""

import contextlib
import logging
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_rapidpro
from chain_project import RUN_ID, ChainProject, add_night, make_workspace
from engagement.__main__ import main
from fake_rapidpro import Workspace

OF_ONE_PARTICIPANT = "avf-phone-uuid-0004"
TABLES = ("messages.csv", "individuals.csv", "production.csv")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def project(tmp_path: Path, workspace: Workspace) -> Iterator[ChainProject]:
    """A project that has run once."""
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path / "project", address)
        run_stages(project, 1, 2, 3, 4)
        yield project


def run_stages(project: ChainProject, *stages: int) -> None:
    for stage in stages:
        assert main(project.arguments(stage)) == 0


def tables(data_root: Path) -> dict[str, str]:
    return {name: (data_root / "Outputs" / name).read_text() for name in TABLES}


def holding(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_deleted_participant_is_in_no_file_of_the_data_root(project, workspace, caplog):
    run_stages(project, 1)
    assert holding(project.data_root, OF_ONE_PARTICIPANT)
    workspace.contacts = [contact for contact in workspace.contacts if contact["uuid"] != "contact-4"]
    for name in ("Raw Data", "State", "Outputs", "Coded Coda Files"):
        (project.data_root / name).rename(project.folder / f"moved away {name}")
    (file,) = (project.data_root / "Contacts").iterdir()
    subprocess.run(["sed", "--in-place", f"/{OF_ONE_PARTICIPANT}/d", file], check=True)
    with caplog.at_level(logging.WARNING):
        run_stages(project, 1, 2, 3, 4)
    assert "left out until their contact is in the contacts with a URN: contact-4" in caplog.text
    assert holding(project.data_root, OF_ONE_PARTICIPANT) == []
    assert len(tables(project.data_root)["individuals.csv"].splitlines()) == 1 + 11


def test_the_run_after_a_backup_was_gone_back_to_makes_the_same_tables(project, workspace):
    main(project.arguments(6))
    before = tables(project.data_root)
    archive, restored = project.backups / f"data-{RUN_ID}.tar.gz", project.folder / "restored"
    assert main(["backup-data-root", "--restore", str(archive), "--into", str(restored)]) == 0
    shutil.rmtree(project.data_root)
    restored.rename(project.data_root)
    run_stages(project, 1, 2, 3, 4)
    assert tables(project.data_root) == before


def test_without_its_state_a_project_makes_the_same_tables(project):
    before = tables(project.data_root)
    shutil.rmtree(project.data_root / "State")
    run_stages(project, 1, 2, 3, 4)
    assert tables(project.data_root) == before


def test_a_damaged_raw_file_is_written_anew_when_it_is_moved_away(project):
    path = next((project.data_root / "Raw Data").glob("*activation.jsonl"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"biyo", b"BIYO"))
    assert main(project.arguments(3)) == 11
    path.rename(project.folder / path.name)
    run_stages(project, 2, 3)
    assert path.read_bytes() == whole


def test_the_embedded_uuid_table_is_backed_up_and_brought_back(project, workspace):
    """By the runbook's lines: the table by SQLite's own backup, the key as a file."""
    table, key, safe = (
        project.embedded / "uuid_tables.sqlite",
        project.embedded / "uuid_tables.key",
        project.folder / "safe",
    )
    safe.mkdir()
    with (
        contextlib.closing(sqlite3.connect(table)) as source,
        contextlib.closing(sqlite3.connect(safe / table.name)) as copy,
    ):
        source.backup(copy)
    shutil.copy(key, safe)
    before = tables(project.data_root)
    for path in (table, key):
        path.unlink()
    assert main(project.arguments(2)) == 10
    assert not key.exists()
    for path in (table, key):
        shutil.copy(safe / path.name, path)
    add_night(workspace, range(13, 15))
    run_stages(project, 2, 3)
    rows = tables(project.data_root)["individuals.csv"].splitlines()
    assert set(before["individuals.csv"].splitlines()) < set(rows)
    assert [row.partition(",")[0] for row in rows].count("avf-phone-uuid-0013") == 1
