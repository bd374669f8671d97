"""What the services say of a project: the sandbox's RapidPro, Firestore's emulator, local servers of storage and Drive, and
the embedded twins."""

import dataclasses
import json
import re
import shutil
import urllib.request
import uuid

import pytest
from google.cloud import firestore

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.configuration.loading import read_project_files
from engagement.desk.checks.findings import Findings
from engagement.desk.checks.online import Services, ask_services
from engagement.foundation.errors import ConfigurationError, MachineError, ServiceError
from engagement.labelling.datasets.datasets import code_schemes_of
from engagement.sandbox.api import Api, Reply
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import make_workspace
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.drive.embedded import FolderDrive
from engagement.services.drive.google import GoogleDrive
from engagement.services.drive.ids import DriveIds
from engagement.services.retries import RetryPolicy
from engagement.services.storage.protocol import open_storage
from engagement.services.uuid_tables.protocol import find_uuid_tables, open_uuid_table
from fake_drive import FakeDrive

# Nobody waits for what can't be reached.
POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
GENDER = "$.DemographicCodingPlans[0].CodaFilename"


@pytest.fixture(scope="module")
def workspace():
    return make_workspace(seed=7, round_number=0)


@pytest.fixture(scope="module")
def rapid_pro(workspace):
    """Address of the sandbox's RapidPro."""
    with serve(workspace) as address:
        yield address


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The demo's directory, with all of its embedded services."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    assert main(["sandbox-prepare", "--directory", str(folder)]) == 0
    return folder


class Desk:
    """The demo's configuration and its embedded services, to be changed and asked."""

    def __init__(self, folder, rapid_pro, token, capsys):
        self.folder = folder
        self.capsys = capsys
        self.path = folder / "configuration" / "pipeline_configuration.json"
        self.embedded = folder / "embedded"
        self.token = self.embedded / "storage" / "demo-credentials" / "rapid-pro-token.txt"
        self.token.write_text(token + "\n")
        self.change(lambda document: document["RawDataSources"][0].update(Domain=rapid_pro))

    def change(self, edit, name="pipeline_configuration"):
        path = self.path.with_name(f"{name}.json")
        document = json.loads(path.read_text())
        edit(document)
        path.write_text(json.dumps(document, indent=2))

    @property
    def coda(self):
        return open_coda(EmbeddedCredentials(self.embedded))

    def fill_coda(self, coda, users=("asha@example.org", "nuur@example.org")):
        """Make the project's datasets, as stage 4 does."""
        project = load_project(self.path)
        for plan in project.coding_plans.all:
            if plan.coda_dataset is not None:
                coda.create_dataset(plan.coda_dataset, users, code_schemes_of(plan, project.coding_plans))

    def tree(self):
        return {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}

    def check(self, *options):
        """Type the command; gives its status, its lines but for the last, and what changed in the demo's directory."""
        credentials = self.folder / "credentials"
        before = self.tree()
        status = main(
            [
                *(
                    "check",
                    str(self.path),
                    "--online",
                    "--credentials",
                    str(credentials / "google_cloud_credentials.json"),
                ),
                *("--coda-pull-credentials", str(credentials / "coda_credentials.json"), *options),
            ]
        )
        lines = self.shorten(self.capsys.readouterr().out).splitlines()
        assert self.tree() == before, "nothing is left behind"
        return status, [line for line in lines if not line.startswith("pipeline_configuration.json: ")]

    def ask(self, **services):
        """Ask with other services than the demo's; gives every line."""
        files = read_project_files(self.path)
        findings = Findings(files.problems)
        given = {"credentials": EmbeddedCredentials(self.embedded), "policy": POLICY, **services}
        ask_services(files, Services(**given), findings)
        return [self.shorten(line) for line in findings.lines()]

    def shorten(self, said):
        """Without the folder, and without lines, which change with the demo."""
        return re.sub(r", line \d+,", ",", said.replace(f"{self.path.parent}/", ""))


