"""What the scripts of stages 6 and 7 promise about their command lines, and what their containers see."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[2]
BACKUP = "6_backup_data_root.sh"
UPLOAD = "7_upload_logs.sh"
RUN_ID = "2026-11-22T020511Z-unknown"


@pytest.fixture
def backups(clone):
    return clone.work / "back ups"


@pytest.fixture
def upload_arguments(clone, backups):
    profile = clone.work / "performance logs" / f"memory-{RUN_ID}.profile"
    for directory in (backups, profile.parent):
        directory.mkdir()
    return ["me", clone.credentials, clone.configuration, RUN_ID, profile, backups / f"data-{RUN_ID}.tar.gz"]


def expect_usage_error(clone, result, words):
    assert result.returncode == 2
    assert words in result.stderr
    assert "Usage:" in result.stderr
    assert clone.docker_calls == clone.stage_calls == []


def mounts_of(call):
    found = [re.fullmatch(r"type=bind,source=(.*),target=\1(,readonly)?", argument) for argument in call]
    return {mount[1]: "ro" if mount[2] else "rw" for mount in found if mount}


@pytest.mark.parametrize("script", [BACKUP, UPLOAD])
def test_help_goes_to_standard_output_and_exits_0(clone, script):
    result = clone.run(script, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: {script}")
    assert clone.docker_calls == clone.stage_calls == []


def test_the_archive_is_named_after_the_time_and_the_commit(clone, backups):
    clone.data_root.mkdir()
    result = clone.run_on_host(BACKUP, os.path.relpath(clone.data_root, clone.work), "back ups")
    assert result.returncode == 0, result.stderr
    ((*options, run_id),) = clone.stage_calls
    assert options == [
        "backup-data-root",
        "--data-root",
        str(clone.data_root),
        "--backups-dir",
        str(backups),
        "--run-id",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z-unknown", run_id)
    assert backups.is_dir()


def test_options_of_a_backup_are_passed_on(clone, backups):
    clone.data_root.mkdir()
    assert (
        clone.run_on_host(
            BACKUP, "--run-id", "my.run", "--keep-days", "30", "--full", clone.data_root, backups
        ).returncode
        == 0
    )
    assert clone.stage_calls[0][-5:] == ["--run-id", "my.run", "--keep-days", "30", "--full"]


def test_a_restore_gets_the_archive_and_the_directory(clone):
    (clone.work / "an archive.tar.gz").touch()
    result = clone.run_on_host(BACKUP, "--restore", "an archive.tar.gz", "new root")
    assert result.returncode == 0, result.stderr
    archive, directory = clone.work / "an archive.tar.gz", clone.work / "new root"
    assert clone.stage_calls == [["backup-data-root", "--restore", str(archive), "--into", str(directory)]]


def test_an_encrypted_archive_gets_its_identity_file(clone):
    for name in ("an archive.tar.gz.age", "an identity.txt"):
        (clone.work / name).touch()
    result = clone.run(
        BACKUP,
        *("--identity", "an identity.txt", "--restore", "an archive.tar.gz.age", "new root"),
        FAKE_DOCKER_IMAGES="0123456789ab",
    )
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert call[-2:] == ["--identity", str(clone.work / "an identity.txt")]
    assert mounts_of(call)[str(clone.work / "an identity.txt")] == "ro"


def test_a_backup_reads_the_configuration_and_nothing_more(clone, backups):
    clone.data_root.mkdir()
    options = ["--dry-run", "--pipeline-configuration", clone.configuration]
    result = clone.run(BACKUP, *options, clone.data_root, backups, FAKE_DOCKER_IMAGES="0123456789ab")
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert call[-3:] == ["--dry-run", "--pipeline-configuration", str(clone.configuration)]
    assert mounts_of(call)[str(clone.configuration.parent)] == "ro"
    assert call[call.index("--network") + 1] == "none"


def test_wrong_usage_of_a_backup_exits_2_and_makes_nothing(clone, backups):
    (clone.work / "archive").touch()
    clone.data_root.mkdir()
    (clone.data_root / "State").mkdir()
    (clone.work / "link").symlink_to(clone.data_root / "State")
    before = sorted(clone.work.rglob("*"))
    for arguments, words in (
        ([clone.data_root], "expected 2 arguments but got 1"),
        ([clone.data_root, backups, "more"], "expected 2 arguments but got 3"),
        ([clone.work / "missing", backups], "no such directory"),
        ([clone.credentials, backups], "no such directory"),
        ([clone.data_root, clone.credentials], "not a directory"),
        ([clone.data_root, clone.data_root], "is in the data root"),
        ([clone.data_root, clone.data_root / "back ups"], "is in the data root"),
        ([clone.data_root, clone.work / "link" / "new"], "is in the data root"),
        (["--run-id", "../a", clone.data_root, backups], "--run-id is '../a'"),
        (["--keep-days", "many", clone.data_root, backups], "--keep-days is 'many'; expected a number of days"),
        (["--run-id"], "option --run-id needs a value"),
        (["--no-such-option"], "unknown option"),
        (["--restore", clone.work / "missing", "new"], "no such file"),
        (["--restore", clone.work / "archive"], "expected 1 arguments but got 0"),
        (["--restore", clone.work / "archive", clone.data_root], "contains 'State'; expected an empty directory"),
    ):
        expect_usage_error(clone, clone.run(BACKUP, *arguments), words)
    assert sorted(clone.work.rglob("*")) == before


def test_a_backup_waits_for_nobody_who_works_on_the_data_root(clone, backups, wait_for):
    fetch = "2_fetch_raw_data.sh"
    process = clone.start(fetch, *clone.arguments_of(fetch), PIPELINE_RUNTIME="host", FAKE_SLEEP="fetch-raw-data")
    wait_for(lambda: len(clone.stage_calls) == 1)
    result = clone.run_on_host(BACKUP, clone.data_root, backups)
    process.terminate()
    process.communicate(timeout=20)
    assert result.returncode == 4
    assert not backups.exists()


def test_a_backups_container_reads_the_data_root_and_writes_the_archives(clone, backups):
    clone.data_root.mkdir()
    result = clone.run(BACKUP, clone.data_root, backups, FAKE_DOCKER_IMAGES="0123456789ab")
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    # The lock that the stage itself holds is written, though the rest is not.
    lock = {str(clone.data_root / ".working"): "rw"}
    assert mounts_of(call) == {str(clone.data_root): "ro", str(backups): "rw", **lock}
    assert call[call.index("--network") + 1] == "none"


def test_the_stage_may_tell_its_counts_out_of_the_container(clone, backups):
    clone.data_root.mkdir()
    counts = clone.work / "counts"
    counts.mkdir()
    variables = {"FAKE_DOCKER_IMAGES": "0123456789ab", "ENGAGEMENT_COUNTS_FILE": str(counts / "counts.json")}
    assert clone.run(BACKUP, clone.data_root, backups, **variables).returncode == 0
    *_, call = clone.container_calls
    assert mounts_of(call)[str(counts)] == "rw"
    assert call[call.index("ENGAGEMENT_COUNTS_FILE") - 1] == "--env"


def test_an_upload_gets_absolute_paths_also_of_files_that_are_missing(clone, backups, upload_arguments):
    given = [os.path.relpath(path, clone.work) if isinstance(path, Path) else path for path in upload_arguments]
    result = clone.run_on_host(UPLOAD, "--pending", *given)
    assert result.returncode == 0, result.stderr
    *_, profile, archive = map(str, upload_arguments)
    assert clone.stage_calls == [
        [
            *["upload-logs", "--user", "me", "--credentials", str(clone.credentials)],
            *["--pipeline-configuration", str(clone.configuration), "--run-id", RUN_ID],
            *["--memory-profile", profile, "--data-archive", archive, "--pending"],
            *["--sessions-dir", str(backups / ".uploads")],
        ]
    ]


def test_wrong_usage_of_an_upload_exits_2(clone, upload_arguments):
    for arguments, words in (
        (upload_arguments[:-1], "expected 6 arguments but got 5"),
        (["--all", *upload_arguments], "unknown option: --all"),
        (["me", clone.work / "missing", *upload_arguments[2:]], "no such file"),
        ([*upload_arguments[:3], "a/b", *upload_arguments[4:]], "<run-id> is 'a/b'"),
    ):
        expect_usage_error(clone, clone.run(UPLOAD, *arguments), words)


def test_an_uploads_container_reads_the_files_and_writes_only_how_far_it_came(clone, backups, upload_arguments):
    result = clone.run(UPLOAD, *upload_arguments, FAKE_DOCKER_IMAGES="0123456789ab", FAKE_DOCKER_PLAN="network bridge")
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    *_, profile, archive = upload_arguments
    read = (clone.credentials, clone.configuration.parent, profile.parent, archive.parent)
    assert mounts_of(call) == {**{str(path): "ro" for path in read}, str(backups / ".uploads"): "rw"}
    assert (backups / ".uploads").stat().st_mode & 0o777 == 0o700
    assert call[call.index("--network") + 1] == "bridge"


def test_an_upload_that_can_not_be_remembered_is_made_all_the_same(clone, backups, upload_arguments):
    (backups / ".uploads").write_text("in the way")
    assert clone.run_on_host(UPLOAD, *upload_arguments).returncode == 0
    (backups / ".uploads").unlink()
    backups.rmdir()
    assert clone.run_on_host(UPLOAD, *upload_arguments).returncode == 0
    assert [call for call in clone.stage_calls if "--sessions-dir" in call] == []
    assert not backups.exists()


@pytest.mark.parametrize(("script", "stage"), [(BACKUP, "backup-data-root"), (UPLOAD, "upload-logs")])
def test_the_stages_status_is_passed_on(clone, backups, upload_arguments, script, stage):
    clone.data_root.mkdir()
    arguments = upload_arguments if script == UPLOAD else [clone.data_root, backups]
    assert clone.run_on_host(script, *arguments, FAKE_STATUS=f"{stage}=12").returncode == 12


def test_the_status_is_asked_for_without_claiming_the_data_root(clone):
    status = "pipeline_status.sh"
    for arguments, words in (
        ([], "expected a data root but got none"),
        ([clone.data_root], "no such directory"),
        (["--max-age", "soon", clone.data_root], "--max-age is 'soon'; expected a number of hours"),
    ):
        expect_usage_error(clone, clone.run(status, *arguments), words)
    clone.data_root.mkdir()
    assert clone.run_on_host(status, "--max-age", "26.5", clone.data_root, FAKE_STATUS="status=11").returncode == 11
    assert clone.stage_calls == [["status", "--max-age", "26.5", str(clone.data_root)]]
    assert list(clone.data_root.iterdir()) == []
    # Without an environment, the image does it.
    (clone.root / ".venv" / "bin" / "python").unlink()
    assert clone.run(status, clone.data_root, FAKE_DOCKER_IMAGES="0123456789ab").returncode == 0
    *_, call = clone.container_calls
    assert mounts_of(call) == {str(clone.data_root): "ro"}
    assert call[call.index("--network") + 1] == "none"


def test_the_real_script_removes_what_a_killed_stage_left(tmp_path):
    root, backups = tmp_path / "data root", tmp_path / "back ups"
    outputs = root / "Outputs"
    outputs.mkdir(parents=True)
    (outputs / "messages.csv").write_text("the old version\n")
    program = """if True:
        import sys, time
        from pathlib import Path
        from engagement.foundation.files import open_for_writing
        from engagement.foundation.replaced_folders import replace_folder
        root = Path(sys.argv[1])
        with replace_folder(root / "Outputs") as folder, open_for_writing(root / "State.json") as file:
            (folder / "messages.csv").write_text("the new version")
            print("ready", flush=True)
            time.sleep(60)
    """
    python, script = sys.executable, PROJECT_ROOT / "run_scripts" / BACKUP
    environment = {**os.environ, "PIPELINE_RUNTIME": "host", "PYTHONPATH": str(PROJECT_ROOT / "src")}
    with subprocess.Popen([python, "-c", program, root], env=environment, stdout=subprocess.PIPE) as stage:
        assert stage.stdout.readline() == b"ready\n"
        stage.kill()
    assert {path.name for path in root.iterdir()} == {"Outputs", "Outputs.partial", "State.json.partial"}
    sessions = backups / ".uploads"
    sessions.mkdir(parents=True)
    for name, days in (("a.json", 40), ("b.json.partial", 40), ("c.json", 5)):
        (sessions / name).write_text("invented")
        os.utime(sessions / name, (time.time() - days * 86400,) * 2)
    result = subprocess.run(
        [script, "--keep-days", "1", root, backups], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "Removed what a killed run left unfinished in" in result.stderr
    assert {path.name for path in root.iterdir()} == {"Outputs", ".lock", ".working"}
    assert (outputs / "messages.csv").read_text() == "the old version\n"
    # A week is how long the bucket keeps an upload that has begun.
    assert [path.name for path in sessions.iterdir()] == ["c.json"]


def test_the_real_scripts_archive_and_restore(tmp_path):
    """The project's own scripts and stage, on this machine; two at once share nothing."""
    root = tmp_path / "data root"
    root.mkdir()
    (root / "some data.jsonl").write_text("invented\n" * 1000)
    environment = {**os.environ, "PIPELINE_RUNTIME": "host"}
    command = [PROJECT_ROOT / "run_scripts" / BACKUP]

    def run(*arguments):
        return subprocess.run([*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)

    made = run("data root", "back ups")
    assert made.returncode == 0, made.stderr
    assert "Archived 1 file" in made.stderr
    (archive,) = (tmp_path / "back ups").glob("data-*")
    (root / "a link").symlink_to("/nowhere")
    (made,) = run("--quiet", "data root", "more back ups").stderr.splitlines()
    assert "WARNING 1 link(s) lead out of the data root" in made
    (root / "a link").unlink()
    restored = run("--restore", archive, "new root")
    assert restored.returncode == 0, restored.stderr
    assert (tmp_path / "new root" / "some data.jsonl").read_bytes() == (root / "some data.jsonl").read_bytes()
    assert run("--restore", archive, "new root").returncode == 2
    archive.write_bytes(archive.read_bytes()[:-20])
    refused = run("--restore", archive, "another root")
    assert refused.returncode == 11, refused.stderr
    assert not (tmp_path / "another root").exists()


@pytest.mark.parametrize(("options", "access"), [([], "rw"), (["--dry-run"], "ro")])
def test_retention_sees_three_folders_and_no_network(clone, backups, options, access):
    logs = clone.work / "performance logs"
    places = [clone.data_root, backups, logs]
    for place in places:
        place.mkdir()
    result = clone.run(
        "apply_retention.sh", *options, "me", clone.configuration, *places, FAKE_DOCKER_IMAGES="0123456789ab"
    )
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    given = ["--pipeline-configuration", clone.configuration, "--data-root", clone.data_root, "--backups-dir", backups]
    wanted = ["apply-retention", "--user", "me", *map(str, given), "--performance-logs-dir", str(logs), *options]
    assert call[-len(wanted) :] == wanted
    mounts = mounts_of(call)
    assert {mounts[str(place)] for place in places} == {access}
    assert call[call.index("--network") + 1] == "none"


def test_retention_of_messages_and_rows_gets_the_credentials_of_coda_and_of_stage_2(clone, backups):
    logs, credentials, others = clone.work / "performance logs", clone.work / "coda.json", clone.work / "stage 2.json"
    for place in (clone.data_root, backups, logs):
        place.mkdir()
    for file in (credentials, others):
        file.write_text('{"type": "embedded", "directory": "."}')
    options = ["--coda-credentials", credentials, "--uuid-table-credentials", others]
    given = ["me", clone.configuration, clone.data_root, backups, logs]
    result = clone.run("apply_retention.sh", *options, *given, FAKE_DOCKER_IMAGES="0123456789ab")
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    assert call[call.index("--credentials") + 1] == str(credentials)
    assert call[call.index("--uuid-table-credentials") + 1] == str(others)
    assert {mounts_of(call)[str(file)] for file in (credentials, others)} == {"ro"}


def test_retention_makes_no_folder(clone, backups):
    clone.data_root.mkdir()
    for arguments in (["me", clone.configuration, clone.data_root, backups, clone.work], ["me", clone.configuration]):
        expect_usage_error(
            clone, clone.run("apply_retention.sh", *arguments), "no such directory" if arguments[2:] else "5 arguments"
        )
    assert not backups.exists()


def test_a_restore_drill_gets_its_options_and_sees_its_places(clone, backups):
    clone.data_root.mkdir()
    backups.mkdir()
    (clone.work / "an identity.txt").touch()
    options = ["--drill", "--identity", "an identity.txt", "--pipeline-configuration", clone.configuration]
    result = clone.run(
        BACKUP, *options, "--allow-project-code", clone.data_root, backups, FAKE_DOCKER_IMAGES="0123456789ab"
    )
    assert result.returncode == 0, result.stderr
    *_, call = clone.container_calls
    places = ["--data-root", str(clone.data_root), "--backups-dir", str(backups)]
    given = ["--pipeline-configuration", str(clone.configuration), "--identity", str(clone.work / "an identity.txt")]
    assert call[-11:] == ["backup-data-root", "--drill", *places, "--allow-project-code", *given]
    mounts = mounts_of(call)
    assert (mounts[str(clone.data_root)], mounts[str(backups)]) == ("rw", "rw")
    assert mounts[str(clone.work / "an identity.txt")] == mounts[str(clone.configuration.parent)] == "ro"


@pytest.mark.parametrize("option", [["--full"], ["--dry-run"], ["--keep-days", "3"], ["--run-id", "x"]])
def test_a_restore_drill_takes_no_options_of_a_backup(clone, backups, option):
    clone.data_root.mkdir()
    backups.mkdir()
    expect_usage_error(clone, clone.run(BACKUP, "--drill", *option, clone.data_root, backups), "--drill goes with")


def test_code_of_the_project_is_only_for_a_restore_drill(clone, backups):
    clone.data_root.mkdir()
    result = clone.run(BACKUP, "--allow-project-code", clone.data_root, backups)
    expect_usage_error(clone, result, "--allow-project-code needs --drill")


def test_a_restore_drill_waits_for_no_other_run(clone, backups):
    clone.data_root.mkdir()
    backups.mkdir()
    with subprocess.Popen(["flock", clone.data_root / ".lock", "sleep", "60"]) as holder:
        try:
            while subprocess.run(["flock", "--nonblock", clone.data_root / ".lock", "true"]).returncode == 0:
                time.sleep(0.01)
            result = clone.run_on_host(BACKUP, "--drill", clone.data_root, backups)
        finally:
            holder.terminate()
    assert result.returncode == 4, result.stderr
    assert clone.stage_calls == []
