"""Restore drills: what they prove of the newest archive, what they find, and what they leave. All data is invented."""

import argparse
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyrage
import pytest

from engagement.__main__ import main
from engagement.custody.backups.names import scratch_of
from engagement.custody.restore_drills.records import read_records
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

SOURCE = Path(__file__).resolve().parents[2] / "src"
RUN_ID = "2026-11-22T020511Z-unknown"
LINES = [
    *(episode_run(f"o{n}", f"jawaab {n}", time=f"2026-04-{n % 9 + 1:02}T10:00:00+03:00", run_id=n) for n in range(12)),
    survey_run("o1", gender="nin"),
]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    root.write_runs(*LINES)
    root.write_coded("s01e01", coda_message("jawaab 3", label("episode1", "water")))
    root.generate()
    return root


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "back ups"


def back_up(root: DataRoot, backups: Path, *options: str, run_id: str = RUN_ID) -> Path:
    places = ["--data-root", str(root.path), "--backups-dir", str(backups)]
    assert main(["backup-data-root", *places, "--run-id", run_id, *options]) == 0
    return max(backups.glob("data-*"))


def drill(root: DataRoot, backups: Path, *options: object) -> int:
    places = ["--data-root", str(root.path), "--backups-dir", str(backups)]
    return main(["backup-data-root", "--drill", *places, *map(str, options)])


def last_of(root: DataRoot) -> tuple[str, str]:
    record = read_records(root.path)[-1]
    return record.result, record.reason


def left_in(backups: Path) -> list[str]:
    return sorted(path.name for path in backups.iterdir() if path.name.startswith(".drill"))


@pytest.mark.parametrize("mode", ["all-stages", "auto-code-only"])
def test_an_archive_whose_outputs_come_out_the_same_is_proven(root, backups, caplog, mode):
    caplog.set_level("INFO")
    # One was made in one go; most grow by many runs, with other times in their provenance.
    root.write_runs(*LINES, episode_run("late", "rajo", run_id=99))
    root.generate(mode=mode, user="another@example.org")
    (root.outputs / "Automated Analysis").mkdir()
    (root.outputs / "Automated Analysis" / "report.html").write_text("stage 5 made this")
    archive = back_up(root, backups)
    before = {path: path.read_bytes() for path in root.path.rglob("*") if path.is_file()}
    assert drill(root, backups) == 0
    assert last_of(root) == ("proven", "")
    assert read_records(root.path)[-1].archive == archive.name
    assert (
        f"Restoring {archive.name} beside it, and making its outputs again: until the drill ends, that takes about"
        in caplog.text
    )
    assert re.search(rf"Restored {re.escape(str(archive))}: \d+ files, directories and links, all of them", caplog.text)
    assert f"{archive} is proven" in caplog.text
    assert left_in(backups) == []
    after = {path: path.read_bytes() for path in root.path.rglob("*") if path.is_file()}
    assert {path.name for path in after.keys() - before.keys()} == {"restore_drills.jsonl"}
    assert all(after[path] == content for path, content in before.items())


def test_drills_are_written_down_one_a_line(root, backups):
    back_up(root, backups)
    assert drill(root, backups) == 0
    record = root.path / "Runs" / "restore_drills.jsonl"
    record.write_text(record.read_text() + "no JSON\n{}\n[]\n")
    assert drill(root, backups) == 0
    assert [json.loads(line)["result"] for line in record.read_text().splitlines()] == ["proven", "proven"]


