"""What Coda does with messages and labels: the embedded folder, and Google's Firestore emulator."""

from datetime import UTC, datetime, timedelta

import pytest

from coda_examples import FEW, label, message
from coda_kinds import SCHEMES, USERS, numbers_by_text
from engagement.foundation.errors import ServiceError
from engagement.services.coda.format import parse_time


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
