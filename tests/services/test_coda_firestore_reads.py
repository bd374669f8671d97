"""What Coda costs on Firestore: reads, which Google bills, and indexes, which somebody has to make.

Requests are written down where the client hands them to the network, and counted there by Google's rules.
"""

import json
import logging
import math
import re
import uuid
from pathlib import Path

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient

import engagement.services.coda.firestore
from coda_examples import code_scheme, label, make_project, message, read, run_stage, write
from engagement.desk import coda_progress
from engagement.services.coda.format import parse_time
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import GoogleCredentials

INDEXES = Path(engagement.services.coda.firestore.__file__).with_name("firestore.indexes.json")


class Recorder:
    """Every read that reached the emulator, and every structured query."""

    def __init__(self):
        self.reads = 0
        self.queries = []

    def install(self, monkeypatch):
        original = {name: getattr(FirestoreClient, name) for name in ("batch_get_documents", "run_query", _AGGREGATION)}

        def batch_get_documents(client, request, **options):
            for response in original["batch_get_documents"](client, request, **options):
                self.reads += bool(response.missing or response.found.name)
                yield response

        def run_query(client, request, **options):
            self.queries.append(_as_message(request)["structured_query"])
            found = 0
            for response in original["run_query"](client, request, **options):
                found += bool(response.document.name)
                yield response
            self.reads += max(1, found)

        def run_aggregation_query(client, request, **options):
            self.queries.append(_as_message(request)["structured_aggregation_query"].structured_query)
            for response in original[_AGGREGATION](client, request, **options):
                for value in response.result.aggregate_fields.values():
                    self.reads += max(1, math.ceil(value.integer_value / 1000))
                yield response

        for replacement in (batch_get_documents, run_query, run_aggregation_query):
            monkeypatch.setattr(FirestoreClient, replacement.__name__, replacement)
        return self


_AGGREGATION = "run_aggregation_query"


def _as_message(request):
    return request if isinstance(request, dict) else {field: getattr(request, field) for field in dir(request)}


