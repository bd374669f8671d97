"""Coda on Firestore while people label in it, and what other tools leave there: nothing waits, nothing is lost."""

import logging
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import Aborted
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient

from coda_examples import WS_SCHEME, code_scheme, label, make_project, message, read, run_stage, write
from engagement.foundation.errors import InputError, ServiceError
from engagement.services.coda.firestore import FirestoreCoda
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy

YEAR_AGO = timedelta(days=365)


class Place:
    """A project in the emulator with three datasets, its data root, and a coder at Coda's page."""

    datasets = ("show", "age", "gender")

    def __init__(self, directory):
        self.project = f"t-{uuid.uuid4().hex[:12]}"
        self.client = firestore.Client(project=self.project)
        self.credentials = GoogleCredentials(self.project, {"project_id": self.project})
        self.coda = open_coda(self.credentials)
        self.data_root = directory / "data root"
        key = write(directory / "key.json", {"type": "service_account", "project_id": self.project})
        configuration = make_project(directory / "configuration", self.datasets)
        self.arguments = ["--credentials", key, "--data-root", self.data_root]
        self.arguments += ["--pipeline-configuration", configuration]
        for dataset in self.datasets:
            scheme = code_scheme("Scheme-theme" if dataset == "show" else f"Scheme-{dataset}", dataset)
            self.coda.create_dataset(dataset, ["coder@example.org"], [scheme, WS_SCHEME])
            self.coda.add_messages(dataset, [message(number) for number in range(20)])

    def put_output(self, count):
        for dataset in self.datasets:
            messages = [message(number) for number in range(count)]
            write(self.data_root / "Outputs" / "Coda Files" / f"{dataset}.json", messages)

    def coded(self, dataset="show"):
        return {item["Text"]: item for item in read(self.data_root / "Coded Coda Files" / f"{dataset}.json")}

    def metrics(self, segment):
        return self.client.document("datasets", segment, "metrics", "messages").get().to_dict()

    def label_on_the_page(self, dataset, number, code="code-health"):
        """The whole message is written, then the metrics of its segment, as the page does."""
        messages = self.client.collection("datasets", dataset, "messages")
        shown = [found.to_dict() for found in messages.stream()]
        [chosen] = [item for item in shown if item["MessageID"] == message(number)["MessageID"]]
        chosen["Labels"].insert(0, label(code))
        messages.document(chosen["MessageID"]).set({**chosen, "LastUpdated": firestore.SERVER_TIMESTAMP})
        counted = {
            "messages_count": len(shown),
            "messages_with_label": sum(bool(item["Labels"]) for item in shown),
            "wrong_scheme_messages": 0,
            "not_coded_messages": 0,
        }
        self.client.document("datasets", dataset, "metrics", "messages").set(counted)

    def make_old(self):
        """Put the last change of every message a year back."""
        for dataset in self.datasets:
            writes = self.client.batch()
            for found in self.client.collection("datasets", dataset, "messages").stream():
                writes.update(found.reference, {"LastUpdated": found.get("LastUpdated") - YEAR_AGO})
            writes.commit()


