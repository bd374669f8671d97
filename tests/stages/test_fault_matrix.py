"""Every stage, killed between any two changes, on a full disk, with a clock that jumps: one more run makes it good.

What a run leaves is compared byte for byte with what an undisturbed one leaves. The clock stands still in all of them, so that
nothing has to be left out; databases are compared by their rows. See `faults` for how a process is made to die.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import traceback
from datetime import timedelta

import pytest

import fake_rapidpro
from chain_project import STAGES, ChainProject, add_night, differences, make_workspace
from engagement.services.coda.embedded import FolderCoda
from example_project import label
from faults import KILLED, NOW, Changes, in_server, limit_files, run_stage

# Spread evenly, the first and the last change among them; with FAULT_MOMENTS=1000 it is every one, which takes five minutes.
MOST_MOMENTS = int(os.environ.get("FAULT_MOMENTS", "8"))
FIRST_RUN, SECOND_RUN = "2026-04-03T023000Z-unknown", "2026-04-04T023000Z-unknown"
THIRD_RUN = "2026-04-05T023000Z-unknown"
# About how many changes each stage makes, to be killed in the middle of them.
CHANGES_OF_STAGES = {1: 12, 2: 80, 3: 60, 4: 20, 5: 60, 6: 2, 7: 6}
FILE_SIZES = (0, 3000, 30_000)


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    """A project on the morning after its second night, with copies of how it was before each stage of that night."""
    workspace = make_workspace()
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path_factory.mktemp("season") / "a project", address)
        in_server(run_night, project, STAGES, FIRST_RUN)
        label_messages(project)
        add_night(workspace, range(13, 19))
        in_server(run_night, project, STAGES, SECOND_RUN, True)
        project.keep("after")
        yield project


def label_messages(project):
    """Label what is in Coda, as its page does."""
    coda = FolderCoda(project.embedded, clock=lambda: NOW)
    for dataset, scheme, code in (("EXAMPLE_s01e01", "episode1", "water"), ("EXAMPLE_gender", "gender", "man")):
        messages = coda.read_messages(dataset)
        assert messages
        coda.save_labels(dataset, [{**message, "Labels": [label(scheme, code)]} for message in messages[:3]])


def run_night(project, stages, run_id, keeps=False, now=NOW):
    """Run stages in order, and give how each ended; all of them have to end well."""
    project.leave_log(run_id)
    for stage in stages:
        if keeps:
            project.keep(f"before {stage}")
        ended = run_stage(project.arguments(stage, run_id), now=now)
        assert ended.status == 0, ended.told


def count_changes(project, stage, run_id):
    """How many changes a stage makes."""
    changes = Changes(project.folder)
    ended = run_stage(project.arguments(stage, run_id), lambda: watch(changes))
    assert ended.status == 0, ended.told
    return ended.changes


def watch(changes):
    changes.watch()
    return changes


def choose_moments(count, most=MOST_MOMENTS):
    """Moments from 1 to `count`, at most so many, spread evenly."""
    return sorted({1 + (count - 1) * step // max(1, most - 1) for step in range(most)}) if count else []


def kill_at_moments(project, stage, before, most=MOST_MOMENTS):
    """Kill a stage at moment after moment, each time from the same start; give what one more run did not make good."""
    project.put_back(before)
    count = count_changes(project, stage, SECOND_RUN)
    expected = project.contents()
    problems = []
    for moment in choose_moments(count, most):
        project.put_back(before)
        changes = Changes(project.folder, last=moment)
        ended = run_stage(project.arguments(stage, SECOND_RUN), lambda changes=changes: watch(changes))
        problems += check_one_more_run(project, stage, expected, ended, {KILLED}, f"killed at {moment} of {count}")
    return count, problems


def check_one_more_run(project, stage, expected, ended, statuses, what):
    if ended.status not in statuses:
        return [(what, "ended with", ended.status, ended.told)]
    # An archive that has its name already is not made again.
    run_id = SECOND_RUN if stage != 6 else "2026-04-04T043000Z-unknown"
    again = run_stage(project.arguments(stage, run_id))
    if again.status != 0:
        return [(what, "one more run ended with", again.status, again.told)]
    found = differences(project.contents(), expected)
    return [(what, "differs in", found)] if found else []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_is_made_good_by_the_next_run(season, stage):
    before = f"before {stage}"
    if stage == 5:
        in_server(draw_and_generate_again, season)
        before = "drawn"
    count, problems = in_server(kill_at_moments, season, stage, before)
    assert count >= 3
    assert problems == []


def draw_and_generate_again(project):
    """What stage 5 finds when new outputs have the same numbers: it writes everything, but need not draw anew."""
    project.put_back("after")
    ended = run_stage(project.arguments(3, SECOND_RUN), now=NOW + timedelta(hours=1))
    assert ended.status == 0, ended.told
    project.keep("drawn")


def test_an_analysis_that_is_killed_while_it_draws_is_made_good_by_the_next_run(season):
    count, problems = in_server(kill_at_moments, season, 5, "before 5", 2)
    assert count > 100
    assert problems == []


def fill_disk(project, stage, before):
    """Run a stage while no file may grow past a size, for several sizes; give what one more run did not make good."""
    project.put_back(before)
    run_night(project, [stage], SECOND_RUN)
    expected = project.contents()
    problems, statuses = [], set()
    for size in FILE_SIZES:
        project.put_back(before)
        ended = run_stage(project.arguments(stage, SECOND_RUN), lambda size=size: limit_files(size))
        statuses.add(ended.status)
        problems += check_one_more_run(project, stage, expected, ended, {0, 14}, f"no file past {size} bytes")
    return statuses, problems


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_on_a_full_disk_says_so_and_is_made_good_by_the_next_run(season, stage):
    before = f"before {stage}"
    if stage == 5:
        in_server(draw_and_generate_again, season)
        before = "drawn"
    statuses, problems = in_server(fill_disk, season, stage, before)
    assert problems == []
    assert 14 in statuses


@contextlib.contextmanager
def small_disk(directory, spare_bytes):
    """Let a directory be on a disk of its own, with so much room left; gives what makes it large."""
    with tempfile.TemporaryDirectory() as kept:
        shutil.copytree(directory, kept, dirs_exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", directory]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("only root may mount a file system, and not everywhere")
        try:
            shutil.copytree(kept, directory, dirs_exist_ok=True)
            used = shutil.disk_usage(directory).used

            def resize(size):
                subprocess.run(["mount", "-o", f"remount,size={size}", directory], check=True)

            resize(used + spare_bytes)
            yield lambda: resize("64m")
        finally:
            subprocess.run(["umount", directory], check=True)


@pytest.mark.parametrize("stage", [1, 2, 3, 5])
def test_a_stage_that_has_no_room_left_is_made_good_when_there_is_some(season, stage):
    season.put_back(f"before {stage}")
    in_server(run_night, season, [stage], SECOND_RUN)
    expected = season.contents()
    season.put_back(f"before {stage}")
    with small_disk(season.data_root, spare_bytes=8192) as make_large:
        ended = in_server(run_stage, season.arguments(stage, SECOND_RUN))
        assert ended.status == 14, ended.told
        assert "No space left" in ended.told or "is full" in ended.told
        make_large()
        in_server(run_night, season, [stage], SECOND_RUN)
        assert differences(season.contents(), expected) == []


def run_killed_nights(project, run_id):
    """Kill a night's run in the middle of stages, run the whole night again, and give what is not as it should be."""
    project.put_back("before 1")
    undisturbed = []
    for _ in range(2):
        run_night(project, STAGES[:5], run_id)
        undisturbed.append(leave_out_runs(project))
    problems = []
    for stage in (2, 4, 7):
        project.put_back("before 1")
        run_night(project, [number for number in STAGES if number < stage], run_id)
        changes = Changes(project.folder, last=1 + CHANGES_OF_STAGES[stage] // 2)
        ended = run_stage(project.arguments(stage, run_id), lambda changes=changes: watch(changes))
        assert ended.status == KILLED, ended.told
        run_night(project, STAGES, THIRD_RUN)
        # From stage 4 on, Coda has new messages, which the next night downloads: as if this one had been undisturbed.
        found = differences(leave_out_runs(project), undisturbed[stage >= 4])
        if stage == 4:
            # Of these messages Coda had a part by then, and tells it; the next time it tells them all.
            state = ("coda/download_moments.json", "known_project/datasets.json")
            told = ("data root/Coded Coda Files/", *(f"data root/State/{name}" for name in state))
            assert all(name.startswith(told) for name in found), found
            run_night(project, [1], THIRD_RUN)
            found = differences(leave_out_runs(project), undisturbed[1])
        problems += [(stage, name) for name in found]
    return problems


def leave_out_runs(project):
    """All that is left but for what is of runs, which are others here: archives, logs, records."""
    return {
        name: content
        for name, content in project.contents().items()
        if "back ups" not in name
        and "storage/project" not in name
        and content != "archive"
        and name != "records of runs"
    }


def test_a_night_that_is_killed_is_made_good_by_one_more_run_of_the_whole_chain(season):
    assert in_server(run_killed_nights, season, SECOND_RUN) == []


def run_beside_each_other(first, second):
    """Run the same night of two projects at once, on the same services; gives the exit statuses."""
    child = os.fork()
    if child == 0:
        try:
            run_night(first, STAGES[:5], FIRST_RUN)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    run_night(second, STAGES[:5], FIRST_RUN)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_two_pipelines_at_once_on_the_same_services_do_each_thing_once(tmp_path):
    with fake_rapidpro.serve(make_workspace()) as address:
        projects = [ChainProject(tmp_path / name, address) for name in ("alone", "first", "second")]
        alone, first, second = projects
        second.credentials.write_text(json.dumps({"type": "embedded", "directory": str(first.embedded)}))
        assert in_server(run_beside_each_other, first, second) == 0
        in_server(run_night, alone, STAGES[:5], FIRST_RUN)
        # Each as if it had been alone; and another night of one of them finds nothing to do.
        expected, shared = alone.contents(), first.contents()
        outputs = [name for name in expected if name.startswith("data root/Outputs")]
        assert len(outputs) > 30
        assert [name for name in outputs if shared[name] != expected[name]] == []
        assert [name for name in outputs if second.contents()[name] != expected[name]] == []
        services = [name for name in expected if name.startswith(("embedded/coda", "embedded/drive"))]
        assert len(services) > 30
        assert [name for name in services if shared[name] != expected[name]] == []
        in_server(run_night, second, [1, 4], SECOND_RUN)
        coda = {name: content for name, content in shared.items() if name.startswith("embedded/coda")}
        assert {name: first.contents()[name] for name in coda} == coda


def run_nights_at(project, clock):
    """Run a night for each time, however they follow one another, and give what is left without these times."""
    project.put_back("first morning")
    for number, now in enumerate(clock):
        run_night(project, STAGES[:5], f"2026-04-0{number + 4}T023000Z-unknown", now=now)
    # Stage 3 notes digests of raw lines, which have times.
    left = {name: content for name, content in leave_out_runs(project).items() if "State/outputs/" not in name}
    return {name: without_times(content, clock) for name, content in left.items()}


def without_times(content, clock):
    """Put one word in the place of the times of runs, as they are written anywhere, and of checksums over them."""
    text = content.decode("latin-1") if isinstance(content, bytes) else repr(content)
    for now in {*clock, NOW}:
        for written in (now.isoformat(timespec="microseconds"), now.isoformat(), f"{now:%Y-%m-%d %H:%M}"):
            text = text.replace(written, "<time>")
    return re.sub(r'"SHA": "[0-9a-f]{64}"|sha256-[^ \';"]+', "<checksum>", text)


def test_a_clock_that_jumps_changes_nothing_but_the_times_of_runs(tmp_path):
    workspace = make_workspace()
    with fake_rapidpro.serve(workspace) as address:
        project = ChainProject(tmp_path / "a project", address)
        in_server(run_night, project, STAGES[:5], FIRST_RUN)
        label_messages(project)
        add_night(workspace, range(13, 19))
        project.keep("first morning")
        clock = [NOW + timedelta(days=day) for day in (-400, 400)]
        found = in_server(run_nights_at, project, clock)
        # Not at one time: a report tells what is new since a run at another one.
        expected = in_server(run_nights_at, project, [NOW + timedelta(days=day) for day in range(len(clock))])
        assert len(found) > 60
        assert differences(found, expected) == []
