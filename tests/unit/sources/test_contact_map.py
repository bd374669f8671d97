"""The file of contacts, and the copy of it in a fetch's state: whatever happens to either, nobody is lost or doubled."""

import contextlib
import json
import sqlite3

import pytest

from engagement.foundation.errors import InputError
from engagement.sources.rapidpro.contact_map import open_contact_map, read_contacts
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.state.run_store import KeptRun
from engagement.sources.rapidpro.state.run_store_files import open_run_store

WHO = {f"contact-{number}": ContactIdentity(f"avf-phone-uuid-{number}", "tel", "25261") for number in range(9)}


class Root:
    """The two files of a data root."""

    def __init__(self, folder):
        self.state = folder / "State" / "contacts.sqlite"
        self.file = folder / "Contacts" / "w.jsonl"
        self.unnamed = folder / "Contacts" / "contacts.jsonl"

    @contextlib.contextmanager
    def open(self, file=None):
        with open_run_store(self.state) as store, contextlib.ExitStack() as resources:
            known = open_contact_map(file or self.file, self.unnamed, store)
            resources.enter_context(contextlib.closing(known))
            yield store, known

    def keep(self, *numbers, file=None):
        with self.open(file) as (store, known), store.transaction():
            known.keep({f"contact-{number}": WHO[f"contact-{number}"] for number in numbers})

    def known(self, file=None):
        """Who is known, by the state and by the file, which have to agree."""
        with self.open(file) as (store, _):
            found = store.participants([*WHO, "contact-x"])
        assert dict(read_contacts(file or self.file)) == found
        return found

    def numbers(self):
        return sorted(int(contact.removeprefix("contact-")) for contact in self.known())

    def remove_state(self):
        for path in self.state.parent.iterdir():
            path.unlink()


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path)


def test_a_line_tells_contact_participant_channel_and_operator(root):
    root.keep(1)
    line = {
        "contact": "contact-1",
        "operator_raw": "25261",
        "participant": "avf-phone-uuid-1",
        "urn_type": "tel",
    }
    assert root.file.read_text() == json.dumps(line, separators=(",", ":")) + "\n"
    assert list(line) == sorted(line)


def test_lines_are_only_ever_added(root):
    root.keep(1, 2)
    before = root.file.read_bytes()
    root.keep(3)
    assert root.file.read_bytes().startswith(before)
    assert root.numbers() == [1, 2, 3]


def test_the_file_is_not_read_when_nothing_changed(root, monkeypatch):
    root.keep(1, 2)
    monkeypatch.setattr("engagement.sources.rapidpro.contact_map._read_batches", None)
    with root.open() as (store, _):
        assert len(store.participants(["contact-1", "contact-2"])) == 2


def test_everybody_is_known_after_state_was_removed(root):
    root.keep(1, 2)
    root.remove_state()
    assert root.known() == {name: WHO[name] for name in ("contact-1", "contact-2")}


def test_lines_that_a_killed_fetch_left_are_read(root):
    root.keep(1)
    kept = root.state.read_bytes()
    root.keep(2, 3)
    root.remove_state()
    root.state.write_bytes(kept)
    assert root.numbers() == [1, 2, 3]
    root.keep(4)
    assert root.numbers() == [1, 2, 3, 4]


@pytest.mark.parametrize("left", [b'{"contact":"contact-3","oper', b"{" * 10_000])
def test_a_line_that_was_not_written_to_its_end_is_cut_off(root, left):
    root.keep(1)
    with root.file.open("ab") as file:
        file.write(left)
    root.keep(2)
    assert root.numbers() == [1, 2]
    assert len(root.file.read_bytes().splitlines()) == 2


@pytest.mark.parametrize("lost", [1, 40, 10_000])
def test_what_the_file_lost_is_added_again_from_the_state(root, lost):
    """A power cut, or an older copy that was brought back."""
    root.keep(1, 2, 3)
    root.file.write_bytes(root.file.read_bytes()[:-lost])
    assert root.numbers() == [1, 2, 3]
    assert root.file.read_bytes().count(b"\n") == 3


def test_a_removed_file_is_written_again_from_the_state(root):
    root.keep(1, 2)
    root.file.unlink()
    assert root.numbers() == [1, 2]


def test_where_both_differ_the_file_is_right_and_lines_are_made_again(root, caplog):
    root.keep(1, 2)
    with root.open() as (store, _), store.transaction():
        flow = store.flow_id("f", "flow")
        store.keep_rendering(flow, "made")
        store.keep_lines(flow, [KeptRun("run", "contact-1", 1, 1, b"{}\n")])
    root.file.write_bytes(root.file.read_bytes().replace(b"uuid-1", b"uuid-8"))
    assert root.known()["contact-1"].uuid == "avf-phone-uuid-8"
    assert "1 contact not as in the copy" in caplog.text
    with root.open() as (store, _):
        assert store.rendering(flow) == ""


