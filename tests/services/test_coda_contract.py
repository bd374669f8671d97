"""What Coda does for the pipeline, on both of its kinds: the embedded folder, and Firestore in Google's own emulator."""

import argparse
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from coda_examples import (
    FEW,
    KILLED,
    WS_SCHEME,
    code,
    code_scheme,
    label,
    make_project,
    message,
    read,
    start_adding,
    write,
)
from engagement.desk import coda_mend, scheme_push
from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.coda.format import name_segment, parse_time
from engagement.services.coda.protocol import open_coda
from engagement.services.credentials import EmbeddedCredentials, GoogleCredentials

USERS = ["coder@example.org", "reviewer@example.org"]
SCHEMES = [code_scheme(), WS_SCHEME]  # in the order of their ids, in which Firestore gives them back


class Folder:
    """The embedded folder, and what people do to it and see of it."""

    # Metrics have a file of their own: after a kill between the two they are right again once somebody adds.
    writes_metrics_with_messages = False

    def __init__(self, directory):
        self.coda = open_coda(EmbeddedCredentials(directory))
        self._directory = directory
        self._folder = directory / "coda"

    def key(self):
        return {"type": "embedded", "directory": str(self._directory)}

    def start_adding(self, dataset, messages):
        return start_adding(EmbeddedCredentials(self._directory), dataset, messages)

    def put_labels(self, dataset, message_id, labels):
        self.coda.save_labels(dataset, [{"MessageID": message_id, "Labels": labels}])

    def put_document(self, segment, name, document):
        path = self._folder / f"{segment}.json"
        write(path, [*read(path), document])
        return f"{path}, message {len(read(path))}"

    def segments(self, dataset):
        names = [name_segment(dataset, number) for number in range(1, 9)]
        return {name: read(self._folder / f"{name}.json") for name in names if (self._folder / f"{name}.json").exists()}

    def metrics(self, segment):
        return read(self._folder / f"{segment}.metrics.json")

    def users(self, segment):
        return read(self._folder / f"{segment}.users.json")

    def code_schemes(self, segment):
        return read(self._folder / f"{segment}.code_schemes.json")


class Firestore:
    """A Firestore of its own, and what people do to it and see of it, with the client alone."""

    writes_metrics_with_messages = True

    def __init__(self, project, emulator):
        from google.cloud import firestore

        self._firestore = firestore
        self.client = firestore.Client(project=project)
        self._credentials, self._emulator = GoogleCredentials(project, {"project_id": project}), emulator
        self.coda = open_coda(self._credentials)

    def key(self):
        return {"type": "service_account", "project_id": self.client.project}

    def start_adding(self, dataset, messages):
        return start_adding(self._credentials, dataset, messages, self._emulator)

    def put_labels(self, dataset, message_id, labels):
        for segment in self._names(dataset):
            document = self.client.document("datasets", segment, "messages", message_id)
            if document.get().exists:
                document.update({"Labels": labels, "LastUpdated": self._firestore.SERVER_TIMESTAMP})

    def put_document(self, segment, name, document):
        self._in(segment, "messages").document(name).set(document)
        return f"datasets/{segment}/messages/{name}"

    def segments(self, dataset):
        return {
            name: [found.to_dict() for found in self._in(name, "messages").stream()] for name in self._names(dataset)
        }

    def metrics(self, segment):
        return self._in(segment, "metrics").document("messages").get().to_dict()

    def users(self, segment):
        return self.client.document("datasets", segment).get().get("users")

    def code_schemes(self, segment):
        return [found.to_dict() for found in self._in(segment, "code_schemes").stream()]

    def _names(self, dataset):
        counter = self.client.document("segment_counts", dataset).get()
        count = counter.get("segment_count") if counter.exists else 1
        return [name_segment(dataset, number + 1) for number in range(count)]

    def _in(self, segment, collection):
        return self.client.collection("datasets", segment, collection)