@pytest.fixture
def desk(prepared, tmp_path, rapid_pro, workspace, capsys):
    shutil.copytree(prepared, tmp_path / "demo")
    test_contact = next(row["uuid"] for row in workspace.contacts if row["uuid"])
    desk = Desk(tmp_path / "demo", rapid_pro, workspace.token, capsys)
    desk.change(lambda document: document["RawDataSources"][0].update(TestContactUUIDs=[test_contact]))
    desk.fill_coda(desk.coda)
    capsys.readouterr()
    return desk


def test_a_project_that_fits_its_services_gets_no_finding_and_leaves_nothing_behind(desk):
    assert desk.check() == (0, [])


# RapidPro


def test_a_flow_that_was_renamed_is_an_error_with_the_nearest_names(desk):
    desk.change(
        lambda document: document["RawDataSources"][0]["SurveyFlowNames"].__setitem__(0, "demo_s01_demografics")
    )
    status, lines = desk.check()
    assert status == 10
    (error,) = [line for line in lines if line.startswith("ERROR")]
    assert error.startswith(
        "ERROR: pipeline_configuration.json, at $.RawDataSources[0].SurveyFlowNames[0]: the workspace at http://127.0.0.1:"
    )
    told = "has no flow 'demo_s01_demografics'; expected one; nearest: 'demo_s01_demographics', "
    assert told in error


def test_an_anonymous_workspace_is_an_error_unless_a_participant_is_a_contact(desk, workspace):
    hidden = dataclasses.replace(workspace, workspace=workspace.workspace | {"anon": True})
    with serve(hidden) as address:
        desk.change(lambda document: document["RawDataSources"][0].update(Domain=address))
        status, (error,) = desk.check()
        assert status == 10
        assert error.startswith("ERROR: pipeline_configuration.json, at $.RawDataSources[0]: workspace ")
        assert "is anonymous: it hides the URNs of its contacts; expected URNs" in error
        assert 'add "Identity": "contact" to the source' in error
        desk.change(lambda document: document["RawDataSources"][0].update(Identity="contact"))
        assert desk.check() == (0, [])


def test_participants_that_are_contacts_though_urns_are_shown_are_a_warning(desk):
    desk.change(lambda document: document["RawDataSources"][0].update(Identity="contact"))
    status, (warning,) = desk.check()
    assert status == 0
    assert "at $.RawDataSources[0].Identity: 'contact', though workspace " in warning


def test_two_flows_of_one_name_are_an_error_with_both_uuids_until_one_is_chosen(desk, workspace):
    name = "demo_s01_demographics"
    first = next(row for row in workspace.flows if row["name"] == name)
    other = first | {"uuid": str(uuid.UUID(int=7))}
    with serve(dataclasses.replace(workspace, flows=(*workspace.flows, other))) as address:
        desk.change(lambda document: document["RawDataSources"][0].update(Domain=address))
        status, (error,) = desk.check()
        assert status == 10
        assert "at $.RawDataSources[0].SurveyFlowNames[0]: 2 flows are called 'demo_s01_demographics'" in error
        assert first["uuid"] in error
        assert other["uuid"] in error

        def choose(uid):
            choice = {"Name": name, "UUID": uid}
            desk.change(lambda document: document["RawDataSources"][0]["SurveyFlowNames"].__setitem__(0, choice))

        choose(first["uuid"])
        assert desk.check() == (0, [])
        choose("mistyped")
        status, (error,) = desk.check()
        assert status == 10
        assert "has no flow of the uuid 'mistyped'; expected one. Change it." in error


def test_one_flow_by_name_and_by_uuid_is_an_error(desk, workspace):
    flow = next(row for row in workspace.flows if row["name"] == "demo_s01e01_activation")
    again = {"Name": "again", "UUID": flow["uuid"]}
    desk.change(lambda document: document["RawDataSources"][0]["ActivationFlowNames"].append(again))
    status, lines = desk.check()
    assert status == 10
    (error,) = [line for line in lines if line.startswith("ERROR")]
    assert "it is the flow at $.RawDataSources[0].ActivationFlowNames[0]; expected each once. Remove one." in error


