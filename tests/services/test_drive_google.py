"""Google's Drive client against a local server that fails as Drive and the network do."""

import json
import logging

import pytest

from drive_protocol import ApiError
from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.drive.google import GoogleDrive
from engagement.services.drive.ids import DriveIds
from engagement.services.drive.saved_files import Outcome
from engagement.services.retries import RetryPolicy
from fake_drive import FakeDrive
from serving import DroppedError

PIECE = 256 * 1024
LARGE = bytes(range(256)) * 4096 + b"the rest"


class Desk:
    """One machine: a file to upload, the ids that it remembers, the waits that were asked for."""

    def __init__(self, server, folder):
        self.server = server
        self.ids = folder / "State" / "ids.json"
        self.source = folder / "messages.csv"
        self.source.write_bytes(b"uid,text\na,biyo\n")
        self.waits = []

    def connect(self, **key):
        policy = RetryPolicy(sleep=self.waits.append, budget_seconds=20)
        credentials = GoogleCredentials("invented", {**self.server.key(), **key})
        return GoogleDrive(credentials, DriveIds(self.ids), policy, self.server.root_url, chunk_bytes=PIECE)

    def save(self, path="Season/messages.csv"):
        return self.connect().save_file(path, self.source)

    @property
    def saved(self):
        return self.server.content_of("Season", "messages.csv")

    def requests(self, method):
        return [request for request in self.server.requests if request.startswith(method)]


@pytest.fixture
def server():
    with FakeDrive().running() as running:
        running.add_shared_drive("Season")
        yield running


@pytest.fixture
def desk(server, tmp_path):
    return Desk(server, tmp_path)


def test_a_file_goes_in_pieces(desk):
    desk.source.write_bytes(LARGE)
    desk.save()
    assert desk.saved == [LARGE]
    assert len(desk.requests("PUT")) == 5
    assert not desk.waits


