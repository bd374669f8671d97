"""Drawing while the caller goes on: what is waited for, and what an error leaves."""

import multiprocessing
import os
from pathlib import Path

import pytest

from engagement.analysis.pictures.drawers import Drawers
from engagement.foundation.errors import MachineError

MANY = 6  # enough for processes


def draw(path: Path) -> None:
    if path.name.startswith("bad"):
        raise MachineError("the disk is full")
    path.touch()


def note_process(path: Path) -> None:
    path.write_text(str(os.getpid()))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_leaving_waits_for_every_picture_and_finishes_after_all(tmp_path: Path, jobs: int):
    seen: list[list[str]] = []
    with Drawers(jobs) as drawers:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            work = [tmp_path / folder / str(number) for number in range(MANY)]
            drawers.draw(draw, work, lambda: seen.append(names(tmp_path / "a") + names(tmp_path / "b")))
        assert seen == []
    assert seen == [[str(number) for number in range(MANY)] * 2] * 2


def test_waiting_early_ends_the_processes_and_finishes_once(tmp_path: Path):
    seen: list[list[str]] = []
    with Drawers(2) as drawers:
        drawers.draw(draw, [tmp_path / str(number) for number in range(MANY)], lambda: seen.append(names(tmp_path)))
        drawers.wait()
        assert multiprocessing.active_children() == []
        assert len(seen) == 1
    assert len(seen) == 1


def test_a_picture_that_fails_is_told_on_leaving_and_nothing_is_called_finished(tmp_path: Path):
    seen: list[str] = []
    with pytest.raises(MachineError, match="disk"), Drawers(2) as drawers:
        work = [tmp_path / ("bad" if number == 3 else str(number)) for number in range(MANY)]
        drawers.draw(draw, work, lambda: seen.append("finished"))
    assert seen == []
    assert multiprocessing.active_children() == []


def test_an_error_of_the_caller_ends_the_processes_and_finishes_nothing(tmp_path: Path):
    seen: list[str] = []
    with pytest.raises(ValueError, match="tables"), Drawers(2) as drawers:
        drawers.draw(draw, [tmp_path / str(number) for number in range(MANY)], lambda: seen.append("finished"))
        raise ValueError("the tables can't be made")
    assert seen == []
    assert multiprocessing.active_children() == []


def test_the_caller_is_one_of_the_jobs(tmp_path: Path):
    with Drawers(2) as drawers:
        drawers.draw(note_process, [tmp_path / str(number) for number in range(4 * MANY)], lambda: None)
    processes = {path.read_text() for path in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 4 * MANY
    assert len(processes) == 2
    assert str(os.getpid()) in processes
