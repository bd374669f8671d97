"""What a run would do, told without doing it: nothing changes, little is asked, and who can't be asked is named."""

import hashlib
import json
import shutil
import socket

import pytest

import fake_rapidpro
from chain_project import ChainProject, add_night, make_workspace
from engagement.__main__ import main
from engagement.custody.backups.keeping import note_archive
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from example_project import label
from fake_rapidpro import at, contact, run
from faults import Changes, in_server, run_stage

RUN_ID = "2026-04-02T023000Z-unknown"


@pytest.fixture
def workspace():
    return make_workspace()


@pytest.fixture
def project(tmp_path, workspace):
    with fake_rapidpro.serve(workspace) as address:
        yield ChainProject(tmp_path / "a project", address)


def digest(folder):
    """Of all names, times and contents below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path} {path.lstat().st_mode} {path.lstat().st_mtime_ns}\n".encode())
        found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()


@pytest.fixture
def plan(project, capsys):
    """Ask for the plan; gives its lines and what was told besides, and checks that nothing has changed."""

    def ask(*options, status=0, credentials=None, coda=None):
        before = digest(project.folder)
        credentials, coda = credentials or project.credentials, coda or project.credentials
        arguments = ["plan-run", "--pipeline-configuration", project.configuration, "--credentials", credentials]
        arguments += ["--coda-pull-credentials", coda, "--coda-push-credentials", coda]
        arguments += ["--data-root", project.data_root, "--backups-dir", project.backups]
        arguments += ["--performance-logs-dir", project.logs, *options]
        capsys.readouterr()
        found = main(list(map(str, arguments)))
        told = capsys.readouterr()
        assert found == status, told.err
        assert digest(project.folder) == before
        return [line.strip() for line in told.out.splitlines()], told.err

    return ask


def run_night(project, *stages):
    project.leave_log(RUN_ID)
    for stage in stages:
        assert main(project.arguments(stage, RUN_ID)) == 0


def test_before_the_first_run_everything_is_new(project, workspace, plan):
    project.data_root.rmdir()
    lines, _ = plan()
    titles = [line for line in lines if line[0].isdigit()]
    assert titles == [
        *["1 coda get", "2 fetch raw data", "3 generate outputs", "4 coda add", "5 automated analysis"],
        *["6 backup data root", "7 upload logs"],
    ]
    assert "dataset 'EXAMPLE_gender': not downloaded from there yet; all that it has is read, if it exists" in lines
    assert f"RapidPro {project_domain(project)}: 0 contacts known" in lines
    assert ("flow 's01e1_activation': 0 runs held; 5 new, 0 changed in the first page, of 5; more follow") in lines
    assert "contacts: 5 new in the first page, of 5; more follow" in lines
    assert "dataset 'EXAMPLE_s01e01': no file in Outputs/ yet" in lines
    assert "raw data as it is now: 0 of 2 flows, 0 bytes" in lines
    assert "Drive: Season/messages.csv, where it changed" in lines
    assert f"{project.backups}/data-<run-id>.tar.gz: 0 files of 0 bytes by now, before compression" in lines
    assert "archive: gs://project/data-<run-id>.tar.gz" in lines
    # The workspace, a listing of flows, a page of each of the two, one of contacts, one of archives.
    assert len(workspace.requests) == 6


def project_domain(project):
    return json.loads(project.configuration.read_text())["RawDataSources"][0]["Domain"]


def test_contacts_are_known_without_the_state_and_another_workspace_is_told(project, workspace, plan):
    run_night(project, 1, 2)
    shutil.rmtree(project.data_root / "State")
    lines, _ = plan()
    assert "contacts: 0 new in the first page, of 5; more follow" in lines
    run_night(project, 2)
    workspace.workspace["uuid"] = "7b0e2a44-9d1c-4f3a-a6c5-2e8f1d0b9a73"
    lines, _ = plan()
    was = f"BUT EVERYTHING SO FAR CAME FROM {fake_rapidpro.WORKSPACE}"
    assert f"the token is of workspace 7b0e2a44-9d1c-4f3a-a6c5-2e8f1d0b9a73, {was}" in lines


def test_after_a_night_what_came_since_is_counted(project, workspace, plan):
    run_night(project, 1, 2, 3, 4, 5, 6, 7)
    lines, _ = plan()
    assert (
        "flow 's01e1_activation': 12 runs held, the newest of 2026-03-01T09:12:00+00:00; 0 new, 0 changed since"
        in lines
    )
    assert "contacts: 0 new since" in lines
    assert "2 dataset(s) with nothing to add" in lines
    assert "of 3 files of earlier runs 0 are not there yet: 0 bytes" in lines
    assert "uuid table 'EXAMPLE': embedded; no reads of Firestore" in lines

    add_night(workspace, range(13, 17))
    workspace.runs[0]["modified_on"] = at(40)
    # One whose contact nobody knows yet.
    workspace.runs.append(run(90, "s01e1_activation", of=90, rqa_s01e01_raw="biyo"))
    lines, _ = plan()
    assert (
        "flow 's01e1_activation': 12 runs held, the newest of 2026-03-01T09:12:00+00:00; 4 new, 0 changed in the first "
        "page since, of 5; more follow"
    ) in lines
    assert "contacts: 4 new since" in lines
    workspace.page_size = 250
    lines, _ = plan()
    assert any(line.endswith("; 5 new, 1 changed since") for line in lines)
    run_night(project, 2)
    lines, _ = plan("--first", "2", "--last", "2")
    assert any("16 runs held, 1 more wait for their contact" in line for line in lines)
    # What stages 2 and 3 brought, stage 4 would add.
    run_night(project, 3)
    lines, _ = plan("--first", "4", "--last", "4")
    assert lines[1:] == [
        "4 coda add",
        "Coda: embedded; by Outputs/ as it is now, what stages 1 to 3 bring comes on top",
        "dataset 'EXAMPLE_s01e01': 4 messages to be added to the 12 that it is known to have",
        "1 dataset(s) with nothing to add",
        "no reads of Firestore",
    ]


def test_what_a_plan_says_of_a_fetch_is_what_the_fetch_finds(project, workspace, plan, caplog):
    run_night(project, 2)
    add_night(workspace, range(13, 17))
    workspace.page_size = 250
    lines, _ = plan("--first", "2", "--last", "2")
    assert any("12 runs held" in line and line.endswith("; 4 new, 0 changed since") for line in lines)
    caplog.clear()
    caplog.set_level("INFO")
    run_night(project, 2)
    assert "Flow 's01e1_activation': 16 runs held: 4 new, 0 changed" in caplog.text
    lines, _ = plan("--first", "2", "--last", "2")
    assert any("16 runs held" in line and line.endswith("; 0 new, 0 changed since") for line in lines)


def test_reads_of_firestore_are_told_without_asking_it(project, plan, monkeypatch):
    run_night(project, 2, 3)
    key = project.folder / "google.json"
    key.write_text('{"type": "service_account", "project_id": "invented"}')
    # Nobody answers there, and nobody is asked.
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    lines, _ = plan("--first", "1", "--last", "1", coda=key)
    assert lines[2] == "Coda: invented"
    assert lines[-1] == "at least 2 reads of Firestore, and one for each message that is new or changed"
    lines, _ = plan("--first", "4", "--last", "4", coda=key)
    assert "dataset 'EXAMPLE_s01e01': 12 messages to be added to the 0 that it is known to have" in lines
    # Two datasets, each with its own scheme, that of wrong answers, and the note of its last addition.
    assert lines[-1] == "at most 20 reads of Firestore, unless somebody else added messages since"


def test_archives_that_were_not_read_are_counted(project, workspace, plan):
    workspace.archives["2026-01-01"] = [run(70, "s01e1_activation", of=1, rqa_s01e01_raw="biyo")]
    assert "archives: 1 of runs, 1 not read yet, with 1 run of all flows" in plan("--first", "2", "--last", "2")[0]
    run_night(project, 2)
    assert "archives: 1 of runs, 0 not read yet, with 0 runs of all flows" in plan("--first", "2", "--last", "2")[0]


def test_a_service_that_can_not_be_reached_is_one_line_and_status_12(project, workspace, plan):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    document = json.loads(project.configuration.read_text())
    document["RawDataSources"][0]["Domain"] = f"http://127.0.0.1:{port}"
    project.configuration.write_text(json.dumps(document))
    lines, errors = plan(status=12)
    assert "could not find out what is new" in lines
    # All else is told.
    assert "7 upload logs" in lines
    told = [line for line in errors.splitlines() if "127.0.0.1" in line]
    assert len(told) == 1
    assert told[0].strip().startswith(f"RapidPro http://127.0.0.1:{port}: workspace.json: the connection was refused")


def test_a_bucket_that_can_not_be_reached_is_told_beside_the_rest(project, plan, monkeypatch):
    run_night(project, 2, 3, 6)
    key = project.folder / "google.json"
    key.write_text('{"type": "service_account", "project_id": "invented"}')
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    lines, errors = plan(status=12, credentials=key)
    assert "could not find out what is new" in lines
    assert "could not find out which of 3 files of earlier runs are there" in lines
    # The token, the uuid table's credentials, and the first file.
    assert [line.split(": ")[0].strip() for line in errors.splitlines() if "gs://" in line] == [
        "gs://keys/token.txt",
        "gs://keys/embedded.json",
        f"gs://project/memory-{RUN_ID}.profile",
    ]


def test_a_fault_of_the_configuration_exits_10(project, workspace, plan):
    workspace.flows.remove("s01_demographics")
    assert "no flow named 's01_demographics'" in plan(status=10)[1]
    project.configuration.write_text("{")
    assert "line 1, column 2" in plan(status=10)[1]


def test_files_of_earlier_nights_that_are_not_in_the_bucket_are_named(project, plan):
    run_night(project, 2, 3, 6, 7)
    (project.embedded / "storage" / "project" / f"data-{RUN_ID}.tar.gz").unlink()
    lines, _ = plan("--first", "7", "--last", "7")
    assert [line for line in lines if line.startswith("pending: ")][0].startswith(
        f"pending: gs://project/data-{RUN_ID}.tar.gz: "
    )
    assert any(line.startswith("of 3 files of earlier runs 1 are not there yet: ") for line in lines)


def test_archives_that_would_be_removed_are_named(project, plan):
    for day in ("2020-01-01", "2020-01-02"):
        (project.backups / f"data-{day}T000000Z-unknown.tar.gz").write_text("invented")
    lines, _ = plan("--first", "6", "--last", "6", "--keep-days", "30")
    assert [line for line in lines if line.startswith("to be removed")] == [
        f"to be removed, more than 30 days old: data-{day}T000000Z-unknown.tar.gz"
        for day in ("2020-01-01", "2020-01-02")
    ]


def test_archives_that_backup_does_not_keep_are_named(project, plan):
    document = json.loads(project.configuration.read_text())
    document["Backup"] = {"Keep": {"Monthly": 1}}
    project.configuration.write_text(json.dumps(document))
    names = [f"data-2020-01-0{day}T000000Z-unknown.tar.gz" for day in (1, 2)]
    for name in names:
        (project.backups / name).write_text("invented")
        if name == names[1]:
            note_archive(project.backups / name, project.data_root)
    lines, _ = plan("--first", "6", "--last", "6", "--keep-days", "30")
    # Nobody knows whose archive the other one is.
    assert [line for line in lines if line.startswith("to be removed")] == [
        f"to be removed, by Backup.Keep: {names[1]}"
    ]


def kill_fetch(project, last):
    changes = Changes(project.folder, last=last)
    return run_stage(project.arguments(2), lambda: changes.watch())


@pytest.mark.parametrize("last", [5, 30, 60, 100])
def test_the_state_of_a_fetch_that_was_killed_is_looked_at_and_not_touched(project, plan, last):
    assert in_server(kill_fetch, project, last).status == 9
    lines, _ = plan("--first", "2", "--last", "2")
    assert any("runs held" in line for line in lines)
    # And the fetch goes on from it.
    run_night(project, 2)
    assert any("12 runs held" in line for line in plan("--first", "2", "--last", "2")[0])


def test_a_fetch_at_work_is_not_waited_for_and_not_disturbed(project, plan):
    run_night(project, 2)
    (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
    with open_run_store(state) as store, store.transaction():
        lines, _ = plan("--first", "2", "--last", "2")
    assert any("12 runs held" in line for line in lines)


def test_a_damaged_state_counts_as_none_as_the_fetch_takes_it(project, plan):
    run_night(project, 2)
    (state,) = (project.data_root / "State" / "fetch").glob("*.sqlite")
    state.write_bytes(b"no database" * 1000)
    lines, _ = plan("--first", "2", "--last", "2")
    assert any("0 runs held" in line for line in lines)


def test_what_is_over_age_is_told_after_the_uploads_where_it_is_configured(project, plan):
    document = json.loads(project.configuration.read_text())
    document["Retention"] = {"Archives": "P90D"}
    project.configuration.write_text(json.dumps(document))
    names = [f"data-2020-01-0{day}T000000Z-unknown.tar.gz" for day in (1, 2)]
    for name in names:
        (project.backups / name).write_text("invented")
        note_archive(project.backups / name, project.data_root)
    # The newest stays, but that is the one that the run makes.
    lines, _ = plan("--first", "6")
    assert lines[lines.index("apply retention") + 1 :] == [
        "to be removed, by Retention: 2 archive(s), the oldest of 2020-01-01 00:00Z:",
        *(f"to be removed, by Retention: {project.backups / name}" for name in names),
    ]
    assert "apply retention" not in plan("--first", "7")[0]


def test_who_leaves_the_uuid_table_is_told_where_it_is_configured(project, plan):
    document = json.loads(project.configuration.read_text())
    document["Retention"] = {"RawTexts": "P1Y", "UuidTable": "P1Y"}
    project.configuration.write_text(json.dumps(document))
    (project.data_root / "Runs" / "retention").mkdir(parents=True)
    note = {"Version": 1, "Since": {"avf-phone-uuid-0090": "2020-01-01T00:00:00+00:00"}, "Stays": []}
    (project.data_root / "Runs" / "retention" / "silent_people.json").write_text(json.dumps(note))
    lines, _ = plan("--first", "6")
    (told,) = [line for line in lines if "uuid table participant" in line]
    assert told.startswith("to be removed, by Retention: 1 uuid table participant(s), who wrote last before 20")
    assert json.loads((project.data_root / "Runs" / "retention" / "silent_people.json").read_text()) == note


def test_the_writing_back_is_told_after_the_analysis_where_it_is_configured(project, plan):
    document = json.loads(project.configuration.read_text())
    answers = [{"CodedField": "gender_coded", "Field": "gender_answered"}]
    document["WriteBack"] = {"Withdrawn": {"Group": "stopped"}, "Demographics": answers}
    project.configuration.write_text(json.dumps(document))
    lines, _ = plan()
    place = lines.index("write back")
    assert lines[place + 1 : place + 3] == [
        "people who withdrew: group 'stopped'",
        "answers to 'gender_coded': yes in field 'gender_answered'",
    ]
    assert lines[place + 4] == "6 backup data root"
    assert "write back" not in plan("--first", "5", "--last", "5")[0]
    assert "write back" not in plan("--first", "6")[0]


def test_nothing_that_is_told_names_a_number_or_a_text(project, workspace, plan):
    workspace.contacts.append(contact(50, "tel:+252615009999"))
    lines, errors = plan()
    told = "\n".join(lines) + errors
    assert "6150" not in told
    assert "biyo" not in told


def test_messages_for_second_coders_and_new_suggestions_are_told(project, plan):
    document = read_document(project.configuration)
    twice = {"Share": 1.0, "Datasets": ["EXAMPLE_s01e01"], "Users": ["second@example.org"]}
    project.configuration.write_text(json.dumps({**document, "UpdateSuggestions": True, "DoubleCoding": twice}))
    run_night(project, 1, 2, 3)
    lines, _ = plan("--first", "4", "--last", "4")
    added = "12 messages to be added to the 0 that it is known to have"
    assert f"dataset 'EXAMPLE_s01e01_second': {added}" in lines
    assert not any("suggestions" in line for line in lines)
    run_night(project, 4, 1)
    origin = {"OriginID": "suggestion:1", "Name": "Pipeline Suggestions", "OriginType": "External"}
    suggested = {**label("episode1", "water"), "Checked": False, "Confidence": 0.95, "Origin": origin}
    path = project.data_root / "Outputs" / "Coda Files" / "EXAMPLE_s01e01.json"
    messages = read_document(path)
    for message in messages[:5]:
        message["Labels"] = [suggested]
    path.write_text(json.dumps(messages))
    lines, _ = plan("--first", "4", "--last", "4")
    assert "dataset 'EXAMPLE_s01e01': suggestions for up to 5 messages that nobody has labelled" in lines
    run_night(project, 4)
    assert not any("suggestions" in line for line in plan("--first", "4", "--last", "4")[0])


def read_document(path):
    return json.loads(path.read_text())
