"""A run that is ended from outside says so: signals to the group and to each process, a closed terminal, kill -9."""

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess

import pytest

PIPELINE = "run_pipeline.sh"


@pytest.fixture
def whole_clone(clone):
    for name in ("5_automated_analysis.sh", "6_backup_data_root.sh", "7_upload_logs.sh"):
        clone.add_fake_script(name)
    return clone


@pytest.fixture
def started(whole_clone, wait_for):
    """Start a run in a session of its own, as cron does, and wait until its second stage is at work."""
    processes = []

    def start(*before, **options):
        process = subprocess.Popen(
            [*before, whole_clone.root / "run_scripts" / PIPELINE, *whole_clone.pipeline_arguments],
            cwd=whole_clone.work,
            env=whole_clone.environment(PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data"),
            **{
                "stdin": subprocess.DEVNULL,
                "stderr": subprocess.PIPE,
                "text": True,
                "start_new_session": True,
                **options,
            },
        )
        processes.append(process)
        wait_for(lambda: len(whole_clone.stage_calls) == 2)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=20)


def children_of(pid):
    listed = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True)
    return {int(line.split(None, 1)[0]): line.split(None, 1)[1] for line in listed.stdout.splitlines()}


def read_log(clone):
    (log,) = (clone.work / "performance logs").glob("*.log")
    return log.read_text()


def expect_recorded(clone, status):
    summary = clone.read_summary()
    assert summary["exit_status"] == status
    assert summary["ended"] is not None
    assert read_log(clone).endswith(f"Run {summary['run_id']} ended with status {status}.\n")


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("HUP", 129), ("INT", 130)])
def test_a_signal_to_the_whole_group_is_recorded(started, whole_clone, name, status):
    process = started()
    os.killpg(process.pid, signal.Signals[f"SIG{name}"])
    _, errors = process.communicate(timeout=20)
    assert process.returncode == status
    expect_recorded(whole_clone, status)
    # What shows the log got the signal as well, and shows the end nevertheless.
    assert errors.endswith(f"ended with status {status}.\n")


@pytest.mark.parametrize("name", ["TERM", "KILL"])
def test_no_other_process_takes_the_run_with_it(started, whole_clone, wait_for, name):
    process = started()
    children = children_of(process.pid)
    others = [pid for pid, command in children.items() if "fetch-raw-data" not in command]
    assert len(others) == 2, children
    for pid in others:
        os.kill(pid, signal.Signals[f"SIG{name}"])
    (stage,) = set(children) - set(others)
    os.kill(stage, signal.SIGKILL)
    process.communicate(timeout=20)
    # The stage failed; the run went on to its end, with the back-up.
    assert process.returncode == 137
    expect_recorded(whole_clone, 137)
    assert [call[0] for call in whole_clone.stage_calls][-2:] == ["6_backup_data_root.sh", "7_upload_logs.sh"]


