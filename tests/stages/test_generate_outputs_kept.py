"""Stage 3 when nothing changed: it leaves its files alone, and notices whatever did change."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.custody.run_manifests import manifest, same_inputs
from engagement.custody.run_manifests.manifest import read_last_manifest
from engagement.delivery.selections.people import find_newer_data
from engagement.foundation import file_stamps
from engagement.foundation.errors import InputError
from engagement.foundation.file_stamps import FULL_AFTER
from engagement.foundation.files import digest_file
from engagement.processing.reuse import notes_writer, run_notes
from example_project import EPISODE_FLOW, DataRoot, coda_message, episode_run, label, survey_run
from incremental_runs import leave_manifest

_KEPT = "kept Outputs/ as it is"


@pytest.fixture
def root(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> DataRoot:
    """A data root that stage 3 has been over."""
    caplog.set_level("INFO")
    root = DataRoot(tmp_path)
    root.write_runs(*(episode_run(name, f"haa {name}") for name in "abcdefgh"), survey_run("a", gender="nin"))
    root.write_coded("s01e01", coda_message("haa a", label("episode1", "water")))
    leave_manifest(root)
    root.generate()
    caplog.clear()
    return root


def write_another_run(root: DataRoot) -> None:
    root.write_runs(*(episode_run(name, "maya") for name in "abcdefgh"), survey_run("a", gender="nin"))
    leave_manifest(root)


def stamps_of(root: DataRoot) -> dict[str, list[int]]:
    """Those of all files; the time of the notes says when the inputs were last seen to be the same."""
    paths = [
        path for name in ("Outputs", "State") for path in (root.path / name).rglob("*") if path.name != "notes.json"
    ]
    return {str(path): file_stamps.stamp_of(path) for path in paths}


def is_kept(root: DataRoot, caplog: pytest.LogCaptureFixture, **options: object) -> bool:
    """Generate, and tell whether the outputs were left alone."""
    caplog.clear()
    before = stamps_of(root)
    root.generate(**options)
    assert (_KEPT in caplog.text) == (stamps_of(root) == before)
    return _KEPT in caplog.text


def test_a_run_with_nothing_new_leaves_every_file_alone(root, caplog):
    first = read_last_manifest(root.path)
    assert is_kept(root, caplog)
    assert "8 message(s), 8 participant(s)" in caplog.text
    last = read_last_manifest(root.path)
    # Its outputs are those of the first run.
    assert (last.time, last.user) == (first.time, first.user)
    digests = [{name: file.sha256 for name, file in found.files.items()} for found in (first, last)]
    assert digests[0] == digests[1]


def test_what_a_run_that_was_killed_left_goes(root, caplog):
    left = [root.path / name for name in ("Outputs.partial", "State/analysis.partial", "State/outputs.old")]
    for folder in left:
        folder.mkdir()
        (folder / "half").write_text("of somebody who asked to be forgotten since")
    root.generate()
    assert _KEPT in caplog.text
    assert not [folder for folder in left if folder.exists()]


def test_after_it_no_file_counts_as_newer_than_the_outputs(root, caplog):
    """Else nothing would be written back, and no contacts handed over, until something changes."""
    for _ in range(2):
        assert find_newer_data(root.path) == []
        # A tick of the file system's clock later: within one, nobody can tell what came first.
        time.sleep(0.05)
        os.utime(raw(root))
        assert find_newer_data(root.path) == [raw(root)]
        assert is_kept(root, caplog)


def edit(path: Path, old: str, new: str) -> None:
    """Put something of the same length and the same time into a file, as a copying program can."""
    status, text = path.stat(), path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def raw(root: DataRoot) -> Path:
    return root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"


def add_unread_labels(root: DataRoot) -> None:
    (root.path / "Coded Coda Files" / "of_nothing.json").write_text("[]")


def accept_something(root: DataRoot) -> None:
    (root.path / "State" / "accepted lost withdrawals.json").write_text("{}")


CHANGES: dict[str, Callable[[DataRoot], object]] = {
    "a run": write_another_run,
    "a label": lambda root: root.write_coded("s01e01", coda_message("haa a", label("episode1", "school"))),
    "labels that were not there": lambda root: root.write_coded("gender", coda_message("nin", label("gender", "man"))),
    "labels that are gone": lambda root: (root.path / "Coded Coda Files" / "EXAMPLE_s01e01.json").unlink(),
    "a file that no plan reads": add_unread_labels,
    "an output": lambda root: (root.path / "Outputs" / "production.csv").write_text(""),
    "an output that is gone": lambda root: (root.path / "Outputs" / "message_counts.json").unlink(),
    "an output with its old time": lambda root: edit(root.path / "Outputs" / "messages.csv", "haa", "hab"),
    "notes": lambda root: edit(root.path / "State" / "outputs" / "notes.json", "1", "2"),
    "notes that are gone": lambda root: (root.path / "State" / "outputs" / "notes.json").unlink(),
    "a note": lambda root: (root.path / "State" / "outputs" / "labels.array").write_bytes(b"x"),
    "the analysis' input": lambda root: next((root.path / "State" / "analysis").glob("*.json")).unlink(),
    "the copy of the project": lambda root: next((root.path / "State" / "project").rglob("*.json")).unlink(),
    "a kept input that is gone": lambda root: next((root.path / "State" / "run_inputs").glob("*.json")).unlink(),
    "a kept input": lambda root: next((root.path / "State" / "run_inputs").glob("*.json")).write_text("{}"),
    "what is accepted": accept_something,
    "the manifest": lambda root: [path.write_text("{") for path in (root.path / "Runs" / "manifests").iterdir()],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changed_is_noticed(root, caplog, change: Callable[[DataRoot], object]):
    change(root)
    assert not is_kept(root, caplog)


@pytest.mark.parametrize("tick", [10**10, -(10**10)], ids=["just written", "written long ago"])
def test_raw_data_with_their_old_size_and_time_are_noticed(root, caplog, monkeypatch, tick: int):
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", tick)
    root.generate(full=True)
    assert is_kept(root, caplog)
    path = raw(root)
    lines = path.read_text().splitlines(keepends=True)
    status = path.stat()
    path.write_text("".join([lines[1], lines[0], *lines[2:]]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    with pytest.raises(InputError, match="as stage 2 wrote it"):
        root.generate()


def test_files_that_were_just_written_are_read_again_and_others_are_not(root, caplog, monkeypatch):
    read = []

    def digest(path: Path) -> str:
        read.append(path.name)
        return digest_file(path)

    monkeypatch.setattr(manifest, "digest_file", digest)
    inputs = ["EXAMPLE_s01e01.json", *sorted(path.name for path in (root.path / "Raw Data").glob("*.jsonl"))]
    assert is_kept(root, caplog)
    assert sorted(read) == sorted(inputs)
    read.clear()
    # Now they are old enough.
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", -(10**10))
    assert is_kept(root, caplog)
    assert sorted(read) == sorted(inputs)
    read.clear()
    assert is_kept(root, caplog)
    assert read == []


def test_another_mode_or_person_or_a_full_run_is_no_run_with_nothing_new(root, caplog):
    assert not is_kept(root, caplog, full=True)
    assert not is_kept(root, caplog, mode="auto-code-only")


def test_labels_that_were_only_touched_change_nothing(root, caplog):
    os.utime(root.path / "Coded Coda Files" / "EXAMPLE_s01e01.json")
    assert is_kept(root, caplog)


def test_warnings_are_said_again_each_night(root, caplog):
    add_unread_labels(root)
    assert not is_kept(root, caplog)
    for _ in range(2):
        assert is_kept(root, caplog)
        assert "of_nothing.json" in caplog.text


def test_one_run_in_a_few_reads_every_raw_file(root, caplog):
    kept = [is_kept(root, caplog) for _ in range(FULL_AFTER + 2)]
    assert kept == [True] * FULL_AFTER + [False, True]
    # Nothing had changed: every row is the one that was there.
    assert read_last_manifest(root.path).runs_since_full_read == 1


def test_a_full_read_finds_what_stamps_hide(root, caplog, monkeypatch):
    """A disk that changed a byte by itself: no time and no size tells."""
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", -(10**10))
    root.generate(full=True)
    path = raw(root)
    stamp = file_stamps.stamp_of(path)
    path.write_bytes(path.read_bytes().replace(b"haa b", b"hab b"))
    real = file_stamps.stamp_of
    for module in (same_inputs, manifest, run_notes, notes_writer):
        monkeypatch.setattr(module, "stamp_of", lambda other: stamp if other == path else real(other))
    for _ in range(FULL_AFTER):
        root.generate()
        assert _KEPT in caplog.messages[-1]
    with pytest.raises(InputError, match="as stage 2 wrote it"):
        root.generate()


def test_runs_of_an_earlier_version_count_as_long_ago(root, caplog):
    for path in (root.path / "Runs" / "manifests").iterdir():
        document = json.loads(path.read_text())
        del document["runs_since_full_read"]
        path.write_text(json.dumps(document))
    assert not is_kept(root, caplog)
