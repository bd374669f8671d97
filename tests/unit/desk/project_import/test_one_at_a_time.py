"""Two imports into the same place take turns, so that neither leaves half a folder behind."""

import logging
import threading
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.desk.project_import.one_at_a_time import wait_for_turn
from old_projects import write_old_project


def test_the_second_waits_says_so_and_finds_the_place_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write_old_project(tmp_path / "old")
    caplog.set_level(logging.INFO)
    statuses: list[int] = []
    command = ["import-project", str(tmp_path / "old"), str(tmp_path / "new")]
    second = threading.Thread(target=lambda: statuses.append(main(command)), daemon=True)
    with wait_for_turn([tmp_path / "new"]):
        second.start()
        while not any("Waiting for another import" in message for message in caplog.messages):
            assert second.is_alive()
        # What the first import does in the meantime.
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "mine").touch()
    second.join(30)
    assert statuses == [2]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]


def test_two_places_are_held_once_each_and_given_back(tmp_path: Path):
    folders = [tmp_path / "a" / "missing" / "new", tmp_path / "b", tmp_path / "c"]
    for _ in range(2):
        with wait_for_turn(folders):
            pass
    assert list(tmp_path.iterdir()) == []
