"""Random people over many nights: whoever wrote last before the period leaves the table, on Firestore as on its embedded twin."""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from engagement.configuration import load_project
from engagement.custody.retention.raw_texts import choose_cut, find_aged, remove_aged
from engagement.custody.retention.removal import RetentionRequest
from engagement.custody.retention.table_rows import find_aged_people, remove_aged_people
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.protocol import open_uuid_table
from engagement.sources.contacts_directory import contacts_directory
from example_project import DataRoot, episode_run, uid_of, write_project

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
PEOPLE, STRANGERS = 40, 5
TEXTS, ROWS = 30, 45


class Person:
    """One with messages of some days before the first night, perhaps in Contacts/, in a list, or linked to the one before."""

    def __init__(self, chance):
        self.name = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        self.days = [chance.randint(1, 120) for _ in range(chance.choice((0, 1, 1, 2)))]
        self.is_contact = chance.random() < 0.7
        self.is_listed = chance.random() < 0.1
        self.uid = uid_of(self.name)

    @property
    def last(self):
        """The time from which they count, None for whom the data root has never heard of."""
        if self.days:
            return START - timedelta(days=min(self.days))
        return START if self.is_contact else None


def make_data_root(folder, people, links):
    project = folder / "configuration"

    def change(document):
        document["Retention"] = {"RawTexts": f"P{TEXTS}D", "UuidTable": f"P{ROWS}D"}
        document["LinkedParticipants"] = ["linked.csv"]
        document["ListeningGroups"] = [{"Name": "mothers", "Files": ["mothers.csv"]}]

    root = DataRoot(folder, write_project(project, change))
    rows = [f"{one.uid},{other.uid}\n" for one, other in links]
    (project / "linked.csv").write_text("uid,uid_2\n" + "".join(rows))
    (project / "mothers.csv").write_text("uid\n" + "".join(f"{one.uid}\n" for one in people if one.is_listed))
    times = [(one, START - timedelta(days=days)) for one in people for days in one.days]
    root.write_runs(
        *(episode_run(one.name, f"biyo {n}", time=at.isoformat(), run_id=n) for n, (one, at) in enumerate(times))
    )
    contacts_directory(root.path).mkdir()
    lines = [
        {"contact": f"contact of {n}", "operator_raw": "25261", "participant": one.uid, "urn_type": "tel"}
        for n, one in enumerate(people)
        if one.is_contact
    ]
    (contacts_directory(root.path) / "w.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def expected_to_be_left(people, links, before):
    """By the rule alone: who may not be told apart from somebody with a message, or wrote after `before`."""
    left = {one.uid for one in people if one.is_listed or (one.last is not None and one.last >= before)}
    for one, other in links:
        if left & {one.uid, other.uid}:
            left |= {one.uid, other.uid}
    # Whom the data root never heard of may be another project's.
    return left | {one.uid for one in people if one.last is None}


def remove_at(project, root, table, coda, now):
    request = RetentionRequest(
        "me", now.isoformat(timespec="seconds"), {"RawTexts": f"P{TEXTS}D", "UuidTable": f"P{ROWS}D"}
    )
    cut = choose_cut(project, root.path, now)
    forecast = find_aged_people(project, root.path, now, cut)
    if cut is not None:
        remove_aged(project, root.path, coda, find_aged(project, root.path, cut), request)
    receipts = list(remove_aged_people(project, root.path, table, now, request))
    assert sum(one["Removed"][0]["Count"] for one in receipts) == len(forecast.people)
    return forecast


@pytest.mark.parametrize(("service", "seed"), [*(("embedded", seed) for seed in range(5)), ("firestore", 7)])
def test_whoever_wrote_last_before_the_period_leaves(tmp_path, request, monkeypatch, service, seed):
    chance = random.Random(seed)
    people = [Person(chance) for _ in range(PEOPLE)]
    links = [(people[n], people[n + 1]) for n in range(0, 12, 2)]
    root = make_data_root(tmp_path, people, links)
    project = load_project(root.configuration)
    credentials = EmbeddedCredentials(tmp_path / "table")
    coda = open_coda(EmbeddedCredentials(tmp_path / "coda"))
    if service == "firestore":
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", request.getfixturevalue("firestore_emulator"))
        credentials = GoogleCredentials(f"test-{uuid.uuid4().hex[:12]}", {})
    uids = iter([*(one.uid for one in people), *(uid_of(f"stranger {n}") for n in range(STRANGERS))])
    numbers = [f"25261500{n:04}" for n in range(PEOPLE + STRANGERS)]
    filling = open_uuid_table(credentials, "PROJECT", RetryPolicy())
    filling._make_uuid = lambda: next(uids)
    everybody = filling.uuids_for(numbers)
    table = open_uuid_table(credentials, "PROJECT", RetryPolicy())
    counts = []
    for days in (0, 1, 10, 30, 46, 47, 80):
        now = START + timedelta(days=days)
        forecast = remove_at(project, root, table, coda, now)
        left = expected_to_be_left(people, links, forecast.before)
        found = table.find(numbers)
        strangers = {uid_of(f"stranger {n}") for n in range(STRANGERS)}
        assert {uid for uid in found.values() if uid not in strangers} == left & {one.uid for one in people}, days
        # Of others with the same table nobody leaves.
        assert strangers <= set(found.values())
        assert {number: everybody[number] for number in found} == found
        kept = (contacts_directory(root.path) / "w.jsonl").read_text()
        assert not [one.uid for one in people if one.uid in kept and one.uid not in left]
        counts.append(len(found))
    # In the end only those are left who are in a list or whom the data root never heard of.
    assert counts[0] > counts[-1] > STRANGERS
