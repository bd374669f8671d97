"""All stages in order: which run with which options or after a failure, and how a run is stopped."""

import re
import signal
import subprocess

import pytest

from pipeline_runs import LATER_SCRIPTS, PIPELINE, names_of, run_pipeline


def test_all_stages_run_in_order_with_their_arguments(whole_clone):
    result = run_pipeline(whole_clone)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    root, key = str(whole_clone.data_root), str(whole_clone.credentials)
    configuration = str(whole_clone.configuration)
    run_id = whole_clone.read_summary()["run_id"]
    backups, logs = whole_clone.work / "back ups", whole_clone.work / "performance logs"
    coda = ["--credentials", key, "--data-root", root, "--pipeline-configuration", configuration]
    project = ["--user", "me", "--credentials", key, "--pipeline-configuration", configuration, "--data-root", root]
    assert whole_clone.stage_calls == [
        ["coda-get", *coda],
        ["fetch-raw-data", *project],
        ["generate-outputs", *project, "--profile-memory", f"{logs}/memory-{run_id}.profile"],
        ["coda-add", *coda],
        ["5_automated_analysis.sh", "me", key, configuration, root],
        ["6_backup_data_root.sh", "--run-id", run_id, root, str(backups)],
        [
            *["7_upload_logs.sh", "--pending", "me", key, configuration, run_id],
            *[f"{logs}/memory-{run_id}.profile", f"{backups}/data-{run_id}.tar.gz"],
        ],
    ]


def test_a_failure_skips_to_back_up_and_upload(whole_clone):
    result = run_pipeline(whole_clone, FAKE_STATUS="fetch-raw-data=12")
    assert result.returncode == 12
    assert names_of(whole_clone.stage_calls) == [
        *["coda-get", "fetch-raw-data", "6_backup_data_root.sh", "7_upload_logs.sh"]
    ]
    assert "Stage 3, generate outputs: skipped after the failure." in result.stderr


def test_a_coda_that_can_not_be_added_to_is_no_reason_to_skip_the_analysis(whole_clone):
    result = run_pipeline(whole_clone, FAKE_STATUS="coda-add=12")
    assert result.returncode == 12
    assert names_of(whole_clone.stage_calls)[3:] == ["coda-add", *LATER_SCRIPTS]
    assert "WARNING: Coda lacks new messages." in result.stderr
    whole_clone.python_log.unlink()
    assert run_pipeline(whole_clone, FAKE_STATUS="coda-add=11").returncode == 11
    assert names_of(whole_clone.stage_calls)[3:] == ["coda-add", *LATER_SCRIPTS[1:]]


def test_the_first_failures_status_is_returned(whole_clone):
    whole_clone.add_fake_script("6_backup_data_root.sh", status=14)
    assert run_pipeline(whole_clone, FAKE_STATUS="generate-outputs=11").returncode == 11
    assert run_pipeline(whole_clone).returncode == 14


def test_wrong_usage_exits_2_before_anything_starts(clone):
    right = clone.pipeline_arguments
    for options, arguments, words in (
        ([], right[:-1], "expected 9 arguments but got 8"),
        (["--from", "8"], right, "--from is '8'; expected a stage from 1 to 7"),
        (["--only"], [], "option --only needs a value"),
        (["--no-such-option"], right, "unknown option"),
        (["--keep-days", "-1"], right, "--keep-days is '-1'; expected a number of days"),
        *(
            ([], [*right[:place], clone.work / "missing", *right[place + 1 :]], "no such file")
            for place in (1, 2, 3, 4)
        ),
    ):
        result = clone.run_on_host(PIPELINE, *options, *arguments)
        assert result.returncode == 2
        assert words in result.stderr
        assert "Usage: run_pipeline.sh" in result.stderr
    assert clone.stage_calls == []
    assert sorted(path.name for path in clone.work.iterdir()) == ["CodaV2", "configuration folder", "my key.json"]


def test_a_dry_run_tells_the_plan_prints_the_commands_and_runs_nothing(clone):
    before = sorted(clone.work.rglob("*"))
    result = run_pipeline(clone, "--keep-days", "30", "--dry-run")
    assert result.returncode == 0
    commands = result.stdout.strip().splitlines()
    assert [re.search(r"/(\d_\w+\.sh) ", command)[1] for command in commands] == [
        *["1_coda_get.sh", "2_fetch_raw_data.sh", "3_generate_outputs.sh", "4_coda_add.sh"],
        *LATER_SCRIPTS,
    ]
    key = str(clone.credentials)
    assert clone.stage_calls == [
        [
            *["plan-run", "--pipeline-configuration", str(clone.configuration), "--credentials", key],
            *["--coda-pull-credentials", key, "--coda-push-credentials", key, "--data-root", str(clone.data_root)],
            *["--backups-dir", str(clone.work / "back ups")],
            *["--performance-logs-dir", str(clone.work / "performance logs")],
            *["--first", "1", "--last", "7", "--keep-days", "30"],
        ]
    ]
    assert sorted(clone.work.rglob("*")) == before
    # What is printed can be run as it is.
    clone.python_log.unlink()
    environment = clone.environment(PIPELINE_RUNTIME="host")
    subprocess.run(["bash", "-c", commands[1]], env=environment, cwd="/", check=True, capture_output=True)
    assert clone.stage_calls[0][-2:] == ["--data-root", str(clone.data_root)]


