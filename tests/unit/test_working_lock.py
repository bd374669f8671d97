"""A stage holds a lock of its own, which names it to whoever finds it held."""

import fcntl

import pytest

from engagement.foundation.errors import LockedError, MachineError
from engagement.foundation.working_lock import hold_working_lock


@pytest.fixture
def lock(tmp_path, monkeypatch):
    path = tmp_path / ".working"
    path.write_text("an earlier stage, which had a much longer name than this one\n")
    monkeypatch.setenv("ENGAGEMENT_LOCK_FILE", str(path))
    monkeypatch.setenv("ENGAGEMENT_LOCK_HOLDER", "coda-get in the container x")
    return path


def test_the_lock_is_held_while_the_stage_works_and_names_it(lock):
    with lock.open("rb") as other:
        with hold_working_lock():
            assert lock.read_text() == "coda-get in the container x\n"
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_held_lock_stops_the_stage_and_names_the_holder(lock):
    lock.write_text("fetch-raw-data in the container y\n\x1b[2J")
    with lock.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        words = r"working on this directory: fetch-raw-data in the container y\[2J;"
        with pytest.raises(LockedError, match=words), hold_working_lock(seconds=0.05):
            raise AssertionError("two at once")
    assert lock.read_text().startswith("fetch-raw-data")


def test_without_a_script_there_is_nothing_to_lock(monkeypatch):
    monkeypatch.delenv("ENGAGEMENT_LOCK_FILE", raising=False)
    with hold_working_lock():
        pass


def test_a_lock_that_is_not_there_is_a_problem_of_the_machine(lock):
    lock.unlink()
    with pytest.raises(MachineError, match="could not be written"), hold_working_lock():
        pass
