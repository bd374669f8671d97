"""Removals from a uuid table in Firestore that are killed at random moments around their commits: run again, the table is the same."""

import json
import os
import random
import shutil
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import firestore

import dying_removals
import fake_rapidpro
from chain_project import ChainProject, make_workspace
from engagement.__main__ import main
from engagement.custody.retention.removal import read_receipts
from engagement.custody.retention.silent_people import SilentPeople, write_silent_people
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.firestore import FirestoreUuidTable
from engagement.sources.contacts_directory import contacts_directory, read_participants
from engagement.sources.forgotten import read_forgotten
from example_project import DataRoot, uid_of, write_project

NOW = datetime(2026, 4, 3, 2, 30, tzinfo=UTC)
MOMENTS = int(os.environ.get("FAULT_MOMENTS", "3"))
KILLED = -9
# More than one commit takes.
PEOPLE, STRANGERS = 600, 5
OTHER_IDS = 30
LONG = 1_000


class Table:
    """A uuid table in the emulator, by its documents."""

    def __init__(self, project):
        self.project, self.table = project, "EXAMPLE"
        self.mappings = firestore.Client(project=project).collection("tables").document("EXAMPLE")

    def read(self):
        return {one.id: one.to_dict()["uuid"] for one in self.mappings.collection("mappings").stream()}

    def fill(self, rows):
        """Let the table have just these rows, and no keys."""
        client = firestore.Client(project=self.project)
        now = self.read()
        changes = [(name, None) for name in now.keys() - rows.keys()]
        changes += [(name, uid) for name, uid in rows.items() if now.get(name) != uid]
        for start in range(0, len(changes), 400):
            batch = client.batch()
            for name, uid in changes[start : start + 400]:
                document = self.mappings.collection("mappings").document(name)
                if uid is None:
                    batch.delete(document)
                else:
                    batch.set(document, {"uuid": uid})
            batch.commit()
        for document in self.mappings.collection("keys").list_documents():
            document.delete()


@pytest.fixture
def table(firestore_emulator, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return Table(f"test-{uuid.uuid4().hex[:12]}")


def remove(*arguments, after="write", seconds=LONG):
    command = [sys.executable, dying_removals.__file__, after, str(seconds), *map(str, arguments)]
    tests = Path(dying_removals.__file__).parent
    paths = {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent / "src")])}
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **paths}, timeout=120)


def choose_moments(whole, count):
    """Choose random moments: every other from the first write on, the rest from the first commit on, to just after the last."""
    assert whole.returncode == 0, whole.stderr
    lasts = json.loads(whole.stdout.splitlines()[-1])
    chance = random.Random(os.urandom(8))
    return [
        {"after": after, "seconds": chance.uniform(0, lasts[after] + 0.01)}
        for after in (("commit", "write")[number % 2] for number in range(count))
    ]


def test_whoever_is_forgotten_leaves_the_table_though_it_was_killed(tmp_path, table):
    with fake_rapidpro.serve(make_workspace()) as address:
        project = ChainProject(tmp_path / "a project", address)
        key = project.embedded / "storage" / "keys" / "embedded.json"
        key.write_text(json.dumps({"type": "service_account", "project_id": table.project}))
        for stage in (1, 2, 3):
            assert main(project.arguments(stage)) == 0
    number = "252615000004"
    uid = table.read()[number]
    rows = {**table.read(), **{f"telegram:{one}": uid for one in range(OTHER_IDS)}}
    others = {name: one for name, one in rows.items() if one != uid}
    table.fill(rows)
    project.keep("before")
    places = (project.configuration, project.data_root, project.credentials)
    arguments = ("forget", *places, "--uid", uid, "--user", "me")
    whole = remove(*arguments)
    assert table.read() == others
    kills = 0
    for moment in choose_moments(whole, MOMENTS):
        project.put_back("before")
        table.fill(rows)
        killed = remove(*arguments, **moment)
        kills += killed.returncode == KILLED
        # None of the others, whatever became of the commit.
        left = table.read()
        assert {name: one for name, one in left.items() if one != uid} == others, moment
        assert len(left) in (len(rows), len(others)), moment
        again = remove(*arguments)
        assert again.returncode == 0, (moment, again.stderr)
        assert table.read() == others, moment
        # Stage 2 knows them by the mark of their number.
        forgotten = read_forgotten(project.data_root)
        known = FirestoreUuidTable(GoogleCredentials(table.project, {}), "EXAMPLE", RetryPolicy())
        assert forgotten.find_mark(known.marks([number])[number]) is not None, moment
        assert list((project.data_root / "Forgotten").glob("journal*")) == [], moment
        assert len(list((project.data_root / "Forgotten" / "receipts").glob("*.json"))) == 1, moment
    assert kills
    sys.stdout.write(f"{kills} of {MOMENTS} were killed\n")


def test_whoever_wrote_last_long_ago_leaves_the_table_though_it_was_killed(tmp_path, table):
    retention = {"RawTexts": "P60D", "UuidTable": "P60D"}
    root = DataRoot(
        tmp_path, write_project(tmp_path / "configuration", lambda document: document.update(Retention=retention))
    )
    uids = [uid_of(f"person {number}") for number in range(PEOPLE)]
    lines = [
        {"contact": f"contact of {number}", "operator_raw": "25261", "participant": uid, "urn_type": "tel"}
        for number, uid in enumerate(uids)
    ]
    contacts_directory(root.path).mkdir(parents=True)
    (contacts_directory(root.path) / "w.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_silent_people(root.path, SilentPeople(dict.fromkeys(uids, datetime(2025, 1, 1, tzinfo=UTC))))
    strangers = {f"25261600{number:04}": uid_of(f"stranger {number}") for number in range(STRANGERS)}
    rows = {f"25261500{number:04}": uid for number, uid in enumerate(uids)} | strangers
    table.fill(rows)
    before = tmp_path / "before"
    shutil.copytree(root.path, before)
    arguments = ("rows", root.configuration, root.path, table.project, "EXAMPLE", NOW.isoformat())
    whole = remove(*arguments)
    assert table.read() == strangers
    kills, parts = 0, 0
    for moment in choose_moments(whole, MOMENTS):
        shutil.rmtree(root.path)
        shutil.copytree(before, root.path)
        table.fill(rows)
        kills += remove(*arguments, **moment).returncode == KILLED
        left = table.read()
        assert strangers.items() <= left.items() <= rows.items(), moment
        parts += len(strangers) < len(left) < len(rows)
        again = remove(*arguments)
        assert again.returncode == 0, (moment, again.stderr)
        assert table.read() == strangers, moment
        assert read_participants(root.path) == set(), moment
        assert [one["Removed"][0]["Count"] for one in read_receipts(root.path)] == [PEOPLE], moment
    assert kills
    sys.stdout.write(f"{kills} of {MOMENTS} were killed, {parts} between two commits\n")
