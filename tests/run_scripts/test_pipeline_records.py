"""What a run leaves written down of itself: its id, its log, its summary, what stages tell."""

import json
import os
import re
import subprocess
import time

import pytest

from pipeline_runs import PIPELINE, RUN_ID, names_of, run_pipeline


def test_the_summary_tells_of_every_stage_that_ran(whole_clone):
    run_pipeline(whole_clone, FAKE_STATUS="generate-outputs=11")
    summary = whole_clone.read_summary()
    assert list(summary) == ["ended", "exit_status", "run_id", "stages", "started"]
    assert summary["exit_status"] == 11
    assert summary["started"] <= summary["ended"]
    assert RUN_ID.fullmatch(summary["run_id"])[1] == "unknown"
    assert [(stage["stage"], stage["name"], stage["exit_status"]) for stage in summary["stages"]] == [
        (1, "coda get", 0),
        (2, "fetch raw data", 0),
        (3, "generate outputs", 11),
        (6, "backup data root", 0),
        (7, "upload logs", 0),
    ]
    for stage in summary["stages"]:
        assert 0 <= stage["seconds"] < 60
        assert summary["started"] <= stage["started"] <= summary["ended"]


def test_the_log_is_shown_and_kept(clone):
    result = run_pipeline(clone, FAKE_STATUS="coda-add=12")
    (log,) = (clone.work / "performance logs").iterdir()
    (summary,) = (clone.data_root / "Runs").iterdir()
    assert log.stem == summary.stem
    assert log.suffix == ".log"
    kept = log.read_text()
    assert kept.endswith(f"Run {log.stem} ended with status 12.\n")
    assert result.stderr.endswith(kept)
    for stage in names_of(clone.stage_calls):
        assert f"this is {stage}\n" in kept


def test_the_run_id_names_the_commit(clone):
    git = ["git", "-C", clone.root, "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for arguments in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "invented"]):
        subprocess.run([*git, *arguments], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert run_pipeline(clone).returncode == 0
    assert RUN_ID.fullmatch(clone.read_summary()["run_id"])[1] == head


def test_the_run_id_names_the_images_commit_where_there_is_no_git(clone):
    variables = {"FAKE_DOCKER_REVISION": "a1" * 20, "FAKE_DOCKER_IMAGES": "0123456789ab"}
    assert clone.run(PIPELINE, *clone.pipeline_arguments, **variables).returncode == 0
    assert RUN_ID.fullmatch(clone.read_summary()["run_id"])[1] == "a1" * 20


def test_what_a_stage_tells_of_itself_is_kept_and_shown(whole_clone):
    told = '{\n  "messages": 12,\n  "new_participants": 3,\n  "peak_memory_mib": 95\n}\n'
    telling = f"#!/usr/bin/env bash\nprintf '%s' '{told}' >\"$ENGAGEMENT_COUNTS_FILE\"\n"
    whole_clone.write_program(whole_clone.root / "run_scripts" / "5_automated_analysis.sh", telling)
    result = run_pipeline(whole_clone)
    *_, analysis, backup, _ = whole_clone.read_summary()["stages"]
    assert analysis["counts"] == {"messages": 12, "new_participants": 3}
    assert analysis["peak_memory_mib"] == 95
    assert (backup["counts"], backup["peak_memory_mib"]) == ({}, None)
    shown = r"5 automated analysis +status   0 +\d+\.\d\d s +95 MiB  messages 12, new participants 3\n"
    assert re.search(shown, result.stderr)
    assert [path.suffix for path in (whole_clone.work / "performance logs").iterdir()] == [".log"]


@pytest.mark.parametrize("told", ["", "{", '{\n"a": "b"\n}', '{\n"a": 1e9,\n"x\\": 3\n}', "\0\0"])
def test_what_is_no_count_leaves_the_summary_whole(whole_clone, told):
    telling = f"#!/usr/bin/env bash\nprintf '%b' {json.dumps(told)} >\"$ENGAGEMENT_COUNTS_FILE\"\n"
    whole_clone.write_program(whole_clone.root / "run_scripts" / "5_automated_analysis.sh", telling)
    assert run_pipeline(whole_clone).returncode == 0
    assert whole_clone.read_summary()["stages"][4]["counts"] == {}


def set_clock(clone, time_of_day):
    """Let the scripts' clock stand still, and write down each look at it."""
    program = f"""#!/usr/bin/env bash
printf '%s\\n' "$*" >>"{clone.work / "looks at the clock"}"
exec /usr/bin/date --date=2026-11-22T{time_of_day}Z "$@"
"""
    # In one step: somebody may look just now.
    beside = clone.programs / "date.new"
    clone.write_program(beside, program)
    beside.rename(clone.programs / "date")


def count_looks(clone):
    return len((clone.work / "looks at the clock").read_text().splitlines())


def test_two_runs_never_share_a_run_id_whatever_the_clock_does(whole_clone, wait_for):
    for time_of_day in ("02:05:11", "01:05:11"):
        set_clock(whole_clone, time_of_day)
        assert run_pipeline(whole_clone, "--only", "5").returncode == 0
    # The clock was put back to the time of a run that was: the next second is waited for, with a look or two at each try.
    looks_before = count_looks(whole_clone)
    process = whole_clone.start(PIPELINE, "--only", "5", *whole_clone.pipeline_arguments, PIPELINE_RUNTIME="host")
    wait_for(lambda: count_looks(whole_clone) >= looks_before + 4)
    assert process.poll() is None
    set_clock(whole_clone, "01:05:12")
    process.communicate(timeout=20)
    assert process.returncode == 0
    runs = sorted(path.stem for path in (whole_clone.data_root / "Runs").iterdir())
    assert [run[11:18] for run in runs] == ["010511Z", "010512Z", "020511Z"]
    for path in (whole_clone.data_root / "Runs").iterdir():
        assert 0 <= json.loads(path.read_text())["stages"][0]["seconds"] < 20


def test_old_logs_are_removed_only_when_asked_for(whole_clone):
    logs = whole_clone.work / "performance logs"
    logs.mkdir()
    commit = "ab" * 20
    old = [f"2026-01-02T030405Z-{commit}.log", f"memory-2026-01-02T030405Z-{commit}.profile", "mine.log"]
    old.append(f"{old[1]}.partial")
    for name in old:
        (logs / name).write_text("invented")
        os.utime(logs / name, (time.time() - 40 * 86400,) * 2)
    run_pipeline(whole_clone)
    run_pipeline(whole_clone, "--keep-days", "41")
    assert set(old) < {path.name for path in logs.iterdir()}
    run_pipeline(whole_clone, "--keep-days", "39")
    assert {path.name for path in logs.iterdir()} & set(old) == {"mine.log"}
    backups = [call for call in whole_clone.stage_calls if call[0] == "6_backup_data_root.sh"]
    assert [call[3:5] for call in backups][1:] == [["--keep-days", "41"], ["--keep-days", "39"]]
