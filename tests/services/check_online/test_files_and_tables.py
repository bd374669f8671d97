"""What uuid tables, storage and Drive say of a project: local servers, and the embedded twins."""

import json
import urllib.request
import uuid

import pytest

from engagement.foundation.errors import ConfigurationError, MachineError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.drive.embedded import FolderDrive
from engagement.services.drive.google import GoogleDrive
from engagement.services.drive.ids import DriveIds
from engagement.services.storage.protocol import open_storage
from engagement.services.uuid_tables.protocol import find_uuid_tables, open_uuid_table
from fake_drive import FakeDrive
from online_desk import POLICY

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
