"""Reading from Drive: Google's client against a local server that fails as Drive does, and the folder twin."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from drive_protocol import ApiError
from engagement.foundation.errors import ConfigurationError, InputError, PipelineError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.drive import found_files
from engagement.services.drive.found_files import DriveKind, FoundInDrive, digest_content
from engagement.services.drive.google_reading import GoogleDriveReader
from engagement.services.drive.reading import DriveReader, open_drive_reader
from engagement.services.retries import RetryPolicy
from fake_drive import FakeDrive
from serving import DroppedError

POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)
LARGE = bytes(range(256)) * 4096 + b"the rest"
URL = "https://drive.google.com/file/d/whatever"


@pytest.fixture
def server() -> Iterator[FakeDrive]:
    with FakeDrive().running() as running:
        yield running


def connect(server: FakeDrive) -> GoogleDriveReader:
    return GoogleDriveReader(GoogleCredentials("invented", server.key()), POLICY, server.root_url, chunk_bytes=1 << 18)


Place = tuple[DriveReader, str, str, str]


@pytest.fixture(params=["google", "embedded"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A reader; the ids of a folder with two files and a folder within, of one of the files, and of an empty file."""
    if request.param == "embedded":
        folder = tmp_path / "embedded" / "drive" / "Groups"
        (folder / "deeper").mkdir(parents=True)
        (folder / "b.csv").write_bytes(LARGE)
        (folder / "a.csv").write_bytes(b"a")
        (folder.parent / "single.csv").write_bytes(LARGE)
        (folder.parent / "empty.csv").touch()
        return open_drive_reader(EmbeddedCredentials(tmp_path / "embedded"), POLICY), "Groups", "single", "empty"
    server = request.getfixturevalue("server")
    folder_id = server.add("Groups", server.add_shared_drive("Season"))
    server.add("b.csv", folder_id, LARGE)
    server.add("a.csv", folder_id, b"a")
    server.add("deeper", folder_id)
    return connect(server), folder_id, server.add("single.csv", None, LARGE), server.add("empty.csv", None, b"")


def test_files_and_folders_are_found_and_read(place: Place):
    reader, folder, single, empty = place
    assert reader.describe(folder, URL).kind is DriveKind.FOLDER
    listed = reader.list_folder(reader.describe(folder, URL).file_id, URL)
    assert [(one.name, one.kind) for one in listed] == [
        ("a.csv", DriveKind.FILE),
        ("b.csv", DriveKind.FILE),
        ("deeper", DriveKind.FOLDER),
    ]
    assert reader.read_bytes(listed[1]) == LARGE
    assert reader.read_bytes(reader.describe(single, URL)) == LARGE
    assert reader.read_bytes(reader.describe(empty, URL)) == b""


def test_what_is_not_there_is_a_configuration_error_that_names_the_link(place: Place):
    with pytest.raises(ConfigurationError, match=f"{URL}: .*; expected a file"):
        place[0].describe("nothing-of-it", URL)


def test_a_file_beyond_the_limit_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch):
    reader, _, single, _ = place
    found = reader.describe(single, URL)
    for module in ("google_reading", "embedded_reading"):
        monkeypatch.setattr(f"engagement.services.drive.{module}.LARGEST_FILE_BYTES", 1 << 20)
    monkeypatch.setattr(found_files, "LARGEST_FILE_BYTES", 1 << 20)
    with pytest.raises(InputError, match="1 MB; expected at most 1. Part the table"):
        reader.read_bytes(found)


def test_a_folder_of_many_files_is_listed_whole(server: FakeDrive):
    server.page_size = 2
    folder = server.add("Groups", None)
    for number in range(5):
        server.add(f"{number}.csv", folder, b"x")
    assert [one.name for one in connect(server).list_folder(folder, URL)] == [f"{number}.csv" for number in range(5)]


def test_a_sheet_is_exported_as_a_workbook(server: FakeDrive):
    sheet = server.add_sheet("Groups", None, b"PK workbook")
    found = connect(server).describe(sheet, URL)
    assert (found.kind, found.sha256) == (DriveKind.SHEET, None)
    assert connect(server).read_bytes(found) == b"PK workbook"