def test_a_dry_run_has_the_stages_that_were_chosen_and_the_status_of_the_plan(clone):
    result = run_pipeline(clone, "--from", "6", "--dry-run", FAKE_STATUS="plan-run=12")
    assert result.returncode == 12
    assert len(result.stdout.strip().splitlines()) == 2
    assert clone.stage_calls[0][-4:] == ["--first", "6", "--last", "7"]


def test_a_dry_run_needs_no_lock_and_its_container_only_reads(clone, wait_for):
    process = clone.start(PIPELINE, *clone.pipeline_arguments, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data")
    wait_for(lambda: len(clone.stage_calls) == 2)
    result = clone.run(PIPELINE, "--dry-run", *clone.pipeline_arguments, FAKE_DOCKER_PLAN="network bridge")
    process.terminate()
    process.communicate(timeout=20)
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert "plan-run" in call
    assert call[call.index("--network") + 1] == "bridge"
    mounts = [argument for argument in call if argument.startswith("type=bind")]
    assert all(mount.endswith(",readonly") for mount in mounts)
    for path in (clone.data_root, clone.configuration.parent, clone.credentials, clone.work / "performance logs"):
        assert f"type=bind,source={path},target={path},readonly" in mounts


def test_from_and_only_choose_the_stages(whole_clone):
    run_pipeline(whole_clone, "--from", "4")
    assert names_of(whole_clone.stage_calls) == ["coda-add", *LATER_SCRIPTS]
    whole_clone.python_log.unlink()
    run_pipeline(whole_clone, "--only", "3")
    assert names_of(whole_clone.stage_calls) == ["generate-outputs"]


def test_code_of_the_projects_own_is_allowed_to_stage_3_alone(whole_clone):
    run_pipeline(whole_clone, "--allow-project-code")
    assert names_of(call for call in whole_clone.stage_calls if "--allow-project-code" in call) == ["generate-outputs"]


def test_less_than_before_is_accepted_of_raw_data_and_outputs(whole_clone):
    run_pipeline(whole_clone, "--accept-shrinkage")
    accepting = names_of(call for call in whole_clone.stage_calls if "--accept-shrinkage" in call)
    assert accepting == ["fetch-raw-data", "generate-outputs"]


def test_lost_withdrawals_are_accepted_by_stage_3_alone(whole_clone):
    run_pipeline(whole_clone, "--accept-lost-withdrawals")
    accepting = names_of(call for call in whole_clone.stage_calls if "--accept-lost-withdrawals" in call)
    assert accepting == ["generate-outputs"]


def test_another_workspace_and_another_uuid_table_are_accepted_by_stage_2_alone(whole_clone):
    run_pipeline(whole_clone, "--accept-workspace", "--accept-new-uuid-table")
    accepting = [call for call in whole_clone.stage_calls if "--accept-workspace" in call]
    assert names_of(accepting) == ["fetch-raw-data"]
    assert "--accept-new-uuid-table" in accepting[0]


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("INT", 130)])
def test_a_signal_reaches_the_stage_and_ends_the_run(whole_clone, wait_for, name, status):
    process = whole_clone.start(
        PIPELINE, *whole_clone.pipeline_arguments, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data"
    )
    wait_for(lambda: len(whole_clone.stage_calls) == 2)
    # While it runs, the data root is its own, and who comes second is told whose it is.
    second = run_pipeline(whole_clone)
    assert second.returncode == 4
    run_id = whole_clone.read_summary()["run_id"]
    holder = rf"run {run_id} of user \w+, process {process.pid}, since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(rf"another run is working on this directory: {holder}\. Wait until it has ended", second.stderr)
    process.send_signal(signal.Signals[f"SIG{name}"])
    _, errors = process.communicate(timeout=20)
    assert process.returncode == status, errors
    assert names_of(whole_clone.stage_calls) == ["coda-get", "fetch-raw-data", f"got-{name}"]
    summary = whole_clone.read_summary()
    assert summary["exit_status"] == status
    assert summary["ended"] is not None
    assert run_pipeline(whole_clone).returncode == 0


def test_the_image_is_built_before_the_first_stage(clone):
    result = clone.run(PIPELINE, *clone.pipeline_arguments, FAKE_DOCKER_BUILD_EXIT="1")
    assert result.returncode == 14
    assert clone.container_calls == []
    (log,) = (clone.work / "performance logs").iterdir()
    assert "what the build printed" in log.read_text()
    # That the night failed is written down, too.
    assert (clone.read_summary()["exit_status"], clone.read_summary()["stages"]) == (14, [])
    assert clone.read_summary()["ended"] is not None


def test_a_data_root_that_is_full_still_gets_its_back_up(whole_clone):
    """What is written into Runs/ fails; here because nothing can be moved into place, which holds for root as well."""
    whole_clone.write_program(whole_clone.programs / "mv", "#!/bin/sh\nexit 1\n")
    result = run_pipeline(whole_clone)
    assert result.returncode == 14
    assert "could not be written. Check the disk." in result.stderr
    assert names_of(whole_clone.stage_calls) == ["6_backup_data_root.sh", "7_upload_logs.sh"]
