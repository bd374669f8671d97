"""The uuid tables: one suite on Firestore and on its embedded twin, then what is each one's own."""

import concurrent.futures
import itertools
import os
import stat
import subprocess
import sys
import uuid

import pytest
from google.cloud import firestore

from engagement.foundation.errors import InputError, MachineError, ServiceError
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.services.uuid_tables.protocol import open_uuid_table
from engagement.sources.holders import find_latest_holders, holder_id

NUMBERS = [f"25261500{number:04}" for number in range(1200)]


@pytest.fixture(params=["embedded", "firestore"])
def open_table(request, tmp_path, monkeypatch):
    """Opens the same table each time, as another process would."""
    if request.param == "embedded":
        credentials = EmbeddedCredentials(tmp_path)
    else:
        credentials = firestore_credentials(request, monkeypatch)
    policy = RetryPolicy(first_wait_seconds=0.05)
    return lambda name="PROJECT", prefix="avf-phone-uuid-": open_uuid_table(credentials, name, policy, prefix)


def firestore_credentials(request, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
    return GoogleCredentials(f"test-{uuid.uuid4().hex[:12]}", {})


def test_everybody_gets_a_uuid_of_their_own(open_table):
    uuids = open_table().uuids_for(NUMBERS)
    assert set(uuids) == set(NUMBERS)
    assert len(set(uuids.values())) == len(NUMBERS)
    assert all(uuid.UUID(participant.removeprefix("avf-phone-uuid-")).version == 4 for participant in uuids.values())


def test_a_uuid_is_for_ever(open_table):
    first = open_table().uuids_for(NUMBERS[:700])
    again = open_table().uuids_for(NUMBERS[600:])
    assert all(again[number] == first[number] for number in NUMBERS[600:700])
    assert set(again.values()) & set(first.values()) == {first[number] for number in NUMBERS[600:700]}


def test_a_prefix_is_for_new_ids_alone(open_table):
    first = open_table().uuids_for(NUMBERS[:3])
    later = open_table(prefix="avf-participant-uuid-").uuids_for(NUMBERS[:6])
    assert {number: later[number] for number in NUMBERS[:3]} == first
    new = [later[number] for number in NUMBERS[3:6]]
    assert all(uuid.UUID(participant.removeprefix("avf-participant-uuid-")).version == 4 for participant in new)


def test_tables_are_apart(open_table):
    assert open_table("A").uuids_for(["252615000001"]) != open_table("B").uuids_for(["252615000001"])


def test_ids_of_other_channels_with_any_character(open_table):
    ids = ["telegram:123", "facebook:a/b", "facebook:a%2Fb", "viber:Ꭶ=?#.."]
    uuids = open_table().uuids_for(ids)
    assert len(set(uuids.values())) == len(ids)
    assert open_table().uuids_for(ids) == uuids


def test_no_ids_are_no_uuids(open_table):
    assert open_table().uuids_for([]) == {}


def test_to_look_for_ids_makes_none(open_table):
    assert open_table().find(NUMBERS[:2]) == {}
    made = open_table().uuids_for(NUMBERS[:1])
    assert open_table().find(NUMBERS[:2]) == made
    assert open_table().find([]) == {}


def test_a_table_tells_whether_it_knows_any_of_some_participants(open_table):
    strangers = [f"avf-phone-uuid-stranger-{number}" for number in range(29)]
    assert not open_table().knows_any(strangers)
    made = open_table().uuids_for(NUMBERS[:1])
    assert open_table().knows_any([*strangers, made[NUMBERS[0]]])
    assert not open_table("OTHER").knows_any([made[NUMBERS[0]]])


def test_a_removed_id_is_known_by_its_mark_and_gets_another_uuid(open_table):
    uuids = open_table().uuids_for(["252615000001", "telegram:a/b", "252615000003"])
    theirs = [uuids["252615000001"], uuids["telegram:a/b"]]
    assert open_table().count_ids([*theirs, "avf-phone-uuid-stranger"]) == 2
    marks = open_table().marks_of(theirs)
    assert len(set(marks)) == 2
    assert open_table().remove(theirs) == 2
    assert open_table().remove(theirs) == open_table().count_ids(theirs) == 0
    assert open_table().marks_of(theirs) == []
    assert sorted(open_table().marks(["252615000001", "telegram:a/b"]).values()) == marks
    assert not set(open_table().marks(["252615000003", "252615000009"]).values()) & set(marks)
    assert open_table().find(uuids) == {"252615000003": uuids["252615000003"]}
    assert open_table().uuids_for(["252615000001"])["252615000001"] not in uuids.values()


def test_the_key_of_marks_is_made_once_and_is_the_tables_own(open_table):
    assert open_table().marks_key is None
    uuids = open_table().uuids_for(NUMBERS[:2])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda uid: open_table().marks_of([uid]), uuids.values())
    assert [*first, *second] == list(open_table().marks(NUMBERS[:2]).values())
    key = open_table().marks_key
    assert key == open_table().marks_key is not None
    assert key not in (first + second)