@pytest.fixture
def project(firestore_emulator, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return f"t-{uuid.uuid4().hex[:12]}"


class Place:
    """A project in the emulator, and a data root that was just downloaded from it."""

    def __init__(self, project, directory, count):
        self.project = project
        self.data_root = directory / "data root"
        credentials = write(directory / "key.json", {"type": "service_account", "project_id": project})
        configuration = make_project(directory / "configuration")
        files = ["--credentials", credentials, "--data-root", self.data_root]
        self.arguments = [*files, "--pipeline-configuration", configuration]
        self.coda = open_coda(GoogleCredentials(project, {"project_id": project}))
        self.coda.create_dataset("show", ["coder@example.org"], [code_scheme(name="show")])
        self.coda.add_messages("show", [message(number) for number in range(count)])
        run_stage("coda_get", *self.arguments)
        assert len(read(self.data_root / "Coded Coda Files" / "show.json")) == count

    def put_output(self, count):
        messages = [message(number) for number in range(count)]
        write(self.data_root / "Outputs" / "Coda Files" / "show.json", messages)


def logged_reads(caplog):
    return [int(number) for number in re.findall(r"Coda: read (\d+) documents", caplog.text)]


@pytest.mark.parametrize("new", [0, 1, 40])
def test_adding_to_a_dataset_that_was_just_downloaded_costs_reads_for_what_is_new_only(
    project, tmp_path, monkeypatch, caplog, new
):
    place = Place(project, tmp_path, 2600)
    place.put_output(2600 + new)
    caplog.clear()
    caplog.set_level(logging.INFO)
    recorder = Recorder().install(monkeypatch)
    run_stage("coda_add", *place.arguments)
    # The stage's own count is the true one.
    assert logged_reads(caplog) == [recorder.reads]
    assert recorder.reads <= new + 20
    assert (recorder.reads == 0) == (new == 0)
    assert len(place.coda.read_messages("show")) == 2600 + new


def test_what_somebody_else_added_in_between_is_looked_for_without_reading_the_dataset(project, tmp_path, monkeypatch):
    place = Place(project, tmp_path, 1000)
    place.coda.add_messages("show", [message(number) for number in range(1000, 1010)])
    place.put_output(1020)
    recorder = Recorder().install(monkeypatch)
    run_stage("coda_add", *place.arguments)
    assert recorder.reads <= 20 + 20
    numbers = {item["Text"]: item["SequenceNumber"] for item in place.coda.read_messages("show")}
    assert numbers == {f"jawaab {number}": number for number in range(1020)}


def test_as_many_deleted_as_added_since_the_download_is_not_taken_for_no_change(project, tmp_path):
    place = Place(project, tmp_path, 20)
    place.coda.add_messages("show", [message(20)])
    client = firestore.Client(project=project)
    client.document("datasets", "show", "messages", message(3)["MessageID"]).delete()
    client.document("datasets", "show", "messages", message(20)["MessageID"]).update({"Labels": [label("code-health")]})
    place.put_output(22)
    run_stage("coda_add", *place.arguments)
    messages = {item["Text"]: item for item in place.coda.read_messages("show")}
    assert messages["jawaab 20"]["Labels"] == [label("code-health")]
    assert messages["jawaab 21"]["SequenceNumber"] == 21


def test_an_incremental_download_reads_what_changed(project, tmp_path, monkeypatch, caplog):
    place = Place(project, tmp_path, 300)
    client = firestore.Client(project=project)
    # As if they had been added a day ago, and the last of them labelled since.
    old = parse_time("2026-03-03T00:00:00Z")
    writes = client.batch()
    for number in range(300):
        writes.update(
            client.document("datasets", "show", "messages", message(number)["MessageID"]), {"LastUpdated": old}
        )
    writes.commit()
    client.document("datasets", "show", "messages", message(9)["MessageID"]).update(
        {"Labels": [label("code-health")], "LastUpdated": firestore.SERVER_TIMESTAMP}
    )
    run_stage("coda_get", *place.arguments, "--full")
    caplog.clear()
    caplog.set_level(logging.INFO)
    recorder = Recorder().install(monkeypatch)
    run_stage("coda_get", *place.arguments)
    assert recorder.reads == 3  # the dataset, its number of segments, the message
    assert logged_reads(caplog) == [3]


def needed_index(query):
    """The composite index that a query needs, as (collection, fields); None where those of single fields do.

    Firestore joins single-field indexes for equalities; a range or an order beside another field needs one of its own, as
    does a query over all collections of a name.
    """
    equal, ordered = [], []
    for field_filter in _field_filters(query.where):
        is_equal = field_filter.op.name in ("EQUAL", "IN", "ARRAY_CONTAINS", "ARRAY_CONTAINS_ANY")
        (equal if is_equal else ordered).append((field_filter.field.field_path, "ASCENDING"))
    ordered += [(order.field.field_path, order.direction.name) for order in query.order_by]
    directions = {name: direction for name, direction in equal + ordered if name != "__name__"}
    [source] = query.from_
    is_simple = len(directions) <= 1 or not any(name != "__name__" for name, _ in ordered)
    return None if is_simple and not source.all_descendants else (source.collection_id, tuple(directions.items()))


def _field_filters(where):
    if where.composite_filter.filters:
        return [found for part in where.composite_filter.filters for found in _field_filters(part)]
    return [where.field_filter] if where.field_filter.field.field_path else []


def listed_indexes():
    return {
        (index["collectionGroup"], tuple((field["fieldPath"], field["order"]) for field in index["fields"]))
        for index in json.loads(INDEXES.read_text())["indexes"]
    }


def test_the_composite_indexes_that_queries_need_are_those_that_are_listed(project, tmp_path, monkeypatch, caplog):
    recorder = Recorder().install(monkeypatch)
    place = Place(project, tmp_path, 2501)
    place.put_output(2503)
    place.coda.add_messages("show", [message(2501)])
    run_stage("coda_add", *place.arguments)
    run_stage("coda_get", *place.arguments)
    parser = coda_progress.argparse.ArgumentParser()
    coda_progress.add_arguments(parser)
    coda_progress.run(parser.parse_args([str(argument) for argument in place.arguments]))
    asked = {
        tuple(found.field.field_path for found in _field_filters(query.where))
        + tuple(order.field.field_path for order in query.order_by)
        for query in recorder.queries
    }
    # All kinds of queries that the client knows were made.
    assert asked == {(), ("LastUpdated",), ("__name__",), ("SequenceNumber", "SequenceNumber")}
    assert {needed_index(query) for query in recorder.queries} - {None} == listed_indexes()


def test_a_query_that_would_need_a_composite_index_is_found_out(project):
    messages = firestore.Client(project=project).collection("datasets", "show", "messages")
    labelled = messages.where(filter=FieldFilter("Labels", "==", [])).order_by("SequenceNumber")
    expected = ("messages", (("Labels", "ASCENDING"), ("SequenceNumber", "ASCENDING")))
    assert needed_index(labelled._to_protobuf()) == expected
    equalities = messages.where(filter=FieldFilter("Labels", "==", [])).where(filter=FieldFilter("Text", "==", "a"))
    assert needed_index(equalities._to_protobuf()) is None
