"""Forgetting a person in the archives of a data root."""

import json
import random
import shutil

from engagement.custody.backups.archive import verify_archive
from engagement.custody.backups.checksums import compare_checksum
from engagement.custody.backups.last_archive import NothingToCopy, find_last_archive
from engagement.custody.backups.restore import restore_archive
from engagement.sources.forgotten import read_forgotten
from faults import KILLED, NOW, Changes, in_server, limit_files, run_stage
from forgotten_person import CONTACT, MOMENTS, ONLY_THEIRS, SECOND, THIRD, UID, forget, rows_of, watch, what_is_left


def with_archives(project):
    """Back up the data root twice: plainly, and as if the second archive were encrypted."""
    ended = run_stage(project.arguments(6, SECOND), now=NOW)
    assert ended.status == 0, ended.told
    (archive,) = project.backups.glob("data-*.tar.gz")
    encrypted = archive.with_name(archive.name.replace(SECOND, THIRD) + ".age")
    encrypted.write_bytes(b"age-encryption.org/v1\n")
    return archive, encrypted


def forget_in_archives(project):
    archive, encrypted = with_archives(project)
    ended = forget(project, "--backups-dir", str(project.backups))
    assert ended.status == 0, ended.told
    return archive, encrypted, ended


def restore(archive, folder):
    restore_archive(archive, folder)
    return folder


def test_plain_archives_lose_them_and_know_them_and_encrypted_ones_are_listed(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, encrypted, ended = in_server(forget_in_archives, project)
    assert f"Archive {archive.name}: rewritten: " in ended.told
    assert f"Archive {encrypted.name}: stays until somebody removes it: it is encrypted" in ended.told
    # A drill knows it as it is now, and the next backup copies nothing from before.
    assert compare_checksum(archive)
    assert find_last_archive(project.backups, project.data_root) == NothingToCopy(
        "this is the first archive here that later ones can copy from"
    )
    restored = restore(archive, tmp_path / "restored")
    needles = [UID.encode(), f'"{CONTACT}"'.encode(), ONLY_THEIRS.encode()]
    files = [path for path in restored.rglob("*") if path.is_file()]
    assert [path for path in files if any(needle in path.read_bytes() for needle in needles)] == []
    assert read_forgotten(restored).find(UID) is not None
    # Whoever else is there keeps every byte.
    raw = {path.name: path.read_bytes() for path in (restored / "Raw Data").iterdir()}
    assert raw == {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}
    assert not (project.backups / ".forgetting").exists()
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    document = json.loads(receipt.read_text())
    assert f"archive {archive.name}" in {one["Place"] for one in document["Found"]}
    assert f"archive {encrypted.name}" in {one["Where"] for one in document["Remains"]}


def kill_in_archives(project):
    """Kill it before some of its changes; return the moments after which an archive was broken or anything was left."""
    kept = project.folder.parent / "archives"
    project.put_back("before")
    with_archives(project)
    project.keep("with archives")
    options = ("--backups-dir", str(project.backups))
    count = forget(project, *options, prepare=lambda: watch(Changes(project.folder))).changes
    problems = []
    for last in sorted({round(1 + number * (count - 1) / (MOMENTS - 1)) for number in range(MOMENTS)}):
        project.put_back("with archives")
        killed = forget(project, *options, prepare=lambda last=last: watch(Changes(project.folder, last)))
        (archive,) = project.backups.glob("data-*.tar.gz")
        verify_archive(archive, lambda entry, content: None)
        ended = forget(project, *options)
        shutil.rmtree(kept, ignore_errors=True)
        found = [
            path for path in restore(archive, kept).rglob("*") if path.is_file() and UID.encode() in path.read_bytes()
        ]
        if killed.status != KILLED or ended.status or found or what_is_left(project) or rows_of(project):
            problems.append((last, killed.status, ended.status, ended.told[-600:], found))
    return count, problems


def test_a_kill_leaves_archives_whole_and_the_same_command_goes_on(seasons):
    project, *_ = seasons
    count, problems = in_server(kill_in_archives, project)
    assert count > 100
    assert problems == []


def damage(project):
    archive, _ = with_archives(project)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    return archive, bytes(content), forget(project, "--backups-dir", str(project.backups))


def test_a_damaged_archive_stays_and_is_told_while_the_rest_is_forgotten(seasons):
    project, *_ = seasons
    project.put_back("before")
    archive, content, ended = in_server(damage, project)
    assert ended.status == 11, ended.told
    assert f"{archive.name}: stays until somebody removes it: it is damaged" in ended.told
    assert archive.read_bytes() == content
    assert what_is_left(project) == []


def fill_disk(project):
    """Forget on a disk that is full once an archive is rewritten: every other file is far smaller than the archive."""
    for number in range(40):
        (project.data_root / "State" / f"{number}.bin").write_bytes(random.Random(number).randbytes(50_000))
    archive, _ = with_archives(project)
    content = archive.read_bytes()
    options = ("--backups-dir", str(project.backups))
    full = forget(project, *options, prepare=lambda: limit_files(1_500_000))
    left = sorted(path.name for path in project.backups.iterdir() if path.name != ".members")
    is_intact = archive.read_bytes() == content
    return archive, left, is_intact, full, forget(project, *options)


def test_a_disk_that_is_full_leaves_the_old_archive_and_the_same_command_goes_on(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, left, is_intact, full, again = in_server(fill_disk, project)
    assert full.status == 14, full.told
    assert f"{archive.name}: could not be written" in full.told
    assert "Traceback" not in full.told
    assert is_intact
    assert left == sorted(path.name for path in project.backups.glob("data-*"))
    assert again.status == 0, again.told
    assert f"Archive {archive.name}: rewritten: " in again.told
    restored = restore(archive, tmp_path / "restored")
    assert [path for path in restored.rglob("*") if path.is_file() and UID.encode() in path.read_bytes()] == []
    assert what_is_left(project) == []