def test_more_participants_than_a_query_takes_are_marked_and_removed(open_table):
    uuids = open_table().uuids_for(NUMBERS[:100])
    some = list(uuids.values())[:70]
    assert len(open_table().marks_of(some)) == open_table().remove(some) == 70
    assert len(open_table().find(NUMBERS)) == 30


def test_two_pipelines_at_once_give_one_uuid(open_table):
    """Both meet the same new participants in the same moment, in batches that cut across one another."""
    halves = [NUMBERS[:300], NUMBERS[300:100:-1]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda ids: open_table().uuids_for(ids), halves)
    settled = open_table().uuids_for(NUMBERS[:301])
    assert {**first, **second} == settled
    assert all(first[number] == second[number] for number in first.keys() & second.keys())


class TestFirestore:
    """What other programs read and write in the same Firestore."""

    @pytest.fixture
    def credentials(self, request, monkeypatch):
        return firestore_credentials(request, monkeypatch)

    def test_mappings_lie_where_the_programs_around_expect_them(self, credentials):
        table = open_uuid_table(credentials, "PROJECT", RetryPolicy())
        uuids = table.uuids_for(["252615000001", "facebook:a/b"])
        client = firestore.Client(project=credentials.project_id)
        assert client.document("tables/PROJECT").get().to_dict() == {"table_name": "PROJECT"}
        documents = {found.id: found.to_dict() for found in client.collection("tables/PROJECT/mappings").stream()}
        assert documents == {
            "252615000001": {"uuid": uuids["252615000001"]},
            "facebook:a%2Fb": {"uuid": uuids["facebook:a/b"]},
        }

    def test_a_lost_key_of_marks_is_told(self, credentials):
        table = open_uuid_table(credentials, "PROJECT", RetryPolicy())
        table.marks_of(table.uuids_for(NUMBERS[:1]).values())
        firestore.Client(project=credentials.project_id).document("tables/PROJECT/keys/marks").delete()
        again = open_uuid_table(credentials, "PROJECT", RetryPolicy())
        assert again.marks_key is None
        with pytest.raises(ServiceError, match="keys/marks is gone"):
            again.marks(NUMBERS[:1])

    def test_mappings_of_earlier_programs_are_kept(self, credentials):
        client = firestore.Client(project=credentials.project_id)
        client.document("tables/PROJECT/mappings/252615000001").set({"uuid": "avf-phone-uuid-earlier"})
        table = open_uuid_table(credentials, "PROJECT", RetryPolicy())
        assert table.uuids_for(["252615000001"]) == {"252615000001": "avf-phone-uuid-earlier"}

    def test_a_mapping_without_uuid_is_told_without_the_number(self, credentials):
        firestore.Client(project=credentials.project_id).document("tables/PROJECT/mappings/252615000001").set({})
        with pytest.raises(ServiceError, match="no 'uuid'") as refused:
            open_uuid_table(credentials, "PROJECT", RetryPolicy()).uuids_for(["252615000001"])
        assert "252615" not in str(refused.value)