def test_a_result_that_the_flow_does_not_keep_is_an_error_and_one_that_nobody_reads_a_warning(desk):
    def misspell(document):
        for remapping in document["RapidProKeyRemappings"]:
            remapping["RapidProKey"] = remapping["RapidProKey"].replace("Location (", "Locaton (")

    desk.change(misspell)
    status, lines = desk.check()
    assert status == 10
    flow = "flow 'demo_s01_demographics'"
    assert [line.partition(": ")[2].partition(": ")[2] for line in lines] == [
        f"{flow} keeps no result 'Locaton', and nothing else writes 'location_raw'; expected one of its results; nearest: 'Location'. "
        "Change it.",
        f"{flow} keeps no result 'Locaton', and nothing else writes 'location_time'; expected one of its results; nearest: "
        "'Location'. Change it.",
        f"no remapping reads the result 'Location' that {flow} keeps; expected one. Add 'Location (Text) - demo_s01_demographics', "
        "or leave it be if nobody needs it.",
    ]


def test_an_earlier_result_beside_the_one_that_came_in_its_place_is_right(desk):
    def keep_earlier(document):
        for part, field in (("Text", "gender_raw"), ("Time", "gender_time")):
            key = f"Sex ({part}) - demo_s01_demographics"
            document["RapidProKeyRemappings"].insert(1, {"RapidProKey": key, "PipelineKey": field})

    desk.change(keep_earlier)
    assert desk.check() == (0, [])


def test_a_contact_for_tests_of_another_workspace_is_a_warning(desk):
    other = str(uuid.UUID(int=1))
    desk.change(lambda document: document["RawDataSources"][0]["TestContactUUIDs"].append(other))
    status, (line,) = desk.check()
    assert status == 0
    assert line.startswith(
        "WARNING: pipeline_configuration.json, at $.RawDataSources[0].TestContactUUIDs[1]: the workspace has no "
    )
    assert other not in line


def test_a_wrong_token_exits_12_after_all_the_others_were_asked(desk):
    desk.token.write_text("not-the-token\n")
    desk.change(lambda document: document["PhoneNumberUuidTable"].update(TableName="DEM0"))
    status, lines = desk.check()
    assert status == 12
    warning, failed = lines
    assert "at $.PhoneNumberUuidTable.TableName: there is no uuid table 'DEM0' yet" in warning
    assert "nearest: 'DEMO'" in warning
    assert failed.startswith("FAILED: RapidPro http://127.0.0.1")
    assert "the token was refused (status 403: Invalid token)" in failed
    assert "not-the-token" not in "".join(lines)


def test_a_server_that_is_down_is_told_beside_what_the_others_said(desk):
    desk.change(lambda document: document["RawDataSources"][0].update(Domain="http://127.0.0.1:1"))
    desk.change(lambda document: document.pop("CodaUsers"))
    (desk.embedded / "coda" / "DEMO_gender.json").unlink()
    lines = desk.ask(coda_credentials=(EmbeddedCredentials(desk.embedded),))
    error, failed = lines
    assert error.startswith(f"ERROR: coding_plans.json, at {GENDER}: Coda ")
    assert "has no dataset 'DEMO_gender'; expected it, or CodaUsers" in error
    assert "the connection was refused" in failed


def test_errors_come_before_what_failed_in_the_exit_status(desk):
    desk.token.write_text("not-the-token\n")
    desk.change(
        lambda document: document["PhoneNumberUuidTable"].update(
            FirebaseCredentialsFileURL="gs://demo-credentials/no.json"
        )
    )
    status, lines = desk.check()
    assert status == 10
    assert [line.partition(":")[0] for line in lines] == ["ERROR", "FAILED"]
    assert (
        "at $.PhoneNumberUuidTable.FirebaseCredentialsFileURL: gs://demo-credentials/no.json: no such file" in lines[0]
    )


# Coda: one suite on Firestore and on the folder


@pytest.fixture(params=["embedded", "google"])
def coda_credentials(request, tmp_path, monkeypatch):
    if request.param == "embedded":
        return EmbeddedCredentials(tmp_path / "other coda")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
    project = f"t-{uuid.uuid4().hex[:12]}"
    return GoogleCredentials(project, {"project_id": project})


def test_datasets_with_their_schemes_and_users_are_right(desk, coda_credentials):
    desk.fill_coda(open_coda(coda_credentials))
    assert desk.ask(coda_credentials=(coda_credentials,)) == []