@pytest.fixture(params=["folder", "firestore"])
def place(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return Folder(tmp_path)
    emulator = request.getfixturevalue("firestore_emulator")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    return Firestore(f"t-{uuid.uuid4().hex[:12]}", emulator)


@pytest.fixture
def coda(place):
    place.coda.create_dataset("show", USERS, SCHEMES)
    return place.coda


def numbers_by_text(messages):
    return {item["Text"]: item["SequenceNumber"] for item in messages}


def test_a_dataset_exists_once_it_is_created(place):
    assert not place.coda.has_dataset("show")
    place.coda.create_dataset("show", USERS, SCHEMES)
    assert place.coda.has_dataset("show")
    assert place.coda.read_messages("show") == []
    assert place.users("show") == USERS
    assert place.code_schemes("show") == SCHEMES
    assert set(place.metrics("show").values()) == {0}


def test_creating_a_dataset_again_changes_nothing(place, coda):
    coda.add_messages("show", [message(1)])
    coda.create_dataset("show", [], [])
    assert place.users("show") == USERS
    assert len(coda.read_messages("show")) == 1


def test_a_dataset_that_does_not_exist_can_not_be_added_to(place):
    with pytest.raises(ServiceError, match="no dataset 'show'"):
        place.coda.add_messages("show", [message(1)])


def test_what_is_added_can_be_read_with_a_number_and_a_time(coda):
    before = datetime.now(UTC) - timedelta(minutes=5)
    added = [message(1, [label("code-health")], Extra={"a": [1, None]}), message(2)]
    assert coda.add_messages("show", added) == 2
    messages = sorted(coda.read_messages("show"), key=lambda item: item["SequenceNumber"])
    assert [item.pop("SequenceNumber") for item in messages] == [0, 1]
    for item in messages:
        assert before < parse_time(item.pop("LastUpdated")) < datetime.now(UTC) + timedelta(minutes=5)
    assert messages == added


def test_adding_again_adds_what_is_new_after_the_highest_number(coda):
    coda.add_messages("show", [message(1), message(2)])
    before = coda.read_messages("show")
    assert coda.add_messages("show", [message(3), message(2), message(0)]) == 2
    after = coda.read_messages("show")
    assert numbers_by_text(after) == {"jawaab 1": 0, "jawaab 2": 1, "jawaab 3": 2, "jawaab 0": 3}
    assert [item for item in after if item in before] == before


def test_a_labelled_message_is_not_touched(place, coda):
    coda.add_messages("show", [message(1)])
    place.put_labels("show", message(1)["MessageID"], [label("code-health")])
    before = coda.read_messages("show")
    assert coda.add_messages("show", [message(1, [label("code-water")])]) == 0
    assert coda.read_messages("show") == before


def test_labels_made_since_the_newest_that_was_seen_are_read_equal_times_included(place, coda):
    coda.add_messages("show", [message(number) for number in range(4)])
    place.put_labels("show", message(2)["MessageID"], [label("code-health")])
    newest = max(parse_time(item["LastUpdated"]) for item in coda.read_messages("show"))
    assert "jawaab 2" in numbers_by_text(coda.read_messages("show", newest))
    place.put_labels("show", message(3)["MessageID"], [label("code-water")])
    assert {"jawaab 2", "jawaab 3"} <= set(numbers_by_text(coda.read_messages("show", newest)))
    assert coda.read_messages("show", newest + timedelta(hours=1)) == []


def test_a_dataset_is_split_after_2500_messages(place, coda):
    assert coda.add_messages("show", [message(number) for number in range(2500)]) == 2500
    assert list(place.segments("show")) == ["show"]
    assert coda.add_messages("show", [message(number) for number in range(2490, 2510)]) == 10
    segments = place.segments("show")
    assert {name: len(messages) for name, messages in segments.items()} == {"show": 2500, "show_2": 10}
    assert {item["SequenceNumber"] for item in segments["show_2"]} == set(range(2500, 2510))
    assert place.users("show_2") == USERS
    assert place.code_schemes("show_2") == SCHEMES
    assert place.metrics("show")["messages_count"] == 2500
    assert place.metrics("show_2")["messages_count"] == 10
    # A label in the first segment, and one message more in the second: all in one answer.
    newest = max(parse_time(item["LastUpdated"]) for item in coda.read_messages("show"))
    place.put_labels("show", message(7)["MessageID"], [label("code-health")])
    assert coda.add_messages("show", [message(7), message(3000)]) == 1
    updated = numbers_by_text(coda.read_messages("show", newest))
    assert (updated["jawaab 7"], updated["jawaab 3000"]) == (7, 2510)


def count_independently(messages):
    """The metrics of messages with at most one label each, all checked, of the scheme "theme"."""
    codes = [item["Labels"][0]["CodeID"] for item in messages if item["Labels"]]
    return {
        "messages_count": len(messages),
        "messages_with_label": len(codes),
        "wrong_scheme_messages": codes.count("code-WS"),
        "not_coded_messages": codes.count("code-NC"),
    }


def labelled_message(number):
    codes = {0: "code-WS", 1: "code-NC", 2: "code-health"}
    return message(number, [label(codes[number % 7])] if number % 7 in codes else [])


def assert_consistent(place, count, size=2500):
    """So many messages are there, each once, numbered as they were created, and counted rightly in every segment."""
    segments = place.segments("show")
    assert [len(messages) for messages in segments.values()] == [
        min(size, count - start) for start in range(0, max(count, 1), size)
    ]
    numbered = {item["Text"]: item["SequenceNumber"] for messages in segments.values() for item in messages}
    assert numbered == {f"jawaab {number}": number for number in range(count)}
    for segment, messages in segments.items():
        assert place.metrics(segment) == count_independently(messages)
        assert place.users(segment) == USERS
        assert place.code_schemes(segment) == SCHEMES


def test_four_segments_are_filled_and_the_next_message_opens_a_fifth(place, small_segments, coda):
    full = 4 * FEW
    assert coda.add_messages("show", [labelled_message(number) for number in range(full)]) == full
    assert_consistent(place, full, FEW)
    assert coda.add_messages("show", [labelled_message(number) for number in range(full - 10, full + 5)]) == 5
    assert [place.metrics(segment)["messages_count"] for segment in ("show_4", "show_5")] == [FEW, 5]


def test_processes_that_add_at_once_add_each_message_once(place, coda):
    coda.add_messages("show", [labelled_message(number) for number in range(2300)])
    messages = [labelled_message(number) for number in range(2300, 2700)]
    processes = [place.start_adding("show", messages) for _ in range(3)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert_consistent(place, 2700)


def read_between_commits(place, dataset):
    """Segments that hold messages, and their metrics, of one moment.

    A commit that a process sent before it was killed can arrive while we look; it changes the metrics with the messages,
    so that a look with the same metrics before and after saw none. Opening a segment and filling it are two commits:
    it may be there without messages.
    """
    for _ in range(50):
        before = {name: place.metrics(name) for name in place.segments(dataset)}
        segments = place.segments(dataset)
        metrics = {name: place.metrics(name) for name in segments}
        if metrics == before:
            filled = {name: items for name, items in segments.items() if items}
            return filled, {name: metrics[name] for name in filled}
    raise AssertionError("the dataset never came to rest")


def test_an_addition_that_is_killed_again_and_again_is_right_at_every_moment_and_completed_in_the_end(place, coda):
    present, messages = 0, [labelled_message(number) for number in range(2900)]
    deaths = []
    for milliseconds in (0, 60, 90, 120, 160, 200, 250, 300, 400):
        process = place.start_adding("show", messages)
        time.sleep(milliseconds / 1000)
        process.kill()
        process.join()
        deaths.append(process.exitcode)
        segments, metrics = read_between_commits(place, "show")
        numbers = sorted(item["SequenceNumber"] for items in segments.values() for item in items)
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= present
        present = len(numbers)
        if place.writes_metrics_with_messages:
            assert metrics == {name: count_independently(items) for name, items in segments.items()}
    assert -KILLED in deaths
    # The last commit that was under way may have arrived after the last look.
    assert coda.add_messages("show", messages) <= 2900 - present
    assert_consistent(place, 2900)


def test_labels_that_a_second_client_makes_during_downloads_all_arrive(place, coda):
    coda.add_messages("show", [message(number) for number in range(60)])
    downloaded = {item["MessageID"]: item for item in coda.read_messages("show")}
    for number in range(60):
        place.put_labels("show", message(number)["MessageID"], [label("code-water")])
        if number % 4 == 0:
            newest = max(parse_time(item["LastUpdated"]) for item in downloaded.values())
            downloaded.update((item["MessageID"], item) for item in coda.read_messages("show", newest))
            assert sum(bool(item["Labels"]) for item in downloaded.values()) == number + 1
            # A label that was made a moment ago survives an addition.
            assert coda.add_messages("show", [message(number)]) == 0
    newest = max(parse_time(item["LastUpdated"]) for item in downloaded.values())
    downloaded.update((item["MessageID"], item) for item in coda.read_messages("show", newest))
    assert all(item["Labels"] == [label("code-water")] for item in downloaded.values())


def test_the_code_schemes_are_those_of_the_last_segment(place, small_segments, coda):
    assert coda.read_code_schemes("show") == SCHEMES
    coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    assert list(place.segments("show")) == ["show", "show_2"]
    assert coda.read_code_schemes("show") == SCHEMES


def test_metrics_count_labels_that_are_checked_and_not_taken_off(place, coda):
    labelled = [
        message(1, [label("code-health")]),
        message(2, [label("code-WS"), label("code-show", "Scheme-ws")]),
        message(3, [label("code-NC", "Scheme-theme-1")]),  # a copy of the scheme
        message(4, [label("SPECIAL-MANUALLY_UNCODED"), label("code-WS")]),  # taken off again
        message(5, [label("code-WS", checked=False)]),  # only proposed
        message(6),
    ]
    coda.add_messages("show", labelled[:3])
    coda.add_messages("show", labelled[3:])
    assert place.metrics("show") == {
        "messages_count": 6,
        "messages_with_label": 3,
        "wrong_scheme_messages": 1,
        "not_coded_messages": 1,
    }


def test_messages_longer_than_one_request_takes_are_added(coda):
    long = [message(number, Note="x" * 60_000) for number in range(100)]
    assert coda.add_messages("show", long) == 100
    assert len(coda.read_messages("show")) == 100


BROKEN = (
    ({"Text": "jawaab 8", "CreationDateTimeUTC": "2026-03-01T09:00:00Z", "Labels": []}, "'MessageID' should be"),
    ({name: value for name, value in message(8).items() if name != "Labels"}, "'Labels' should be"),
    ({**message(8), "Labels": ["label"]}, "'Labels' should be"),
    ({**message(8), "CreationDateTimeUTC": "jawaab 8"}, "'CreationDateTimeUTC' should be"),
    ({}, "'Text' should be"),
)


@pytest.mark.parametrize(("document", "problem"), BROKEN, ids=[problem for _, problem in BROKEN])
def test_a_document_that_is_no_message_is_named_by_its_path_and_set_aside(place, coda, document, problem):
    coda.add_messages("show", [message(1), message(2, [label("code-health")])])
    path = place.put_document("show", message(8)["MessageID"], document)
    download = coda.download("show")
    assert sorted(numbers_by_text(download.messages)) == ["jawaab 1", "jawaab 2"]
    (said,) = download.set_aside
    assert said.startswith(f"{path}: ")
    assert problem in said
    assert "jawaab" not in said
    # It stays as it is, is counted, and stands in the way of nothing.
    assert coda.add_messages("show", [message(3)]) == 1
    assert document in place.segments("show")["show"]
    assert place.metrics("show")["messages_count"] == 4
    assert place.metrics("show")["messages_with_label"] == 1


def test_what_changed_after_the_moment_of_a_download_comes_with_the_next(place, coda):
    coda.add_messages("show", [message(number) for number in range(5)])
    moment = coda.download("show").moment
    place.put_labels("show", message(3)["MessageID"], [label("code-health")])
    assert "jawaab 3" in numbers_by_text(coda.download("show", moment).messages)


def test_messages_of_several_segments_are_told_with_the_segments(place, small_segments, coda):
    coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    assert coda.download("show").copies == {}
    place.put_document("show_2", message(7)["MessageID"], message(7))
    assert coda.download("show").copies == {message(7)["MessageID"]: ("show", "show_2")}


def by(coder, code, day, scheme="Scheme-theme", **more):
    origin = {"OriginID": coder, "Name": coder, "OriginType": "Manual"}
    return {**label(code, scheme), "DateTimeUTC": f"2026-03-{day:02}T08:00:00.000Z", "Origin": origin, **more}


def run_command(module, place, tmp_path, *command_line, users=USERS):
    """Run a command of the desk on a project with the dataset "show"."""
    key = write(tmp_path / "key.json", place.key())
    configuration = tmp_path / "configuration" / "pipeline_configuration.json"
    if not configuration.exists():
        make_project(tmp_path / "configuration", users=users)
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    named = [configuration] if module is scheme_push else ["--pipeline-configuration", configuration]
    module.run(parser.parse_args([str(argument) for argument in ("--credentials", key, *named, *command_line)]))


def test_the_copies_of_a_message_are_joined_with_all_their_labels(place, small_segments, coda, tmp_path, capsys):
    coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    proposed = {**by("a cleaner", "code-WS", 9), "Checked": False, "Origin": {"OriginType": "External"}}
    ali, ayaan, both = by("Ali", "code-water", 3), by("Ayaan", "code-health", 5), by("Ali", "code-NC", 2)
    place.put_labels("show", message(7)["MessageID"], [ali, both])
    place.put_document("show_2", message(7)["MessageID"], message(7, [proposed, ayaan, both], SequenceNumber=9000))
    run_command(coda_mend, place, tmp_path)
    assert f"show: message {message(7)['MessageID']} is in segments show, show_2" in capsys.readouterr().out
    assert len(coda.read_messages("show")) == FEW + 2
    since = coda.download("show").moment
    run_command(coda_mend, place, tmp_path, "--yes")
    # What the pipeline proposed does not hide what a coder said before.
    [joined] = [item for item in coda.read_messages("show") if item["Text"] == "jawaab 7"]
    assert joined["Labels"] == [ayaan, ali, both, proposed]
    assert joined["SequenceNumber"] == 7
    assert place.metrics("show")["messages_with_label"] == 1
    assert [place.metrics(name)["messages_count"] for name in ("show", "show_2")] == [FEW, 1]
    assert "jawaab 7" in numbers_by_text(coda.download("show", since).messages)
    run_command(coda_mend, place, tmp_path, "--yes")
    assert "nothing to mend" in capsys.readouterr().out


def change_scheme(tmp_path, change):
    path = tmp_path / "configuration" / "code_schemes" / "show.json"
    scheme = read(path)
    change(scheme)
    write(path, scheme)


@pytest.fixture
def pushed(place, small_segments, tmp_path):
    """A dataset of two segments, as the configuration has it, with a copy of a scheme and what people set up in Coda."""
    run_command(coda_mend, place, tmp_path, users=(*USERS, "new@example.org"))
    scheme = code_scheme(name="show")
    scheme["Codes"][0]["Shortcut"] = "h"
    copy = {**scheme, "SchemeID": "Scheme-theme-1", "Name": "show 1"}
    other = {"SchemeID": "Scheme-other", "Name": "Other", "Codes": []}
    place.coda.create_dataset("show", [*USERS, "guest@example.org"], [scheme, copy, other])
    place.coda.add_messages("show", [message(number) for number in range(FEW + 1)])
    return place


def test_changed_schemes_and_new_users_are_set_in_every_segment(pushed, tmp_path, capsys):
    def change(scheme):
        scheme["Codes"][0]["DisplayText"] = "Health care"
        scheme["Codes"] = [scheme["Codes"][0], code("code-school", 7), *scheme["Codes"][2:]]

    change_scheme(tmp_path, change)
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    run_command(scheme_push, pushed, tmp_path)
    shown = capsys.readouterr().out
    for segment in ("show", "show_2"):
        assert f"{segment}: new user 'new@example.org'" in shown
        assert f"{segment}: new scheme 'Scheme-ws'" in shown
        for scheme_id in ("Scheme-theme", "Scheme-theme-1"):
            assert f"{segment}: scheme '{scheme_id}': new code 'code-school'" in shown
            assert f"{segment}: scheme '{scheme_id}': code 'code-water' is removed" in shown
            assert (
                f"'{scheme_id}', code 'code-health': DisplayText is 'code-health' in Coda, 'Health care' here" in shown
            )
    assert "Run this again with --yes" in shown
    assert [pushed.code_schemes(segment) for segment in ("show", "show_2")] == before
    run_command(scheme_push, pushed, tmp_path, "--yes")
    for segment in ("show", "show_2"):
        assert pushed.users(segment) == [*USERS, "guest@example.org", "new@example.org"]
        schemes = {scheme["SchemeID"]: scheme for scheme in pushed.code_schemes(segment)}
        assert set(schemes) == {"Scheme-theme", "Scheme-theme-1", "Scheme-other", "Scheme-ws"}
        for scheme_id, name in (("Scheme-theme", "show"), ("Scheme-theme-1", "show 1")):
            assert schemes[scheme_id]["Name"] == name
            health, school, *_ = schemes[scheme_id]["Codes"]
            assert (health["DisplayText"], health["Shortcut"], school["CodeID"]) == ("Health care", "h", "code-school")
    capsys.readouterr()
    run_command(scheme_push, pushed, tmp_path, "--yes")
    assert capsys.readouterr().out == "Coda has these schemes and users already.\n"


@pytest.mark.parametrize(
    "labels",
    [
        [label("code-water")],
        [label("code-water", "Scheme-theme-1")],  # a copy's
        [label("code-health"), label("code-water")],  # an older one
        [label("code-water", checked=False)],  # a proposal
    ],
)
def test_a_code_that_labels_use_is_not_removed(pushed, tmp_path, labels):
    pushed.put_labels("show", message(FEW)["MessageID"], labels)
    change_scheme(tmp_path, lambda scheme: scheme["Codes"].pop(1))
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    with pytest.raises(ConfigurationError, match="1 label with code 'code-water'.*\n.*Nothing was changed"):
        run_command(scheme_push, pushed, tmp_path, "--yes")
    assert [pushed.code_schemes(segment) for segment in ("show", "show_2")] == before
    assert "new@example.org" not in pushed.users("show")


def test_schemes_are_put_back_when_somebody_labels_with_a_removed_code_meanwhile(pushed, tmp_path, monkeypatch):
    change_scheme(tmp_path, lambda scheme: scheme["Codes"].pop(1))
    before = [pushed.code_schemes(segment) for segment in ("show", "show_2")]
    kind = type(pushed.coda)
    set_up = kind.set_up_segment

    def label_then_set_up(coda, dataset, number, *arguments):
        pushed.put_labels("show", message(3)["MessageID"], [label("code-water")])
        set_up(coda, dataset, number, *arguments)

    monkeypatch.setattr(kind, "set_up_segment", label_then_set_up)
    with pytest.raises(ConfigurationError, match="were put back"):
        run_command(scheme_push, pushed, tmp_path, "--yes")
    after = [
        [scheme for scheme in pushed.code_schemes(segment) if scheme["SchemeID"] != "Scheme-ws"]
        for segment in ("show", "show_2")
    ]
    assert after == before


def test_messages_are_removed_from_all_segments_and_counted_again(place, small_segments, coda):
    coda.add_messages("show", [message(number) for number in range(4)])
    segments = list(place.segments("show"))
    before = {name: place.metrics(name)["messages_count"] for name in segments}
    gone = {message(1)["MessageID"], message(3)["MessageID"], message(99)["MessageID"]}
    for _ in range(2):
        coda.remove_messages("show", gone)
        assert numbers_by_text(coda.read_messages("show")) == {message(0)["Text"]: 0, message(2)["Text"]: 2}
    after = {name: place.metrics(name)["messages_count"] for name in segments}
    assert (sum(before.values()), sum(after.values())) == (4, 2)
    # The next message gets a number that no other one has.
    coda.add_messages("show", [message(5)])
    assert len(set(numbers_by_text(coda.read_messages("show")).values())) == 3