def test_a_shortcut_leads_to_its_file_once(server: FakeDrive):
    folder, elsewhere = server.add("Groups", None), server.add("Others", None)
    target = server.add("a.csv", elsewhere, b"a")
    shortcut = server.add_shortcut("short", folder, target)
    server.add_shortcut("again", folder, target)
    server.add_shortcut("to a folder", folder, elsewhere)
    reader = connect(server)
    assert reader.describe(shortcut, URL).file_id == target
    listed = [(one.name, one.kind) for one in reader.list_folder(folder, URL)]
    assert listed == [("a.csv", DriveKind.FILE), ("to a folder", DriveKind.OTHER)]
    server.add_shortcut("to nobody's", folder, "not-shared")
    with pytest.raises(ConfigurationError, match=f"a shortcut in it: .*not shared with {server.account}"):
        reader.list_folder(folder, URL)


@pytest.mark.parametrize("failure", [ApiError(503, "backendError"), ApiError(403, "rateLimitExceeded"), DroppedError()])
def test_a_download_goes_on_where_it_broke_off(server: FakeDrive, failure: Exception):
    found = connect(server).describe(server.add("a.csv", None, LARGE), URL)
    requests = len(server.requests)
    server.fail("alt=media", failure)
    assert connect(server).read_bytes(found) == LARGE
    # A token, four pieces and the rest, and the one that failed.
    assert len(server.requests) - requests == 7


def test_a_file_that_changes_meanwhile_is_not_taken_by_halves(server: FakeDrive):
    file_id = server.add("a.csv", None, LARGE)
    found = connect(server).describe(file_id, URL)
    server.change(file_id, LARGE[::-1])
    with pytest.raises(ServiceError, match=r"'a.csv': holds different content .* \(3 attempts\).*run this again"):
        connect(server).read_bytes(found)


@pytest.mark.parametrize(
    ("match", "reason", "kind", "told"),
    [
        ("export", "exportSizeLimitExceeded", InputError, "a Google Sheet of more than 10 MB"),
        ("export", "cannotExportFile", ServiceError, "may view and download. Share it with {account} as Viewer"),
        ("export", "accessNotConfigured", ServiceError, "the Drive API is not switched on"),
        (
            "GET /drive",
            "notFound",
            ConfigurationError,
            "not shared with {account}; expected .* Share it with {account}",
        ),
    ],
)
def test_refusals_say_what_to_do(server: FakeDrive, match: str, reason: str, kind: type[PipelineError], told: str):
    found = FoundInDrive(server.add_sheet("Groups", None, b"PK"), "Groups", DriveKind.SHEET)
    server.fail(match, ApiError(404 if reason == "notFound" else 403, reason))
    with pytest.raises(kind, match=told.format(account=server.account)) as raised:
        connect(server).read_bytes(found)
    # Google's own sentences can repeat anything.
    assert "A sentence" not in str(raised.value)


def test_a_file_in_the_bin_is_told(server: FakeDrive):
    file_id = server.add("a.csv", None, b"x")
    server.remove(file_id)
    with pytest.raises(ConfigurationError, match="lies in Drive's bin"):
        connect(server).describe(file_id, URL)


def test_a_sheet_exported_again_has_the_same_digest():
    def export(year: int, cells: bytes, maker: bytes = b"") -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in (("xl/worksheets/sheet1.xml", cells), ("docProps/core.xml", maker)):
                archive.writestr(zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0)), part)
        return content.getvalue()

    sheet = FoundInDrive("id", "Groups", DriveKind.SHEET)

    def digest(content: bytes) -> bytes:
        return digest_content(sheet, content)

    assert digest(export(2025, b"<a/>")) == digest(export(2026, b"<a/>", b"another"))
    assert digest(export(2025, b"<a/>")) != digest(export(2025, b"<b/>"))
    assert digest(b"no archive") != digest(b"none either")
