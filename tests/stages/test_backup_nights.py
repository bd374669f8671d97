"""Stage 6, night after night: what did not change is copied from the last archive, and nobody can tell. All data is invented."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.foundation import file_stamps

SOURCE = Path(__file__).resolve().parents[2] / "src"
LINES = "Outputs/traced.jsonl"
DAYS = [f"2026-11-{day:02}T020511Z-unknown" for day in range(1, 20)]


def write(path, seed, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(seed).randbytes(size // 2).hex().encode())


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root whose files changed long ago, as far as the stage is concerned."""
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 0)
    root = tmp_path / "data root"
    for number in range(8):
        write(root / "Raw Data" / f"flow {number}.jsonl", number, 40_000 * number)
    # Several pieces, one of them full to the last byte.
    write(root / "Outputs" / "messages.csv", 99, 5_000_000)
    (root / "Outputs" / "two pieces").write_bytes(b"x" * (2 * 2**20 - 1536))
    (root / os.fsdecode(b"latin-\xe9.csv")).write_bytes(b"invented")
    (root / "link").symlink_to("Outputs")
    return root


def back_up(root, backups, day, *options):
    return main(
        ["backup-data-root", "--data-root", str(root), "--backups-dir", str(backups), "--run-id", DAYS[day], *options]
    )


def archive_of(backups, day):
    return backups / f"data-{DAYS[day]}.tar.gz"


def restore(archive, directory):
    return main(["backup-data-root", "--restore", str(archive), "--into", str(directory)])