@pytest.fixture
def place(firestore_emulator, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    caplog.set_level(logging.INFO)
    return Place(tmp_path)


def before_each_commit(monkeypatch, act, most=12):
    """Let something happen just before each commit reaches the server; gives the number of commits that were refused."""
    commit, refused, at_work = FirestoreClient.commit, [0, 0], False

    def commit_after_it(client, request, **options):
        nonlocal at_work
        if at_work:
            return commit(client, request, **options)
        at_work = True
        refused[1] += 1
        assert refused[1] <= most, "the addition never ends"
        try:
            act(request)
        finally:
            at_work = False
        try:
            return commit(client, request, **options)
        except Exception:
            refused[0] += 1
            raise

    monkeypatch.setattr(FirestoreClient, "commit", commit_after_it)
    return refused


def test_an_addition_does_not_wait_for_those_who_label(place, monkeypatch):
    place.put_output(1000)
    numbers = iter(range(20))
    refused = before_each_commit(monkeypatch, lambda _: place.label_on_the_page("show", next(numbers)))
    run_stage("coda_add", *place.arguments)
    monkeypatch.undo()
    # Three batches of "show", and those of the other two.
    assert refused == [0, 9]
    for dataset in place.datasets:
        assert len(place.coda.read_messages(dataset)) == 1000
    # Every label is there, and the metrics count them, and the messages that were added.
    assert sum(bool(item["Labels"]) for item in place.coda.read_messages("show")) == 9
    assert (place.metrics("show")["messages_count"], place.metrics("show")["messages_with_label"]) == (1000, 9)


def test_a_dataset_that_is_refused_for_good_does_not_hold_up_the_others(place, monkeypatch):
    place.put_output(30)

    def refuse(request):
        if "pipeline_additions/show" in str(request):
            raise Aborted("too much contention: jawaab")

    patience = RetryPolicy(budget_seconds=5, sleep=lambda _: None)
    coda = FirestoreCoda(place.credentials, patience)
    monkeypatch.setattr("engagement.stages.coda_add.open_coda", lambda _: coda)
    before_each_commit(monkeypatch, refuse, most=30)
    with pytest.raises(ServiceError, match="people are labelling in this dataset .* best when they pause") as error:
        run_stage("coda_add", *place.arguments)
    monkeypatch.undo()
    assert "jawaab" not in str(error.value)
    assert [len(place.coda.read_messages(dataset)) for dataset in place.datasets] == [20, 30, 30]


@pytest.mark.parametrize("orphans", [0, 1], ids=["no messages there", "a message there"])
def test_a_count_that_is_ahead_of_the_segments_is_put_right(place, orphans):
    place.client.document("segment_counts", "show").set({"segment_count": 4})
    for number in range(orphans):
        orphan = message(50 + number, [label("code-health")], SequenceNumber=90)
        place.client.document("datasets", "show_2", "messages", orphan["MessageID"]).set(orphan)
    assert place.coda.read_users("show") == ["coder@example.org"]
    assert len(place.coda.read_code_schemes_of_all_segments("show")) == 1
    assert place.coda.add_messages("show", [message(number) for number in range(60)]) == 40 - orphans
    assert place.client.document("segment_counts", "show").get().to_dict() == {"segment_count": 1 + orphans}
    messages = place.coda.read_messages("show")
    assert len({item["MessageID"] for item in messages}) == len(messages) == 60
    assert len({item["SequenceNumber"] for item in messages}) == 60
    last = "show_2" if orphans else "show"
    assert place.client.document("datasets", last).get().to_dict() == {"users": ["coder@example.org"]}
    assert place.metrics(last)["messages_count"] == (40 if orphans else 60)
    assert place.metrics(last)["messages_with_label"] == orphans


def test_a_dataset_that_can_not_be_used_is_told_after_the_others_are_done(place):
    run_stage("coda_get", *place.arguments)
    write(place.data_root / "Coded Coda Files" / "show.json", {"not": "an array"})
    place.label_on_the_page("age", 3)
    with pytest.raises(InputError, match="show.json: the document is not an array"):
        run_stage("coda_get", *place.arguments)
    assert len(place.coded("age")["jawaab 3"]["Labels"]) == 1


def test_a_broken_document_is_named_and_the_rest_downloaded(place, caplog):
    place.client.document("datasets", "show", "messages", "made-by-hand").set({"Text": "jawaab 99"})
    run_stage("coda_get", *place.arguments)
    assert len(place.coded()) == 20
    assert "datasets/show/messages/made-by-hand: 'MessageID' should be" in caplog.text
    assert "jawaab 99" not in caplog.text
    place.client.document("datasets", "show", "messages", "0615000001").set({"Text": "jawaab 99"})
    run_stage("coda_get", *place.arguments, "--full")
    assert "0615000001" not in caplog.text


def reads_of_a_night(place, caplog):
    caplog.clear()
    run_stage("coda_get", *place.arguments)
    (reads,) = re.findall(r"Coda: read (\d+) documents", caplog.text)
    return int(reads)


def test_a_dataset_that_nobody_touched_is_not_read_again(place, caplog):
    place.make_old()
    # All of a dataset was added within a minute.
    assert reads_of_a_night(place, caplog) == 3 * (2 + 20)
    assert reads_of_a_night(place, caplog) == 3 * 3
    place.label_on_the_page("age", 3)
    assert reads_of_a_night(place, caplog) == 3 * 3
    assert len(place.coded("age")["jawaab 3"]["Labels"]) == 1


def test_a_label_that_the_metrics_do_not_count_is_not_missed(place, caplog):
    """The page writes the metrics after the message: a browser that is closed in between leaves them as they were."""
    place.make_old()
    reads_of_a_night(place, caplog)
    changed = {"Labels": [label("code-health")], "LastUpdated": firestore.SERVER_TIMESTAMP}
    place.client.document("datasets", "show", "messages", message(3)["MessageID"]).update(changed)
    reads_of_a_night(place, caplog)
    assert len(place.coded()["jawaab 3"]["Labels"]) == 1


def test_a_label_that_was_stamped_before_a_download_and_committed_after_it_is_not_missed(place, caplog):
    place.make_old()
    reads_of_a_night(place, caplog)
    changed = {"Labels": [label("code-health")], "LastUpdated": datetime.now(UTC) - timedelta(seconds=50)}
    place.client.document("datasets", "show", "messages", message(3)["MessageID"]).update(changed)
    reads_of_a_night(place, caplog)
    assert len(place.coded()["jawaab 3"]["Labels"]) == 1


@pytest.mark.parametrize("lost", ["the state", "the newer file"])
def test_labels_are_not_missed_when_an_older_file_or_no_state_is_there(place, caplog, lost):
    place.make_old()
    reads_of_a_night(place, caplog)
    file = place.data_root / "Coded Coda Files" / "show.json"
    older = file.read_bytes()
    place.label_on_the_page("show", 3)
    reads_of_a_night(place, caplog)
    # The label is now older than the moment of the newest download by far.
    recent = place.client.document("datasets", "show", "messages", message(3)["MessageID"])
    recent.update({"LastUpdated": datetime.now(UTC) - timedelta(days=1)})
    file.write_bytes(older)
    if lost == "the state":
        (place.data_root / "State" / "coda" / "download_moments.json").unlink()
    reads_of_a_night(place, caplog)
    assert len(place.coded()["jawaab 3"]["Labels"]) == 1