def test_a_closed_terminal_is_recorded(started, whole_clone, wait_for):
    controller, terminal = pty.openpty()
    process = started("setsid", "--ctty", "--wait", stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    os.close(controller)
    process.wait(timeout=20)
    wait_for(lambda: whole_clone.read_summary()["ended"] is not None)
    wait_for(lambda: "ended with status" in read_log(whole_clone))
    expect_recorded(whole_clone, 129)


def test_a_reader_of_the_output_that_goes_away_does_not_end_the_run(started, whole_clone):
    process = started()
    process.stderr.close()
    stage = next(pid for pid, command in children_of(process.pid).items() if "fetch-raw-data" in command)
    os.kill(stage, signal.SIGKILL)
    assert process.wait(timeout=20) == 137
    expect_recorded(whole_clone, 137)


def test_a_stop_of_the_systemd_scope_is_recorded(started, whole_clone, wait_for):
    asked = ["systemctl", "is-system-running"]
    if shutil.which("systemd-run") is None or subprocess.run(asked, capture_output=True).stdout.strip() == b"offline":
        pytest.skip("no systemd is at work on this machine")
    unit = f"engagement-test-{os.getpid()}.scope"
    process = started("systemd-run", "--scope", f"--unit={unit}")
    subprocess.run(["systemctl", "stop", unit], check=True)
    process.communicate(timeout=20)
    expect_recorded(whole_clone, 143)


def test_a_script_that_was_killed_outright_is_told_of_by_the_next_run(started, whole_clone, wait_for):
    process = started()
    process.kill()
    process.communicate(timeout=20)
    killed = whole_clone.read_summary()
    assert killed["ended"] is None
    # Its stage ends by itself; the data root is free then.
    second = None

    def runs_again():
        nonlocal second
        second = whole_clone.run_on_host(PIPELINE, *whole_clone.pipeline_arguments)
        return second.returncode != 4

    wait_for(runs_again)
    assert second.returncode == 0
    assert f"WARNING: run {killed['run_id']} was killed before its end" in second.stderr
    summaries = [json.loads(path.read_text()) for path in sorted((whole_clone.data_root / "Runs").iterdir())]
    assert [summary["exit_status"] for summary in summaries] == [137, 0]
    assert killed["started"] <= summaries[0]["ended"] <= summaries[1]["started"]
    assert {**killed, "exit_status": 137, "ended": summaries[0]["ended"]} == summaries[0]
    # It is told once.
    assert "was killed" not in whole_clone.run_on_host(PIPELINE, *whole_clone.pipeline_arguments).stderr


def test_what_a_killed_run_left_is_removed_by_the_next_but_nothing_of_a_living_one(started, whole_clone, wait_for):
    process = started()
    logs = whole_clone.work / "performance logs"
    (left,) = logs.glob(".counts-*")
    process.kill()
    process.communicate(timeout=20)
    root = whole_clone.data_root
    unfinished = [root / name for name in ("Runs/a.json.partial", "State/fetch/b.partial", "Outputs.partial/c.csv")]
    # A replacement that was killed in its middle: only the new version is complete.
    kept = [root / name for name in ("Raw Data.partial/d.jsonl", "Raw Data.old/d.jsonl", "Contacts/partial")]
    for path in [*unfinished, *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("invented")
    # A run on another data root, which shares the directory for logs.
    arguments = [
        *whole_clone.pipeline_arguments[:-3],
        whole_clone.work / "other root",
        *whole_clone.pipeline_arguments[-2:],
    ]
    calls = len(whole_clone.stage_calls)
    living = whole_clone.start(PIPELINE, *arguments, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data")
    try:
        wait_for(lambda: len(whole_clone.stage_calls) >= calls + 2)
        assert not left.exists()
        (held,) = logs.glob(".counts-*")
        wait_for(lambda: whole_clone.run_on_host(PIPELINE, *whole_clone.pipeline_arguments).returncode != 4)
        assert list(logs.glob(".counts-*")) == [held]
    finally:
        living.terminate()
        living.communicate(timeout=20)
    assert not held.exists()
    assert [path for path in [*unfinished, *kept] if path.exists()] == kept
    assert not (root / "Outputs.partial").exists()


def test_nothing_of_a_stage_that_outlived_its_script_is_removed(whole_clone):
    root = whole_clone.data_root
    root.mkdir()
    (root / "a.partial").write_text("invented")
    with (root / ".working").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert whole_clone.run_on_host(PIPELINE, *whole_clone.pipeline_arguments).returncode == 0
        assert (root / "a.partial").exists()
    result = whole_clone.run_on_host(PIPELINE, *whole_clone.pipeline_arguments)
    assert "Removed what a killed run left unfinished" in result.stderr
    assert not (root / "a.partial").exists()


def test_a_signal_while_the_image_is_built_ends_the_run_at_once(whole_clone, wait_for):
    docker = whole_clone.programs / "docker"
    slow = docker.read_text().replace(
        "    build)\n", '    build)\n        printf "%s\\n" built >>"$FAKE_DOCKER_LOG.build"; sleep 30\n'
    )
    whole_clone.write_program(docker, slow)
    process = whole_clone.start(PIPELINE, *whole_clone.pipeline_arguments)
    wait_for(lambda: whole_clone.docker_log.with_name("docker.log.build").exists())
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 143
    expect_recorded(whole_clone, 143)


def test_a_full_disk_under_the_log_changes_no_status_and_hides_no_table(whole_clone):
    logs = whole_clone.work / "performance logs"
    logs.mkdir()
    fill = 'mount -t tmpfs -o size=64k none "$1"; cat /dev/zero >"$1/filler" 2>/dev/null; shift; exec "$@"'
    alone = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "none", logs], capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    result = subprocess.run(
        [
            *alone,
            "bash",
            "-c",
            fill,
            "bash",
            logs,
            whole_clone.root / "run_scripts" / PIPELINE,
            *whole_clone.pipeline_arguments,
        ],
        env=whole_clone.environment(PIPELINE_RUNTIME="host", FAKE_STATUS="generate-outputs=11"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 11
    assert whole_clone.read_summary()["exit_status"] == 11
    assert [call[0] for call in whole_clone.stage_calls][-2:] == ["6_backup_data_root.sh", "7_upload_logs.sh"]
    assert "the log could not be written to its end. Check the disk." in result.stderr
    assert result.stderr.endswith("ended with status 11.\n")