def test_datasets_that_stage_4_can_make_are_no_finding(desk, coda_credentials):
    assert desk.ask(coda_credentials=(coda_credentials,)) == []


def test_datasets_that_nobody_can_make_are_errors(desk, coda_credentials):
    desk.change(lambda document: document.pop("CodaUsers"))
    lines = desk.ask(coda_credentials=(coda_credentials,))
    assert len(lines) == 9
    assert all(line.startswith("ERROR: coding_plans.json, at ") for line in lines)
    instance = open_coda(coda_credentials).instance
    assert (
        f"ERROR: coding_plans.json, at {GENDER}: Coda {instance} has no dataset 'DEMO_gender'; expected it, or CodaUsers "
        "in the pipeline configuration to make it with. Have it made, or add them."
    ) in lines


def test_how_schemes_differ_who_may_not_label_and_what_is_lacking_is_told(desk, coda_credentials):
    coda = open_coda(coda_credentials)
    project = load_project(desk.path)
    gender = next(plan for plan in project.coding_plans.all if plan.coda_dataset == "DEMO_gender")
    own, ws_scheme = code_schemes_of(gender, project.coding_plans)
    codes = [{**code, "DisplayText": "male"} if code["StringValue"] == "man" else code for code in own["Codes"]]
    coda.create_dataset("DEMO_gender", ["asha@example.org"], [{**own, "Codes": codes}])
    coda.create_dataset("DEMO_age", [], code_schemes_of(project.coding_plans.demographic[1], project.coding_plans))
    assert coda.read_users("DEMO_gender") == ["asha@example.org"]
    assert coda.read_users("DEMO_location") == []
    place = f"coding_plans.json, at {GENDER}: "
    where = f"in Coda {coda.instance}"
    assert desk.ask(coda_credentials=(coda_credentials,)) == [
        f"ERROR: {place}dataset 'DEMO_gender' {where}, scheme {own['SchemeID']!r}, code {codes[0]['CodeID']!r}: DisplayText is "
        "'male' in Coda, 'man' here; expected the same code book in both. Put the code book that coders are to use into both: a code that has "
        "labels keeps its CodeID and its meaning.",
        f"WARNING: {place}dataset 'DEMO_gender' {where} lacks the code scheme {ws_scheme['SchemeID']!r}, so that nobody can "
        "label with it; expected it there. Have it added in Coda.",
        f"WARNING: {place}'nuur@example.org' of CodaUsers may not label dataset 'DEMO_gender' {where}; expected all of them to. "
        "Add them in Coda, or remove them from CodaUsers.",
        f"WARNING: coding_plans.json, at $.DemographicCodingPlans[1].CodaFilename: nobody may label dataset 'DEMO_age' "
        f"{where}; expected users. Add them in Coda.",
    ]


def test_codes_and_schemes_that_somebody_added_in_coda_are_told_also_those_of_an_earlier_segment(
    desk, coda_credentials
):
    coda = open_coda(coda_credentials)
    project = load_project(desk.path)
    gender = next(plan for plan in project.coding_plans.all if plan.coda_dataset == "DEMO_gender")
    own, ws_scheme = code_schemes_of(gender, project.coding_plans)
    added = {**own["Codes"][0], "CodeID": "code-added", "DisplayText": "rather not say"}
    edited = {**own, "Codes": [*own["Codes"], added]}
    other = {"SchemeID": "Scheme-mood", "Name": "Mood", "Codes": [added]}
    coda.create_dataset("DEMO_gender", ["asha@example.org", "nuur@example.org"], [edited, ws_scheme, other])
    add_segment(coda_credentials, [own, ws_scheme])
    error, warning = desk.ask(coda_credentials=(coda_credentials,))
    assert error.startswith(
        f"ERROR: coding_plans.json, at {GENDER}: dataset 'DEMO_gender' in Coda {coda.instance}, scheme "
    )
    assert "code 'code-added': only Coda has it, as 'rather not say'; answers that coders give it count as not" in error
    assert "scheme 'Scheme-mood' ('Mood'): only Coda has it; labels under it count for nothing" in warning


