"""Retention: archives, logs and records of runs that are over age go, a receipt stays, and nothing of anybody else's. All is invented."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engagement.configuration.loading import load_pipeline_configuration
from engagement.custody.retention.last_run import read_last_retention
from engagement.custody.retention.overdue import RetentionPlaces, find_overdue
from engagement.desk.audits.events import find_events
from faults import NOW, in_server
from retention_project import PERIODS, RetentionProject, run_id, run_where_nothing_can_be_removed


@pytest.fixture
def project(tmp_path):
    """Runs of two years, a month apart, the newest of tonight; the schemes change twice."""
    project = RetentionProject(tmp_path)
    for number, days_ago in enumerate(range(720, -1, -30)):
        project.add_run(days_ago, schemes=[f"scheme {number // 10}"])
    # Earlier ones, of which the pipeline had no records.
    (project.root / "Runs" / "restore_drills.jsonl").write_text("{}\n")
    return project


def removed_by_kind(receipt):
    return {one["Kind"]: one["Count"] for one in receipt["Removed"]}


def test_what_is_over_age_goes_and_the_rest_keeps_its_bytes(project):
    before = project.files
    ended = project.apply()
    assert ended.status == 0, ended.told
    gone = before - project.files
    by_folder = {}
    for name in gone:
        by_folder.setdefault(str(Path(name).parent), set()).add(Path(name).name)
    old = {days: run_id(days) for days in range(720, -1, -30)}
    # A file of exactly the period's age is not over age.
    assert by_folder["back ups"] == {f"data-{name}.tar.gz" for days, name in old.items() if days > 90}
    assert by_folder["logs"] == {
        file for days, name in old.items() for file in (f"{name}.log", f"memory-{name}.profile") if days > 180
    }
    past = {f"{name}.json" for days, name in old.items() if days > 365}
    assert by_folder["data root/Runs"] == by_folder["data root/Runs/manifests"] == past
    # The first scheme, and the configurations of 700 to 400 days ago.
    assert len(by_folder["data root/State/run_inputs"]) == 1 + 4
    assert len(by_folder) == 5
    assert "Removed 21 archive(s), the oldest of 2024-04-13" in ended.told


def test_the_receipt_names_what_went_and_by_whom(project):
    before = project.files
    project.apply()
    (receipt,) = project.receipts
    assert (receipt["By"], receipt["Periods"], receipt["Begun"]) == ("asha", PERIODS, NOW.isoformat())
    names = [name for one in receipt["Removed"] for name in one["Names"]]
    assert sorted(names) == sorted(Path(name).name for name in before - project.files)
    assert [one["Count"] for one in receipt["Removed"]] == [len(one["Names"]) for one in receipt["Removed"]]
    (event,) = [event for event in find_events(project.root) if event.what == "apply-retention"]
    assert (event.by, event.time, event.counts) == ("asha", NOW, removed_by_kind(receipt))


def test_a_dry_run_lists_it_with_counts_and_the_oldest_and_removes_nothing(project):
    before = project.files
    ended = project.apply("--dry-run")
    assert ended.status == 0
    assert project.files == before
    assert not (project.root / "Runs" / "retention").exists()
    assert "Would remove 21 archive(s), the oldest of 2024-04-13 02:30Z:" in ended.told
    listed = {line.rpartition("Would remove ")[2] for line in ended.told.splitlines()}
    project.apply()
    assert {str(project.folder / name) for name in before - project.files} <= listed


def test_the_last_run_is_noted_with_what_is_due_next(project):
    project.apply()
    last = read_last_retention(project.root)
    assert (last.at, last.removed) == (NOW.isoformat(), removed_by_kind(project.receipts[0]))
    tomorrow, later = "2026-04-04", "2026-04-09"
    assert last.due == {
        "archive": tomorrow,
        "log": tomorrow,
        "memory profile": tomorrow,
        "run record": later,
        "manifest": later,
    }


def test_asked_twice_it_says_so(project):
    project.apply()
    files = project.files
    ended = project.apply()
    assert (
        "Nothing is older than the configuration keeps; the last removal was on 2026-04-03T02:30:00+00:00" in ended.told
    )
    assert (project.files, len(project.receipts)) == (files, 1)


@pytest.mark.parametrize("retention", [None, {"Logs": "P180D"}, {"Runs": "P1Y"}, {"Archives": "P90D"}])
def test_only_what_was_asked_for_goes(project, retention):
    project.configure(retention)
    before = project.files
    ended = project.apply()
    assert ended.status == 0, ended.told
    folders = {"Logs": "logs/", "Runs": "data root/", "Archives": "back ups/"}
    gone = before - project.files
    assert {key for key, folder in folders.items() if any(name.startswith(folder) for name in gone)} == set(
        retention or ()
    )


def test_the_newest_and_what_belongs_to_the_newest_good_runs_stays(tmp_path):
    project = RetentionProject(tmp_path)
    project.add_run(900)
    good_night = project.add_run(800)
    by_hand = project.add_run(700, stages=[6])
    for days_ago in (600, 500):
        project.add_run(days_ago, status=12)
    newest = project.add_run(400, is_ended=False)
    before = project.files
    # Nothing younger than any period is there, as after a long pause or with a wrong clock.
    held = project.apply()
    assert held.status == 13
    assert "all but the newest one" in held.told
    assert "Nothing was removed. Check this machine's clock" in held.told
    assert project.files == before
    assert project.apply("--accept-all").status == 0
    left = project.files
    assert {name for name in left if name.startswith("back ups/data-")} == {f"back ups/data-{newest}.tar.gz"}
    for run in (good_night, by_hand, newest):
        assert {f"logs/{run}.log", f"logs/memory-{run}.profile", f"data root/Runs/{run}.json"} <= left
        assert f"data root/Runs/manifests/{run}.json" in left
    assert len([name for name in left if name.startswith("data root/Runs/")]) == 6


def test_a_kind_that_is_no_longer_made_is_no_sign_of_a_wrong_clock(project):
    for path in sorted(project.logs.glob("memory-*"))[4:]:
        path.unlink()
    ended = project.apply()
    assert ended.status == 0, ended.told
    assert [path.name for path in project.logs.glob("memory-*")] == [f"memory-{run_id(630)}.profile"]


def test_what_is_not_this_data_roots_stays(project, tmp_path):
    other = tmp_path / "another root"
    other.mkdir()
    theirs = project.add_archive(run_id(5000), other)
    nobodys = project.backups / f"data-{run_id(4000)}.tar.gz"
    nobodys.write_text("of an earlier version")
    strange = [
        project.backups / "data-2020-01-01.tar.gz",
        project.backups / f"data-{run_id(4000)}.tar.gz.partial",
        project.logs / f"{run_id(4000)}.log",
        project.logs / f"notes {run_id(690)}.log",
        project.logs / "2020-13-45T000000Z-unknown.log",
        project.root / "Runs" / "notes.json",
        project.root / "Runs" / f"{run_id(3000)}.json",
        project.root / "State" / "run_inputs" / "notes.json",
    ]
    for path in strange:
        path.write_text('{"mine": true}')
    target = project.logs / "linked to"
    target.write_text("mine")
    linked = project.logs / f"{run_id(3000)}.log"
    linked.symlink_to(target)
    ended = project.apply()
    assert ended.status == 0, ended.told
    assert all(path.exists() for path in (theirs, nobodys, linked, target, *strange))
    assert f"1 archive in {project.backups}, from {nobodys.name} on: nobody noted whose" in ended.told
    assert f"{run_id(3000)}.json: no record of a run" in ended.told
    assert "of no run in" in ended.told


def test_with_a_damaged_manifest_no_configuration_goes(project):
    path = project.root / "Runs" / "manifests" / f"{run_id(690)}.json"
    path.write_text("{")
    inputs = {name for name in project.files if "run_inputs" in name}
    ended = project.apply()
    assert ended.status == 0, ended.told
    assert path.exists()
    assert inputs <= project.files
    assert f"{path}: damaged, or of another version" in ended.told


def test_what_a_manifest_that_stays_needs_stays(project):
    project.apply()
    digests = {Path(name).stem for name in project.files if "run_inputs" in name}
    needed = set()
    for path in (project.root / "Runs" / "manifests").glob("*.json"):
        manifest = json.loads(path.read_text())
        needed |= {manifest["configuration"], manifest["coding_plans"], *manifest["schemes"].values()}
    assert digests == needed


def test_a_file_that_can_not_be_removed_stops_it_and_the_next_one_goes_on(project):
    ended = in_server(run_where_nothing_can_be_removed, project.arguments(), str(project.backups))
    assert ended.status == 14
    assert f"{project.backups}/data-" in ended.told
    assert not project.receipts
    assert project.apply().status == 0
    assert removed_by_kind(project.receipts[0])["archive"] == 21


def test_a_broken_configuration_removes_nothing(project):
    document = json.loads(project.configuration.read_text())
    document["Retention"]["Archives"] = "P1D"
    project.configuration.write_text(json.dumps(document))
    before = project.files
    assert project.apply().status == 10
    assert project.files == before


def test_a_plan_lists_what_would_go(project):
    retention = load_pipeline_configuration(project.configuration).retention
    overdue = find_overdue(RetentionPlaces(project.root, project.backups, project.logs), retention, NOW)
    before = project.files
    project.apply()
    assert {str(one.path.relative_to(project.folder)) for one in overdue.files} == before - project.files
    assert datetime.now(UTC) > NOW
