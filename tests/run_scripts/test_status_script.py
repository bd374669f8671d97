"""pipeline_status.sh finds data roots, and does with whatever the machine has."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
STATUS = "pipeline_status.sh"


def add_run(data_root, hours_ago=3.0, exit_status=0, has_ended=True, stages=(2,)):
    """Write a run's summary as run_pipeline.sh does."""
    started = datetime.now(UTC) - timedelta(hours=hours_ago)
    run_id = f"{started:%Y-%m-%dT%H%M%SZ}-unknown"
    ended = f'"{started:%Y-%m-%dT%H:%M:%SZ}"' if has_ended else "null"
    lines = ",".join(
        f'\n    {{"counts": {{}}, "exit_status": {exit_status}, "name": "stage {number}", "peak_memory_mib": 9, "seconds": 1.0, '
        f'"stage": {number}, "started": "2026-11-22T02:05:11Z"}}'
        for number in stages
    )
    (data_root / "Runs").mkdir(parents=True, exist_ok=True)
    (data_root / "Runs" / f"{run_id}.json").write_text(
        f'{{\n  "ended": {ended},\n  "exit_status": {exit_status},\n  "run_id": "{run_id}",\n  "stages": [{lines}\n  ],\n'
        f'  "started": "{started:%Y-%m-%dT%H:%M:%SZ}"\n}}\n'
    )
    return run_id


@pytest.fixture
def bare(clone):
    """A machine without environment, engine, image and any Python that is new enough."""
    (clone.root / ".venv" / "bin" / "python").unlink()
    for name in ("python3", "python3.12"):
        clone.write_program(clone.programs / name, "#!/usr/bin/env bash\nexit 1\n")
    return clone


def test_folders_and_lists_stand_for_their_data_roots(clone):
    roots = [clone.work / "shows" / name / "data root" for name in ("one", "two")]
    for root in roots:
        (root / "Runs").mkdir(parents=True)
    clone.data_root.mkdir()
    listed = clone.work / "list"
    listed.write_text(f"# invented\n\n{clone.data_root}\n{roots[1]}")
    assert clone.run(STATUS, "--json", clone.work / "shows", listed).returncode == 0
    assert clone.stage_calls == [["status", "--json", *map(str, [*roots, clone.data_root, roots[1]])]]


@pytest.mark.parametrize(
    ("run", "options", "words", "status"),
    [
        ({}, [], "ok ", 0),
        ({}, ["--max-age", "3.5"], "ok ", 0),
        ({"hours_ago": 30}, ["--max-age", "26"], "too old", 11),
        # A single stage by hand is no good night.
        ({"stages": (6,)}, ["--max-age", "26"], "too old", 11),
        ({"exit_status": 12}, [], "failed 12: stage 2", 11),
        ({"exit_status": 14, "stages": ()}, [], "failed 14 ", 11),
        ({"has_ended": False}, [], "killed", 11),
        (None, [], "no run yet", 11),
    ],
)
def test_the_essentials_need_only_bash(bare, run, options, words, status):
    bare.data_root.mkdir()
    if run is not None:
        add_run(bare.data_root, **run)
    result = bare.run(STATUS, *options, bare.data_root, FAKE_DOCKER_INFO_EXIT="1")
    assert (result.returncode, result.stderr) == (status, "")
    header, line = result.stdout.splitlines()
    assert line[30:].startswith(words)
    assert line.endswith(str(bare.data_root))
    assert header.startswith("Last run ended")


def test_without_python_a_page_is_refused(bare):
    bare.data_root.mkdir()
    result = bare.run(STATUS, "--html", bare.work / "page.html", bare.data_root, FAKE_DOCKER_INFO_EXIT="1")
    assert result.returncode == 14
    assert "this machine has no Python 3.12 and no image of this version" in result.stderr


def test_a_python_of_the_machine_is_enough_and_shows_what_the_environment_would(bare):
    (bare.root / "src" / "engagement" / "file").unlink()
    (bare.root / "src" / "engagement").rmdir()
    (bare.root / "src" / "engagement").symlink_to(PROJECT_ROOT / "src" / "engagement")
    # Without the environment's packages.
    bare.write_program(bare.programs / "python3.12", f'#!/usr/bin/env bash\nexec "{sys.executable}" -S "$@"\n')
    add_run(bare.data_root)
    run_id = add_run(bare.work / "second", exit_status=12)
    result = bare.run(STATUS, "--json", bare.data_root, bare.work / "second", FAKE_DOCKER_INFO_EXIT="1")
    assert result.returncode == 11
    first, second = json.loads(result.stdout)
    assert (first["status"], second["status"], second["failed_stage"]) == ("ok", "failed", "2 stage 2")
    assert second["run_id"] == run_id


def test_quiet_prints_only_what_is_wrong(bare):
    add_run(bare.data_root)
    result = bare.run(STATUS, "--quiet", bare.data_root, FAKE_DOCKER_INFO_EXIT="1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    add_run(bare.data_root, hours_ago=1, exit_status=12)
    result = bare.run(STATUS, "--quiet", bare.data_root, FAKE_DOCKER_INFO_EXIT="1")
    assert result.returncode == 11
    assert "failed 12: stage 2" in result.stderr
