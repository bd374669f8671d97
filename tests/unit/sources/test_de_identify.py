"""Who new contacts are: by URN, also when numbers change hands, and by contact where URNs are hidden."""

import pytest

from engagement.services.rapidpro.client import Contact
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.rapidpro.contact_map import open_contact_map
from engagement.sources.rapidpro.de_identify import ContactsByUrn, ContactsByUuid
from engagement.sources.rapidpro.state.run_store_files import open_run_store

X, Y, Z = "tel:+252615000001", "tel:+252615000002", "tel:+252615000003"


class Workspace:
    """A workspace's contacts as they are now, and what a data root knows of them. Each `meet` is a fetch."""

    def __init__(self, folder, table, country="SO"):
        self.folder = folder
        self.table = table
        self.country = country
        self.contacts: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.left_out: set[str] = set()

    def meet(self, **contacts: list[str]) -> dict[str, str]:
        """Let contacts have these URNs, and identify those that are new; gives the uuid of everybody who is known."""
        self.contacts.update(contacts)
        path = self.folder / "Contacts" / "w.jsonl"
        with open_run_store(self.folder / "State" / "w.sqlite") as store:
            known = open_contact_map(path, path, store)
            identity = ContactsByUrn(self.table, known, self._ask, self.country)
            with store.transaction():
                met = store.participants(list(contacts))
                rows = [Contact(uuid, None, urns) for uuid, urns in contacts.items() if uuid not in met]
                self.met = identity.identify(rows)
                known.keep(self.met)
            self.left_out = identity.left_out
            known.close()
            return {uuid: who.uuid for uuid, who in store.participants([*self.contacts, *contacts]).items()}

    def _ask(self, uuid):
        self.asked.append(uuid)
        return Contact(uuid, None, self.contacts[uuid]) if uuid in self.contacts else None


@pytest.fixture
def table(tmp_path):
    return EmbeddedUuidTable(tmp_path / "table", "PROJECT")


@pytest.fixture
def workspace(tmp_path, table):
    return Workspace(tmp_path / "one", table)


def test_the_first_urn_counts_and_contacts_without_any_are_left_out(workspace):
    uids = workspace.meet(
        a=[X, "telegram:1"], b=["telegram:1", X], c=[], d=["whatsapp:252615000001"], e=["tel:"], f=["+252615000009"]
    )
    assert set(uids) == {"a", "b", "d"}
    assert uids["a"] == uids["d"] != uids["b"]
    assert (workspace.met["b"].urn_type, workspace.met["d"].urn_type) == ("telegram", "whatsapp")
    assert workspace.left_out == {"e", "f"}


def test_a_contact_keeps_its_uuid_when_its_number_changes(workspace):
    before = workspace.meet(a=[X])
    assert workspace.meet(a=[Z]) == before


def test_a_number_that_changed_hands_is_of_another_participant(workspace):
    first = workspace.meet(a=[X])
    both = workspace.meet(a=[Z], b=[X])
    assert both["a"] == first["a"] != both["b"]


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_however_the_contacts_come_in(workspace, order):
    first = workspace.meet(a=[X], b=[Y])
    # Round in a circle: a's number goes to b, b's to c, who is new.
    now = {"a": [Z], "b": [X], "c": [Y]}
    both = workspace.meet(**{name: now[name] for name in order})
    assert {name: both[name] for name in "ab"} == first
    assert len(set(both.values())) == 3


def test_a_number_can_change_hands_again_and_again(workspace):
    workspace.meet(a=[X])
    workspace.meet(a=[Y], b=[X])
    workspace.meet(b=[Z], c=[X])
    uids = workspace.meet(c=["telegram:3"], d=[X])
    assert len(set(uids.values())) == 4
    # And the owner gets it back.
    assert workspace.meet(a=[X], d=["telegram:4"]) == uids


def test_who_was_deleted_and_made_again_with_the_number_is_the_same_participant(workspace):
    first = workspace.meet(a=[X])
    del workspace.contacts["a"]
    assert workspace.meet(b=[X]) == {"b": first["a"]}


def test_also_when_the_number_had_changed_hands_before(workspace):
    workspace.meet(a=[X])
    uids = workspace.meet(a=[Z], b=[X])
    del workspace.contacts["b"]
    assert workspace.meet(c=[X])["c"] == uids["b"]
    # Even when nobody is left of those who had it.
    workspace.contacts.clear()
    assert workspace.meet(d=[X])["d"] == uids["b"]


