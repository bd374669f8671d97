"""What every stage's run script promises about its command line, and what it starts on this machine."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]

STAGES = {
    "1_coda_get.sh": "coda-get",
    "2_fetch_raw_data.sh": "fetch-raw-data",
    "3_generate_outputs.sh": "generate-outputs",
    "4_coda_add.sh": "coda-add",
    "5_automated_analysis.sh": "automated-analysis",
    "5_generate_analysis_graphs.sh": "generate-analysis-graphs",
    "write_back.sh": "write-back",
}
every_stage = pytest.mark.parametrize("script", STAGES)
every_script = pytest.mark.parametrize("script", [*STAGES, "run_pipeline.sh", "run_demo.sh", "run_tests.sh"])


def expect_usage_error(clone, result, words):
    assert result.returncode == 2
    assert words in result.stderr
    assert "Usage:" in result.stderr
    assert result.stdout == ""
    assert clone.docker_calls == clone.stage_calls == []


@every_script
def test_help_goes_to_standard_output_and_exits_0(clone, script):
    result = clone.run(script, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {script}")
    assert clone.docker_calls == clone.stage_calls == []


@every_stage
def test_a_wrong_number_of_arguments_exits_2_and_runs_nothing(clone, script):
    right = clone.arguments_of(script)
    for arguments in ([], right[:-1], [*right, "one more"]):
        result = clone.run(script, *arguments)
        expect_usage_error(clone, result, f"expected {len(right)} arguments but got {len(arguments)}")
        assert not clone.data_root.exists()


@every_stage
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--no-such-option"], "unknown option: --no-such-option"),
        (["-x"], "unknown option: -x"),
        (["--"], "unknown option: --"),
    ],
)
def test_an_unknown_option_exits_2_and_runs_nothing(clone, script, options, words):
    expect_usage_error(clone, clone.run(script, *options, *clone.arguments_of(script)), words)


@pytest.mark.parametrize(
    ("script", "option"),
    [
        ("1_coda_get.sh", "--pipeline-configuration"),
        ("3_generate_outputs.sh", "--mode"),
        ("3_generate_outputs.sh", "--profile-cpu"),
        ("4_coda_add.sh", "--pipeline-configuration"),
        ("5_automated_analysis.sh", "--jobs"),
        ("5_generate_analysis_graphs.sh", "--jobs"),
    ],
)
def test_an_option_without_its_value_exits_2(clone, script, option):
    expect_usage_error(clone, clone.run(script, option), f"option {option} needs a value")


@every_stage
def test_a_missing_file_on_the_command_line_exits_2_and_makes_nothing(clone, script):
    missing = clone.work / "no such.json"
    for place, given in enumerate(clone.arguments_of(script)):
        if given in (clone.credentials, clone.configuration):
            arguments = clone.arguments_of(script)
            arguments[place] = missing
            expect_usage_error(clone, clone.run(script, *arguments), f"no such file: '{missing}'")
    assert not clone.data_root.exists()


@every_stage
@pytest.mark.parametrize("name", ["", "my key.json"])
def test_a_data_root_that_is_no_directory_exits_2(clone, script, name):
    arguments = [*clone.arguments_of(script)[:-1], str(clone.work / name) if name else ""]
    expect_usage_error(clone, clone.run(script, *arguments), "directory")


@every_stage
def test_an_unknown_runtime_exits_2(clone, script):
    result = clone.run(script, *clone.arguments_of(script), PIPELINE_RUNTIME="podman")
    expect_usage_error(clone, result, "PIPELINE_RUNTIME is 'podman'; expected docker or host")


def test_a_data_root_that_can_not_be_made_exits_14(clone):
    result = clone.run_on_host("2_fetch_raw_data.sh", *clone.arguments_of("2_fetch_raw_data.sh")[:-1], "/proc/nowhere")
    assert result.returncode == 14
    assert "/proc/nowhere: the directory can't be made" in result.stderr
    assert clone.stage_calls == []


@pytest.mark.parametrize(
    ("script", "options", "expected"),
    [
        ("1_coda_get.sh", [], ["--credentials", "KEY", "--data-root", "ROOT"]),
        ("1_coda_get.sh", ["--full"], ["--credentials", "KEY", "--data-root", "ROOT", "--full"]),
        (
            "1_coda_get.sh",
            ["--pipeline-configuration", "configuration folder/pipeline configuration.json"],
            ["--credentials", "KEY", "--data-root", "ROOT", "--pipeline-configuration", "CONFIGURATION"],
        ),
        (
            "2_fetch_raw_data.sh",
            ["--accept-shrinkage", "--accept-workspace", "--accept-new-uuid-table"],
            [
                *["--user", "me", "--credentials", "KEY", "--pipeline-configuration", "CONFIGURATION"],
                *["--data-root", "ROOT", "--accept-shrinkage", "--accept-workspace", "--accept-new-uuid-table"],
            ],
        ),
        (
            "3_generate_outputs.sh",
            [
                *["--mode", "auto-code-only", "--partitions", "4", "--jobs", "2", "--full", "--accept-shrinkage"],
                *["--accept-lost-withdrawals", "--allow-project-code"],
                *["--profile-cpu", "cpu profile", "--profile-memory", "memory profile"],
            ],
            [
                *["--user", "me", "--credentials", "KEY", "--pipeline-configuration", "CONFIGURATION"],
                *["--data-root", "ROOT", "--mode", "auto-code-only", "--partitions", "4", "--jobs", "2", "--full"],
                *[
                    "--accept-shrinkage",
                    "--accept-lost-withdrawals",
                    "--allow-project-code",
                    "--profile-cpu",
                    "WORK/cpu profile",
                    "--profile-memory",
                    "WORK/memory profile",
                ],
            ],
        ),
        (
            "4_coda_add.sh",
            ["--pipeline-configuration", "configuration folder/pipeline configuration.json"],
            ["--credentials", "KEY", "--data-root", "ROOT", "--pipeline-configuration", "CONFIGURATION"],
        ),
        *(
            (
                script,
                ["--jobs", "2"],
                [
                    *["--user", "me", "--credentials", "KEY", "--pipeline-configuration", "CONFIGURATION"],
                    *["--data-root", "ROOT", "--jobs", "2"],
                ],
            )
            for script in ("5_automated_analysis.sh", "5_generate_analysis_graphs.sh")
        ),
    ],
)
def test_the_stage_gets_named_options_and_absolute_paths(clone, script, options, expected):
    # Relative to the working directory, and with spaces.
    arguments = [os.path.relpath(given, clone.work) if given != "me" else given for given in clone.arguments_of(script)]
    result = clone.run_on_host(script, *options, *arguments)
    assert result.returncode == 0, result.stderr
    names = {
        "KEY": str(clone.credentials),
        "ROOT": str(clone.data_root),
        "CONFIGURATION": str(clone.configuration),
    }
    stage_options = [names.get(option, option.replace("WORK/", f"{clone.work}/")) for option in expected]
    assert clone.stage_calls == [[STAGES[script], *stage_options]]


@every_stage
def test_quiet_says_nothing_of_what_goes_well_in_script_and_container(clone, script):
    assert "Building the Docker image" in clone.run(script, *clone.arguments_of(script)).stderr
    assert not any("ENGAGEMENT_QUIET" in call for call in clone.container_calls)
    clone.docker_log.with_name("docker.log.built").unlink()
    result = clone.run(script, "--quiet", *clone.arguments_of(script), FAKE_DOCKER_EXIT="137")
    assert result.stderr.startswith(f"ERROR: {STAGES[script]} was killed")
    assert len(result.stderr.splitlines()) == 1
    *_, call = clone.container_calls
    assert call[call.index("ENGAGEMENT_QUIET") - 1] == "--env"


@every_stage
@pytest.mark.parametrize("status", [1, 10, 12, 77])
def test_the_stages_status_is_passed_on(clone, script, status):
    result = clone.run_on_host(script, *clone.arguments_of(script), FAKE_STATUS=f"{STAGES[script]}={status}")
    assert result.returncode == status


def test_a_script_runs_from_any_directory_and_through_a_link(clone, tmp_path):
    link = tmp_path / "fetch"
    link.symlink_to(clone.root / "run_scripts" / "2_fetch_raw_data.sh")
    result = subprocess.run(
        [link, *clone.arguments_of("2_fetch_raw_data.sh")],
        cwd="/",
        env=clone.environment(PIPELINE_RUNTIME="host"),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert clone.stage_calls[0][0] == "fetch-raw-data"


def test_what_a_stage_writes_is_for_its_user_alone(clone):
    written = clone.work / "written"
    clone.run_on_host("1_coda_get.sh", *clone.arguments_of("1_coda_get.sh"), FAKE_TOUCH=str(written))
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(clone.data_root.stat().st_mode) == 0o700


def test_a_check_out_of_coda_v2_that_fails_is_a_warning(clone):
    (clone.work / "CodaV2").rmdir()
    clone.add_fake_script("checkout_coda_v2.sh", status=3)
    result = clone.run_on_host("4_coda_add.sh", *clone.arguments_of("4_coda_add.sh"))
    assert result.returncode == 0
    assert "WARNING: " in result.stderr
    assert [call[0] for call in clone.stage_calls] == ["checkout_coda_v2.sh", "coda-add"]
    assert clone.stage_calls[0][1:] == [str(clone.work / "CodaV2")]


@pytest.mark.parametrize(
    "path", ["run_scripts/lib/common.sh", "./run_scripts/lib/common.sh", "{}/run_scripts/lib/common.sh"]
)
def test_the_project_is_found_by_any_path(path):
    script = f"source {path.format(PROJECT_ROOT)}; cd /; ls $project_root/Pipfile"
    result = subprocess.run(["bash", "-euc", script], cwd=PROJECT_ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