def test_firestore_out_of_reach_ends_in_a_service_error(monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    table = open_uuid_table(
        GoogleCredentials("test", {}), "PROJECT", RetryPolicy(budget_seconds=0, sleep=lambda _: None)
    )
    with pytest.raises(ServiceError, match="Firestore test: uuid table 'PROJECT': look up"):
        table.uuids_for(["252615000001"])


class TestEmbedded:
    """A file that tells no number."""

    def test_no_number_is_in_the_files(self, tmp_path):
        EmbeddedUuidTable(tmp_path, "PROJECT").uuids_for(NUMBERS)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert not [number for number in NUMBERS if number.encode() in content]

    def test_nothing_of_a_removed_id_is_left_in_the_file(self, tmp_path):
        table = EmbeddedUuidTable(tmp_path, "PROJECT")
        uuids = table.uuids_for(NUMBERS)
        gone = list(uuids.values())[::3]
        marks = table.marks_of(gone)
        table.remove(gone)
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert not [uid for uid in gone if uid.encode() in content]
        assert all(uid.encode() in content for uid in set(uuids.values()) - set(gone))
        # A data root's marks don't lead to rows in an old copy of the file.
        assert not [mark for mark in marks if bytes.fromhex(mark) in content]

    def test_the_key_is_for_its_owner_only(self, tmp_path):
        EmbeddedUuidTable(tmp_path, "PROJECT").uuids_for(NUMBERS[:1])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {"uuid_tables.key": 0o600, "uuid_tables.sqlite": 0o600}

    def test_a_lost_key_is_not_made_anew(self, tmp_path):
        EmbeddedUuidTable(tmp_path, "PROJECT").uuids_for(NUMBERS[:1])
        (tmp_path / "uuid_tables.key").unlink()
        with pytest.raises(MachineError, match="backup"):
            EmbeddedUuidTable(tmp_path, "PROJECT")

    def test_the_key_of_another_file_is_refused_and_nothing_changes(self, tmp_path):
        EmbeddedUuidTable(tmp_path / "one", "PROJECT").uuids_for(NUMBERS[:1])
        EmbeddedUuidTable(tmp_path / "other", "PROJECT").uuids_for(NUMBERS[:1])
        (tmp_path / "one" / "uuid_tables.key").replace(tmp_path / "other" / "uuid_tables.key")
        before = (tmp_path / "other" / "uuid_tables.sqlite").read_bytes()
        with pytest.raises(MachineError, match="not the key that uuid_tables.sqlite was made with"):
            EmbeddedUuidTable(tmp_path / "other", "PROJECT").uuids_for(NUMBERS[:2])
        assert (tmp_path / "other" / "uuid_tables.sqlite").read_bytes() == before

    def test_to_look_makes_neither_file_nor_key(self, tmp_path):
        table = EmbeddedUuidTable(tmp_path / "embedded", "PROJECT")
        assert (table.find(NUMBERS), table.knows_any(["avf-phone-uuid-1"])) == ({}, False)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_no_table_is_told(self, tmp_path):
        (tmp_path / "uuid_tables.key").write_text("0" * 64)
        (tmp_path / "uuid_tables.sqlite").write_text("not a database, but long enough to be looked at by SQLite" * 20)
        with pytest.raises(MachineError, match="could not be used"):
            EmbeddedUuidTable(tmp_path, "PROJECT").uuids_for(NUMBERS[:1])

    def test_imported_mappings_are_found_again(self, tmp_path):
        mapping = {number: f"avf-phone-uuid-{position}" for position, number in enumerate(NUMBERS)}
        EmbeddedUuidTable(tmp_path, "PROJECT").import_mappings(mapping)
        EmbeddedUuidTable(tmp_path, "PROJECT").import_mappings(mapping)
        assert EmbeddedUuidTable(tmp_path, "PROJECT").uuids_for(NUMBERS) == mapping

    @pytest.mark.parametrize(
        "conflicting",
        [
            {NUMBERS[0]: "avf-phone-uuid-other"},  # a number has another uuid
            {NUMBERS[1]: "avf-phone-uuid-0"},  # a uuid is somebody else's
        ],
    )
    def test_an_import_that_contradicts_is_refused_whole(self, tmp_path, conflicting):
        table = EmbeddedUuidTable(tmp_path, "PROJECT", make_uuid=map("fresh-{}".format, itertools.count()).__next__)
        table.import_mappings({NUMBERS[0]: "avf-phone-uuid-0"})
        with pytest.raises(InputError, match="1 of 2 mappings"):
            table.import_mappings({NUMBERS[2]: "avf-phone-uuid-2", **conflicting})
        assert table.find([NUMBERS[0], NUMBERS[2]]) == {NUMBERS[0]: "avf-phone-uuid-0"}
        assert table.uuids_for([NUMBERS[2]]) == {NUMBERS[2]: "fresh-0"}

    def test_processes_that_make_the_table_at_once_agree(self, tmp_path):
        program = (
            "import pathlib, sys; from engagement.services.uuid_tables.embedded import EmbeddedUuidTable; "
            "table = EmbeddedUuidTable(pathlib.Path(sys.argv[1]), 'PROJECT'); "
            "print(sorted(table.uuids_for(sys.argv[2:]).items()))"
        )
        command = [sys.executable, "-c", program, str(tmp_path / "embedded"), *NUMBERS[:50]]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(4)]
        results = [process.communicate(timeout=60)[0] for process in processes]
        assert NUMBERS[49] in results[0]
        assert results == results[:1] * 4


