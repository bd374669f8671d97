"""Stage 6: an archive comes back byte for byte, or is refused and leaves nothing. All data is invented."""

import os
import signal
import stat
import tarfile
import time

import pytest

from backed_up_root import NAME, back_up, contents, limit_files, restore, start


def test_what_is_restored_is_the_data_root_byte_for_byte(root, tmp_path, caplog):
    caplog.set_level("INFO")
    before = contents(root)
    assert back_up(root, tmp_path / "back ups") == 0
    archive = tmp_path / "back ups" / NAME
    assert sorted(path.name for path in archive.parent.iterdir()) == [".members", NAME]
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert restore(archive, tmp_path / "restored root") == 0
    assert contents(tmp_path / "restored root") == contents(root) == before
    assert f"Archived 9 files of 5.0 MiB in {archive}: " in caplog.text
    # A data root that was restored is one that can be archived.
    assert back_up(tmp_path / "restored root", tmp_path / "again") == 0
    assert (tmp_path / "again" / NAME).read_bytes() == archive.read_bytes()


def test_the_disk_begins_with_each_part_of_an_archive_once_while_it_is_made(root, tmp_path, monkeypatch):
    (root / "Raw Data" / "big.jsonl").write_bytes(os.urandom(20_000_000))
    begun, real = [], os.posix_fadvise

    def notice(descriptor, start, *others):
        begun.append(start)
        return real(descriptor, start, *others)

    monkeypatch.setattr(os, "posix_fadvise", notice)
    assert back_up(root, tmp_path / "backups") == 0
    # What comes after the last one is written at the end.
    assert (len(begun), begun[0]) == (2, 0)
    assert begun[1] > 8_000_000
    assert restore(tmp_path / "backups" / NAME, tmp_path / "restored") == 0
    assert contents(tmp_path / "restored") == contents(root)


def test_a_directory_that_holds_something_is_not_restored_into(root, tmp_path, capsys):
    assert back_up(root, tmp_path) == 0
    before = contents(root)
    assert restore(tmp_path / NAME, root) == 2
    assert "expected an empty directory, or none" in capsys.readouterr().err
    assert contents(root) == before
    assert restore(tmp_path / "missing.tar.gz", tmp_path / "restored") == 2


def damage(archive, how):
    whole = archive.read_bytes()
    if how == "cut":
        archive.write_bytes(whole[: len(whole) // 2])
    elif how == "without end":
        archive.write_bytes(whole[:-1])
    elif how == "empty":
        archive.write_bytes(b"")
    elif how == "something else":
        archive.write_bytes(b"PK\3\4 this is no archive" * 100)
    elif how == "continued":
        archive.write_bytes(whole + b"more")
    elif how == "foreign":
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(__file__, "test.py")
    elif how == "cut between members":
        # The compression is whole, what is in it is not.
        import gzip

        archive.write_bytes(gzip.compress(gzip.decompress(whole)[:102_400]))
    else:
        place = len(whole) * int(how) // 100
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])


@pytest.mark.parametrize(
    "how",
    [
        "cut",
        "without end",
        "empty",
        "something else",
        "continued",
        "foreign",
        "cut between members",
        "10",
        "50",
        "90",
        "99",
    ],
)
def test_a_damaged_archive_is_refused_and_leaves_nothing(root, tmp_path, how, capsys):
    assert back_up(root, tmp_path) == 0
    damage(tmp_path / NAME, how)
    assert restore(tmp_path / NAME, tmp_path / "restored") == 11
    assert f"ERROR: {tmp_path / NAME}: " in capsys.readouterr().err
    assert not (tmp_path / "restored").exists()
    # One that was there stays, and so do its parents.
    (tmp_path / "mine").mkdir()
    assert restore(tmp_path / NAME, tmp_path / "mine" / "new" / "restored") == 11
    assert list((tmp_path / "mine").iterdir()) == []
    assert restore(tmp_path / NAME, tmp_path / "mine") == 11
    assert list((tmp_path / "mine").iterdir()) == []


def test_an_archive_gives_nobody_else_rights_and_nothing_that_its_owner_can_not_use(root, tmp_path):
    file, folder = root / "Outputs" / "messages.csv", root / "Outputs"
    file.chmod(0o6777)
    folder.chmod(0o3777)
    assert back_up(root, tmp_path) == 0
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    assert stat.S_IMODE((tmp_path / "restored" / "Outputs" / "messages.csv").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "restored" / "Outputs").stat().st_mode) == 0o755
    file.chmod(0o000)
    assert back_up(root, tmp_path / "second") in (0, 14)
    if (tmp_path / "second" / NAME).exists():  # root may read everything
        assert restore(tmp_path / "second" / NAME, tmp_path / "again") == 0
        assert stat.S_IMODE((tmp_path / "again" / "Outputs" / "messages.csv").stat().st_mode) == 0o600


def make_archive(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            tar.addfile(member)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("/etc/evil", tarfile.REGTYPE),
        ("../evil", tarfile.REGTYPE),
        ("a/../../evil", tarfile.DIRTYPE),
        ("d", tarfile.CHRTYPE),
    ],
)
def test_an_archive_that_reaches_out_of_the_directory_is_refused(tmp_path, name, kind):
    member = tarfile.TarInfo(name)
    member.type = kind
    make_archive(tmp_path / NAME, member)
    assert restore(tmp_path / NAME, tmp_path / "restored") == 11
    assert not (tmp_path / "evil").exists()


def test_nothing_is_written_through_a_link_of_the_archive(tmp_path):
    link, file = tarfile.TarInfo("out"), tarfile.TarInfo("out/evil")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    make_archive(tmp_path / NAME, link, file)
    assert restore(tmp_path / NAME, tmp_path / "restored") in (11, 14)
    assert not (tmp_path / "evil").exists()


def test_a_disk_that_fills_up_leaves_nothing_of_a_restored_data_root(root, tmp_path):
    assert back_up(root, tmp_path) == 0
    process = start("--restore", tmp_path / NAME, "--into", tmp_path / "restored", preexec_fn=limit_files(150_000))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 14, errors
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("milliseconds", [0, 10, 50])
def test_a_restore_killed_at_any_moment_is_seen_as_unfinished(root, tmp_path, milliseconds):
    assert back_up(root, tmp_path) == 0
    restored = tmp_path / "restored"
    process = start("--restore", tmp_path / NAME, "--into", restored)
    deadline = time.monotonic() + 20
    while not (restored / ".restoring").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    if (restored / ".restoring").exists() and len(list(restored.iterdir())) == 1:
        assert restore(tmp_path / NAME, restored) == 0
    assert (restored / ".restoring").exists() or contents(restored) == contents(root)
