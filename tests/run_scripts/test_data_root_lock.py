"""One run at a time works on a data root, and a killed one leaves nothing behind."""

import getpass
import signal
import subprocess

import pytest


@pytest.fixture
def fetch(clone):
    """Arguments of a stage that works on the data root."""
    return ["2_fetch_raw_data.sh", *clone.arguments_of("2_fetch_raw_data.sh")]


def test_a_data_root_in_use_exits_4_and_runs_nothing(clone, fetch):
    clone.data_root.mkdir()
    with (clone.data_root / ".lock").open("w") as lock:
        subprocess.run(["flock", "--nonblock", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        result = clone.run_on_host(*fetch)
        assert result.returncode == 4
        assert f"{clone.data_root}: another run is working" in result.stderr
        assert clone.stage_calls == []
        pipeline = clone.run_on_host("run_pipeline.sh", *clone.pipeline_arguments)
        assert pipeline.returncode == 4
    assert clone.run_on_host(*fetch).returncode == 0


def test_who_finds_a_data_root_in_use_is_told_who_has_it_since_when(clone, fetch, wait_for):
    process = clone.start(*fetch, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data")
    wait_for(lambda: len(clone.stage_calls) == 1)
    result = clone.run_on_host("3_generate_outputs.sh", *clone.arguments_of("3_generate_outputs.sh"))
    assert result.returncode == 4
    assert f"directory: 2_fetch_raw_data.sh of user root, process {process.pid}, since 20" in result.stderr.replace(
        getpass.getuser(), "root"
    )
    process.terminate()
    process.communicate(timeout=20)
    # What was written down counts only while the lock is held.
    assert clone.run_on_host(*fetch).returncode == 0


def test_a_killed_run_frees_the_data_root(clone, fetch, wait_for):
    process = clone.start(*fetch, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data")
    wait_for(lambda: len(clone.stage_calls) == 1)
    assert clone.run_on_host(*fetch).returncode == 4
    # The script has become the stage, so this is both of them; the fake stage's own sleep ends by itself.
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    wait_for(lambda: clone.run_on_host(*fetch).returncode == 0)


def test_a_variable_that_names_another_file_gives_no_lock(clone, fetch):
    clone.data_root.mkdir()
    other = clone.work / "other data root"
    other.mkdir()
    with (clone.data_root / ".lock").open("w") as lock, (other / ".lock").open("w") as inherited:
        subprocess.run(["flock", "--nonblock", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        subprocess.run(["flock", "--nonblock", str(inherited.fileno())], pass_fds=[inherited.fileno()], check=True)
        for descriptor in (str(inherited.fileno()), "99", "not a number"):
            script, *arguments = fetch
            result = subprocess.run(
                [clone.root / "run_scripts" / script, *arguments],
                env=clone.environment(PIPELINE_RUNTIME="host", PIPELINE_LOCK_DESCRIPTOR=descriptor),
                pass_fds=[inherited.fileno()],
                capture_output=True,
            )
            assert result.returncode == 4


def test_an_inherited_lock_of_the_same_data_root_is_shared(clone, fetch):
    clone.data_root.mkdir()
    with (clone.data_root / ".lock").open("w") as lock:
        subprocess.run(["flock", "--nonblock", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        script, *arguments = fetch
        result = subprocess.run(
            [clone.root / "run_scripts" / script, *arguments],
            env=clone.environment(PIPELINE_RUNTIME="host", PIPELINE_LOCK_DESCRIPTOR=str(lock.fileno())),
            pass_fds=[lock.fileno()],
            capture_output=True,
        )
        assert result.returncode == 0
