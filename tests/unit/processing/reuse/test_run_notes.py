"""Which raw files are looked at again: all but those that are the same files for certain."""

import os
import time
from pathlib import Path

import numpy
import pytest

from engagement.configuration import load_project
from engagement.foundation.partitions import run_tasks
from engagement.processing.records.listening_groups import MEMBER
from engagement.processing.records.participant_links import LINK
from engagement.processing.records.participant_notes import PARTICIPANT
from engagement.processing.records.raw_runs import Flows, LineLocations, find_runs
from engagement.processing.reuse.note_files import notes_folder
from engagement.processing.reuse.notes_writer import NotesWriter
from engagement.processing.reuse.run_notes import CODED, read_notes
from engagement.processing.reuse.settings import describe_settings
from engagement.processing.summary import Summary
from example_project import EPISODE_FLOW, SURVEY_FLOW, DataRoot, episode_run, survey_run

FLOWS = (EPISODE_FLOW.format(1), EPISODE_FLOW.format(2), SURVEY_FLOW)


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    root.write_runs(
        *(episode_run(f"p{n}", f"jawaab {n}", n % 2 + 1, run_id=n) for n in range(9)),
        *(survey_run(f"p{n}", n, age="20") for n in range(0, 9, 2)),
    )
    return root


def flows_of(root: DataRoot) -> Flows:
    paths = [root.path / "Raw Data" / f"{flow}.jsonl" for flow in FLOWS]
    return Flows(tuple(paths[:2]), tuple(paths[2:]))


def look(flows: Flows, known: dict[int, LineLocations], folder: Path) -> LineLocations:
    folder.mkdir(parents=True, exist_ok=True)
    places, digests = find_runs(flows, lambda tasks, *_: run_tasks(tasks, 1), known, folder)
    assert sorted(path.name for path in folder.iterdir() if "unsorted" in path.name) == []
    return LineLocations(places.places, digests)


def known_lines(root: DataRoot, seconds_later: float) -> dict[int, LineLocations]:
    """The lines that are known from the notes of a run that began so long after now."""
    maker, folder, flows = (
        describe_settings(load_project(root.configuration), "all-stages"),
        notes_folder(root.path),
        flows_of(root),
    )
    look(flows, {}, folder)
    notes = NotesWriter(folder, maker, time.time_ns() + int(seconds_later * 10**9))
    notes.note_raw_files(flows)
    notes.write_labels(numpy.empty(0, CODED))
    notes.write_members(numpy.empty(0, MEMBER))
    notes.write_links(numpy.empty(0, LINK))
    notes.write_participants(numpy.empty(0, PARTICIPANT))
    for file in notes.participant_files(root.path, None):
        file.path.touch()
    notes.finish(root.outputs, root.path / "State" / "analysis", Summary(), {}, {})
    read = read_notes(root.path, maker, has_own_code=False)
    assert read is not None
    return read.known_lines(flows)


def test_files_that_are_the_same_are_not_looked_at_again(root: DataRoot):
    flows = flows_of(root)
    known = known_lines(root, 10)
    assert list(known) == [0, 1, 2]
    whole = look(flows, {}, root.path / "whole")
    for some in ({}, {1: known[1]}, {0: known[0], 2: known[2]}, known):
        lines = look(flows, some, root.path / "some")
        assert lines.places.tolist() == whole.places.tolist()
        assert lines.digests.tolist() == whole.digests.tolist()


def test_a_file_that_changed_is_looked_at_again(root: DataRoot):
    first, second, _ = flows_of(root).paths
    text, times = first.read_text(), (first.stat().st_atime_ns, first.stat().st_mtime_ns)
    known = known_lines(root, 10)
    # Of the same size, in place, and with its old time put back.
    first.write_text(text.replace("jawaab 0", "jawaab 9"))
    os.utime(first, ns=times)
    second.write_text(second.read_text() + episode_run("new", "biyo", 2, run_id=50))
    maker = describe_settings(load_project(root.configuration), "all-stages")
    read = read_notes(root.path, maker, has_own_code=False)
    assert read is not None
    assert list(read.known_lines(flows_of(root))) == [2]
    whole = look(flows_of(root), {}, root.path / "whole")
    assert look(flows_of(root), {2: known[2]}, root.path / "some").digests.tolist() == whole.digests.tolist()


@pytest.mark.parametrize("seconds", [1, 0, -3600])
def test_a_file_whose_time_is_too_close_or_in_the_future_is_looked_at_again(root: DataRoot, seconds: int):
    assert known_lines(root, seconds) == {}