def test_firestore_alone_gives_numbers_back_each_to_its_latest_holder(open_table):
    table = open_table()
    ids = [
        *NUMBERS[:40],
        "whatsapp:KE.A1b2c",
        "615000001",
        f"holder 2:{NUMBERS[0]}",
        f"holder 2:{NUMBERS[1]}",
        f"holder 3:{NUMBERS[1]}",
    ]
    uuids = table.uuids_for(ids)
    found = table.find_numbers([*uuids.values(), "avf-phone-uuid-unknown"])
    if isinstance(table, EmbeddedUuidTable):
        assert found is None
        return
    latest = {NUMBERS[0]: f"holder 2:{NUMBERS[0]}", NUMBERS[1]: f"holder 3:{NUMBERS[1]}"}
    # Neither a WhatsApp id nor a number without its country can be written to.
    assert found == {uuids[latest.get(number, number)]: number for number in NUMBERS[:40]}


def test_released_rows_leave_gaps_beyond_which_the_latest_holder_of_a_number_is_found(open_table):
    table = open_table()
    first, second, third = NUMBERS[:3]
    made = table.uuids_for(
        [first, holder_id(first, 2), holder_id(first, 3), second, holder_id(second, 2), third, *NUMBERS[3:600]]
    )
    possible = {number: [number] for number in (first, second, third, NUMBERS[700])}
    assert not table.has_gaps
    assert table.count_all() == len(made)
    assert open_table("ANOTHER").count_all() == 0
    before = find_latest_holders(table, {number: [number] for number in (first, second, third)})
    leaving = [made[first], made[holder_id(first, 2)], made[second], made[holder_id(second, 2)], made[third]]
    assert table.release([*leaving, "avf-phone-uuid-of-nobody"]) == 5
    again = open_table()
    assert again.has_gaps
    assert not open_table("ANOTHER").has_gaps
    assert again.count_ids(leaving) == 0
    assert again.count_all() == len(made) - 5
    assert again.count_ids(list(made.values())) == len(made) - 5
    after = find_latest_holders(again, possible)
    # Whoever took the number over last keeps it, and everybody else who left gets another uuid.
    assert after.latest[first] == before.latest[first] == (3, made[holder_id(first, 3)])
    assert {after.latest[number][0] for number in (second, third, NUMBERS[700])} == {1}
    assert not {after.latest[number][1] for number in (second, third)} & set(made.values())
    assert find_latest_holders(again, possible).latest == after.latest