def test_a_code_scheme_that_is_none_any_more_is_told_and_no_bug(desk, coda_credentials):
    open_coda(coda_credentials).create_dataset("DEMO_gender", ["asha@example.org", "nuur@example.org"], [])
    add_segment(
        coda_credentials, [{"SchemeID": "Scheme-broken", "Name": "Broken", "Codes": [{"DisplayText": "no id"}]}]
    )
    (line,) = desk.ask(coda_credentials=(coda_credentials,))
    assert line.startswith("FAILED: ")
    assert "DEMO_gender_2" in line
    assert "expected a" in line


def add_segment(credentials, code_schemes):
    """Give the dataset of genders a second segment with other code schemes, as an edit in Coda leaves them."""
    if isinstance(credentials, EmbeddedCredentials):
        segment = credentials.directory / "coda" / "DEMO_gender_2"
        segment.with_name(f"{segment.name}.json").write_text("[]")
        segment.with_name(f"{segment.name}.users.json").write_text('["asha@example.org", "nuur@example.org"]')
        segment.with_name(f"{segment.name}.code_schemes.json").write_text(json.dumps(code_schemes))
        return
    client = firestore.Client(project=credentials.project_id)
    client.document("segment_counts", "DEMO_gender").set({"segment_count": 2})
    client.document("datasets", "DEMO_gender_2").set({"users": ["asha@example.org", "nuur@example.org"]})
    for scheme in code_schemes:
        client.document("datasets", "DEMO_gender_2", "code_schemes", scheme["SchemeID"]).set(scheme)


def test_the_two_instances_of_coda_are_each_asked(desk, coda_credentials):
    desk.change(lambda document: document.pop("CodaUsers"))
    lines = desk.ask(coda_credentials=(EmbeddedCredentials(desk.embedded), coda_credentials))
    assert len(lines) == 9
    assert all(f"Coda {open_coda(coda_credentials).instance} has no dataset" in line for line in lines)


# The uuid table


@pytest.fixture(params=["embedded", "google"])
def table_credentials(request, tmp_path, monkeypatch):
    if request.param == "embedded":
        return EmbeddedCredentials(tmp_path / "uuids")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
    project = f"t-{uuid.uuid4().hex[:12]}"
    return GoogleCredentials(project, {"project_id": project})


def test_the_tables_that_there_are_are_found_and_none_is_made(table_credentials, tmp_path):
    assert find_uuid_tables(table_credentials, POLICY) == []
    assert not (tmp_path / "uuids").exists()
    for name in ("SHOW", "PILOT"):
        open_uuid_table(table_credentials, name, POLICY).uuids_for(["25261500000"])
    assert sorted(find_uuid_tables(table_credentials, POLICY)) == ["PILOT", "SHOW"]


def test_a_table_file_without_tables_holds_none(tmp_path):
    (tmp_path / "uuid_tables.sqlite").touch()
    assert find_uuid_tables(EmbeddedCredentials(tmp_path), POLICY) == []
    (tmp_path / "uuid_tables.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(MachineError, match="the uuid table could not be read"):
        find_uuid_tables(EmbeddedCredentials(tmp_path), POLICY)


# Storage


@pytest.fixture(params=["embedded", "google"])
def storage_credentials(request, tmp_path, monkeypatch):
    if request.param == "embedded":
        (tmp_path / "storage" / "project").mkdir(parents=True)
        return EmbeddedCredentials(tmp_path)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("gcs_server"))
    return GoogleCredentials("test", {})


def test_an_address_that_may_be_written_to_stays_empty(storage_credentials, tmp_path, request):
    storage = open_storage(storage_credentials, POLICY)
    name = f"data-{uuid.uuid4().hex}.tar.gz"
    storage.check_writable(f"gs://project/archives/{name}")
    storage.check_writable(f"file://{tmp_path}/not yet/{name}")
    assert not storage.has_object(f"gs://project/archives/{name}")
    assert not list(tmp_path.rglob(name))
    assert not (tmp_path / "not yet").exists()
    if isinstance(storage_credentials, GoogleCredentials):
        with urllib.request.urlopen(f"{request.getfixturevalue('gcs_server')}/storage/v1/b/project/o") as answer:
            assert name not in answer.read().decode()


