"""All stages in order: what runs after a failure, what is written down of a run, and how a run is stopped."""

import json
import os
import re
import signal
import subprocess
import time

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
        ["generate-outputs", *project, "--profile-memory", f"{logs}/memory-{run_id}.profile"],
        ["coda-add", *coda],
        ["5_automated_analysis.sh", "me", key, configuration, root],
        ["6_backup_data_root.sh", "--run-id", run_id, root, str(backups)],
        [
            *["7_upload_logs.sh", "--pending", "me", key, configuration, run_id],
            *[f"{logs}/memory-{run_id}.profile", f"{backups}/data-{run_id}.tar.gz"],
        ],
    ]


def test_the_backup_reads_its_settings_and_the_upload_takes_the_encrypted_archive(whole_clone):
    document = json.loads(whole_clone.configuration.read_text())
    document["Backup"] = {"Encrypt": []}
    whole_clone.configuration.write_text(json.dumps(document))
    backups = whole_clone.work / "back ups"
    script = whole_clone.root / "run_scripts" / "6_backup_data_root.sh"
    first, rest = script.read_text().split("\n", 1)
    script.write_text(f'{first}\ntouch "{backups}/data-$4.tar.gz.age"\n{rest}')
    assert run_pipeline(whole_clone).returncode == 0
    run_id = whole_clone.read_summary()["run_id"]
    *_, backup, upload = whole_clone.stage_calls
    assert backup[1:4] == ["--pipeline-configuration", str(whole_clone.configuration), "--run-id"]
    assert upload[-1] == f"{backups}/data-{run_id}.tar.gz.age"


class TestWriteBack:
    """The optional stage after the analysis, where the configuration has its key."""

    @pytest.fixture
    def writing(self, whole_clone):
        whole_clone.configuration.write_text('{"WriteBack": {}}')
        whole_clone.add_fake_script("write_back.sh")
        return whole_clone

    def test_it_runs_between_the_analysis_and_the_back_up(self, writing):
        assert run_pipeline(writing).returncode == 0
        names = names_of(writing.stage_calls)
        assert names[4:] == ["5_automated_analysis.sh", "write_back.sh", *LATER_SCRIPTS[1:]]
        call = writing.stage_calls[5]
        assert call[1:] == ["me", str(writing.credentials), str(writing.configuration), str(writing.data_root)]
        (stage,) = [one for one in writing.read_summary()["stages"] if one["name"] == "write back"]
        assert (stage["stage"], stage["exit_status"]) == (5, 0)

    def test_a_failure_is_the_runs_own_and_the_back_up_still_runs(self, writing):
        writing.add_fake_script("write_back.sh", status=12)
        result = run_pipeline(writing)
        assert result.returncode == 12
        assert names_of(writing.stage_calls)[-2:] == [*LATER_SCRIPTS[1:]]
        assert "5 write back" in result.stderr

    @pytest.mark.parametrize(
        ("stage", "runs"), [("fetch-raw-data", False), ("generate-outputs", False), ("coda-add", True)]
    )
    def test_people_who_withdrew_are_told_of_unless_the_outputs_are_old(self, writing, stage, runs):
        result = run_pipeline(writing, FAKE_STATUS=f"{stage}=11")
        assert result.returncode == 11
        assert ("write_back.sh" in names_of(writing.stage_calls)) is runs

    @pytest.mark.parametrize(
        ("options", "runs"), [(["--only", "5"], False), (["--from", "6"], False), (["--from", "5"], True)]
    )
    def test_it_belongs_to_runs_that_go_on_from_the_analysis(self, writing, options, runs):
        assert run_pipeline(writing, *options).returncode == 0
        assert ("write_back.sh" in names_of(writing.stage_calls)) is runs

    def test_a_dry_run_names_its_command(self, writing):
        result = run_pipeline(writing, "--dry-run")
        scripts = re.findall(r"run_scripts/(\w+\.sh)", result.stdout)
        assert scripts[4:7] == ["5_automated_analysis.sh", "write_back.sh", "6_backup_data_root.sh"]


def test_a_cluster_is_the_third_stages_alone(whole_clone):
    digest = (whole_clone.root / ".venv" / "boundaries").read_text()
    (whole_clone.root / ".venv" / "cluster").write_text(digest)
    result = run_pipeline(whole_clone, "--scheduler", "tcp://10.0.0.5:8786")
    assert result.returncode == 0, result.stderr
    given = [call[0] for call in whole_clone.stage_calls if "--scheduler" in call]
    assert given == ["generate-outputs"]
    (call,) = [call for call in whole_clone.stage_calls if call[0] == "generate-outputs"]
    assert call[call.index("--scheduler") + 1] == "tcp://10.0.0.5:8786"