def test_a_contact_that_lost_its_only_number_to_another_contact_is_the_same_participant(workspace):
    """Two contacts of one person were joined by hand: nothing says that there are two people."""
    first = workspace.meet(a=[X])
    assert workspace.meet(a=[], b=[X])["b"] == first["a"]


@pytest.mark.parametrize("other", [["whatsapp:252615000001"], ["telegram:7", X], ["tel:0615000001"]])
def test_two_contacts_that_both_have_the_number_are_one_participant(workspace, other):
    first = workspace.meet(a=[X])
    workspace.contacts["a"] = other
    assert workspace.meet(b=["tel:252615000001", "telegram:9"])["b"] == first["a"]


def test_contacts_of_two_channels_that_come_at_once_need_no_request(workspace):
    uids = workspace.meet(a=[X], b=["whatsapp:252615000001"], c=[Y])
    assert uids["a"] == uids["b"] != uids["c"]
    assert workspace.asked == []


def test_whoever_holds_the_contact_is_asked_for_once(workspace):
    workspace.meet(a=[X])
    workspace.meet(a=[Z], b=[X], c=["whatsapp:252615000001"])
    assert workspace.asked == ["a"]


def test_the_same_number_is_the_same_participant_in_another_workspace(workspace, tmp_path, table):
    other = Workspace(tmp_path / "other", table)
    assert workspace.meet(a=[X])["a"] == other.meet(z=["whatsapp:252615000001"])["z"]


def test_the_holder_of_a_number_that_changed_hands_is_the_same_participant_in_another_workspace(
    workspace, tmp_path, table
):
    other, third = (Workspace(tmp_path / name, table) for name in ("other", "third"))
    owner = other.meet(z=[X])["z"]
    assert workspace.meet(a=[X])["a"] == owner
    heir = workspace.meet(a=[Z], b=[X])["b"]
    # There it has changed hands, too; and a project that begins now meets the heir.
    assert other.meet(z=[Z], y=[X])["y"] == heir
    assert third.meet(x=[X])["x"] == heir


def test_a_data_root_that_begins_anew_never_makes_the_two_one(workspace, tmp_path, table):
    workspace.meet(a=[X])
    heir = workspace.meet(a=[Z], b=[X])["b"]
    anew = Workspace(tmp_path / "anew", table).meet(a=[Z], b=[X])
    assert anew["b"] == heir != anew["a"]


class TestNationalNumbers:
    def test_a_national_number_is_its_international_form(self, workspace):
        uids = workspace.meet(a=["tel:0615000001"], b=[X], c=["tel:615000001"])
        assert len(set(uids.values())) == 1
        assert workspace.met["a"].operator_raw == "25261"

    def test_one_that_the_table_knows_already_stays_as_it_is(self, workspace, table):
        known = table.uuids_for(["615000001"])["615000001"]
        uids = workspace.meet(a=["tel:0615000001"], b=[X])
        assert uids["a"] == known != uids["b"]

    def test_without_a_country_nothing_is_added(self, tmp_path, table):
        workspace = Workspace(tmp_path / "nowhere", table, country=None)
        uids = workspace.meet(a=["tel:0615000001"], b=[X])
        assert uids["a"] != uids["b"]


class TestContactsByUuid:
    def test_each_contact_is_a_participant(self, table):
        contacts = [Contact(name, None, ["tel:********"]) for name in "ab"] + [Contact("c", None, [])]
        who = ContactsByUuid(table, "w").identify(contacts)
        assert len({participant.uuid for participant in who.values()}) == 3
        assert [(who[name].urn_type, who[name].operator_raw) for name in "abc"] == [("tel", "tel")] * 2 + [
            ("unknown", "unknown")
        ]

    def test_it_is_the_same_one_in_every_project_of_the_table(self, table):
        contacts = [Contact("a", None, ["tel:********"])]
        assert ContactsByUuid(table, "w").identify(contacts) == ContactsByUuid(table, "w").identify(contacts)
        assert ContactsByUuid(table, "w").identify(contacts) != ContactsByUuid(table, "v").identify(contacts)

    def test_no_part_of_a_urn_is_kept(self, table):
        who = ContactsByUuid(table, "w").identify([Contact("a", None, ["+252615000001", "tel:+252615000001"])])
        assert "252" not in who["a"].urn_type + who["a"].operator_raw
