"""Who is new, who came back, and the messages of each day, of a small season that was counted by hand."""

from datetime import datetime

import pytest

from engagement.analysis.statistics.given_files import BroadcastEvent
from engagement.analysis.statistics.participation import Participation
from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from example_project import DataRoot, coda_message, episode_run, label

# A Sunday, so that the next day is another ISO week.
SUNDAY, MONDAY, THURSDAY = "2026-04-05", "2026-04-06", "2026-04-09"


@pytest.fixture(scope="module")
def participation(tmp_path_factory: pytest.TempPathFactory) -> Participation:
    root = DataRoot(tmp_path_factory.mktemp("season"))
    root.write_runs(
        # In UTC, still the day before.
        episode_run("a", "biyo", 1, f"{MONDAY}T00:30:00+03:00", 1),
        episode_run("a", "rajo", 2, f"{SUNDAY}T19:30:00+03:00", 2),
        # At the same time: new in the earlier plan.
        episode_run("b", "rajo", 2, f"{MONDAY}T12:00:00+03:00", 3),
        episode_run("b", "biyo", 1, f"{MONDAY}T12:00:00+03:00", 4),
        episode_run("b", "biyo", 1, f"{THURSDAY}T12:00:00+03:00", 5),
        episode_run("gone", "jooji", 1, f"{MONDAY}T12:00:00+03:00", 6),
    )
    root.write_coded(
        "s01e01", coda_message("biyo", label("episode1", "water")), coda_message("jooji", label("episode1", "STOP"))
    )
    root.generate()
    return Participation(load_season(load_project(root.configuration), root.path))


def test_each_participant_is_new_once_where_their_first_message_was_sent(participation):
    assert [tuple(row) for row in participation.list_new_and_returning()] == [
        ("episode", "rqa_s01e01", 2, 1, 1, 50.0),
        ("episode", "rqa_s01e02", 2, 1, 1, 50.0),
        ("week", "2026-W14", 1, 1, 0, 100.0),
        ("week", "2026-W15", 2, 1, 1, 50.0),
    ]


def test_who_came_back_counts_whenever_they_wrote(participation):
    # "a" wrote to the second episode first.
    (row,) = participation.list_retention()
    assert row[:5] == ("rqa_s01e01", "rqa_s01e02", 2, 2, 100.0)


def event(time: str, kind: str, episode: str = "s01e01") -> BroadcastEvent:
    return BroadcastEvent(datetime.fromisoformat(time), kind, episode, "")


def test_days_are_those_of_the_project_and_empty_ones_are_there(participation):
    events = [
        event(f"{MONDAY}T19:30:00+03:00", "repeat"),
        event(f"{SUNDAY}T23:00:00Z", "broadcast"),
        event("2026-05-01T00:00:00Z", "advert"),
    ]
    assert [tuple(row) for row in participation.list_days(events)] == [
        (SUNDAY, 1, 0, 0, 1, 1, ""),
        (MONDAY, 3, 2, 2, 2, 1, "broadcast s01e01; repeat s01e01"),
        ("2026-04-07", 0, 0, 0, 0, 0, ""),
        ("2026-04-08", 0, 0, 0, 0, 0, ""),
        (THURSDAY, 1, 1, 1, 1, 0, ""),
    ]


def test_messages_around_an_event_are_counted_up_to_but_without_the_end(participation):
    (row,) = participation.list_events([event(f"{SUNDAY}T12:00:00+03:00", "broadcast")])
    # Both messages of Monday noon are sent as the day is over.
    assert row[4:] == (0, 2, 0)
    (row,) = participation.list_events([event(f"{MONDAY}T12:00:00+03:00", "broadcast")])
    assert row[4:] == (2, 2, 2)
