"""Archives without some files, or with other content in them, are archives like any other. All data is invented."""

import os

import pytest

from engagement.__main__ import main
from engagement.custody.backups.rewriting import Unchanged, rewrite_archive
from engagement.custody.backups.writing import HowToWrite
from engagement.foundation.errors import InputError, UsageError

NAME = "data-2026-11-22T020511Z-unknown.tar.gz"
HOW = HowToWrite(2, lambda descriptor: None)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data root"
    (root / "Raw Data").mkdir(parents=True)
    lines = [b"%s\n" % (b"person %d " % (number % 50) + os.urandom(50).hex().encode()) for number in range(20_000)]
    (root / "Raw Data" / "flow.jsonl").write_bytes(b"".join(lines))
    (root / "Raw Data" / "other.jsonl").write_bytes(b"nobody\n")
    (root / "report of person 7.html").write_bytes(b"person 7\n")
    (root / "link").symlink_to("Raw Data")
    return root


def back_up(root, backups):
    name = NAME.removeprefix("data-").removesuffix(".tar.gz")
    assert main(["backup-data-root", "--data-root", str(root), "--backups-dir", str(backups), "--run-id", name]) == 0
    return backups / NAME


def leave_out_person_7(content, file):
    rest = b""
    while data := content.read(100_000):
        *lines, rest = (rest + data).split(b"\n")
        file.writelines(line + b"\n" for line in lines if not line.startswith(b"person 7 "))


def decide(entry):
    if "person 7" in entry.name:
        return Unchanged.REMOVED
    return leave_out_person_7 if entry.name.endswith(".jsonl") else Unchanged.KEPT


def test_a_rewritten_archive_has_the_bytes_of_one_of_a_data_root_without_the_person(root, tmp_path):
    archive = back_up(root, tmp_path / "back ups")
    assert rewrite_archive(archive, decide, HOW) == 2
    assert archive.stat().st_mode & 0o077 == 0
    flow, other = root / "Raw Data" / "flow.jsonl", root / "Raw Data" / "other.jsonl"
    status = flow.stat()
    flow.write_bytes(b"".join(line for line in flow.open("rb") if not line.startswith(b"person 7 ")))
    os.utime(flow, ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "report of person 7.html").unlink()
    assert archive.read_bytes() == back_up(root, tmp_path / "expected").read_bytes()
    assert other.read_bytes() == b"nobody\n"


def test_an_archive_in_which_nothing_changes_stays_as_it_is(root, tmp_path):
    archive = back_up(root, tmp_path)
    before = archive.stat()
    assert rewrite_archive(archive, lambda entry: Unchanged.KEPT, HOW) == 0
    assert archive.stat() == before
    assert not list(tmp_path.glob("*.partial"))


def test_a_damaged_archive_is_not_rewritten(root, tmp_path):
    archive = back_up(root, tmp_path)
    whole = archive.read_bytes()
    damaged = whole[: len(whole) // 2] + b"X" + whole[len(whole) // 2 + 1 :]
    archive.write_bytes(damaged)
    with pytest.raises(InputError):
        rewrite_archive(archive, decide, HOW)
    assert archive.read_bytes() == damaged
    assert not list(tmp_path.glob("*.partial"))


def test_an_encrypted_archive_is_not_rewritten(tmp_path):
    archive = tmp_path / (NAME + ".age")
    archive.write_bytes(b"age-encryption.org/v1\n")
    with pytest.raises(UsageError, match="is encrypted"):
        rewrite_archive(archive, decide, HOW)
    assert archive.read_bytes() == b"age-encryption.org/v1\n"


def test_the_next_backup_copies_nothing_from_a_rewritten_archive(root, tmp_path, caplog):
    archive = back_up(root, tmp_path)
    assert rewrite_archive(archive, decide, HOW) == 2
    run_id = "2026-11-23T020511Z-unknown"
    assert main(["backup-data-root", "--data-root", str(root), "--backups-dir", str(tmp_path), "--run-id", run_id]) == 0
    assert f"Every file is read: the last archive, {archive.name}, is not as it was written" in caplog.text
