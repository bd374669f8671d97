"""What a Coda message has to be, and how its times are read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coda_examples import label, message
from engagement.foundation.errors import InputError
from engagement.services.coda.format import (
    find_message_problems,
    find_newest_update,
    parse_time,
    read_message_file,
    write_time,
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"SequenceNumber": 0, "LastUpdated": "2026-03-01T00:00:00.5Z"},
        {"SequenceNumber": None, "LastUpdated": None},
        {"CreationDateTimeUTC": "2026-03-01T00:00:00Z", "Anything": {"else": 1}},
        {"Labels": [label("code-a")]},
        {"Text": ""},
    ],
)
def test_a_message_of_the_format_has_no_problems(more):
    assert find_message_problems([message(1, **more) if "Labels" not in more else {**message(1), **more}]) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MessageID", None),
        ("MessageID", ""),
        ("MessageID", "a/b"),  # would be another place in Firestore
        ("Text", None),
        ("CreationDateTimeUTC", 1583020800),
        ("CreationDateTimeUTC", "01/03/2026 09:00"),
        ("Labels", None),
        ("Labels", {}),
        ("Labels", ["code-a"]),
        ("Labels", [{"SchemeID": "Scheme-a"}]),
        ("SequenceNumber", "1"),
        ("SequenceNumber", True),
        ("SequenceNumber", 1.5),
        ("LastUpdated", "yesterday"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_is_shown(key, value):
    [problem] = find_message_problems([message(0), {**message(1), key: value}])
    assert problem.startswith("message 2")
    assert f"'{key}' should be" in problem
    assert "jawaab" not in problem


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file; expected a JSON array of Coda messages"):
        read_message_file(tmp_path / "show.json", "Do this.")


def test_times_are_compared_as_moments():
    times = ["2026-03-01T12:00:00+03:00", "2026-03-01T09:30:00Z", "2026-03-01T09:29:59.999"]
    messages = [message(number, LastUpdated=time) for number, time in enumerate(times)]
    assert find_newest_update(messages) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert find_newest_update([message(1), message(2, LastUpdated=None)]) is None


@given(
    st.datetimes(
        min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (hypothesis adds the time zone)
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]),
    )
)
def test_a_time_that_is_written_is_read_as_the_same_moment(time):
    assert parse_time(write_time(time)) == time