def test_one_changed_byte_anywhere_is_found(root, backups, capsys):
    archive = back_up(root, backups)
    whole, stamp, chosen = archive.read_bytes(), archive.stat(), random.Random(11)
    # The header of gzip is in no checksum of gzip's own.
    for place in [*range(10), *(chosen.randrange(len(whole)) for _ in range(30)), len(whole) - 1]:
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chosen.randrange(8)]) + whole[place + 1 :])
        os.utime(archive, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert drill(root, backups) == 11, place
        assert f"ERROR: {archive}: " in capsys.readouterr().err
        assert last_of(root)[0] == "failed"
    assert left_in(backups) == []


def test_a_changed_byte_is_found_without_a_noted_checksum(root, backups, capsys):
    archive = back_up(root, backups)
    next((backups / ".members").glob("*.checksum.json")).unlink()
    assert drill(root, backups) == 0
    whole = archive.read_bytes()
    # Within the largest member: the time in a member's header is nobody's content.
    headers = [found.start() for found in re.finditer(rb"\x1f\x8b\x08", whole)]
    start, end = max(itertools.pairwise([*headers, len(whole)]), key=lambda pair: pair[1] - pair[0])
    place = (start + end) // 2
    archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert drill(root, backups) == 11


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("messages.csv", b"jawaab 3", b"jawaab 4", "messages.csv differs from line"),
        ("messages_traced_data.jsonl", b'"SHA": "', b'"SHA": "0', "does not verify"),
        ("production.csv", None, None, "production.csv is not in the archive"),
    ],
)
def test_outputs_that_were_changed_before_the_backup_are_found(root, backups, capsys, name, old, new, place):
    path = root.outputs / name
    if old is None:
        path.unlink()
    else:
        assert old in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(old, new, 1))
    back_up(root, backups)
    assert drill(root, backups) == 11
    error = capsys.readouterr().err
    assert place in error or "SHA" in error
    assert "jawaab" not in error
    assert last_of(root)[0] == "failed"


def test_raw_data_with_a_broken_chain_is_found(root, backups, capsys):
    path = root.path / "Raw Data" / "s01e1_activation.jsonl"
    path.write_text(path.read_text().replace("jawaab 3", "jawaab 9", 1))
    back_up(root, backups)
    # What the last run left is older than the change: only the chain tells.
    assert drill(root, backups) == 11
    error = capsys.readouterr().err
    assert "Stage 3 on the restored data root: <data root>/Raw Data/s01e1_activation.jsonl, line 4" in error


def test_outputs_older_than_the_labels_are_no_failure(root, backups):
    root.write_coded("s01e01", coda_message("jawaab 3", label("episode1", "school")))
    back_up(root, backups)
    assert drill(root, backups) == 0
    result, reason = last_of(root)
    assert result == "files whole"
    assert reason.startswith("labels changed after Outputs/ were made; so ")


def test_outputs_of_another_version_are_compared_and_their_differences_explained(root, backups, monkeypatch):
    messages = root.outputs / "messages.csv"
    messages.write_bytes(messages.read_bytes().replace(b"jawaab 3", b"jawaab 4"))
    notes = root.path / "State" / "outputs" / "notes.json"
    document = json.loads(notes.read_text())
    document["maker"]["the pipeline"] = "of last year"
    notes.write_text(json.dumps(document))
    back_up(root, backups)
    assert drill(root, backups) == 0
    assert last_of(root) == (
        "files whole",
        "another version of the pipeline made Outputs/; so 1 file came out different",
    )


def test_a_changed_configuration_plays_no_part_as_the_archive_has_its_own(root, backups, tmp_path):
    back_up(root, backups)
    write_project(
        tmp_path / "configuration", lambda document: document.update(ProjectEndDate="2026-04-05T00:00:00+03:00")
    )
    assert drill(root, backups, "--pipeline-configuration", root.configuration) == 0
    assert last_of(root) == ("proven", "")


def test_files_beside_the_configuration_are_asked_for(tmp_path, backups):
    attendance = tmp_path / "configuration" / "attendance.csv"
    group = {"Name": "weekly", "Files": ["attendance.csv"]}
    configuration = write_project(tmp_path / "configuration", lambda document: document.update(ListeningGroups=[group]))
    attendance.write_text("avf-phone-uuid\n")
    root = DataRoot(tmp_path, configuration)
    root.write_runs(*LINES)
    root.generate()
    back_up(root, backups)
    assert drill(root, backups) == 0
    result, reason = last_of(root)
    assert (result, "--pipeline-configuration" in reason) == ("files whole", True)
    assert drill(root, backups, "--pipeline-configuration", configuration) == 0
    assert last_of(root) == ("proven", "")


def test_a_data_root_before_its_first_outputs_has_whole_files(tmp_path, backups):
    root = DataRoot(tmp_path)
    back_up(root, backups)
    assert drill(root, backups) == 0
    assert last_of(root) == ("files whole", "the archive has no Outputs/, as stage 3 had not run yet")


