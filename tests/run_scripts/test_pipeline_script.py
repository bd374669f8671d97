"""All stages in order: what runs after a failure, what is written down of a run, and how a run is stopped."""

import re
import signal
import subprocess

import pytest

PIPELINE = "run_pipeline.sh"
LATER_SCRIPTS = ("5_automated_analysis.sh", "6_backup_data_root.sh", "7_upload_logs.sh")
RUN_ID = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z-([0-9a-f]{40}|unknown)")


@pytest.fixture
def whole_clone(clone):
    """A clone in which every stage has a script."""
    for name in LATER_SCRIPTS:
        clone.add_fake_script(name)
    return clone


def run_pipeline(clone, *options, **variables):
    return clone.run_on_host(PIPELINE, *options, *clone.pipeline_arguments, **variables)


def names_of(calls):
    return [call[0] for call in calls]


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
        ["generate-outputs", *project],
        ["coda-add", *coda],
        ["5_automated_analysis.sh", "me", key, configuration, root],
        ["6_backup_data_root.sh", "--run-id", run_id, root, str(backups)],
        [
            *["7_upload_logs.sh", "me", key, configuration, run_id],
            *[f"{logs}/memory-{run_id}.profile", f"{backups}/data-{run_id}.tar.gz"],
        ],
    ]


def test_stages_without_a_script_are_named(clone):
    result = run_pipeline(clone)
    assert result.returncode == 0
    assert "not built yet: 5 automated analysis, 6 backup data root, 7 upload logs\n" in result.stderr
    clone.add_fake_script("6_backup_data_root.sh")
    assert "not built yet: 5 automated analysis, 7 upload logs\n" in run_pipeline(clone).stderr


def test_a_failure_skips_to_back_up_and_upload(whole_clone):
    result = run_pipeline(whole_clone, FAKE_STATUS="fetch-raw-data=12")
    assert result.returncode == 12
    assert names_of(whole_clone.stage_calls) == [
        *["coda-get", "fetch-raw-data", "6_backup_data_root.sh", "7_upload_logs.sh"]
    ]
    assert "Stage 3, generate outputs: skipped after the failure." in result.stderr


def test_the_first_failures_status_is_returned(whole_clone):
    whole_clone.add_fake_script("6_backup_data_root.sh", status=14)
    assert run_pipeline(whole_clone, FAKE_STATUS="generate-outputs=11").returncode == 11
    assert run_pipeline(whole_clone).returncode == 14


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
    assert clone.run(PIPELINE, *clone.pipeline_arguments, FAKE_DOCKER_REVISION="a1" * 20).returncode == 0
    assert RUN_ID.fullmatch(clone.read_summary()["run_id"])[1] == "a1" * 20


def test_wrong_usage_exits_2_before_anything_starts(clone):
    right = clone.pipeline_arguments
    for options, arguments, words in (
        ([], right[:-1], "expected 9 arguments but got 8"),
        (["--from", "8"], right, "--from is '8'; expected a stage from 1 to 7"),
        (["--only"], [], "option --only needs a value"),
        (["--no-such-option"], right, "unknown option"),
        (["--only", "5"], right, "nothing to run: 5 automated analysis is not built yet"),
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
    assert sorted(path.name for path in clone.work.iterdir()) == ["configuration folder", "my key.json"]


def test_a_dry_run_prints_the_commands_and_runs_nothing(clone):
    result = run_pipeline(clone, "--dry-run")
    assert result.returncode == 0
    commands = result.stdout.splitlines()
    assert [re.search(r"/(\d_\w+\.sh) ", command)[1] for command in commands] == [
        *["1_coda_get.sh", "2_fetch_raw_data.sh", "3_generate_outputs.sh", "4_coda_add.sh"]
    ]
    assert clone.stage_calls == []
    assert not clone.data_root.exists()
    # What is printed can be run as it is.
    environment = clone.environment(PIPELINE_RUNTIME="host")
    subprocess.run(["bash", "-c", commands[1]], env=environment, cwd="/", check=True, capture_output=True)
    assert clone.stage_calls[0][-2:] == ["--data-root", str(clone.data_root)]


def test_from_and_only_choose_the_stages(whole_clone):
    run_pipeline(whole_clone, "--from", "4")
    assert names_of(whole_clone.stage_calls) == ["coda-add", *LATER_SCRIPTS]
    whole_clone.python_log.unlink()
    run_pipeline(whole_clone, "--only", "3")
    assert names_of(whole_clone.stage_calls) == ["generate-outputs"]


@pytest.mark.parametrize(("name", "status"), [("TERM", 143), ("INT", 130)])
def test_a_signal_reaches_the_stage_and_ends_the_run(whole_clone, wait_for, name, status):
    process = whole_clone.start(
        PIPELINE, *whole_clone.pipeline_arguments, PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data"
    )
    wait_for(lambda: len(whole_clone.stage_calls) == 2)
    # While it runs, the data root is its own.
    assert run_pipeline(whole_clone).returncode == 4
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
