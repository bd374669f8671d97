"""What every Drive promises, on Google's client against a local server and on the folder twin."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from engagement.foundation.errors import ConfigurationError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.drive.google import GoogleDrive
from engagement.services.drive.ids import DriveIds
from engagement.services.drive.protocol import open_drive
from engagement.services.drive.saved_files import Outcome
from engagement.services.retries import RetryPolicy
from fake_drive import FakeDrive

POLICY = RetryPolicy(sleep=lambda _: None, budget_seconds=5)


@pytest.fixture(params=["google", "folder"])
def place(request, tmp_path):
    """A function that opens Drive anew, and one that reads every file of a path."""
    state = tmp_path / "State"
    if request.param == "folder":
        root = tmp_path / "embedded"

        def read(path):
            return [file.read_bytes() for file in [root / "drive" / path] if file.is_file()]

        yield lambda: open_drive(EmbeddedCredentials(root), state, POLICY), read
        return
    with FakeDrive().running() as server:
        server.add_shared_drive("Season 1")
        credentials = GoogleCredentials("invented", server.key())
        yield (
            lambda: GoogleDrive(credentials, DriveIds(state / "ids.json"), POLICY, server.root_url),
            lambda path: server.content_of(*path.split("/")),
        )


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "messages.csv"
    path.write_bytes(b"uid,text\na,biyo\n")
    return path


def test_a_file_is_made_with_its_folders(place, source):
    connect, read = place
    assert connect().save_file("Season 1/tables/new/messages.csv", source).outcome is Outcome.CREATED
    assert read("Season 1/tables/new/messages.csv") == [source.read_bytes()]


def test_a_file_is_updated_in_place(place, source):
    connect, read = place
    connect().save_file("Season 1/messages.csv", source)
    source.write_bytes(b"uid,text\nb,caano\n")
    assert connect().save_file("Season 1/messages.csv", source).outcome is Outcome.UPDATED
    assert read("Season 1/messages.csv") == [b"uid,text\nb,caano\n"]


def test_an_unchanged_file_is_left_alone(place, source):
    connect, read = place
    drive = connect()
    drive.save_file("Season 1/messages.csv", source)
    assert connect().save_file("Season 1/messages.csv", source).outcome is Outcome.UNCHANGED
    assert read("Season 1/messages.csv") == [source.read_bytes()]


def test_files_of_one_name_in_different_folders_are_different_files(place, tmp_path):
    connect, read = place
    drive = connect()
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        drive.save_file(f"Season 1/{name}/table.csv", tmp_path / name)
    assert read("Season 1/a/table.csv") == [b"a"]
    assert read("Season 1/b/table.csv") == [b"b"]


@pytest.mark.parametrize("name", ["it's 100 % \\ done.csv", "jadwalka – أسئلة.csv", "=1+1.csv"])
def test_odd_names_are_names(place, source, name):
    connect, read = place
    for _ in range(2):
        connect().save_file(f"Season 1/{name}", source)
    assert read(f"Season 1/{name}") == [source.read_bytes()]


def test_an_empty_file_is_a_file(place, tmp_path):
    connect, read = place
    (tmp_path / "empty").write_bytes(b"")
    assert connect().save_file("Season 1/empty.csv", tmp_path / "empty").outcome is Outcome.CREATED
    assert read("Season 1/empty.csv") == [b""]


def test_slashes_too_many_change_nothing(place, source):
    connect, read = place
    connect().save_file("/Season 1//messages.csv", source)
    assert connect().save_file("Season 1/messages.csv", source).outcome is Outcome.UNCHANGED
    assert len(read("Season 1/messages.csv")) == 1


@pytest.mark.parametrize("path", ["messages.csv", "/messages.csv", "", "a/../../messages.csv", "a/./b.csv"])
def test_a_path_without_a_folder_or_out_of_it_is_refused(place, source, path):
    connect, _ = place
    with pytest.raises(ConfigurationError, match="expected <shared drive or shared folder>"):
        connect().save_file(path, source)


def test_many_who_save_one_file_of_the_folder_at_once_leave_one_of_theirs(tmp_path):
    drive = open_drive(EmbeddedCredentials(tmp_path / "embedded"), tmp_path / "State", POLICY)
    sources = [tmp_path / str(number) for number in range(8)]
    for source in sources:
        source.write_bytes(source.name.encode() * 2**20)
    with ThreadPoolExecutor(len(sources)) as pool:
        outcomes = [
            saved.outcome for saved in pool.map(lambda source: drive.save_file("Season 1/a.csv", source), sources)
        ]
    assert sorted(outcomes) == [Outcome.CREATED] + [Outcome.UPDATED] * 7
    (left,) = (tmp_path / "embedded" / "drive" / "Season 1").iterdir()
    assert left.read_bytes() in [source.read_bytes() for source in sources]


def test_another_server_can_stand_for_drive(tmp_path, source, monkeypatch):
    with FakeDrive().running() as server:
        server.add_shared_drive("Season 1")
        for host in (server.root_url, server.root_url.removeprefix("http://").rstrip("/")):
            monkeypatch.setenv("DRIVE_EMULATOR_HOST", host)
            drive = open_drive(GoogleCredentials("invented", server.key()), tmp_path / "State", POLICY)
            drive.save_file("Season 1/messages.csv", source)
        assert server.content_of("Season 1", "messages.csv") == [source.read_bytes()]
