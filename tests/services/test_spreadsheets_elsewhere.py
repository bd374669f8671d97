"""Spreadsheets in a bucket and in Drive, from end to end, against servers on this machine."""

import datetime
import io
import json
import logging
import mimetypes
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from drive_protocol import ApiError
from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError, ServiceError
from fake_drive import FakeDrive
from fetch_project import FetchProject

HEADER = "Mobile No,Received On,What?\n"


def line(number: int, text: str = "haa") -> str:
    return f"+25471200{number:04},20/03/2026 10:00,{text}\n"


def lines(*numbers: int) -> bytes:
    return (HEADER + "".join(map(line, numbers))).encode()


class ElsewhereProject(FetchProject):
    """A project with one table, which lies elsewhere."""

    def __init__(self, folder: Path):
        super().__init__(folder, "")
        self.table: dict[str, Any] = {
            "FlowName": "groups_s05",
            "URLs": [],
            "PhoneNumberColumn": "Mobile No",
            "TimeColumns": ["Received On"],
            "EpisodeQuestions": [{"Field": "S05", "Column": "What?"}],
        }
        self.source: dict[str, Any] = {"SourceType": "Spreadsheet", "Country": "KE", "Tables": [self.table]}
        self.sources = [self.source]
        # The uuid table stays on this machine, wherever files lie.
        table = (self.keys / "firebase.json").as_uri()
        self.settings = {"PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": table, "TableName": "PROJECT"}}

    def texts(self) -> list[str]:
        return sorted(record.values["S05 (Text) - groups_s05"] for record in self.read("groups_s05"))

    def check(self) -> int:
        self.arguments()
        arguments = ["check", str(self.folder / "pipeline_configuration.json"), "--online"]
        return main([*arguments, "--credentials", str(self.folder / "credentials.json")])

    def plan(self) -> int:
        self.arguments()
        arguments: list[Any] = ["--pipeline-configuration", self.folder / "pipeline_configuration.json"]
        for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
            arguments += [name, self.folder / "credentials.json"]
        arguments += ["--data-root", self.data_root, "--first", "2", "--last", "2"]
        arguments += ["--backups-dir", self.folder / "backups", "--performance-logs-dir", self.folder / "logs"]
        return main(["plan-run", *map(str, arguments)])


class Bucket:
    """A folder in a bucket; each test has its own."""

    def __init__(self, server: str, folder: str):
        self._address = f"{server}/upload/storage/v1/b/project/o"
        self._objects = f"{server}/storage/v1/b/project/o"
        self._folder = folder
        self.url = f"gs://project/{folder}/"

    def put(self, name: str, content: bytes) -> None:
        quoted = urllib.parse.quote(f"{self._folder}/{name}", safe="")
        request = urllib.request.Request(f"{self._address}?uploadType=media&name={quoted}", content)
        urllib.request.urlopen(request).close()

    def remove(self, name: str) -> None:
        quoted = urllib.parse.quote(f"{self._folder}/{name}", safe="")
        urllib.request.urlopen(urllib.request.Request(f"{self._objects}/{quoted}", method="DELETE")).close()

    def file_url(self, name: str) -> str:
        return f"{self.url}{name}"


class DriveFolder:
    """A folder in Drive that is shared with the account."""

    def __init__(self, server: FakeDrive):
        self.server = server
        self.folder = server.add("Groups", None)
        self.url = f"https://drive.google.com/drive/u/0/folders/{self.folder}?usp=sharing"

    def put(self, name: str, content: bytes) -> None:
        known = self.file_id(name)
        if known is None:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self.server.add(name, self.folder, content, mimeType=kind)
        else:
            self.server.change(known, content)

    def remove(self, name: str) -> None:
        self.server.remove(self.file_id(name) or "")

    def file_id(self, name: str) -> str | None:
        return next((i for i, file in self.server.files.items() if file["name"] == name), None)

    def file_url(self, name: str) -> str:
        return f"https://drive.google.com/file/d/{self.file_id(name)}/view?usp=drive_link"

    def downloads(self) -> list[str]:
        return [one for one in self.server.requests if "alt=media" in one or "/export" in one]


@pytest.fixture
def project(tmp_path: Path) -> ElsewhereProject:
    return ElsewhereProject(tmp_path)