@pytest.mark.parametrize("kept", [0, PIECE // 2, PIECE])
def test_an_upload_that_fails_in_the_middle_goes_on_where_it_was(desk, kept):
    desk.source.write_bytes(LARGE)
    desk.server.fail("PUT", ApiError(503, "backendError"), kept_bytes=kept)
    assert desk.save().outcome is Outcome.CREATED
    assert desk.saved == [LARGE]
    assert len(desk.waits) == 1
    # One question how much arrived, and no piece more than is missing.
    assert len(desk.requests("PUT")) == (6 if kept else 7)


def test_an_upload_that_fails_again_and_again_goes_on(desk):
    desk.source.write_bytes(LARGE)
    desk.server.fail("PUT", ApiError(500, "internalError"), times=3)
    desk.server.fail("PUT", DroppedError(), times=2)
    desk.save()
    assert desk.saved == [LARGE]


def test_an_upload_that_the_server_forgot_begins_again(desk):
    desk.source.write_bytes(LARGE)
    desk.server.fail("PUT", ApiError(404, "notFound"))
    desk.save()
    assert desk.saved == [LARGE]


@pytest.mark.parametrize("method", ["PUT", "POST /drive/v3/files"])
def test_an_answer_that_is_lost_after_the_create_makes_no_second_file(desk, method):
    desk.server.fail(method, DroppedError(), before=False, times=3)
    assert desk.save("Season/new/messages.csv").outcome is Outcome.CREATED
    assert desk.server.content_of("Season", "new", "messages.csv") == [desk.source.read_bytes()]
    assert [file["name"] for file in desk.server.files.values()] == ["new", "messages.csv"]


def test_a_create_that_is_refused_since_it_was_done_is_completed(desk):
    check, made = desk.server._check_create, []

    def check_late(document, query, is_file):
        # An earlier try arrived after all, with half of the content.
        if not made:
            made.append(desk.server._make(document["id"], document, b"half"))
        check(document, query, is_file)

    desk.server._check_create = check_late
    assert desk.save().outcome is Outcome.CREATED
    assert desk.saved == [desk.source.read_bytes()]
    assert len(desk.server.files) == 1


def test_a_process_that_died_after_the_create_is_followed_by_an_update(desk):
    # The id is kept before the file is made: the list, which may lag behind, is not needed to find it.
    desk.save()
    ids = json.loads(desk.ids.read_text())["ids"][desk.server.account]
    assert ids["Season/messages.csv"] in desk.server.files
    for file in desk.server.files.values():
        file["name"] = "renamed by a person.csv"
    desk.source.write_bytes(b"new")
    assert desk.save().outcome is Outcome.UPDATED
    assert len(desk.server.files) == 1


@pytest.mark.parametrize(
    ("failure", "waits"),
    [
        (ApiError(403, "userRateLimitExceeded"), [1]),
        (ApiError(403, "rateLimitExceeded"), [1]),
        (ApiError(429, "rateLimitExceeded", Retry_After="7"), [7.5]),
        (ApiError(503, "backendError"), [1]),
        (DroppedError(), [1]),
    ],
)
@pytest.mark.parametrize("request_", ["GET /drive/v3/files?", "POST /upload", "PUT"])
def test_bad_weather_is_waited_out(server, tmp_path, failure, waits, request_):
    desk = Desk(server, tmp_path)
    # The connection itself tries a dropped one again at once: often enough it is told to us.
    server.fail(request_, failure, times=3 if isinstance(failure, DroppedError) else 1)
    policy = RetryPolicy(sleep=desk.waits.append, jitter=lambda: 1.0)
    credentials = GoogleCredentials("invented", server.key())
    drive = GoogleDrive(credentials, DriveIds(desk.ids), policy, server.root_url)
    drive.save_file("Season/messages.csv", desk.source)
    assert desk.saved == [desk.source.read_bytes()]
    assert desk.waits[:1] == waits


def test_drive_that_stays_away_ends_in_a_service_error(desk):
    desk.server.fail("GET", ApiError(503, "backendError"), times=100)
    with pytest.raises(ServiceError, match=r"Drive: 'Season'.*503"):
        desk.save()
    assert desk.waits


def test_a_token_that_is_not_taken_any_more_is_renewed(desk):
    drive = desk.connect()
    drive.save_file("Season/messages.csv", desk.source)
    desk.server.token = "another one"
    desk.source.write_bytes(b"new")
    drive.save_file("Season/messages.csv", desk.source)
    assert desk.saved == [b"new"]
    assert desk.server.tokens_given == 2
    assert not desk.waits


def test_a_key_that_is_refused_is_told_without_showing_it(desk):
    desk.server.fail("POST /token", ApiError(400, "invalid_grant"))
    with pytest.raises(ServiceError, match=f"the key of {desk.server.account} was refused") as refused:
        desk.save()
    assert "PRIVATE" not in str(refused.value)


def test_a_key_that_can_not_be_read_is_a_configuration_error(desk):
    with pytest.raises(ConfigurationError, match="Download the key again") as refused:
        desk.connect(private_key="-----BEGIN PRIVATE KEY-----\nsecret\n")
    assert "secret" not in str(refused.value)


def test_a_service_account_without_room_is_explained(desk):
    desk.server.add("Shared", None)
    with pytest.raises(ServiceError) as refused:
        desk.save("Shared/messages.csv")
    text = str(refused.value)
    assert "no storage of its own" in text
    assert "shared drive" in text
    assert desk.server.account in text
    assert not desk.waits


def test_what_a_person_put_into_a_shared_folder_is_updated(desk):
    folder = desk.server.add("Shared", None)
    by_hand = desk.server.add("messages.csv", folder, b"")
    assert desk.save("Shared/messages.csv").outcome is Outcome.UPDATED
    assert desk.server.contents == {by_hand: desk.source.read_bytes()}


def test_a_first_folder_that_nobody_shared_is_explained(desk):
    with pytest.raises(ServiceError, match=f"{desk.server.account} sees no shared drive and no folder named 'Nowhere'"):
        desk.save("Nowhere/messages.csv")


def test_no_leave_to_write_is_explained(desk):
    desk.server.fail("POST /upload", ApiError(403, "insufficientFilePermissions"))
    with pytest.raises(ServiceError, match=r"403 \(insufficientFilePermissions\).*as Editor"):
        desk.save()
    assert not desk.waits


@pytest.mark.parametrize("request_", ["GET /drive/v3/files?q=", "POST /drive/v3/files", "POST /upload"])
def test_what_goes_away_meanwhile_is_explained(desk, request_):
    desk.server.fail(request_, ApiError(404, "notFound"))
    with pytest.raises(ServiceError, match="disappeared during the run"):
        desk.save("Season/new/messages.csv")


def test_of_files_of_one_name_the_oldest_is_updated_and_the_others_are_reported(desk, caplog):
    contents = [desk.server.add("messages.csv", "drive-Season", content) for content in (b"1", b"2", b"3")]
    with caplog.at_level(logging.WARNING):
        saved = desk.save()
        again = desk.save()
    assert (saved.outcome, saved.others) == (Outcome.UPDATED, 2)
    assert (again.outcome, again.others) == (Outcome.UNCHANGED, 2)
    assert [desk.server.contents[i] for i in contents] == [desk.source.read_bytes(), b"2", b"3"]
    assert caplog.text.count("3 files named 'Season/messages.csv'") == 2


def test_what_lies_in_the_bin_or_is_no_file_is_passed_over(desk):
    desk.server.add("messages.csv", "drive-Season", b"old", trashed=True)
    desk.server.add("messages.csv", "drive-Season")
    desk.server.add("messages.csv", "drive-Season", b"", mimeType="application/vnd.google-apps.spreadsheet")
    desk.server.add("messages.csv", "drive-Season", b"", mimeType="application/vnd.google-apps.shortcut")
    assert desk.save().outcome is Outcome.CREATED


def test_a_remembered_file_that_was_binned_is_made_anew(desk):
    desk.save()
    (file,) = desk.server.files.values()
    file["trashed"] = True
    assert desk.save().outcome is Outcome.CREATED
    assert len(desk.server.files) == 2


def test_lost_and_damaged_ids_are_looked_up_again(desk):
    desk.save()
    for damage in ("{", "[]", '{"version": 99, "ids": {}}', '{"version": 1, "ids": {"a": 1}}'):
        desk.ids.write_text(damage)
        assert desk.save().outcome is Outcome.UNCHANGED
    assert len(desk.server.files) == 1


def test_ids_are_of_one_account(desk):
    ids = DriveIds(desk.ids)
    ids.keep("a@example.org", "Season/messages.csv", "1")
    assert DriveIds(desk.ids).find("a@example.org", "Season/messages.csv") == "1"
    assert DriveIds(desk.ids).find("b@example.org", "Season/messages.csv") is None


def test_long_lists_are_read_to_their_end(desk):
    desk.server.page_size = 2
    for number in range(5):
        desk.server.add(f"{number}.csv", "drive-Season", b"")
    oldest = desk.server.add("messages.csv", "drive-Season", b"")
    for number in range(5, 9):
        desk.server.add(f"{number}.csv", "drive-Season", b"")
    assert desk.save().outcome is Outcome.UPDATED
    assert desk.server.contents[oldest] == desk.source.read_bytes()


def test_a_folder_of_many_files_is_asked_for_once(desk, tmp_path):
    drive = desk.connect()
    for number in range(30):
        drive.save_file(f"Season/graphs/{number}.csv", desk.source)
    desk.server.requests.clear()
    drive = desk.connect()
    outcomes = {drive.save_file(f"Season/graphs/{number}.csv", desk.source).outcome for number in range(30)}
    assert outcomes == {Outcome.UNCHANGED}
    # A token, the shared drives, and the contents of two folders.
    assert len(desk.server.requests) == 4


def test_content_that_arrives_changed_is_sent_again(desk):
    begin, spoilt = desk.server._fill, []

    def fill(file, content):
        answer = begin(file, content if spoilt else content + b"?")
        spoilt.append(file["id"])
        return answer

    desk.server._fill = fill
    desk.server.add("messages.csv", "drive-Season", b"")
    spoilt.clear()
    desk.save()
    assert desk.saved == [desk.source.read_bytes()]
    assert len(desk.waits) == 1