def test_without_an_archive_of_this_data_root_a_drill_fails(root, backups, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    back_up(DataRoot(tmp_path / "other"), backups)
    assert drill(root, backups) == 11
    assert f"{backups}: no archive of {root.path}" in capsys.readouterr().err


class TestEncrypted:
    """An archive that its machine can't read."""

    @pytest.fixture
    def identity(self, tmp_path: Path) -> Path:
        path = tmp_path / "identity.txt"
        path.write_text(str(pyrage.x25519.Identity.generate()))
        return path

    @pytest.fixture
    def archive(self, root, backups, tmp_path, identity) -> Path:
        key = pyrage.x25519.Identity.from_str(identity.read_text()).to_public()
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"Backup": {"Encrypt": [str(key)]}}))
        return back_up(root, backups, "--pipeline-configuration", str(settings))

    def test_with_the_key_it_is_proven(self, root, backups, archive, identity):
        assert drill(root, backups, "--identity", identity) == 0
        assert last_of(root) == ("proven", "")

    def test_without_the_key_it_is_compared_with_what_was_written(self, root, backups, archive, caplog):
        assert drill(root, backups) == 0
        assert last_of(root) == ("not opened", "encrypted; it is as it was written, by size and CRC-32")
        assert "can't be opened on this machine" in caplog.text

    @pytest.mark.parametrize("share", [0, 37, 100])
    def test_without_the_key_a_changed_byte_is_found(self, root, backups, archive, share):
        whole = archive.read_bytes()
        place = min(len(whole) * share // 100, len(whole) - 1)
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert drill(root, backups) == 11

    def test_without_key_and_checksum_nothing_is_proven(self, root, backups, archive):
        next((backups / ".members").glob("*.checksum.json")).unlink()
        assert drill(root, backups) == 0
        assert last_of(root) == ("not opened", "encrypted; nothing of it could be proven")

    def test_a_missing_key_is_a_wrong_command_line(self, root, backups, archive, tmp_path):
        assert drill(root, backups, "--identity", tmp_path / "nowhere.txt") == 2
        assert read_records(root.path) == []


def test_too_little_room_is_told_before_anything_is_restored(root, backups, monkeypatch, capsys):
    back_up(root, backups)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: argparse.Namespace(free=1000))
    assert drill(root, backups) == 14
    assert "Nothing was proven. Free some space" in capsys.readouterr().err
    assert (left_in(backups), read_records(root.path)) == ([], [])


def start(root: DataRoot, backups: Path, before: str = "pass") -> subprocess.Popen:
    program = f"import sys; {before}; from engagement.__main__ import main; sys.exit(main(sys.argv[1:]))"
    places = ["--data-root", root.path, "--backups-dir", backups]
    return subprocess.Popen(
        [sys.executable, "-c", program, "backup-data-root", "--drill", *places],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_disk_that_fills_up_leaves_nothing_of_a_drill(root, backups):
    back_up(root, backups)
    with start(root, backups, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000,) * 2)") as process:
        assert process.wait(60) == 14, process.stderr.read()
    assert (left_in(backups), read_records(root.path)) == ([], [])


@pytest.mark.parametrize(("number", "is_left"), [(signal.SIGTERM, False), (signal.SIGKILL, True)])
def test_a_drill_that_is_ended_leaves_nothing_for_the_next_one(root, backups, number, is_left):
    back_up(root, backups)
    with start(root, backups) as process:
        while not (found := list(backups.glob(".drill-*/data root"))) and process.poll() is None:
            time.sleep(0.002)
        assert found
        assert found[0].parent.stat().st_mode & 0o077 == 0
        process.send_signal(number)
        process.wait(60)
    if is_left:
        assert left_in(backups) != []
    assert drill(root, backups) == 0
    assert left_in(backups) == []


def test_a_backup_removes_what_a_killed_drill_left(root, backups):
    back_up(root, backups)
    left = scratch_of(backups, root.path)
    (left / "data root").mkdir(parents=True)
    (backups / ".drill-of-another").mkdir()
    back_up(root, backups, run_id="2026-11-23T020511Z-unknown")
    assert left_in(backups) == [".drill-of-another"]


def test_the_notes_of_archives_that_are_gone_go_too(root, backups):
    back_up(root, backups).unlink()
    back_up(root, backups, run_id="2026-11-23T020511Z-unknown")
    notes = [path.name for path in (backups / ".members").glob("*.checksum.json")]
    assert notes == ["data-2026-11-23T020511Z-unknown.tar.gz.checksum.json"]
