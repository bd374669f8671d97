"""Listings are read without a gap, whatever becomes of their rows between two pages."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fake_rapidpro
from engagement.foundation.errors import ServiceError
from engagement.services.rapidpro.client import RapidProClient
from engagement.services.rapidpro.paging import read_oldest_first
from engagement.services.retries import RetryPolicy
from fake_rapidpro import TOKEN, Workspace, at, run


def read(workspace, after=None, server=fake_rapidpro.Request):
    """The uuids that came, each as often as it did; and where another reading would go on after each page."""
    with (
        fake_rapidpro.serve(workspace, server) as address,
        RapidProClient(address, TOKEN, RetryPolicy(sleep=lambda _: None)) as client,
    ):

        def ask(after, before=None, skip=0):
            return client.runs("uuid of f", after, before, skip)

        arrivals = list(read_oldest_first("RapidPro: runs of 'f'", ask, after))
    return Counter(row.uuid for page, _ in arrivals for row in page.rows), [go_on for _, go_on in arrivals]


def runs(*minutes):
    return [run(number, "f", of=1, modified=minute) for number, minute in enumerate(minutes)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=25),
    st.integers(2, 5),
    st.lists(st.tuples(st.integers(0, 8), st.lists(st.integers(0, 24), max_size=4)), max_size=4),
)
def test_whatever_changes_between_two_pages_every_row_comes_in_its_newest_version(minutes, page_size, changes):
    workspace = Workspace(["f"], runs=runs(*sorted(minutes)), page_size=page_size)

    def modify(numbers):
        for number in numbers:
            if number < len(workspace.runs):
                workspace.runs[number]["modified_on"] = at(100 + len(workspace.requests))

    def after_request(count, numbers):
        def trouble(request):
            if len(workspace.requests) == count + 1:
                modify(numbers)
            return False

        return trouble

    workspace.trouble = [after_request(*change) for change in changes]
    came, _ = read(workspace)
    assert set(came) == {row["uuid"] for row in workspace.runs}


@pytest.mark.parametrize("leaving", [1, 3, 4, 7, 20])
def test_rows_that_are_removed_among_those_of_one_time_hide_no_others(leaving):
    """Deleted and archived rows leave for good: nothing that comes later tells of them."""
    workspace = Workspace(["f"], runs=runs(*[5] * 30, 6, 7), page_size=4)
    stay = {row["uuid"] for row in workspace.runs[leaving:]}

    def remove(request):
        if len(workspace.requests) == 7:
            del workspace.runs[:leaving]
        return False

    workspace.trouble = [remove]
    came, _ = read(workspace)
    assert set(came) >= stay


def test_rows_of_different_times_are_asked_for_once():
    workspace = Workspace(["f"], runs=runs(*range(20)), page_size=5)
    came, _ = read(workspace)
    assert set(came.values()) == {1}
    assert len(workspace.requests) == 4


def test_rows_of_one_time_that_fill_pages_cost_a_tenth_more():
    workspace = Workspace(["f"], runs=runs(*[5] * 400), page_size=20)
    came, _ = read(workspace)
    assert len(came) == 400
    assert len(workspace.requests) <= 20 * 1.1 + 3


def test_another_reading_goes_on_at_a_time_that_was_read_to_its_end_or_at_that_time():
    workspace = Workspace(["f"], runs=runs(1, 2, 2, 2, 2, 2, 2, 2, 3), page_size=3)
    _, places = read(workspace)
    minutes = [(place - datetime.fromisoformat(at(0)).astimezone(UTC)).total_seconds() / 60 for place in places]
    assert minutes == sorted(minutes)
    for place in places:
        rest, _ = read(workspace, place)
        assert set(rest) >= {
            row["uuid"] for row in workspace.runs if datetime.fromisoformat(row["modified_on"]) > place
        }


def test_more_rows_of_one_time_than_the_server_counts_end_the_reading():
    workspace = Workspace(["f"], runs=runs(*[5] * 60), page_size=5, largest_offset=20)
    with pytest.raises(
        ServiceError, match=r"runs of 'f': more than \d+ rows were modified at 2026-03-01T09:05:00"
    ) as told:
        read(workspace)
    assert told.value.exit_status == 12
    assert len(workspace.requests) < 20


def test_cursors_of_another_kind_are_followed():
    """Of a server that is not known; a listing is begun anew between rows of two times, and followed among those of one."""
    workspace = Workspace(["f"], runs=runs(1, 2, 3, 3, 3, 3, 3, 4, 5, 6), page_size=2)

    class Server(fake_rapidpro.Request):
        def _place(self, rows, size):
            start = int(self.query.get("cursor", "~0")[1:])
            return start, {"cursor": f"~{start + size}"}

    came, _ = read(workspace, server=Server)
    assert len(came) == 10
