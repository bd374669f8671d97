"""A machine's part of a cluster: what is started with which options, and what is refused."""

import pytest

SERVE = "serve_cluster.sh"


@pytest.fixture
def ready_clone(clone):
    """A clone that has Dask."""
    (clone.root / ".venv" / "cluster").write_text((clone.root / ".venv" / "boundaries").read_text())
    return clone


HTTP = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]


@pytest.fixture
def tls(tmp_path):
    """The options of a cluster with certificates."""
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").write_text("invented")
    return [part for name in ("ca", "cert", "key") for part in (f"--tls-{name}", str(tmp_path / f"{name}.pem"))]


def test_a_scheduler_is_reached_at_the_address_that_it_was_given(ready_clone):
    result = ready_clone.run(SERVE, "--host", "10.0.0.5", "--port", "9000", "scheduler")
    assert result.returncode == 0, result.stderr
    expected = ["scheduler", "--host", "10.0.0.5", "--port", "9000", "--protocol", "tcp", *HTTP]
    assert ready_clone.stage_calls == [expected]
    assert "WARNING: no TLS: whoever reaches 10.0.0.5 can run programs as this user" in result.stderr


def test_certificates_are_handed_on_and_nobody_is_warned(ready_clone, tls):
    result = ready_clone.run(SERVE, "--host", "10.0.0.5", *tls, "scheduler")
    assert (result.returncode, "WARNING" in result.stderr) == (0, False)
    ready_clone.run(SERVE, "--host", "10.0.0.11", *tls, "worker", "tls://10.0.0.5:8786")
    for call in ready_clone.stage_calls:
        assert call[call.index("--protocol") + 1] == "tls"
        assert [call[call.index(name) + 1] for name in ("--tls-ca-file", "--tls-cert", "--tls-key")] == tls[1::2]


def test_every_network_is_listened_on_only_when_that_is_said(ready_clone):
    for host in ("0.0.0.0", "::", "0"):
        refused = ready_clone.run(SERVE, "--host", host, "scheduler")
        assert (refused.returncode, ready_clone.stage_calls) == (2, [])
        assert "every network of this machine" in refused.stderr
    assert ready_clone.run(SERVE, "--host", "0.0.0.0", "--insecure-any-interface", "scheduler").returncode == 0
    assert ready_clone.stage_calls[0][:3] == ["scheduler", "--host", "0.0.0.0"]


def test_a_worker_works_on_one_partition_a_process(ready_clone):
    here = ["--host", "10.0.0.11"]
    assert ready_clone.run(SERVE, *here, "worker", "tcp://10.0.0.5:8786").returncode == 0
    assert ready_clone.run(SERVE, *here, "--jobs", "3", "worker", "tcp://10.0.0.5:8786").returncode == 0
    first, second = ready_clone.stage_calls
    assert [first[first.index(name) + 1] for name in ("--nworkers", "--nthreads")] == ["-1", "1"]
    assert first[:3] == ["worker", *here]
    assert first[-1] == "tcp://10.0.0.5:8786"
    assert second[second.index("--nworkers") + 1] == "3"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "expected 'scheduler' or 'worker <scheduler-address>'"),
        (["scheduler", "tcp://10.0.0.5:8786"], "expected 1 arguments but got 2"),
        (["worker"], "expected 2 arguments but got 1"),
        (["worker", "10.0.0.5"], "'10.0.0.5' is not a scheduler's address"),
        (["scheduler"], "no --host"),
        (["worker", "tcp://10.0.0.5:8786"], "no --host"),
        (["--host", "10.0.0.11", "worker", "tls://10.0.0.5:8786"], "with --tls-ca expected tls://"),
        (["--host", "10.0.0.5", "--tls-ca", "/dev/null", "scheduler"], "no such file: /dev/null (--tls-ca)"),
        (["--host", "10.0.0.5", "--tls-ca", __file__, "scheduler"], "expected all three once, or none"),
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
