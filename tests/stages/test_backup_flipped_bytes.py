"""One flipped byte at each kind of boundary of an archive, and of the list for the next one. All data is invented."""

import os
import random
import re

import pytest

from engagement.__main__ import main
from engagement.foundation import file_stamps

DAYS = [f"2026-11-{day:02}T020511Z-unknown" for day in range(1, 4)]
MEMBER = re.compile(rb"\x1f\x8b\x08\x00\x00\x00\x00\x00")
CHECKSUM_AND_SIZE = 8


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root whose files changed long ago, as far as the stage is concerned: small ones, and one of several pieces."""
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", 0)
    root = tmp_path / "data root"
    for number in range(5):
        path = root / "Raw Data" / f"flow {number}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.Random(number).randbytes(50 * (number + 1)).hex().encode())
    lines = "".join(random.Random(number).randbytes(500).hex() + "\n" for number in range(600))
    (root / "large.jsonl").write_text(lines)
    return root


def back_up(root, backups, day, *options):
    places = ["--data-root", str(root), "--backups-dir", str(backups), "--run-id", DAYS[day]]
    assert main(["backup-data-root", *places, *options]) == 0
    return backups / f"data-{DAYS[day]}.tar.gz"


def flip(path, place, bit):
    """Flip a bit, and leave the file's time as it was: that is how disks fail."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def boundaries(whole):
    """Places in an archive by what they are."""
    starts = [found.start() for found in MEMBER.finditer(whole)]
    assert len(starts) > 8
    ends = [*starts[1:], len(whole)]
    for number in {0, 1, 2, len(starts) // 2, len(starts) - 2, len(starts) - 1}:
        yield from (starts[number] + place for place in range(11))
        yield from (ends[number] - place for place in range(1, CHECKSUM_AND_SIZE + 2))


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_drill_finds_each_of_them_and_a_restore_never_gives_other_files(root, tmp_path, capsys):
    backups, chosen = tmp_path / "back ups", random.Random(1)
    archive = back_up(root, backups, 0)
    whole, status = archive.read_bytes(), archive.stat()
    expected = contents(root)
    for count, place in enumerate(boundaries(whole)):
        flip(archive, place, chosen.randrange(8))
        drill = ["backup-data-root", "--drill", "--data-root", str(root), "--backups-dir", str(backups)]
        assert main(drill) == 11, place
        assert f"ERROR: {archive}: " in capsys.readouterr().err
        restored = tmp_path / f"restored {count}"
        ended = main(["backup-data-root", "--restore", str(archive), "--into", str(restored)])
        assert ended in (0, 11), place
        # The time and the system in a member's header are nobody's content.
        assert not restored.exists() if ended else contents(restored) == expected, place
        archive.write_bytes(whole)
        os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("is_large_changed", [False, True])
def test_none_of_them_reaches_the_next_archive(root, tmp_path, caplog, is_large_changed):
    backups, chosen = tmp_path / "back ups", random.Random(2)
    archive = back_up(root, backups, 0)
    whole, status = archive.read_bytes(), archive.stat()
    noted = {path: path.read_bytes() for path in (backups / ".members").iterdir()}
    if is_large_changed:
        # Then its pieces are copied one by one.
        with (root / "large.jsonl").open("a") as file:
            file.write("an invented line\n")
    full = back_up(root, backups, 1, "--full").read_bytes()
    (backups / f"data-{DAYS[1]}.tar.gz").unlink()
    found = []
    for place in boundaries(whole):
        for path, content in noted.items():
            path.write_bytes(content)
        flip(archive, place, chosen.randrange(8))
        caplog.clear()
        following = back_up(root, backups, 2)
        assert following.read_bytes() == full, place
        found.append(
            f"{archive}: damaged: its bytes changed since it was written; so every file is read." in caplog.text
        )
        following.unlink()
        archive.write_bytes(whole)
        os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    # Folders, the checksums and the end of an archive are never copied.
    assert found.count(True) > len(found) // 3


def test_a_flipped_byte_of_the_list_makes_the_next_night_read_everything_and_say_so(root, tmp_path, caplog):
    backups, chosen = tmp_path / "back ups", random.Random(3)
    archive = back_up(root, backups, 0)
    (members,) = (path for path in (backups / ".members").iterdir() if path.suffixes == [".json"])
    content = members.read_bytes()
    end_of_first = content.index(b"\n")
    whole = archive.read_bytes()
    places = {0, end_of_first - 1, end_of_first, end_of_first + 1, len(content) - 1}
    for place in sorted(places | {chosen.randrange(len(content)) for _ in range(20)}):
        members.write_bytes(content)
        flip(members, place, chosen.randrange(8))
        caplog.clear()
        following = back_up(root, backups, 1)
        assert following.read_bytes() == whole, place
        assert f"Every file is read: {members} is damaged" in caplog.text, place
        following.unlink()