def test_the_clusters_certificates_are_the_third_stages_and_whole(whole_clone):
    digest = (whole_clone.root / ".venv" / "boundaries").read_text()
    (whole_clone.root / ".venv" / "cluster").write_text(digest)
    certificates = []
    for name in ("ca", "cert", "key"):
        (whole_clone.work / f"{name}.pem").write_text("invented")
        certificates += [f"--tls-{name}", f"{name}.pem"]
    scheduler = ["--scheduler", "tls://10.0.0.5:8786"]
    for wrong in (certificates, [*scheduler, *certificates[:4]], ["--scheduler", "tcp://10.0.0.5:8786", *certificates]):
        refused = run_pipeline(whole_clone, *wrong)
        assert refused.returncode == 2
        assert "expected all three with a --scheduler at a tls:// address, or none" in refused.stderr
    assert whole_clone.stage_calls == []
    result = run_pipeline(whole_clone, *scheduler, *certificates)
    assert result.returncode == 0, result.stderr
    (call,) = [call for call in whole_clone.stage_calls if "--tls-key" in call]
    assert call[0] == "generate-outputs"
    given = {name: call[call.index(name) + 1] for name in certificates[::2]}
    assert given == {f"--tls-{name}": str(whole_clone.work / f"{name}.pem") for name in ("ca", "cert", "key")}


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


def test_a_data_root_that_is_full_still_gets_its_back_up(whole_clone):
    """What is written into Runs/ fails; here because nothing can be moved into place, which holds for root as well."""
    whole_clone.write_program(whole_clone.programs / "mv", "#!/bin/sh\nexit 1\n")
    result = run_pipeline(whole_clone)
    assert result.returncode == 14
    assert "could not be written. Check the disk." in result.stderr
    assert names_of(whole_clone.stage_calls) == ["6_backup_data_root.sh", "7_upload_logs.sh"]


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


class TestRetention:
    """The optional stage at the end of a run, where the configuration has its key."""

    @pytest.fixture
    def keeping(self, whole_clone):
        whole_clone.configuration.write_text('{"Retention": {"Logs": "P180D"}}')
        whole_clone.add_fake_script("apply_retention.sh")
        return whole_clone

    def test_it_runs_after_the_uploads(self, keeping):
        assert run_pipeline(keeping).returncode == 0
        assert names_of(keeping.stage_calls)[-2:] == ["7_upload_logs.sh", "apply_retention.sh"]
        places = [
            keeping.configuration,
            keeping.data_root,
            keeping.work / "back ups",
            keeping.work / "performance logs",
        ]
        assert keeping.stage_calls[-1][1:] == ["me", *map(str, places)]
        stage = keeping.read_summary()["stages"][-1]
        assert (stage["stage"], stage["name"], stage["exit_status"]) == (7, "apply retention", 0)

    def test_it_gets_the_credentials_of_coda_where_messages_go(self, keeping):
        keeping.configuration.write_text('{"Retention": {"RawTexts": "P3Y"}}')
        assert run_pipeline(keeping).returncode == 0
        assert keeping.stage_calls[-1][1] == "--coda-credentials"
        assert keeping.stage_calls[-1][3] == "me"

    def test_it_gets_the_credentials_of_stage_2_where_rows_of_the_uuid_table_go(self, keeping):
        keeping.configuration.write_text('{"Retention": {"RawTexts": "P3Y", "UuidTable": "P3Y"}}')
        assert run_pipeline(keeping).returncode == 0
        key = str(keeping.credentials)
        assert keeping.stage_calls[-1][1:5] == ["--coda-credentials", key, "--uuid-table-credentials", key]
        keeping.configuration.write_text('{"PhoneNumberUuidTable": {}, "Retention": {"RawTexts": "P3Y"}}')
        assert run_pipeline(keeping).returncode == 0
        assert "--uuid-table-credentials" not in keeping.stage_calls[-1]

    def test_its_failure_is_the_runs_own(self, keeping):
        keeping.add_fake_script("apply_retention.sh", status=13)
        assert run_pipeline(keeping).returncode == 13

    @pytest.mark.parametrize("script", ["6_backup_data_root.sh", "7_upload_logs.sh"])
    def test_nothing_goes_after_a_night_whose_archive_is_missing_or_not_uploaded(self, keeping, script):
        keeping.add_fake_script(script, status=12)
        result = run_pipeline(keeping)
        assert result.returncode == 12
        assert "apply_retention.sh" not in names_of(keeping.stage_calls)
        assert "7 apply retention: skipped" in result.stderr

    def test_it_runs_though_coda_gives_no_answer(self, keeping):
        assert run_pipeline(keeping, FAKE_STATUS="coda-get=12").returncode == 12
        assert names_of(keeping.stage_calls)[-1] == "apply_retention.sh"

    @pytest.mark.parametrize(
        ("options", "runs"), [(["--only", "6"], False), (["--from", "7"], False), (["--from", "6"], True)]
    )
    def test_it_belongs_to_runs_that_make_an_archive_and_go_on_to_the_end(self, keeping, options, runs):
        assert run_pipeline(keeping, *options).returncode == 0
        assert ("apply_retention.sh" in names_of(keeping.stage_calls)) is runs

    def test_a_dry_run_names_its_command(self, keeping):
        result = run_pipeline(keeping, "--dry-run")
        assert re.findall(r"run_scripts/(\w+\.sh)", result.stdout)[-1] == "apply_retention.sh"

    def test_a_project_without_the_key_starts_nothing(self, whole_clone):
        whole_clone.add_fake_script("apply_retention.sh")
        assert run_pipeline(whole_clone).returncode == 0
        assert names_of(whole_clone.stage_calls)[-1] == "7_upload_logs.sh"


