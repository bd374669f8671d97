"""Coda on Firestore: old data, processes that collide or are killed, several segments as they were at one moment."""

import multiprocessing
import os
import uuid
from concurrent import futures
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.query import Query
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient
from google.cloud.firestore_v1.types import CommitRequest

from coda_examples import FEW, KILLED, code_scheme, label, make_project, message, read, run_stage, write
from engagement.foundation.errors import ServiceError, UsageError
from engagement.services.coda.format import parse_time
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import GoogleCredentials

# A fresh interpreter: the Google client's threads do not survive a fork.
_PROCESSES = multiprocessing.get_context("spawn")


@pytest.fixture
def project(firestore_emulator, monkeypatch):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def client(project):
    return firestore.Client(project=project)


@pytest.fixture
def coda(project):
    return open_project(project)


def open_project(project):
    return open_coda(GoogleCredentials(project, {"project_id": project}))


def put(client, segment, *messages, users=("coder@example.org",)):
    """What an earlier tool left in a segment."""
    client.document("datasets", segment).set({"users": list(users)})
    for item in messages:
        client.document("datasets", segment, "messages", item["MessageID"]).set(item)


def metrics_of(client, segment):
    return client.document("datasets", segment, "metrics", "messages").get().to_dict()


def test_old_messages_without_last_updated_are_part_of_a_full_download_only(client, coda):
    put(client, "show", message(1, SequenceNumber=4), message(2, SequenceNumber=5, LastUpdated=datetime.now(UTC)))
    assert len(coda.read_messages("show")) == 2
    assert [item["Text"] for item in coda.read_messages("show", datetime(2020, 1, 1, tzinfo=UTC))] == ["jawaab 2"]


def test_a_text_that_stands_in_two_segments_is_downloaded_once_with_its_label(client, project, tmp_path, caplog):
    """As tools leave it that add without looking; the next night only the copy without a label is read again."""
    client.document("segment_counts", "show").set({"segment_count": 2})
    now = datetime.now(UTC)
    put(client, "show", message(1, [label("code-health")], SequenceNumber=0, LastUpdated=now - timedelta(days=2)))
    put(client, "show_2", message(1, SequenceNumber=9, LastUpdated=now), message(2, SequenceNumber=10, LastUpdated=now))
    credentials = write(tmp_path / "key.json", {"type": "service_account", "project_id": project})
    configuration = make_project(tmp_path / "configuration")
    for _ in range(2):
        arguments = ["--data-root", tmp_path / "root", "--pipeline-configuration", configuration]
        run_stage("coda_get", "--credentials", credentials, *arguments)
        messages = read(tmp_path / "root" / "Coded Coda Files" / "show.json")
        assert [len(item["Labels"]) for item in messages] == [1, 0]
    assert "Coda 'show': 1 message(s) are there twice, in segments 'show', 'show_2'" in caplog.text
    assert "engagement coda-mend" in caplog.text


def test_numbers_go_on_after_the_highest_of_all_segments(client, coda):
    put(client, "show", message(1, SequenceNumber=40), message(2))
    put(client, "show_2", message(3, SequenceNumber=7), message(4, SequenceNumber=None))
    client.document("segment_counts", "show").set({"segment_count": 2})
    assert coda.add_messages("show", [message(1), message(2), message(3), message(4), message(5)]) == 1
    [added] = [item for item in coda.read_messages("show") if item["Text"] == "jawaab 5"]
    assert added["SequenceNumber"] == 41
    assert client.document("datasets", "show_2", "messages", message(5)["MessageID"]).get().exists


@pytest.mark.parametrize("left", [None, {"messages_count": 1}, {"messages_count": 99, "messages_with_label": 99}])
def test_metrics_that_are_missing_or_plainly_wrong_are_counted_anew(client, coda, left):
    scheme = code_scheme()
    put(client, "show", message(1, [label("code-WS")]), message(2, [label("code-NC")]), {"MessageID": "without labels"})
    client.document("datasets", "show", "code_schemes", scheme["SchemeID"]).set(scheme)
    if left is not None:
        client.document("datasets", "show", "metrics", "messages").set(left)
    coda.add_messages("show", [message(3)])
    assert metrics_of(client, "show") == {
        "messages_count": 4,
        "messages_with_label": 2,
        "wrong_scheme_messages": 1,
        "not_coded_messages": 1,
    }