def test_a_bucket_that_is_not_there_is_an_error_at_its_key(desk, gcs_server, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    storage = open_storage(GoogleCredentials("test", {}), POLICY)
    with pytest.raises(ConfigurationError, match="gs://no-such-bucket/data-x: no such bucket"):
        storage.check_writable("gs://no-such-bucket/data-x")
    desk.change(lambda document: document.update(DataArchiveUploadURLPrefix="gs://no-such-bucket/data-"))
    at = "at $.DataArchiveUploadURLPrefix: gs://no-such-bucket/data-check.tar.gz: no such bucket; expected it to exist."
    assert any(at in line for line in desk.ask(credentials=GoogleCredentials("test", {})))


def test_a_file_in_the_place_of_a_folder_can_not_be_written_to(desk):
    (desk.embedded / "storage" / "demo-archives").parent.mkdir(exist_ok=True)
    (desk.embedded / "storage" / "demo-archives").write_text("no folder")
    status, lines = desk.check()
    assert status == 14
    (line,) = lines
    assert line.startswith(f"FAILED: {desk.embedded}/storage/demo-archives: this user may not write there")


def test_recovered_files_that_are_not_there_are_errors(desk):
    recovered = {
        "SourceType": "RecoveryCSV",
        "ActivationFlowURLs": ["gs://recovered/here.csv", "gs://recovered/gone.csv"],
    }
    desk.change(lambda document: document["RawDataSources"].append(recovered))
    here = desk.embedded / "storage" / "recovered" / "here.csv"
    here.parent.mkdir()
    here.write_text("Sender,Message,ReceivedOn\n")
    (line,) = [line for line in desk.ask() if line.startswith("ERROR")]
    assert (
        "at $.RawDataSources[2].ActivationFlowURLs[1]: gs://recovered/gone.csv is not there; expected a file." in line
    )


# Drive


@pytest.fixture
def server():
    with FakeDrive().running() as running:
        yield running


def open_google_drive(server, folder):
    return GoogleDrive(
        GoogleCredentials("invented", server.key()), DriveIds(folder / "ids.json"), POLICY, server.root_url
    )


def test_a_folder_that_may_be_written_to_stays_as_it_is(server, tmp_path):
    season = server.add_shared_drive("Season")
    year = server.add("2026", season)
    server.add("messages.csv", year, b"uid\n")
    before = json.dumps(server.files, sort_keys=True)
    drive = open_google_drive(server, tmp_path)
    for path in (
        "Season/messages.csv",
        "Season/2026/messages.csv",
        "Season/2026/new/report.html",
        "Season/2027/report.html",
    ):
        drive.check_writable(path)
    assert json.dumps(server.files, sort_keys=True) == before
    assert {request.partition(" ")[0] for request in server.requests if "/token" not in request} == {"GET"}


def test_a_drive_that_the_account_does_not_see_is_told(server, tmp_path):
    with pytest.raises(ServiceError, match="sees no shared drive and no folder named 'Season'"):
        open_google_drive(server, tmp_path).check_writable("Season/2026/messages.csv")


@pytest.mark.parametrize("name", ["Season", "2026", "messages.csv"])
def test_what_may_only_be_read_is_told(server, tmp_path, name):
    season = server.add_shared_drive("Season")
    ids = {"Season": season, "2026": server.add("2026", season)}
    ids["messages.csv"] = server.add("messages.csv", ids["2026"], b"uid\n")
    server.read_only.add(ids[name])
    path = {"Season": "Season/new.csv", "2026": "Season/2026/new.csv", "messages.csv": "Season/2026/messages.csv"}[name]
    with pytest.raises(
        ServiceError, match="expected write permission. Share the folder or shared drive with pipeline@"
    ):
        open_google_drive(server, tmp_path).check_writable(path)


def test_a_folder_that_is_merely_shared_has_no_room_for_new_files(server, tmp_path):
    folder = server.add("Season", None)
    server.add("messages.csv", folder, b"uid\n")
    drive = open_google_drive(server, tmp_path)
    drive.check_writable("Season/messages.csv")
    with pytest.raises(ServiceError, match="no room for 'Season/individuals.csv'"):
        drive.check_writable("Season/individuals.csv")


def test_drive_s_twin_makes_nothing(tmp_path):
    FolderDrive(tmp_path / "embedded").check_writable("Season/2026/messages.csv")
    assert not (tmp_path / "embedded").exists()


def test_each_path_in_drive_is_asked_and_told_at_its_key(desk, server):
    server.read_only.add(server.add_shared_drive("Demo"))
    key = desk.embedded / "storage" / "demo-credentials" / "drive.json"
    key.write_text(json.dumps(server.key()))

    def connect(credentials, state_directory, policy):
        return GoogleDrive(credentials, DriveIds(state_directory / "ids.json"), policy, server.root_url)

    lines = desk.ask(connect_drive=connect)
    assert [line.partition(";")[0] for line in lines] == [
        f"FAILED: Drive: '{path}': canAddChildren is false"
        for path in (
            "Demo/production.csv", "Demo/messages.csv", "Demo/individuals.csv", "Demo/Automated Analysis/report.html",
        )
    ]  # fmt: skip


def test_a_key_of_drive_that_can_not_be_read_is_an_error(desk):
    key = desk.embedded / "storage" / "demo-credentials" / "drive.json"
    key.write_text('{"type": "authorized_user"}')
    status, (line,) = desk.check()
    assert status == 10
    assert (
        "at $.DriveUpload.DriveCredentialsFileURL: gs://demo-credentials/drive.json: 'type' is 'authorized_user'"
        in line
    )


def test_groups_and_fields_that_can_not_be_written_are_errors(desk):
    fields = [{"CodedField": "gender_coded", "Field": "joined_on"}, {"CodedField": "age_coded", "Field": "remark"}]
    desk.change(lambda document: document.update(WriteBack={"Withdrawn": {"Group": "stopped"}, "Demographics": fields}))
    status, lines = desk.check()
    assert status == 10
    assert [line.partition(" takes")[0] for line in lines] == [
        "ERROR: pipeline_configuration.json, at $.WriteBack.Demographics[0].Field: 'joined_on'"
    ]


def test_keys_that_rapidpro_keeps_for_itself_are_errors(desk):
    contacts = [{"Name": "a", "To": {"Field": "urns"}}]
    desk.change(lambda document: document.update(Contacts=contacts, WriteBack={"Withdrawn": {"Field": "status"}}))
    status, lines = desk.check()
    assert status == 10
    assert sorted(line.partition("; expected")[0] for line in lines) == [
        "ERROR: pipeline_configuration.json, at $.Contacts[0].To.Field: RapidPro keeps 'urns' for itself",
        "ERROR: pipeline_configuration.json, at $.WriteBack.Withdrawn.Field: RapidPro keeps 'status' for itself",
    ]


@pytest.mark.parametrize(
    "keys",
    [{"WriteBack": {"Withdrawn": {"Block": True}}}, {"Contacts": [{"Name": "a", "To": {"Group": "advert"}}]}],
)
def test_a_token_that_may_only_read_is_found_where_something_is_to_be_written(desk, rapid_pro, monkeypatch, keys):
    desk.change(lambda document: [document.pop(key, None) for key in ("WriteBack", "Contacts")])
    refusal = Reply(403, b'{"detail": "You do not have permission."}')
    with monkeypatch.context() as patch:
        patch.setattr(Api, "post", lambda self, path, body, authorization: refusal)
        assert desk.check()[0] == 0
        desk.change(lambda document: document.update(keys))
        status, lines = desk.check()
    assert status == 12
    (line,) = lines
    assert "the token may not write (status 403: You do not have permission.)" in line
    before = read_rows(desk, rapid_pro)
    assert desk.check()[0] == 0
    assert read_rows(desk, rapid_pro) == before


def read_rows(desk, rapid_pro):
    """All that a write could change."""
    found = []
    for endpoint in ("contacts", "groups", "fields"):
        request = urllib.request.Request(
            f"{rapid_pro}/api/v2/{endpoint}.json", headers={"Authorization": f"Token {desk.token.read_text().strip()}"}
        )
        with urllib.request.urlopen(request) as response:
            found.append(response.read())
    return found
