"""The demo: sandbox, pipeline, coder, in that order, and nothing left running."""

import pytest

DEMO = "run_demo.sh"
SANDBOX = ["sandbox-prepare", "sandbox-serve"]
STAGES = ["coda-get", "fetch-raw-data", "generate-outputs", "coda-add", "automated-analysis"]
LAST_STAGES = ["backup-data-root", "upload-logs"]


@pytest.fixture
def demo(clone):
    """A directory in which the sandbox's preparation, which is the sandbox's own affair, was done."""
    directory = clone.work / "my demo"
    for name in ("configuration/pipeline_configuration", "credentials/coda_credentials"):
        path = directory / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    (directory / "credentials" / "google_cloud_credentials.json").write_text("{}")
    return directory


def names_of(clone):
    return [call[0] for call in clone.stage_calls]


def test_the_sandbox_serves_while_the_pipeline_runs_and_the_coder_labels_after_it(clone, demo):
    result = clone.run(DEMO, "--runtime", "host", demo)
    assert result.returncode == 0, result.stderr
    assert names_of(clone) == [*SANDBOX, *STAGES, *LAST_STAGES, "sandbox-stopped", "sandbox-code", "recover"]
    assert clone.docker_calls == []
    calls = {call[0]: call for call in clone.stage_calls}
    for command in (*SANDBOX, "sandbox-code"):
        assert calls[command][1:3] == ["--directory", str(demo)]
    assert str(demo / "data root" / "Outputs") in result.stdout
    assert "run this again for coded data" in result.stdout
    assert "The stages run on this machine: as --runtime asks." in result.stderr
    assert clone.run(DEMO, "--runtime", "host", demo).returncode == 0


def test_a_failing_pipeline_ends_the_demo_with_its_status(clone, demo):
    result = clone.run(DEMO, "--runtime", "host", demo, FAKE_STATUS="generate-outputs=11")
    assert result.returncode == 11
    assert names_of(clone) == [*SANDBOX, *STAGES[:3], *LAST_STAGES, "sandbox-stopped"]


def test_a_sandbox_that_ends_early_ends_the_demo(clone, demo):
    result = clone.run(DEMO, "--runtime", "host", demo, FAKE_STATUS="sandbox-serve=14")
    assert result.returncode == 14
    assert "the sandbox ended before it was ready" in result.stderr
    assert names_of(clone) == SANDBOX


@pytest.mark.parametrize(
    ("options", "variable", "said"),
    [
        ([], "host", "on this machine: as PIPELINE_RUNTIME asks."),
        (["--runtime", "host"], "docker", "on this machine: as --runtime asks."),
        # Empty is as if it were not set, as for the stages.
        ([], "", "in Docker: a Docker engine answers."),
    ],
)
def test_the_environment_says_where_the_stages_run_and_the_option_wins(clone, demo, options, variable, said):
    clone.write_program(clone.programs / "python3.12", "#!/usr/bin/env bash\nexit 0\n")
    result = clone.run(DEMO, *options, demo, PIPELINE_RUNTIME=variable)
    assert result.returncode == 0, result.stderr
    assert f"The stages run {said}" in result.stderr
    assert bool(clone.container_calls) == ("in Docker" in said)


def test_an_unknown_runtime_in_the_environment_is_wrong_usage(clone, demo):
    result = clone.run(DEMO, demo, PIPELINE_RUNTIME="podman")
    assert result.returncode == 2
    assert "PIPELINE_RUNTIME is 'podman'; expected docker or host" in result.stderr
    assert names_of(clone) == []


def test_docker_is_used_where_it_answers(clone, demo):
    clone.write_program(clone.programs / "python3.12", "#!/usr/bin/env bash\nexit 0\n")
    # The sandbox, on this machine, suggests nothing.
    (clone.root / ".venv" / "suggestions").unlink()
    result = clone.run(DEMO, demo)
    assert result.returncode == 0, result.stderr
    assert "The stages run in Docker: a Docker engine answers." in result.stderr
    assert "It also holds scikit-learn for suggested labels, 140 MB." in result.stderr
    [build] = [call for call in clone.docker_calls if call[0] == "build"]
    assert "CATEGORIES=packages cluster suggestions" in build
    assert "Installing scikit-learn" not in result.stderr
    assert names_of(clone) == [*SANDBOX, "sandbox-stopped", "sandbox-code"]
    every_stage = [*STAGES, *LAST_STAGES]
    stages = [
        name for call in clone.container_calls for name in every_stage if name in call and "container-plan" not in call
    ]
    assert stages == every_stage


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"FAKE_DOCKER_INFO_EXIT": "1"}, "no Docker engine answers"),
        ({"FAKE_DOCKER_BUILD_EXIT": "1"}, "the Docker image could not be built"),
    ],
)
def test_without_docker_the_stages_run_on_this_machine(clone, demo, variables, reason):
    result = clone.run(DEMO, demo, **variables)
    assert result.returncode == 0, result.stderr
    assert f"The stages run on this machine: {reason}." in result.stderr
    assert clone.container_calls == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--runtime", "podman"], "--runtime is 'podman'; expected docker or host"),
        (["--runtime"], "option --runtime needs a value"),
        (["one", "two"], "expected at most 1 argument but got 2"),
        (["--verbose"], "unknown option: --verbose"),
    ],
)
def test_wrong_usage_exits_2_and_starts_nothing(clone, arguments, words):
    result = clone.run(DEMO, *arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert clone.docker_calls == clone.stage_calls == []
    assert not (clone.root / ".demo").exists()
