"""What a run does where it is asked to: encrypt, write back, use a cluster, retain, drill."""

import json
import re
import time

import pytest

from pipeline_runs import LATER_SCRIPTS, names_of, run_pipeline


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

    def test_no_message_goes_in_a_night_without_labels_as_they_may_say_stop(self, keeping):
        keeping.configuration.write_text('{"Retention": {"RawTexts": "P3Y"}}')
        result = run_pipeline(keeping, FAKE_STATUS="coda-get=12")
        assert result.returncode == 12
        assert "apply_retention.sh" not in names_of(keeping.stage_calls)
        assert "Retention: nothing is removed, as stage 1 failed" in result.stderr

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
