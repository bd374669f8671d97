"""Stages 1 and 4, again and again, while two coders tick and untick labels in both datasets as Coda's page does.

CODERS_SECONDS=60 makes it a long night; nothing else changes.
"""

import contextlib
import itertools
import json
import os
import random
import subprocess
import sys
import time
import uuid
from pathlib import Path

from google.cloud import firestore

from coda_examples import label, make_project, message, read, run_stage, write
from engagement.labelling.suggestions.examples import is_suggestion

SECONDS = float(os.environ.get("CODERS_SECONDS", "4"))
LABELS_A_SECOND = 10
"""Of each of the two coders."""
MESSAGES, A_ROUND = 240, 20
DATASETS = ("show", "show_second")
CODES = ("code-health", "code-water")


def suggestion(code):
    origin = {"OriginID": "suggestion:1", "Name": "Pipeline Suggestions", "OriginType": "External"}
    return {**label(code, checked=False), "Origin": origin, "Confidence": 0.95}


def work(project, dataset, seconds):
    """Label as a coder does: the page sets a message's labels to those that it shows and one more, then counts its segment.

    Each write that Coda accepted is a line of standard output.
    """
    client, chooser = firestore.Client(project=project), random.Random(dataset)
    messages, shown_ids = client.collection("datasets", dataset, "messages"), []
    started = time.monotonic()
    for number in itertools.count():
        time.sleep(max(0.0, started + number / LABELS_A_SECOND - time.monotonic()))
        if time.monotonic() - started > seconds:
            return
        if number % LABELS_A_SECOND == 0:
            # About once a second the page shows what has come since.
            shown_ids = sorted(found.id for found in messages.select([]).get())
        document = messages.document(chooser.choice(shown_ids))
        shown = document.get().to_dict()
        given = {**label(chooser.choice(CODES)), "DateTimeUTC": f"2026-03-02T08:00:00.{number:06d}+00:00"}
        if shown["Labels"] and chooser.random() < 0.3:
            given |= {"CodeID": "SPECIAL-MANUALLY_UNCODED", "Checked": False}
        labels = [given, *shown["Labels"]]
        document.update({"Labels": labels, "LastUpdated": firestore.SERVER_TIMESTAMP})
        client.document("datasets", dataset, "metrics", "messages").set({"messages_with_label": number}, merge=True)
        print(json.dumps([dataset, document.id, labels]), flush=True)


def test_nothing_is_lost_overwritten_or_doubled_beside_two_coders(tmp_path, monkeypatch, firestore_emulator):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    project = f"t-{uuid.uuid4().hex[:12]}"
    credentials = write(tmp_path / "key.json", {"type": "service_account", "project_id": project})
    double_coding = {"Share": 0.5, "Users": ["second@example.org"]}
    configuration = make_project(tmp_path / "configuration", UpdateSuggestions=True, DoubleCoding=double_coding)
    data_root = tmp_path / "data root"
    arguments = ["--credentials", credentials, "--data-root", data_root, "--pipeline-configuration", configuration]
    arrived = MESSAGES // 2

    def run_round(number):
        # What is suggested changes from night to night, and a night is over at once.
        labels = [suggestion(CODES[number % 2])]
        write(data_root / "Outputs" / "Coda Files" / "show.json", [message(n, labels) for n in range(arrived)])
        for path in (data_root / "State" / "coda").rglob("*.suggestions.json"):
            path.unlink()
        run_stage("coda_add", *arguments)
        run_stage("coda_get", *arguments)

    run_round(0)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[1], *sys.path)))}
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((tmp_path / name).open("w+")) for name in DATASETS]
        command = [sys.executable, __file__, project]
        coders = [
            subprocess.Popen([*command, name, str(SECONDS)], env=environment, stdout=file)
            for name, file in zip(DATASETS, files, strict=True)
        ]
        try:
            rounds = 0
            while any(coder.poll() is None for coder in coders):
                rounds += 1
                arrived = min(MESSAGES, arrived + A_ROUND)
                run_round(rounds)
        finally:
            for coder in coders:
                coder.kill()
                coder.wait()
    assert [coder.returncode for coder in coders] == [0, 0]
    writes = [json.loads(line) for name in DATASETS for line in (tmp_path / name).read_text().splitlines()]
    run_round(rounds + 1)
    last = {(dataset, message_id): labels for dataset, message_id, labels in writes}
    client = firestore.Client(project=project)
    for dataset in DATASETS:
        documents = client.collection("datasets", dataset, "messages").get()
        in_coda = {found.id: found.to_dict()["Labels"] for found in documents}
        touched = {message_id: labels for (name, message_id), labels in last.items() if name == dataset}
        assert touched
        # Whole: neither lost, nor under a suggestion, nor doubled.
        assert {message_id: in_coda[message_id] for message_id in touched} == touched
        untouched = [labels for message_id, labels in in_coda.items() if message_id not in touched]
        suggested = [suggestion(CODES[(rounds + 1) % 2])] if dataset == "show" else []
        assert all(labels == suggested for labels in untouched)
        downloaded = read(data_root / "Coded Coda Files" / f"{dataset}.json")
        assert {found["MessageID"]: found["Labels"] for found in downloaded} == in_coda
        assert len(downloaded) == len(in_coda)
    # The other coder, blind to the first one's labels, is so to suggestions.
    assert not any(is_suggestion(one) for dataset, _, labels in writes if dataset == "show_second" for one in labels)
    given = [(dataset, labels[0]["DateTimeUTC"]) for dataset, _, labels in writes]
    assert len(given) == len(set(given)) > 2 * SECONDS
    print(f"{len(given)} labels on {len(last)} messages, {rounds} rounds of stages 4 and 1")


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], float(sys.argv[3]))
