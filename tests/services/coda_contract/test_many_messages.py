"""A dataset is right at every moment: full segments, additions at once, additions that are killed."""

import time

from coda_examples import FEW, KILLED, label, message
from coda_kinds import SCHEMES, USERS


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