def test_metrics_that_coda_keeps_are_counted_on(client, coda):
    put(client, "show", message(1))
    kept = {
        "messages_count": 1,
        "messages_with_label": 1,
        "wrong_scheme_messages": 0,
        "not_coded_messages": 0,
        "more": "x",
    }
    client.document("datasets", "show", "metrics", "messages").set(kept)
    coda.add_messages("show", [message(2)])
    assert metrics_of(client, "show") == {**kept, "messages_count": 2}


def test_a_segment_whose_name_is_taken_is_an_error_that_says_what_to_do(client, coda, small_segments):
    put(client, "show_2", message(1))
    coda.create_dataset("show", [], [])
    with pytest.raises(ServiceError, match="dataset 'show_2' exists; .* set segment_counts/show to 2"):
        coda.add_messages("show", [message(number) for number in range(FEW + 1)])


def test_all_segments_are_read_as_they_were_at_one_moment(client, coda, monkeypatch):
    put(client, "show", message(1))
    put(client, "show_2", message(2))
    client.document("segment_counts", "show").set({"segment_count": 2})
    stream, streams = Query.stream, 0

    def label_before_the_second_segment(query, *arguments, **options):
        nonlocal streams
        streams += 1
        if streams == 2:
            for segment, number in (("show", 1), ("show_2", 2)):
                document = client.document("datasets", segment, "messages", message(number)["MessageID"])
                document.update({"Labels": [label("code-health")], "LastUpdated": firestore.SERVER_TIMESTAMP})
        return stream(query, *arguments, **options)

    monkeypatch.setattr(Query, "stream", label_before_the_second_segment)
    assert [item["Labels"] for item in coda.read_messages("show")] == [[], []]
    assert [len(item["Labels"]) for item in coda.read_messages("show")] == [1, 1]


def test_a_label_that_was_committed_after_a_later_one_is_not_missed(client, coda):
    newest = datetime(2026, 3, 1, 12, tzinfo=UTC)
    put(client, "show", message(1, LastUpdated=newest), message(2, LastUpdated=newest - timedelta(seconds=55)))
    assert len(coda.read_messages("show", newest)) == 2


def test_of_two_that_add_at_once_one_begins_again_and_sees_what_the_other_added(client, coda, project, monkeypatch):
    coda.create_dataset("show", ["coder@example.org"], [])
    commit, commits = FirestoreClient.commit, 0

    def let_another_one_go_first(*arguments, **options):
        nonlocal commits
        commits += 1
        if commits == 1:
            open_project(project).add_messages("show", [message(1), message(2)])
        return commit(*arguments, **options)

    monkeypatch.setattr(FirestoreClient, "commit", let_another_one_go_first)
    assert coda.add_messages("show", [message(3)]) == 1
    numbers = {item["Text"]: item["SequenceNumber"] for item in coda.read_messages("show")}
    assert numbers == {"jawaab 1": 0, "jawaab 2": 1, "jawaab 3": 2}
    assert metrics_of(client, "show")["messages_count"] == 3


def test_of_two_that_open_a_segment_at_once_one_finds_it_open(client, coda, project, small_segments, monkeypatch):
    coda.create_dataset("show", ["coder@example.org"], [])
    coda.add_messages("show", [message(number) for number in range(FEW)])
    commit, commits = FirestoreClient.commit, 0

    def let_another_one_go_first(*arguments, **options):
        nonlocal commits
        commits += 1
        if commits == 1:
            open_project(project).add_messages("show", [message(FEW)])
        return commit(*arguments, **options)

    monkeypatch.setattr(FirestoreClient, "commit", let_another_one_go_first)
    assert coda.add_messages("show", [message(FEW + 1)]) == 1
    assert client.document("segment_counts", "show").get().to_dict() == {"segment_count": 2}
    assert metrics_of(client, "show_2")["messages_count"] == 2
    numbers = {item["Text"]: item["SequenceNumber"] for item in coda.read_messages("show")}
    assert (numbers[f"jawaab {FEW}"], numbers[f"jawaab {FEW + 1}"]) == (FEW, FEW + 1)


def add_messages(project, count):
    open_project(project).add_messages("show", [message(number) for number in range(count)])


