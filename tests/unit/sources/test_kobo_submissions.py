"""What is read from a KoboToolbox submission: answers by path, and its time."""

from datetime import UTC, datetime

import pytest

from engagement.sources.kobo_toolbox.answers import find_answer, prefixes_of, say_labels
from engagement.sources.kobo_toolbox.nearest_paths import nearest_path
from engagement.sources.kobo_toolbox.times import MessageTime, TimeFault, choose_time

RECEIVED = datetime(2026, 3, 2, 7, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "key", "answer"),
    [
        ({"s05": "maji"}, "s05", "maji"),
        ({"show/s05": " maji\nsafi "}, "show/s05", " maji\nsafi "),
        # A question without an answer is absent; imports and old servers send what is empty.
        ({}, "show/s05", None),
        ({"show/s05": ""}, "show/s05", None),
        ({"show/s05": " \n"}, "show/s05", None),
        ({"show/s05": None}, "show/s05", None),
        # Answers are text, but some servers send numbers as such.
        ({"age": 34}, "age", "34"),
        ({"age": 1.5}, "age", "1.5"),
        ({"agrees": True}, "agrees", "true"),
        # A group of the same name as a question elsewhere.
        ({"s05": "not this", "show/s05": "this"}, "show/s05", "this"),
        # Repeats, also in groups and in repeats; whoever left one out is left out.
        ({"kids": [{"kids/age": "3"}, {"kids/name": "x"}, {"kids/age": "5"}]}, "kids/age", "3; 5"),
        ({"home/kids": [{"home/kids/about/age": "3"}]}, "home/kids/about/age", "3"),
        ({"home": [{"home/kids": [{"home/kids/age": "3"}, {"home/kids/age": "4"}]}, {"home/kids": [{"home/kids/age": "5"}]}]}, "home/kids/age", "3; 4; 5"),
        ({"kids": [{"kids/age": ""}, {}]}, "kids/age", None),
        # What is no answer: groups themselves, and rows of no form that we know.
        ({"kids": [{"kids/age": "3"}]}, "kids", None),
        ({"kids": ["3", 4, None]}, "kids/age", None),
        ({"kids": "2"}, "kids/age", None),
        ({"about": {"about/age": "34"}}, "about/age", "34"),
    ],
)  # fmt: skip
def test_an_answer_is_found_by_its_path(values, key, answer):
    assert find_answer(values, prefixes_of(key)) == answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("radio", "Radio"),
        ("radio friends", "Radio, Friends, family"),
        # A choice that was removed from the form.
        ("radio tv", "Radio, tv"),
        ("radio; friends radio", "Radio; Friends, family, Radio"),
    ],
)
def test_names_of_choices_become_labels(answer, said):
    assert say_labels(answer, {"radio": "Radio", "friends": "Friends, family"}) == said


@pytest.mark.parametrize(
    ("end", "time", "fault"),
    [
        ("2026-03-02T10:04:05.250+03:00", datetime(2026, 3, 2, 7, 4, 5, 250_000, tzinfo=UTC), None),
        # Days before the device had a network.
        ("2026-02-20T10:04:05+03:00", datetime(2026, 2, 20, 7, 4, 5, tzinfo=UTC), None),
        ("2026-03-02T10:04:05.250+03", datetime(2026, 3, 2, 7, 4, 5, 250_000, tzinfo=UTC), None),
        ("2026-03-02T07:04:05Z", datetime(2026, 3, 2, 7, 4, 5, tzinfo=UTC), None),
        # The server's time has no fractions, so that a form sent at once ends after it arrived.
        ("2026-03-02T10:05:05.990+03:00", RECEIVED, None),
        ("2026-03-02T10:20:00+03:00", RECEIVED, TimeFault.WRONG_CLOCK),
        ("2031-01-01T00:00:00+03:00", RECEIVED, TimeFault.WRONG_CLOCK),
        ("1970-01-01T03:00:00+03:00", RECEIVED, TimeFault.WRONG_CLOCK),
        ("0001-01-01T00:00:00+03:00", RECEIVED, TimeFault.WRONG_CLOCK),
        # Without an offset it could be anywhere.
        ("2026-03-02T10:04:05", RECEIVED, TimeFault.WRONG_CLOCK),
        ("yesterday", RECEIVED, TimeFault.WRONG_CLOCK),
        (17, RECEIVED, TimeFault.WRONG_CLOCK),
        (None, RECEIVED, TimeFault.ABSENT),
    ],
)
def test_the_time_is_when_the_form_was_filled_in_but_never_after_it_arrived(end, time, fault):
    values = {"end": end, "_submission_time": "2026-03-02T07:05:05"}
    assert choose_time(values, MessageTime.END) == (time, fault)
    assert choose_time(values, MessageTime.SUBMISSION) == (RECEIVED, None)


def test_the_start_counts_where_it_is_wanted_or_is_all_that_there_is():
    values = {
        "start": "2026-03-02T10:00:00+03:00",
        "end": "2026-03-02T10:04:00+03:00",
        "_submission_time": "2026-03-02T07:05:05",
    }
    assert choose_time(values, MessageTime.START).time.minute == 0
    assert choose_time(values, MessageTime.END).time.minute == 4
    del values["end"]
    assert choose_time(values, MessageTime.END).time.minute == 0


@pytest.mark.parametrize("received", [None, "", "soon", 5, "0001-01-01T00:00:00+03:00"])
def test_a_submission_without_the_time_of_its_arrival_cannot_be_read(received):
    with pytest.raises(ValueError):
        choose_time({"end": "2026-03-02T10:04:05+03:00", "_submission_time": received}, MessageTime.END)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        # Moved to another group, which has a question that looks more like it.
        ("about/age", "; nearest: 'group_household/details/age'."),
        ("age", "; nearest: 'group_household/details/age'."),
        # Moved and renamed a little.
        ("about/fone", "; nearest: 'contact/phone'."),
        ("nothing/zzz", "; known: 'about/ago', 'contact/phone', 'group_household/details/age'."),
    ],
)
def test_a_path_that_is_not_there_is_guessed_by_the_questions_name_first(path, found):
    assert nearest_path(path, ["about/ago", "contact/phone", "group_household/details/age"]) == found
