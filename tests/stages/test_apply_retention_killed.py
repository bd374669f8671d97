"""Removals of what is over age that are killed: the next one ends with the same, and tells of all that went."""

import os
import shutil
from pathlib import Path

from engagement.configuration.retention import Retention
from engagement.custody.retention.overdue import RetentionPlaces, find_overdue
from engagement.custody.retention.removal import RetentionRequest, remove_overdue
from faults import KILLED, NOW, Changes, in_server
from retention_project import PERIODS, RetentionProject


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
