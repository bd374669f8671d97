"""Retention: archives, logs and records of runs that are over age go, a receipt stays, and nothing of anybody else's. All is invented."""

import errno
import json
import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engagement.configuration.loading import load_pipeline_configuration
from engagement.configuration.retention import Retention
from engagement.custody.backups.keeping import note_archive
from engagement.custody.retention.overdue import RetentionPlaces, find_overdue
from engagement.custody.retention.removal import RetentionRequest, remove_overdue
from engagement.custody.run_manifests.kept_inputs import keep_document
from engagement.custody.run_manifests.manifest import RunManifest, write_manifest
from engagement.desk.audits.events import find_events
from example_project import write_project
from faults import KILLED, NOW, Changes, in_server, run_stage

PERIODS = {"Archives": "P90D", "Logs": "P180D", "Runs": "P1Y"}


def run_id(days_ago):
    return f"{NOW - timedelta(days=days_ago):%Y-%m-%dT%H%M%SZ}-{'0' * 40}"


class RetentionProject:
    """A data root with runs of so many days ago, their archives and logs."""

    def __init__(self, folder, retention=PERIODS):
        self.folder = folder
        self.root, self.backups, self.logs = folder / "data root", folder / "back ups", folder / "logs"
        for path in (self.root / "Runs", self.backups, self.logs):
            path.mkdir(parents=True)
        self.configure(retention)

    def configure(self, retention):
        change = {} if retention is None else {"Retention": retention}
        self.configuration = write_project(self.folder / "configuration", lambda document: document.update(change))

    def add_run(self, days_ago, status=0, stages=range(1, 8), is_ended=True, schemes=()):
        name = run_id(days_ago)
        self.add_record(name, status, stages, is_ended)
        self.add_logs(name)
        self.add_archive(name)
        self.add_manifest(name, days_ago, schemes)
        return name

    def add_record(self, name, status=0, stages=range(1, 8), is_ended=True):
        record = {"run_id": name, "started": "2026-01-01T00:00:00Z", "exit_status": status, "ended": None}
        record["stages"] = [{"stage": number, "started": "2026-01-01T00:00:00Z"} for number in stages]
        record["ended"] = "2026-01-01T01:00:00Z" if is_ended else None
        (self.root / "Runs" / f"{name}.json").write_text(json.dumps(record))

    def add_logs(self, name):
        for log in (f"{name}.log", f"memory-{name}.profile"):
            (self.logs / log).write_text("invented")

    def add_archive(self, name, root=None):
        archive = self.backups / f"data-{name}.tar.gz"
        archive.write_text("invented")
        note_archive(archive, root or self.root)
        return archive

    def add_manifest(self, name, days_ago, schemes):
        kept = {scheme: keep_document(self.root, {"Name": scheme}) for scheme in schemes}
        configuration = keep_document(self.root, {"PipelineName": f"of {days_ago // 100}"})
        plans = keep_document(self.root, {"Plans": "always the same"})
        empty = {"versions": {}, "options": {}, "files": {}, "project_files": {}}
        same = {"version": 1, "time": "", "user": "", "account": "", "is_full": True, "configuration_file": ""}
        manifest = {**same, **empty, "configuration": configuration, "coding_plans": plans, "schemes": kept}
        write_manifest(self.root, RunManifest(run_id=name, **manifest))

    def arguments(self, *options):
        places = {"pipeline-configuration": self.configuration, "data-root": self.root}
        places |= {"backups-dir": self.backups, "performance-logs-dir": self.logs}
        given = [text for name, path in places.items() for text in (f"--{name}", str(path))]
        return ["apply-retention", "--user", "asha", *given, *options]

    def apply(self, *options):
        return in_server(run_stage, self.arguments(*options))

    def apply_and_die(self, number):
        return in_server(run_and_die, self.arguments(), self.folder, number)

    @property
    def files(self):
        """All files but receipts, by their paths in the folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and "retention" not in path.parts)
        return {str(path.relative_to(self.folder)) for path in found}

    @property
    def receipts(self):
        path = self.root / "Runs" / "retention" / "receipts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_and_die(arguments, folder, number):
    def prepare():
        changes = Changes(folder, number)
        changes.watch()
        return changes

    return run_stage(arguments, prepare)


def run_where_nothing_can_be_removed(arguments, folder):
    def refuse(event, details):
        if event == "os.remove" and str(details[0]).startswith(folder):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(details[0]))

    return run_stage(arguments, lambda: sys.addaudithook(refuse))


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


def remove_in_child(places, number=None):
    """Remove what is over age in a forked process, which dies before the change of that number; return its status and changes."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        changes = Changes(places.data_root.parent, number)
        changes.watch()
        overdue = find_overdue(places, Retention.model_validate(PERIODS), NOW)
        remove_overdue(places.data_root, overdue, RetentionRequest("asha", NOW.isoformat(), PERIODS))
        os.write(writer, str(changes.count).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(told or 0)


def list_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def remove_through_every_kill(folder, start):
    """Return what is left without a kill, and for each moment of a kill: how both processes ended, and what is left then."""
    places = RetentionPlaces(folder / "data root", folder / "back ups", folder / "logs")
    status, changes = remove_in_child(places)
    undisturbed, found = list_files(folder), []
    for number in range(1, changes + 1):
        # In the same place: archives are noted by the data root's path.
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
        ended = (remove_in_child(places, number)[0], remove_in_child(places)[0])
        found.append((ended, list_files(folder)))
    return status, undisturbed, found


def test_kill_9_at_any_moment_and_again_gives_the_same(tmp_path):
    project = RetentionProject(tmp_path / "project")
    for days_ago in (900, 800, 400, 200, 30, 0):
        project.add_run(days_ago, schemes=[f"scheme {days_ago // 500}"])
    shutil.copytree(project.folder, tmp_path / "start")
    status, undisturbed, found = in_server(remove_through_every_kill, project.folder, tmp_path / "start")
    assert (status, len(found) > 20) == (0, True)
    # What a killed process began to write, run_pipeline.sh removes before anything else.
    begun = {name for _, left in found for name in left if name.endswith(".partial")}
    for number, (ended, left) in enumerate(found, 1):
        assert ended == (KILLED, 0), f"killed before change {number}"
        assert {name: left[name] for name in left if name not in begun} == undisturbed, f"killed before change {number}"
    assert "data root/Runs/retention/receipts.jsonl" in undisturbed
    assert "data root/Runs/retention/journal.json" not in undisturbed


def test_a_removal_that_was_killed_is_told_of_even_if_all_the_rest_may_stay_by_now(tmp_path):
    project = RetentionProject(tmp_path)
    for days_ago in (900, 800, 30, 0):
        project.add_run(days_ago)
    before = project.files
    number = 1
    while project.files == before:
        project.apply_and_die(number)
        number += 1
    gone = {Path(name).name for name in before - project.files}
    project.configure({"Runs": "P10Y"})
    ended = project.apply()
    assert "An earlier removal was interrupted" in ended.told
    (receipt,) = project.receipts
    assert {name for one in receipt["Removed"] for name in one["Names"]} == gone


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