@pytest.fixture
def drive(project: ElsewhereProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[DriveFolder]:
    with FakeDrive().running() as server:
        monkeypatch.setenv("DRIVE_EMULATOR_HOST", server.root_url)
        (project.keys / "drive.json").write_text(json.dumps(server.key()))
        project.source["DriveCredentialsFileURL"] = "gs://keys/drive.json"
        folder = DriveFolder(server)
        project.table["URLs"] = [folder.url]
        yield folder


@pytest.fixture
def bucket(
    project: ElsewhereProject, gcs_server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Bucket:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    google = {"type": "service_account", "project_id": "invented"}
    (project.folder / "credentials.json").write_text(json.dumps(google))
    folder = Bucket(gcs_server, f"groups of {request.node.name}")
    project.table["URLs"] = [folder.url]
    return folder


@pytest.fixture(params=["bucket", "drive"])
def place(request: pytest.FixtureRequest) -> Bucket | DriveFolder:
    found: Bucket | DriveFolder = request.getfixturevalue(request.param)
    return found


def test_a_folder_is_read_and_followed(
    project: ElsewhereProject, place: Bucket | DriveFolder, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    place.put("b.csv", lines(1, 2))
    place.put("a.tsv", lines(2, 3).replace(b",", b"\t"))
    place.put("remarks.docx", b"not a table")
    project.fetch()
    assert project.texts() == ["haa"] * 3
    before = project.file("groups_s05").read_bytes()
    project.fetch(user="another@example.org")
    assert "Flow 'groups_s05': 2 files as before" in caplog.text
    place.put("b.csv", lines(1, 2) + line(4, "cusub").encode())
    place.put("c.csv", lines(5))
    project.fetch()
    assert project.texts() == ["cusub", *["haa"] * 4]
    assert set(before.splitlines()) < set(project.file("groups_s05").read_bytes().splitlines())


def test_no_number_reaches_the_disk(project: ElsewhereProject, place: Bucket | DriveFolder):
    place.put("a.csv", lines(*range(20)))
    project.fetch()
    for path in project.data_root.rglob("*"):
        assert not path.is_file() or b"71200" not in path.read_bytes(), path


def test_a_file_that_disappears_from_the_folder_is_a_shortened_table(
    project: ElsewhereProject, place: Bucket | DriveFolder
):
    place.put("a.csv", lines(*range(20)))
    place.put("b.csv", lines(20))
    place.put("c.csv", lines(*range(21, 25)))
    project.fetch()
    place.remove("b.csv")
    project.fetch()
    assert len(project.texts()) == 24
    place.remove("c.csv")
    with pytest.raises(ServiceError, match="flow 'groups_s05': 20 submissions, 24 before"):
        project.fetch()
    assert len(project.texts()) == 24
    project.fetch("--accept-shrinkage")
    assert len(project.texts()) == 20


def test_a_file_is_read_by_its_address(project: ElsewhereProject, place: Bucket | DriveFolder):
    place.put("a.csv", lines(1))
    place.put("b.csv", lines(2, 3))
    project.table["URLs"] = [place.file_url("b.csv")]
    project.fetch()
    assert len(project.texts()) == 2


def test_a_file_named_by_a_number_is_refused_without_it(project: ElsewhereProject, place: Bucket | DriveFolder):
    place.put("group of 0712 000 001.csv", lines(1))
    with pytest.raises(ConfigurationError, match="1 file name with what looks like a phone number") as refused:
        project.fetch()
    assert "000 001" not in str(refused.value)


def test_a_folder_without_tables_is_told(project: ElsewhereProject, place: Bucket | DriveFolder):
    place.put("remarks.docx", b"not a table")
    with pytest.raises(ConfigurationError, match=r"no .*file that ends in \.csv.*; expected at least one"):
        project.fetch()


def test_check_online_looks_into_the_files(
    project: ElsewhereProject, place: Bucket | DriveFolder, capsys: pytest.CaptureFixture[str]
):
    place.put("a.csv", lines(1).replace(b"What?", b"what"))
    assert project.check() in (10, 12)
    assert "at $.RawDataSources[0].Tables[0].URLs: " in (shown := capsys.readouterr().out)
    assert "no column 'What?'" in shown


def test_a_plan_names_the_files(
    project: ElsewhereProject, place: Bucket | DriveFolder, capsys: pytest.CaptureFixture[str]
):
    place.put("a.csv", lines(1))
    project.plan()
    assert "a.csv: read if it changed" in capsys.readouterr().out
    place.remove("a.csv")
    project.plan()
    assert "flow 'groups_s05': REFUSED: " in capsys.readouterr().out
    assert not project.data_root.exists()


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


AT = datetime.datetime(2026, 3, 20, 10, 0)  # noqa: DTZ001 - cells have no zone


def test_a_google_sheet_is_read_as_a_workbook(
    project: ElsewhereProject, drive: DriveFolder, caplog: pytest.LogCaptureFixture
):
    header = HEADER.strip().split(",")
    sheet = drive.server.add_sheet("Groups, March", drive.folder, workbook(header, ["0712000001", AT, "haa"]))
    project.fetch()
    assert project.texts() == ["haa"]
    caplog.set_level(logging.INFO)
    drive.server.contents[sheet] = workbook(header, ["0712000001", AT, "haa"])
    project.fetch()
    assert "1 file as before" in caplog.text
    drive.server.contents[sheet] = workbook(header, ["0712000001", AT, "haa"], ["0712000001", AT, "maya"])
    project.table["URLs"] = [f"https://docs.google.com/spreadsheets/d/{sheet}/edit?gid=1234567890#gid=1234567890"]
    project.fetch()
    assert project.texts() == ["haa", "maya"]


def test_a_file_that_did_not_change_is_not_downloaded_again(project: ElsewhereProject, drive: DriveFolder):
    drive.put("a.csv", lines(1))
    project.fetch()
    assert len(drive.downloads()) == 1
    project.fetch()
    assert len(drive.downloads()) == 1


def test_a_file_that_can_not_be_downloaded_replaces_nothing(project: ElsewhereProject, drive: DriveFolder):
    drive.put("a.csv", lines(1))
    project.fetch()
    before = project.file("groups_s05").read_bytes()
    drive.put("a.csv", lines(1, 2))
    drive.server.fail("alt=media", ApiError(403, "cannotDownloadFile"))
    with pytest.raises(
        ServiceError, match=rf"Share it with {drive.server.account} as Viewer, and let viewers download"
    ):
        project.fetch()
    assert project.file("groups_s05").read_bytes() == before
    project.fetch()
    assert len(project.texts()) == 2


def test_what_is_not_shared_is_told_with_the_account_to_share_it_with(
    project: ElsewhereProject, drive: DriveFolder, capsys: pytest.CaptureFixture[str]
):
    project.table["URLs"] = ["https://drive.google.com/drive/folders/SomebodyElses"]
    told = (
        rf"https://drive\.google\.com/open\?id=SomebodyElses: not in Drive, or not shared with {drive.server.account};"
    )
    with pytest.raises(ConfigurationError, match=told):
        project.fetch()
    project.check()
    assert f"Share it with {drive.server.account} as Viewer" in capsys.readouterr().out


def test_what_is_no_table_is_told(project: ElsewhereProject, drive: DriveFolder):
    document = drive.server.add("Minutes", drive.folder, mimeType="application/vnd.google-apps.document")
    project.table["URLs"] = [f"https://drive.google.com/open?id={document}"]
    with pytest.raises(
        ConfigurationError, match="'Minutes' is something else, like a Google Doc; expected a Google Sheet"
    ):
        project.fetch()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"URLs": ["https://docs.google.com/spreadsheets/d/e/2PACX-Published/pubhtml"]}, "is no address of a table"),
        ({"URLs": ["https://drive.google.com/drive/my-drive"]}, "is no address of a table"),
        (
            {"URLs": ["https://drive.google.com/file/d/Invented1", "https://drive.google.com/open?id=Invented1"]},
            "stands there twice",
        ),
    ],
)
def test_links_that_lead_nowhere_are_refused(
    project: ElsewhereProject, drive: DriveFolder, change: dict[str, Any], told: str
):
    project.table |= change
    with pytest.raises(ConfigurationError, match=told):
        project.fetch()


def test_a_link_without_a_key_is_refused(project: ElsewhereProject, drive: DriveFolder):
    del project.source["DriveCredentialsFileURL"]
    with pytest.raises(ConfigurationError, match="DriveCredentialsFileURL: is missing, though a table lies in Drive"):
        project.fetch()


def test_the_container_reaches_drive(
    project: ElsewhereProject, drive: DriveFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    key = project.folder / "drive key.json"
    key.write_text(json.dumps(drive.server.key()))
    project.source["DriveCredentialsFileURL"] = key.as_uri()
    arguments = project.arguments()
    assert main(["container-plan", "fetch-raw-data", *arguments]) == 0
    found = capsys.readouterr().out.splitlines()
    assert {f"mount ro {key}", "network host", "environment DRIVE_EMULATOR_HOST"} <= set(found)
    monkeypatch.delenv("DRIVE_EMULATOR_HOST")
    assert main(["container-plan", "fetch-raw-data", *arguments]) == 0
    assert "network bridge" in capsys.readouterr().out.splitlines()