def files_of(directory):
    return {
        path.relative_to(directory): (path.stat().st_mtime, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


def copied(caplog):
    """How many files the last backup copied."""
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Archived ")]
    return int(lines[-1].split("; ")[1].split()[0])


def write_lines(root, numbers):
    """Write a file of as many invented lines, anew as stage 3 does, a line of 1,000 to 3,000 bytes for each number."""
    path = root / LINES
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [random.Random(str(number)).randbytes(500 + number % 1000).hex() + "\n" for number in numbers]
    path.with_suffix(".new").write_text("".join(lines))
    path.with_suffix(".new").replace(path)
    return path


def copied_pieces(caplog):
    """How many pieces of changed files the last backup copied."""
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Archived ")]
    _, _, told = lines[-1].partition(", as were ")
    return int(told.split()[0].replace(",", "")) if told else 0


LINES_CHANGED = {
    "a line at the beginning": [-1, *range(5000)],
    "a line at the end": [*range(5001)],
    "a line in the middle": [*range(2500), 9000, *range(2500, 5000)],
    "a line changed": [*range(1000), 9000, *range(1001, 5000)],
    "lines removed": [*range(1000), *range(1050, 5000)],
    "halves exchanged": [*range(2500, 5000), *range(2500)],
    "nothing, but it was written": [*range(5000)],
}


@pytest.mark.parametrize("how", LINES_CHANGED)
def test_of_a_large_file_that_was_written_again_only_what_changed_is_compressed(root, tmp_path, how, caplog):
    caplog.set_level("INFO")
    backups = tmp_path / "back ups"
    size = write_lines(root, range(5000)).stat().st_size
    assert back_up(root, backups, 0) == 0
    write_lines(root, LINES_CHANGED[how])
    assert back_up(root, backups, 1) == 0
    assert copied(caplog) == 11
    # Pieces have 100 KB or so.
    assert copied_pieces(caplog) > 0.85 * size / 130_000
    assert back_up(root, backups, 2, "--full") == 0
    assert copied_pieces(caplog) == 0
    assert archive_of(backups, 1).read_bytes() == archive_of(backups, 2).read_bytes()
    assert restore(archive_of(backups, 1), tmp_path / "restored") == 0
    assert files_of(tmp_path / "restored") == files_of(root)


def test_pieces_are_copied_night_after_night_also_of_files_that_were_just_written(root, tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 60 * 10**9)
    found = []
    for day in range(8):
        write_lines(root, range(day, 3000 + day))
        assert back_up(root, tmp_path, day) == 0
        assert copied(caplog) == 0
        found.append(copied_pieces(caplog) > 20)
    # One archive in seven reads and compresses everything.
    assert found == [False, *[True] * 6, False]


def test_a_file_of_many_more_pieces_than_are_held_at_once_comes_back(root, tmp_path):
    """Its content is compressed from buffers that are used again."""
    path = root / "Outputs" / "large"
    path.write_bytes(b"".join(random.Random(number).randbytes(2**16) * 8 for number in range(100)))
    assert back_up(root, tmp_path / "back ups", 0) == 0
    assert restore(archive_of(tmp_path / "back ups", 0), tmp_path / "restored") == 0
    assert (tmp_path / "restored" / "Outputs" / "large").read_bytes() == path.read_bytes()


def test_an_archive_that_reads_everything_begins_with_a_new_secret(root, tmp_path, caplog):
    caplog.set_level("DEBUG")
    secrets = []
    for day, options in enumerate([(), (), ("--full",)]):
        write_lines(root, range(day, 1000 + day))
        assert back_up(root, tmp_path, day, *options) == 0
        (notes,) = (path for path in (tmp_path / ".members").iterdir() if path.suffixes == [".json"])
        secrets.append(json.loads(notes.read_bytes().partition(b"\n")[2])["secret"])
        assert notes.stat().st_mode & 0o077 == 0
    assert secrets[0] == secrets[1] != secrets[2]
    assert {len(bytes.fromhex(secret)) for secret in secrets} == {16}
    assert not any(secret in caplog.text for secret in secrets)


def test_pieces_of_a_file_go_with_it_when_it_is_renamed_or_copied(root, tmp_path, caplog):
    caplog.set_level("INFO")
    path = write_lines(root, range(3000))
    assert back_up(root, tmp_path, 0) == 0
    path.rename(path.with_name("renamed.jsonl"))
    (root / "State").mkdir()
    (root / "State" / "copy.jsonl").write_bytes((root / "Outputs" / "renamed.jsonl").read_bytes())
    assert back_up(root, tmp_path, 1) == 0
    assert copied_pieces(caplog) > 40
    assert back_up(root, tmp_path, 2, "--full") == 0
    assert archive_of(tmp_path, 1).read_bytes() == archive_of(tmp_path, 2).read_bytes()


def test_a_damaged_piece_never_reaches_the_next_archive(root, tmp_path, caplog):
    """Every piece is copied, but from an archive in which a byte of one was flipped."""
    path = write_lines(root, range(3000))
    assert back_up(root, tmp_path, 0) == 0
    whole = archive_of(tmp_path, 0).read_bytes()
    (notes,) = (path for path in (tmp_path / ".members").iterdir() if path.suffixes == [".json"])
    rows = json.loads(notes.read_bytes().partition(b"\n")[2])["files"]
    start, size = next(row[7:9] for row in rows if row[0] == LINES)
    path.rename(path.with_name("traced 2.jsonl"))
    assert back_up(root, tmp_path, 1, "--full") == 0
    expected = archive_of(tmp_path, 1).read_bytes()
    for place in (start + size // 3, start + size // 2, start + size - 1):
        path.with_name("traced 2.jsonl").rename(path)
        assert back_up(root, tmp_path, 2, "--full") == 0
        last = archive_of(tmp_path, 2)
        status = last.stat()
        last.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        os.utime(last, ns=(status.st_atime_ns, status.st_mtime_ns))
        path.rename(path.with_name("traced 2.jsonl"))
        caplog.clear()
        assert back_up(root, tmp_path, 3) == 0
        assert f"{last}: damaged: its bytes changed since it was written; so every file is read." in caplog.text
        assert archive_of(tmp_path, 3).read_bytes() == expected
        archive_of(tmp_path, 2).unlink()
        archive_of(tmp_path, 3).unlink()


def change(root, how):
    file = root / "Raw Data" / "flow 3.jsonl"
    if how == "grows":
        with file.open("ab") as opened:
            opened.write(b"one more\n")
    elif how == "removed":
        file.unlink()
    elif how == "renamed":
        file.rename(file.with_name("flow 33.jsonl"))
    elif how == "replaced by a folder":
        file.unlink()
        file.mkdir()
    elif how == "replaced by a link":
        file.unlink()
        file.symlink_to("flow 4.jsonl")
    elif how == "mode":
        file.chmod(0o640)
    elif how == "same size and times":
        status = file.stat()
        file.write_bytes(b"X" + file.read_bytes()[1:])
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif how == "written again":
        file.write_bytes(file.read_bytes())
    elif how == "new":
        write(root / "A first one", 1, 3_000_000)


CHANGES = ["nothing", "grows", "removed", "renamed", "replaced by a folder", "replaced by a link", "mode"]
CHANGES += ["same size and times", "written again", "new"]


@pytest.mark.parametrize("how", CHANGES)
def test_an_archive_that_copies_has_the_bytes_of_one_that_reads_everything(root, tmp_path, how, caplog):
    caplog.set_level("INFO")
    backups = tmp_path / "back ups"
    assert back_up(root, backups, 0) == 0
    change(root, how)
    assert back_up(root, backups, 1) == 0
    unchanged = 11 if how in ("nothing", "new") else 10
    assert copied(caplog) == unchanged
    assert back_up(root, backups, 2, "--full") == 0
    assert copied(caplog) == 0
    assert archive_of(backups, 1).read_bytes() == archive_of(backups, 2).read_bytes()
    assert restore(archive_of(backups, 1), tmp_path / "restored") == 0
    assert files_of(tmp_path / "restored") == files_of(root)


def test_a_file_that_changed_just_before_the_backup_is_read_again(root, tmp_path, monkeypatch, caplog):
    """It may change once more in the same tick of the clock, and look the same."""
    caplog.set_level("INFO")
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 60 * 10**9)
    assert back_up(root, tmp_path, 0) == 0
    assert back_up(root, tmp_path, 1) == 0
    assert copied(caplog) == 0


def test_one_archive_in_seven_reads_everything(root, tmp_path, caplog):
    caplog.set_level("INFO")
    found = []
    for day in range(9):
        assert back_up(root, tmp_path, day) == 0
        found.append(copied(caplog))
    assert found == [0, *[11] * 6, 0, 11]
    assert "Every file is read: so does one archive in 7" in caplog.text
    assert len({archive_of(tmp_path, day).read_bytes() for day in range(9)}) == 1


@pytest.mark.parametrize(
    "how", ["flipped byte", "flipped byte of the end", "cut", "gone", "touched", "no list", "bad list"]
)
def test_what_is_wrong_with_the_last_archive_never_reaches_the_next(root, tmp_path, how, caplog):
    backups = tmp_path / "back ups"
    assert back_up(root, backups, 0) == 0
    last = archive_of(backups, 0)
    whole, status = last.read_bytes(), last.stat()
    (members,) = (path for path in (backups / ".members").iterdir() if path.suffixes == [".json"])
    if how == "gone":
        last.unlink()
    elif how == "touched":
        last.touch()
    elif how == "cut":
        last.write_bytes(whole[:-100])
    elif how == "no list":
        members.unlink()
    elif how == "bad list":
        members.write_bytes(members.read_bytes().replace(b'"files"', b'"FILES"'))
    else:
        place = len(whole) // 2 if how == "flipped byte" else len(whole) - 200
        last.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        os.utime(last, ns=(status.st_atime_ns, status.st_mtime_ns))
    caplog.clear()
    assert back_up(root, backups, 1) == 0
    assert archive_of(backups, 1).read_bytes() == whole
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    expected = {
        "flipped byte": f"{last}: damaged: its bytes changed since it was written; so every file is read.",
        "gone": f"Every file is read: the last archive, {last.name}, is gone",
        "touched": f"Every file is read: the last archive, {last.name}, is not as it was written",
        "cut": f"Every file is read: the last archive, {last.name}, is not as it was written",
        "bad list": f"Every file is read: {members} is damaged",
    }
    # The end is never copied, and without a list there was no archive that anybody remembers.
    assert len(warnings) == (how in expected)
    assert all(expected[how] in warning for warning in warnings)


def test_data_roots_that_share_a_directory_do_not_copy_from_each_other(root, tmp_path, caplog):
    caplog.set_level("INFO")
    other = tmp_path / "other root"
    write(other / "Raw Data" / "flow 3.jsonl", 77, 30_000)
    backups = tmp_path / "back ups"
    assert back_up(root, backups, 0) == 0
    assert back_up(other, backups, 1) == 0
    assert copied(caplog) == 0
    assert back_up(root, backups, 2) == 0
    assert copied(caplog) == 11
    assert restore(archive_of(backups, 1), tmp_path / "restored") == 0
    assert files_of(tmp_path / "restored") == files_of(other)


def test_a_list_that_can_not_be_written_costs_the_next_night_only(root, tmp_path, caplog):
    backups = tmp_path / "back ups"
    backups.mkdir()
    (backups / ".members").write_text("in the way")
    assert back_up(root, backups, 0) == 0
    assert ".members" in caplog.text
    assert restore(archive_of(backups, 0), tmp_path / "restored") == 0


def test_the_list_of_members_tells_nobody_else_of_the_files(root, tmp_path):
    assert back_up(root, tmp_path / "back ups", 0) == 0
    folder = tmp_path / "back ups" / ".members"
    assert folder.stat().st_mode & 0o077 == 0
    (members,) = (path for path in folder.iterdir() if path.suffixes == [".json"])
    document = json.loads(members.read_bytes().partition(b"\n")[2])
    assert len(document["files"]) == 11


@pytest.mark.parametrize("moment", range(0, 8, 2))
def test_a_night_killed_at_any_moment_leaves_whole_archives(root, tmp_path, moment):
    backups = tmp_path / "back ups"
    assert back_up(root, backups, 0) == 0
    first = archive_of(backups, 0).read_bytes()
    for number in range(40):
        write(root / "State" / f"{number}.jsonl", number, 200_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "engagement", "backup-data-root", "--data-root", str(root)]
        + ["--backups-dir", str(backups), "--run-id", DAYS[1]],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.DEVNULL,
    )
    partial = archive_of(backups, 1).with_name(archive_of(backups, 1).name + ".partial")
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        # The last moments: the archive has its name, and its list may not be there yet.
        size = partial.stat().st_size if partial.exists() else -1
        if size >= moment * 400_000 or (moment >= 6 and archive_of(backups, 1).exists()):
            break
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    assert archive_of(backups, 0).read_bytes() == first
    assert back_up(root, backups, 2) == 0
    assert back_up(root, backups, 3, "--full") == 0
    assert archive_of(backups, 2).read_bytes() == archive_of(backups, 3).read_bytes()
    if archive_of(backups, 1).exists():
        assert archive_of(backups, 1).read_bytes() == archive_of(backups, 2).read_bytes()


def test_a_disk_that_fills_up_leaves_the_last_archive_and_its_list(root, tmp_path):
    backups = tmp_path / "back ups"
    assert back_up(root, backups, 0) == 0
    before = files_of(backups)
    limit = archive_of(backups, 0).stat().st_size // 2
    process = subprocess.run(
        [sys.executable, "-m", "engagement", "backup-data-root", "--data-root", str(root)]
        + ["--backups-dir", str(backups), "--run-id", DAYS[1]],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert process.returncode == 14
    assert b"could not be written" in process.stderr
    assert files_of(backups) == before
