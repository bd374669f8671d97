"""All stages through run_pipeline.sh, on real parts of this machine: the sandbox's RapidPro, Google's Firestore emulator (participants
and Coda), a Cloud Storage server and a Drive server. Two nights, with coders at work in between.
"""

import contextlib
import csv
import hashlib
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import pytest
from google.cloud import firestore

from engagement.configuration import load_project
from engagement.sandbox.coder import Coders
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED, make_workspace
from fake_drive import FakeDrive

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("messages.csv", "individuals.csv", "production.csv")


class Season:
    """The demo's season on real services, in a folder with spaces in its names."""

    def __init__(self, folder, firestore_emulator, gcs_server, drive):
        self.coda = f"t-{uuid.uuid4().hex[:12]}"
        self.bucket, self.gcs_server, self.drive = f"b-{self.coda}", gcs_server, drive
        self.data_root, self.backups = folder / "data root", folder / "back ups"
        self.logs = folder / "performance logs"
        (folder / "coda tools").mkdir()
        self.key = folder / "key.json"
        self.key.write_text(json.dumps({**drive.key(), "project_id": self.coda}))
        self.configuration = folder / "configuration" / "pipeline_configuration.json"
        self._configure()
        self.environment = {
            **os.environ,
            "PIPELINE_RUNTIME": "host",
            "FIRESTORE_EMULATOR_HOST": firestore_emulator,
            "STORAGE_EMULATOR_HOST": gcs_server,
            "DRIVE_EMULATOR_HOST": drive.root_url,
        }
        self.client = firestore.Client(project=self.coda)
        self.command = [
            *["me", self.configuration, self.key, self.key, self.key, folder / "coda tools"],
            *[self.data_root, self.backups, self.logs],
        ]

    def _configure(self):
        demo = ROOT / "configurations" / "demo"
        document = json.loads((demo / "pipeline_configuration.json").read_text())
        document.pop("$schema", None)
        # Maps take as long to draw as all else together, and are drawn in a test of their own.
        document["AutomatedAnalysis"].pop("Maps", None)
        document["CodingPlansFile"] = str(demo / "coding_plans.json")
        for name in ("MemoryProfileUploadURLPrefix", "DataArchiveUploadURLPrefix"):
            document[name] = f"gs://{self.bucket}/{name}/"
        document["RawDataSources"][0]["TokenFileURL"] = f"gs://{self.bucket}/token.txt"
        document["PhoneNumberUuidTable"]["FirebaseCredentialsFileURL"] = f"gs://{self.bucket}/key.json"
        document["DriveUpload"]["DriveCredentialsFileURL"] = f"gs://{self.bucket}/key.json"
        self.document = document
        self._post("storage/v1/b", json.dumps({"name": self.bucket}).encode(), "application/json")
        for name, content in (("key.json", self.key.read_bytes()), ("token.txt", WORKSPACES[0].token.encode())):
            where = f"upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={name}"
            self._post(where, content, "application/octet-stream")

    @contextlib.contextmanager
    def served(self, workspace):
        """Let the project's RapidPro be this workspace's server."""
        with serve(workspace) as address:
            self.document["RawDataSources"][0]["Domain"] = address
            self.configuration.parent.mkdir(exist_ok=True)
            self.configuration.write_text(json.dumps(self.document))
            yield

    def start(self, *options):
        command = [ROOT / "run_scripts" / "run_pipeline.sh", *options, *self.command]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _post(self, where, content, kind):
        request = urllib.request.Request(f"{self.gcs_server}/{where}", content, {"Content-Type": kind})
        urllib.request.urlopen(request).close()

    def objects(self, prefix):
        """What lies in the bucket below a prefix."""
        with urllib.request.urlopen(f"{self.gcs_server}/storage/v1/b/{self.bucket}/o?prefix={prefix}") as answer:
            names = [item["name"] for item in json.load(answer).get("items", [])]
        found = {}
        for name in names:
            quoted = urllib.parse.quote(name, safe="")
            with urllib.request.urlopen(f"{self.gcs_server}/storage/v1/b/{self.bucket}/o/{quoted}?alt=media") as answer:
                found[name.rpartition("/")[2]] = answer.read()
        return found

    def mappings(self):
        """Participants by phone number or other address."""
        table = self.client.collection("tables").document("DEMO").collection("mappings")
        return {mapping.id: mapping.get("uuid") for mapping in table.stream()}

    def coda_messages(self, dataset):
        return {
            message.id: message.to_dict()
            for message in self.client.document("datasets", dataset).collection("messages").stream()
        }

    def label(self, project, dataset, round_number):
        """Let coders label what is in a dataset, as Coda's page does; gives how many messages."""
        plan = next(plan for plan in project.coding_plans.all if plan.coda_dataset == dataset)
        users, meanings = project.configuration.coda_users, WORKSPACES[round_number].meanings
        coders = Coders(DEFAULT_SEED, round_number, users, project.coding_plans, meanings)
        labelled = coders.label_messages(plan, list(self.coda_messages(dataset).values()))
        messages = self.client.document("datasets", dataset).collection("messages")
        writes = self.client.batch()
        for message in labelled:
            changes = {"Labels": message["Labels"], "LastUpdated": firestore.SERVER_TIMESTAMP}
            writes.update(messages.document(message["MessageID"]), changes)
        writes.commit()
        return len(labelled)

    def summaries(self):
        return [json.loads(path.read_text()) for path in sorted((self.data_root / "Runs").glob("*.json"))]

    def rows(self, name):
        with (self.data_root / "Outputs" / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def digest(self):
        """Of all names, times and contents in the data root."""
        found = hashlib.sha256()
        for path in sorted(self.data_root.rglob("*")):
            found.update(f"{path} {path.lstat().st_mtime_ns}\n".encode())
            found.update(path.read_bytes() if path.is_file() else b"")
        return found.hexdigest()


WORKSPACES = [make_workspace(DEFAULT_SEED, round_number) for round_number in (0, 1)]


@pytest.fixture
def season(tmp_path, firestore_emulator, gcs_server, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    folder = tmp_path / "a season"
    folder.mkdir()
    drive = FakeDrive()
    with drive.running():
        drive.add_shared_drive("Demo")
        yield Season(folder, firestore_emulator, gcs_server, drive)


def end(process, status=0):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == status, errors[-5000:]
    return output, errors


def check_services(season, project, runs):
    """That every service holds what the outputs say, each thing once."""
    datasets = {plan.coda_dataset: plan.coda_filename for plan in project.coding_plans.all if plan.coda_dataset}
    for dataset, file in datasets.items():
        wanted = json.loads((season.data_root / "Outputs" / "Coda Files" / file).read_text())
        found = season.coda_messages(dataset)
        assert {message["MessageID"] for message in wanted} <= found.keys()
        assert sorted(message["SequenceNumber"] for message in found.values()) == list(range(len(found)))
        metrics = season.client.document("datasets", dataset, "metrics", "messages").get().to_dict()
        assert metrics["messages_count"] == len(found)
    participants = season.mappings().values()
    assert len(set(participants)) == len(participants)
    assert {row["uid"] for row in season.rows("messages.csv")} <= {*participants, "STOP"}
    for name in TABLES:
        (uploaded,) = season.drive.content_of("Demo", name)
        mine = (season.data_root / "Outputs" / name).read_bytes()
        assert uploaded.count(b"\n") == mine.count(b"\n")
        assert uploaded.partition(b"\n")[0] == mine.partition(b"\n")[0]
    analysis = season.data_root / "Outputs" / "Automated Analysis"
    counts = (analysis / "engagement_counts.csv").read_bytes()
    assert season.drive.content_of("Demo", "Automated Analysis", "engagement_counts.csv") == [counts]
    archives = {f"{path.name.removeprefix('data-')}": path.read_bytes() for path in season.backups.glob("data-*")}
    assert len(archives) == runs
    assert season.objects("DataArchive") == archives
    logs = season.objects("MemoryProfile")
    assert len(logs) == 2 * runs
    for name, content in logs.items():
        if name.endswith(".log"):
            assert (season.logs / name.removeprefix("log-")).read_bytes().startswith(content)
        else:
            assert (season.logs / f"memory-{name}").read_bytes() == content


def test_two_nights_on_real_services(season):
    with season.served(WORKSPACES[0]):
        _, log = end(season.start())
    project = load_project(season.configuration)
    check_services(season, project, runs=1)
    participants, rows = season.mappings(), len(season.rows("messages.csv"))
    assert rows > 500
    assert {row["gender"] for row in season.rows("individuals.csv")} <= {"NR", "NA", "NC", "CE", "STOP"}

    labelled = {dataset: season.label(project, dataset, 0) for dataset in ("DEMO_s01e01", "DEMO_gender")}
    assert min(labelled.values()) > 100
    with season.served(WORKSPACES[1]):
        before = season.digest()
        plan, _ = end(season.start("--dry-run"))
        assert season.digest() == before
        new_runs = sum(map(int, re.findall(r"(\d+) new, \d+ changed since", plan)))
        assert new_runs > 10
        night = season.start()
        # While it is at work nobody else is let in.
        while not list((season.data_root / "Runs").glob("*.json"))[1:]:
            assert night.poll() is None
        assert "another run is working on this directory" in end(season.start(), status=4)[1]
        _, second_log = end(night)
    check_services(season, project, runs=2)
    # What was known stays, nobody is met twice, and what coders said has arrived.
    assert participants.items() <= season.mappings().items()
    assert len(season.rows("messages.csv")) > rows
    assert {"man", "woman"} <= {row["gender"] for row in season.rows("individuals.csv")}
    check_summaries(season, project, new_runs)
    check_privacy(season, log + second_log)


def check_summaries(season, project, new_runs):
    first, second = season.summaries()
    assert [stage["exit_status"] for run in (first, second) for stage in run["stages"]] == [0] * 14
    counts_before, counts = ({stage["stage"]: stage["counts"] for stage in run["stages"]} for run in (first, second))
    # Runs that waited for their contact, and runs of archives, come on top of what the plan saw.
    assert counts[2]["runs"] >= counts_before[2]["runs"] + new_runs
    # Coda bills for what is new, and not for what is there: see the tests of what it costs.
    datasets = sum(plan.coda_dataset is not None for plan in project.coding_plans.all)
    assert counts[4]["documents_read"] <= counts[4]["new_messages"] + 20 * datasets
    assert (counts[7]["uploaded"], counts[7]["there_already"]) == (3, 3)


def check_privacy(season, told):
    """No participant's number is in any file of the data root, or in what was logged."""
    numbers = {identifier for identifier in season.mappings() if identifier.isdecimal()}
    assert len(numbers) > 100
    found = set(re.findall(r"\d{9,15}", told))
    for path in (*season.data_root.rglob("*"), *season.logs.rglob("*")):
        if path.is_file():
            found |= {number.decode() for number in re.findall(rb"\d{9,15}", path.read_bytes())}
    assert not found & numbers