class TestRestoreDrill:
    """The drill at the end of a run, where the configuration asks for one every so many nights."""

    @pytest.fixture
    def drilled(self, whole_clone):
        whole_clone.configuration.write_text('{"Backup": {"DrillEveryNights": 3}}')
        return whole_clone

    @staticmethod
    def note(clone, hours_ago, result="proven"):
        (clone.data_root / "Runs").mkdir(parents=True, exist_ok=True)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours_ago * 3600))
        record = {"at": at, "archive": "data-a.tar.gz", "result": result}
        (clone.data_root / "Runs" / "restore_drills.jsonl").write_text(json.dumps(record) + "\n")

    @staticmethod
    def summary_of(clone):
        return json.loads(max((clone.data_root / "Runs").glob("*.json")).read_text())

    @pytest.mark.parametrize(
        ("hours_ago", "result", "is_due"),
        [
            (None, "", True),
            (71, "proven", True),
            (61, "files whole", True),
            (49, "proven", False),
            (49, "not opened", False),
            # A night that failed is not followed by a good one without a drill.
            (1, "failed", True),
            # Written by a clock that was wrong.
            (-100, "proven", True),
        ],
    )
    def test_a_drill_is_the_last_thing_of_a_night_when_it_is_due(self, drilled, hours_ago, result, is_due):
        if hours_ago is not None:
            self.note(drilled, hours_ago, result)
        assert run_pipeline(drilled).returncode == 0
        calls = names_of(drilled.stage_calls)[-2:]
        assert calls == (
            ["7_upload_logs.sh", "6_backup_data_root.sh"] if is_due else ["6_backup_data_root.sh", "7_upload_logs.sh"]
        )
        if is_due:
            places = [str(drilled.data_root), str(drilled.work / "back ups")]
            options = ["--drill", "--pipeline-configuration", str(drilled.configuration)]
            assert drilled.stage_calls[-1] == ["6_backup_data_root.sh", *options, *places]
            assert self.summary_of(drilled)["stages"][-1]["name"] == "restore drill"

    def test_a_drill_that_fails_is_the_nights_status_after_all_stages(self, drilled):
        script = drilled.root / "run_scripts" / "6_backup_data_root.sh"
        script.write_text(script.read_text().replace("exit 0", "[[ $1 != --drill ]] || exit 11"))
        result = run_pipeline(drilled)
        assert result.returncode == 11, result.stderr
        summary = self.summary_of(drilled)
        assert [stage["exit_status"] for stage in summary["stages"]] == [0] * 7 + [11]
        assert (summary["exit_status"], summary["stages"][-1]["stage"]) == (11, 6)

    def test_without_tonights_archive_there_is_no_drill(self, drilled):
        drilled.add_fake_script("6_backup_data_root.sh", status=14)
        assert run_pipeline(drilled).returncode == 14
        assert names_of(drilled.stage_calls)[-2:] == ["6_backup_data_root.sh", "7_upload_logs.sh"]

    @pytest.mark.parametrize("options", [["--only", "5"], ["--from", "7"]])
    def test_a_run_without_a_backup_has_no_drill(self, drilled, options):
        assert run_pipeline(drilled, *options).returncode == 0
        assert "6_backup_data_root.sh" not in names_of(drilled.stage_calls)