def add_messages_until_commit(count, after, project, messages):
    commit, commits = FirestoreClient.commit, 0

    def counted_commit(*arguments, **options):
        nonlocal commits
        commits += 1
        if commits == count and not after:
            os._exit(KILLED)
        answer = commit(*arguments, **options)
        if commits == count:
            os._exit(KILLED)
        return answer

    FirestoreClient.commit = counted_commit
    add_messages(project, messages)


def assert_complete(client, coda, count):
    messages = coda.read_messages("show")
    numbers = {item["Text"]: item["SequenceNumber"] for item in messages}
    assert len(messages) == count
    assert numbers == {f"jawaab {number}": number for number in range(count)}
    assert metrics_of(client, "show")["messages_count"] == count


@pytest.mark.parametrize("after", [False, True])
def test_an_addition_that_is_killed_at_a_commit_is_completed_by_the_next(client, coda, project, after):
    coda.create_dataset("show", ["coder@example.org"], [])
    process = _PROCESSES.Process(target=add_messages_until_commit, args=(2, after, project, 1000))
    process.start()
    process.join()
    assert process.exitcode == KILLED
    assert len(coda.read_messages("show")) == (900 if after else 450)
    assert metrics_of(client, "show")["messages_count"] == (900 if after else 450)
    add_messages(project, 1000)
    assert_complete(client, coda, 1000)


def test_no_commit_has_more_writes_or_bytes_than_firestore_takes(coda, monkeypatch):
    coda.create_dataset("show", ["coder@example.org"], [])
    commit, sizes = FirestoreClient.commit, []

    def weighed_commit(client, request, **options):
        whole = CommitRequest(request)
        sizes.append((len(whole.writes), len(CommitRequest.serialize(whole))))
        return commit(client, request, **options)

    monkeypatch.setattr(FirestoreClient, "commit", weighed_commit)
    long = [message(number, Note="\u1234" * 20_000) for number in range(60)]
    assert coda.add_messages("show", [*(message(number) for number in range(100, 1100)), *long]) == 1060
    assert all(writes <= 500 and size <= 3_000_000 for writes, size in sizes)
    assert len(sizes) > 3


def test_both_stages_work_on_firestore(client, project, tmp_path):
    credentials = write(tmp_path / "key.json", {"type": "service_account", "project_id": project})
    data_root = tmp_path / "data root"
    files = ["--credentials", credentials, "--data-root", data_root]
    arguments = [*files, "--pipeline-configuration", make_project(tmp_path / "configuration")]
    exported = data_root / "Coded Coda Files" / "show.json"
    write(data_root / "Outputs" / "Coda Files" / "show.json", [message(2), message(1)])
    run_stage("coda_add", *arguments)
    run_stage("coda_get", *arguments)
    assert [(item["SequenceNumber"], item["Text"]) for item in read(exported)] == [(0, "jawaab 1"), (1, "jawaab 2")]
    before = exported.read_bytes()
    run_stage("coda_get", *arguments)
    assert exported.read_bytes() == before
    document = client.document("datasets", "show", "messages", message(2)["MessageID"])
    document.update({"Labels": [label("code-health")], "LastUpdated": firestore.SERVER_TIMESTAMP})
    run_stage("coda_get", *arguments)
    assert [len(item["Labels"]) for item in read(exported)] == [0, 1]
    assert parse_time(read(exported)[1]["LastUpdated"]) == document.get().get("LastUpdated")


def test_a_refusal_is_a_service_error_that_names_what_was_refused(monkeypatch):
    def refuse(_, context):
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions: jawaab")

    class Refusing(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_stream_rpc_method_handler(refuse)

    server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{port}")
    try:
        with pytest.raises(ServiceError, match="Coda p, dataset 'show': .*PERMISSION_DENIED") as error:
            open_project("p").has_dataset("show")
    finally:
        server.stop(None)
    assert "jawaab" not in str(error.value)


def test_a_key_that_is_none_is_a_usage_error_that_does_not_show_it(monkeypatch):
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    key = {
        "type": "service_account",
        "project_id": "p",
        "client_email": "robot@p.example.org",
        "private_key": "not a key",
        "token_uri": "https://127.0.0.1/token",
    }
    with pytest.raises(UsageError, match="the private key can't be read") as error:
        open_coda(GoogleCredentials("p", key))
    assert "not a key" not in str(error.value)
