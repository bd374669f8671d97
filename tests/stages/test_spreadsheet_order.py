"""Rows of one person with the same time: in the messages they keep the order of the file."""

from pathlib import Path
from typing import Any

import pytest

from fetch_project import FetchProject

HEADER = "Mobile No,Received On,What?\n"
WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def line(text: str, person: int = 1, time: str = "20/03/2026 10:00") -> str:
    return f"+25471200{person:04},{time},{text}\n"


class OrderProject(FetchProject):
    """A project with one table, whose files lie beside the data root."""

    def __init__(self, folder: Path):
        super().__init__(folder, "")
        self.uploads = folder / "uploads"
        self.uploads.mkdir()
        table: dict[str, Any] = {
            "FlowName": "groups_s05",
            "URLs": [f"file://{self.uploads}/"],
            "PhoneNumberColumn": "Mobile No",
            "TimeColumns": ["Received On"],
            "EpisodeQuestions": [{"Field": "S05", "Column": "What?"}],
        }
        self.sources = [{"SourceType": "Spreadsheet", "Country": "KE", "Tables": [table]}]

    def put(self, *rows: str, name: str = "groups.csv") -> None:
        (self.uploads / name).write_text(HEADER + "".join(rows))

    def answers(self) -> list[tuple[str, str]]:
        """Times and texts as stage 3 orders them: by time, then run id."""
        found = [
            (values["S05 (Time) - groups_s05"], values["run_id - groups_s05"], values["S05 (Text) - groups_s05"])
            for values in (record.values for record in self.read("groups_s05"))
        ]
        # Raw Data has the same order.
        assert found == sorted(found)
        return [(time, text) for time, _, text in found]

    def texts(self) -> list[str]:
        return [text for _, text in self.answers()]


@pytest.fixture
def project(tmp_path: Path) -> OrderProject:
    return OrderProject(tmp_path)


def test_rows_within_a_minute_keep_the_order_of_the_file(project: OrderProject):
    project.put(*map(line, WORDS))
    project.fetch()
    assert project.texts() == [*WORDS]
    times = [time for time, _ in project.answers()]
    assert times[:2] == ["2026-03-20T07:00:00+00:00", "2026-03-20T07:00:00.000001+00:00"]


def test_the_order_is_that_of_the_file_after_each_change(project: OrderProject):
    rows = [line(word) for word in WORDS]
    project.put(*rows[::2])
    project.fetch()
    ids = {*project.run_ids("groups_s05")}
    project.put(*rows)
    project.fetch()
    assert project.texts() == [*WORDS]
    # The messages that were there are the same messages.
    assert ids < {*project.run_ids("groups_s05")}
    project.put(*rows[::-1])
    project.fetch()
    assert project.texts() == [*WORDS[::-1]]
    project.put(*rows[1:])
    project.fetch("--accept-shrinkage")
    assert project.texts() == [*WORDS[1:]]


def test_rows_of_other_people_and_times_move_nothing(project: OrderProject):
    project.put(*(line(f"{person}", person) for person in range(1, 9)), line("later", time="20/03/2026 10:01"))
    project.fetch()
    assert {time for time, _ in project.answers()} == {"2026-03-20T07:00:00+00:00", "2026-03-20T07:01:00+00:00"}


def test_files_follow_each_other_by_name_and_a_row_that_two_have_counts_once(project: OrderProject):
    project.put(line("first"), line("second"), name="a.csv")
    project.put(line("second"), line("third"), line("first"), line("first"), name="b.csv")
    project.fetch()
    assert project.texts() == ["first", "second", "third", "first"]


def test_a_fetch_with_nothing_new_changes_no_byte(project: OrderProject):
    project.put(*map(line, WORDS))
    project.fetch()
    before = project.file("groups_s05").read_bytes()
    project.put(*map(line, WORDS), line("later", time="20/03/2026 10:01"))
    project.fetch(user="another@example.org")
    assert project.file("groups_s05").read_bytes().startswith(before)