def test_of_two_lines_of_one_contact_the_first_counts_and_another_participant_is_a_warning(root, caplog):
    root.keep(1, 2)
    lines = root.file.read_bytes()
    root.file.write_bytes(lines + lines.replace(b"uuid-1", b"uuid-8"))
    # First only the new lines are read, then the whole file.
    for _ in range(2):
        with root.open() as (store, _):
            assert store.participants(["contact-1"]) == {"contact-1": WHO["contact-1"]}
        (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert said.startswith(
            "Contacts/: contact contact-1 is participant 'avf-phone-uuid-8' on line 3 and 'avf-phone-uuid-1' on an earlier one, "
            "which holds; expected one line a contact. Remove the wrong line"
        )
        caplog.clear()
        root.remove_state()


def test_what_a_transaction_undoes_is_not_kept(root):
    root.keep(1)
    with pytest.raises(KeyError), root.open() as (store, known), store.transaction():
        known.keep({"contact-2": WHO["contact-2"]})
        raise KeyError
    # The line stays in the file, as after a kill: whoever it is of was decided.
    assert root.numbers() == [1, 2]
    with root.open() as (store, known):
        with contextlib.suppress(KeyError), store.transaction():
            known.keep({"contact-3": WHO["contact-3"]})
            raise KeyError
        with store.transaction():
            known.keep({"contact-4": WHO["contact-4"]})
    assert root.numbers() == [1, 2, 4]


def line_of(participant: str) -> bytes:
    line = {"contact": "a", "operator_raw": "25261", "participant": participant, "urn_type": "tel"}
    return json.dumps(line).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b'{"contact": "a"}\n',
        b"\xff\n",
        b"\n",
        # A phone number in the place of a uuid would reach every output.
        line_of("+252615001001"),
        line_of("avf-phone-uuid-252615001001"),
    ],
)
def test_a_damaged_line_is_told_by_its_number_and_nothing_is_changed(root, line):
    root.keep(1)
    root.remove_state()
    content = root.file.read_bytes() + line + b'{"contact":"\n'
    root.file.write_bytes(content)
    with pytest.raises(InputError, match=r"w\.jsonl, line 2: .* Restore the file"):
        root.known()
    assert root.file.read_bytes() == content


def test_holders_tell_who_is_new_in_this_fetch(root):
    root.keep(1)
    again = WHO["contact-1"]._replace(urn_type="whatsapp")
    with root.open() as (store, known), store.transaction():
        known.keep({"contact-x": again})
        assert known.holders([again.uuid, "avf-phone-uuid-9"]) == {
            again.uuid: [("contact-1", "tel", False), ("contact-x", "whatsapp", True)]
        }


class TestTakingOver:
    """Data roots of before there was this file, or before the server told the workspace's uuid."""

    def make_version_3(self, root, contacts=WHO):
        with open_run_store(root.state) as store, store.transaction():
            flow = store.flow_id("f", "flow")
            store.keep_lines(flow, [KeptRun("run", "contact-1", 1, 1, b'{"a line": 1}\n')])
        with contextlib.closing(sqlite3.connect(root.state)) as connection:
            connection.executescript(
                "DROP INDEX IF EXISTS contacts_by_participant; DROP TABLE contacts; DROP TABLE contact_file; DROP TABLE source; "
                "CREATE TABLE contacts (uuid TEXT PRIMARY KEY, participant TEXT, urn_type TEXT, operator_raw TEXT) "
                "WITHOUT ROWID; PRAGMA user_version = 3;"
            )
            connection.executemany(
                "INSERT INTO contacts VALUES (?, ?, ?, ?)", [(name, *who) for name, who in contacts.items()]
            )
            connection.commit()

    def test_the_map_in_state_is_taken_over_once_and_what_was_fetched_stays(self, root, caplog):
        self.make_version_3(root)
        assert root.known() == WHO
        with root.open() as (store, _):
            assert b"".join(store.lines(1)) == b'{"a line": 1}\n'
        assert "anew" not in caplog.text
        before = root.file.read_bytes()
        root.remove_state()
        assert root.known() == WHO
        assert root.file.read_bytes() == before

    @pytest.mark.parametrize("version", [1, 99])
    def test_contacts_of_a_state_that_can_not_be_used_are_saved(self, root, version):
        self.make_version_3(root)
        with contextlib.closing(sqlite3.connect(root.state)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        assert root.known() == WHO

    def test_a_number_that_was_taken_for_a_channel_does_not_stay(self, root):
        bad = {"contact-1": ContactIdentity("avf-phone-uuid-1", "+252615001001", "+252615001001")}
        self.make_version_3(root, WHO | bad)
        known = root.known()
        assert known == WHO | {"contact-1": ContactIdentity("avf-phone-uuid-1", "unknown", "unknown")}
        for path in (*root.state.parent.iterdir(), root.file):
            assert b"252615001001" not in path.read_bytes()

    def test_the_file_gets_the_workspaces_name_when_the_server_tells_it(self, root):
        root.keep(1, 2, file=root.unnamed)
        assert root.numbers() == [1, 2]
        assert not root.unnamed.exists()

    def test_also_after_state_was_removed_and_beside_what_is_there(self, root):
        root.keep(1, 2, file=root.unnamed)
        root.remove_state()
        content = root.unnamed.read_bytes()
        root.unnamed.unlink()
        root.keep(2, 3)
        root.unnamed.write_bytes(content)
        assert root.numbers() == [1, 2, 3]
        assert not root.unnamed.exists()
