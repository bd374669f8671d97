"""A machine's part of a cluster: what is started with which options, and what is refused."""

import pytest

SERVE = "serve_cluster.sh"


@pytest.fixture
def ready_clone(clone):
    """A clone that has Dask."""
    (clone.root / ".venv" / "cluster").write_text((clone.root / ".venv" / "boundaries").read_text())
    return clone


def test_a_scheduler_is_reached_at_the_address_that_it_was_given(ready_clone):
    result = ready_clone.run(SERVE, "--host", "10.0.0.5", "--port", "9000", "scheduler")
    assert result.returncode == 0, result.stderr
    assert ready_clone.stage_calls == [["scheduler", "--host", "10.0.0.5", "--port", "9000", "--no-dashboard"]]


def test_a_worker_works_on_one_partition_a_process(ready_clone):
    assert ready_clone.run(SERVE, "worker", "tcp://10.0.0.5:8786").returncode == 0
    assert ready_clone.run(SERVE, "--jobs", "3", "worker", "tcp://10.0.0.5:8786").returncode == 0
    first, second = ready_clone.stage_calls
    assert first[:5] == ["worker", "--nworkers", "-1", "--nthreads", "1"]
    assert first[-1] == "tcp://10.0.0.5:8786"
    assert second[1:3] == ["--nworkers", "3"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected 'scheduler' or 'worker <scheduler-address>'"),
        (["scheduler", "tcp://10.0.0.5:8786"], "expected 1 arguments but got 2"),
        (["worker"], "expected 2 arguments but got 1"),
        (["worker", "10.0.0.5"], "'10.0.0.5' is not a scheduler's address"),
        (["--jobs", "many", "worker", "tcp://10.0.0.5:8786"], "--jobs is 'many'"),
        (["--port"], "option --port needs a value"),
        (["--dashboard", "scheduler"], "unknown option: --dashboard"),
    ],
)
def test_wrong_usage_exits_2_and_starts_nothing(ready_clone, arguments, words):
    result = ready_clone.run(SERVE, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr
    assert ready_clone.stage_calls == []


def test_help_goes_to_standard_output(ready_clone):
    result = ready_clone.run(SERVE, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "worker <scheduler-address>" in result.stdout
