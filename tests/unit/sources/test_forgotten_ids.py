"""Ids of people who were forgotten, in a table without their mappings."""

from datetime import UTC, datetime

import pytest

from engagement.foundation.errors import ConfigurationError
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from engagement.sources.forgotten import read_forgotten
from engagement.sources.forgotten_ids import leave_out_forgotten
from engagement.sources.holders import find_latest_holders, holder_id

AMINA, BILAN = "252615000001", "252615000002"
BEFORE, UNTIL, AFTER = "2026-05-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00", "2026-07-01T00:00:00+00:00"


class Fetch:
    """A data root and its table, in which people are forgotten and asked for."""

    def __init__(self, folder):
        self.data_root = folder / "data root"
        self.table = EmbeddedUuidTable(folder / "embedded", "PROJECT")

    def forget(self, uid, until=None, is_removed=True):
        marks = self.table.marks_of([uid])
        read_forgotten(self.data_root).add([uid], BEFORE, until, marks, self.table.marks_key)
        if is_removed:
            self.table.remove([uid])

    def latest(self, *ids, now=BEFORE):
        """Return what the latest holders of ids are known as, and which of them is kept when sent `now`."""
        self.forgotten, when = read_forgotten(self.data_root), datetime.fromisoformat(now)
        table = leave_out_forgotten(self.table, "PROJECT", self.forgotten, when, accept_new_table=False)
        found = find_latest_holders(table, {one: (one,) for one in ids})
        uids = [found.latest[one][1] for one in ids]
        return [None if self.forgotten.holds_back(uid, when) else uid for uid in uids]


@pytest.fixture
def fetch(tmp_path):
    return Fetch(tmp_path)


def test_a_forgotten_number_gets_no_row_and_others_keep_theirs(fetch):
    uids = fetch.table.uuids_for([AMINA, BILAN])
    fetch.forget(uids[AMINA])
    assert fetch.latest(AMINA, BILAN) == [None, uids[BILAN]]
    assert fetch.latest(AMINA, now=AFTER) == [None]
    assert fetch.table.find([AMINA]) == {}


def test_after_the_time_the_number_is_of_a_new_person_whose_earlier_messages_stay_out(fetch):
    uids = fetch.table.uuids_for([AMINA])
    fetch.forget(uids[AMINA], UNTIL)
    assert fetch.latest(AMINA) == [None]
    (new,) = fetch.latest(AMINA, now=AFTER)
    assert new not in (None, uids[AMINA])
    assert fetch.latest(AMINA, now=AFTER) == [new]
    # A form is read whole: what it has of before.
    forgotten = read_forgotten(fetch.data_root)
    assert forgotten.holds_back(new, datetime.fromisoformat(BEFORE))
    assert not forgotten.holds_back(new, datetime.fromisoformat(AFTER))


def test_whoever_has_the_number_now_stays_when_an_earlier_holder_is_forgotten(fetch):
    uids = fetch.table.uuids_for([AMINA, holder_id(AMINA, 2)])
    for until in (None, UNTIL):
        fetch.forget(uids[AMINA], until)
        assert fetch.latest(AMINA) == fetch.latest(AMINA, now=AFTER) == [uids[holder_id(AMINA, 2)]]


def test_messages_of_a_forgotten_later_holder_are_not_the_first_ones(fetch):
    uids = fetch.table.uuids_for([AMINA, holder_id(AMINA, 2)])
    fetch.forget(uids[holder_id(AMINA, 2)], UNTIL)
    assert fetch.latest(AMINA) == [None]
    (new,) = fetch.latest(AMINA, now=AFTER)
    assert new not in (None, *uids.values())
    assert fetch.table.find([AMINA]) == {AMINA: uids[AMINA]}


def test_a_row_that_another_project_removes_or_makes_again_changes_nothing(fetch):
    uids = fetch.table.uuids_for([AMINA])
    fetch.forget(uids[AMINA], UNTIL, is_removed=False)
    assert fetch.latest(AMINA) == [None]
    fetch.table.remove(uids.values())
    assert fetch.latest(AMINA) == [None]
    again = fetch.table.uuids_for([AMINA])[AMINA]
    assert fetch.latest(AMINA) == [None]
    assert fetch.latest(AMINA, now=AFTER) == [again]


def test_another_table_is_refused_rather_than_bring_them_back(fetch, tmp_path):
    fetch.forget(fetch.table.uuids_for([AMINA])[AMINA])
    other = EmbeddedUuidTable(tmp_path / "moved", "PROJECT")
    now = datetime.now(UTC)
    forgotten = read_forgotten(fetch.data_root)
    with pytest.raises(ConfigurationError, match="uuid table 'PROJECT': its key is not the one"):
        leave_out_forgotten(other, "PROJECT", forgotten, now, accept_new_table=False)
    assert leave_out_forgotten(other, "PROJECT", forgotten, now, accept_new_table=True) is other


def test_no_number_or_uid_is_in_the_tombstone(fetch):
    uids = fetch.table.uuids_for([AMINA])
    fetch.forget(uids[AMINA], UNTIL)
    fetch.latest(AMINA, now=AFTER)
    text = (fetch.data_root / "Forgotten" / "tombstones.json").read_text()
    assert not {part for part in ("25261", uids[AMINA], "avf-", "forgotten ", "free ") if part in text}
