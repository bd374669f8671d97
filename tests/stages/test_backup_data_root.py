"""Stage 6: an archive holds all of the data root or does not exist, and comes back byte for byte. All data is invented."""

import datetime
import fcntl
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from engagement.__main__ import main

SOURCE = Path(__file__).resolve().parents[2] / "src"
RUN_ID = "2026-11-22T020511Z-" + "ab" * 20
NAME = f"data-{RUN_ID}.tar.gz"


@pytest.fixture
def root(tmp_path):
    """A data root in a folder with a space in its name, with all that may lie in one."""
    root = tmp_path / "data root"
    for name in ("Raw Data/s01e01.jsonl", "State/fetch/watermarks.json", "Outputs/Automated Analysis/graph.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(100_000) + b"invented answer\n" * 1000)
    # More than one block of the compression.
    (root / "Outputs" / "messages.csv").write_bytes(b"invented answer\n" * 300_000)
    (root / "Raw Data" / ("long " * 40 + ".jsonl")).write_bytes(b"")
    (root / "Raw Data" / "çağrı – ሰላም.jsonl").write_bytes(b"invented")
    (root / "Raw Data" / "two\nlines\\.jsonl").write_bytes(b"invented")
    (root / os.fsdecode(b"latin-\xe9.csv")).write_bytes(b"invented")
    (root / "Runs").mkdir(mode=0o700)
    (root / "Raw Data" / "çağrı – ሰላም.jsonl").chmod(0o640)
    os.link(root / "Raw Data" / "s01e01.jsonl", root / "State" / "same file.jsonl")
    return root


def back_up(root, backups, *options, run_id=RUN_ID):
    return main(
        ["backup-data-root", "--data-root", str(root), "--backups-dir", str(backups), "--run-id", run_id, *options]
    )


def restore(archive, directory):
    return main(["backup-data-root", "--restore", str(archive), "--into", str(directory)])


def contents(directory):
    """All that a restored data root is compared by."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if path.is_symlink():
            found[path.relative_to(directory)] = path.readlink()
        elif path.is_dir():
            found[path.relative_to(directory)] = mode
        else:
            found[path.relative_to(directory)] = (mode, status.st_mtime, path.read_bytes())
    return found


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "engagement", "backup-data-root", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


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


def test_tar_and_sha256sum_read_an_archive_without_this_project(root, tmp_path):
    assert back_up(root, tmp_path) == 0
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "-C", unpacked, "-xzf", tmp_path / NAME], check=True)
    checked = subprocess.run(["sha256sum", "--check", "--strict", ".sha256sums"], cwd=unpacked, capture_output=True)
    assert checked.returncode == 0
    assert checked.stdout.count(b": OK") == 9
    (unpacked / ".sha256sums").unlink()
    files = {name: kept[2] for name, kept in contents(root).items() if isinstance(kept, tuple)}
    assert {name: kept[2] for name, kept in contents(unpacked).items() if isinstance(kept, tuple)} == files


def test_locks_and_unfinished_files_stay_out(root, tmp_path):
    before = contents(root)
    for name in (".lock", "Raw Data/s01e02.jsonl.partial", ".sha256sums"):
        (root / name).write_text("invented")
    (root / "Outputs.partial").mkdir()
    (root / ".restoring").mkdir()
    assert back_up(root, tmp_path) == 0
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    assert contents(tmp_path / "restored") == before


def test_links_are_kept_as_links_and_what_leads_out_is_told(root, tmp_path, caplog):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.txt").write_text("secret")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "inside").symlink_to("Raw Data/s01e01.jsonl")
    (root / "loop").symlink_to(".")
    (root / "nowhere").symlink_to("missing")
    os.mkfifo(root / "pipe")
    assert back_up(root, tmp_path) == 0
    assert "1 link(s) lead out of the data root: 'out'; kept as links" in caplog.text
    assert f"{root / 'pipe'} is not a file, directory or link; left out" in caplog.text
    with tarfile.open(tmp_path / NAME) as tar:
        assert not any("secret" in name for name in tar.getnames())
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    (root / "pipe").unlink()
    assert contents(tmp_path / "restored") == contents(root)


def test_an_empty_data_root_can_be_archived(tmp_path):
    (tmp_path / "root").mkdir()
    assert back_up(tmp_path / "root", tmp_path) == 0
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    assert list((tmp_path / "restored").iterdir()) == []


def test_a_place_in_the_data_root_is_refused_also_through_a_link(root, tmp_path, capsys):
    (tmp_path / "link").symlink_to(root / "State")
    for backups in (root, root / "new" / "back ups", tmp_path / "link", tmp_path / "link" / "new"):
        assert back_up(root, backups) == 2
        assert "lies in the data root" in capsys.readouterr().err
    assert not list(root.rglob("data-*"))


@pytest.mark.parametrize("run_id", ["", "../elsewhere", "a/b", "12:00", "a b"])
def test_a_run_id_that_makes_no_name_is_refused(root, tmp_path, run_id, capsys):
    assert back_up(root, tmp_path / "back ups", run_id=run_id) == 2
    assert "--run-id" in capsys.readouterr().err
    assert not (tmp_path / "back ups").exists()


def test_an_archive_is_never_written_over(root, tmp_path, capsys):
    (tmp_path / NAME).write_text("an earlier one")
    assert back_up(root, tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / NAME).read_text() == "an earlier one"


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


@pytest.mark.parametrize("target", ["loop", "../data root/other", "missing/../loop"])
def test_links_in_a_circle_are_archived_as_links(root, tmp_path, target):
    (root / "loop").symlink_to(target)
    (root / "other").symlink_to("loop")
    assert back_up(root, tmp_path) == 0
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    assert contents(tmp_path / "restored") == contents(root)


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


def test_old_archives_are_removed_only_when_asked_for_and_by_their_names(root, tmp_path):
    now = datetime.datetime.now(datetime.UTC)
    names = {}
    for days in (1, 29, 31, 400):
        time_of_run = (now - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H%M%SZ")
        names[days] = f"data-{time_of_run}-{'cd' * 20}.tar.gz"
    others = [
        "data-2020-01-01.tar.gz",
        "my data-2020-01-01T000000Z-unknown.tar.gz",
        "data-2020-99-99T000000Z-unknown.tar.gz",
    ]
    others += ["data-2020-01-01T000000Z-unknown.tar.gz.sig", "notes.txt"]
    for name in (*names.values(), *others):
        (tmp_path / name).write_text("invented")
    kept = {path.name for path in tmp_path.iterdir()}
    assert back_up(root, tmp_path, run_id="2019-01-01T000000Z-unknown") == 0
    assert kept < {path.name for path in tmp_path.iterdir()}
    # The one that was just made is kept, whatever its name says.
    assert back_up(root, tmp_path, "--keep-days", "30", run_id="2019-01-02T000000Z-unknown") == 0
    left = {path.name for path in tmp_path.iterdir()} - {".members"}
    assert left == kept - {names[31], names[400]} | {"data-2019-01-02T000000Z-unknown.tar.gz"}


def test_what_killed_backups_left_is_removed_and_what_others_write_is_not(root, tmp_path):
    left, held = (tmp_path / f"data-2026-01-0{day}T000000Z-unknown.tar.gz.partial" for day in (1, 2))
    for path in (left, held):
        path.write_text("invented")
    with held.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert back_up(root, tmp_path) == 0
    assert not left.exists()
    assert held.exists()


def test_no_room_is_told_before_anything_is_written(root, tmp_path, capsys, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert back_up(root, tmp_path / "back ups") == 14
    assert "1.0 MiB are free; expected about 1.3 MiB for the archive. Nothing was written." in capsys.readouterr().err
    assert list((tmp_path / "back ups").iterdir()) == []


def limit_files(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_disk_that_fills_up_leaves_no_archive(root, tmp_path):
    process = start(
        *["--data-root", root, "--backups-dir", tmp_path / "back ups", "--run-id", RUN_ID],
        preexec_fn=limit_files(150_000),
    )
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 14, errors
    assert "could not be written" in errors
    assert "Traceback" not in errors
    assert list((tmp_path / "back ups").iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing_of_a_restored_data_root(root, tmp_path):
    assert back_up(root, tmp_path) == 0
    process = start("--restore", tmp_path / NAME, "--into", tmp_path / "restored", preexec_fn=limit_files(150_000))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 14, errors
    assert not (tmp_path / "restored").exists()


def test_a_data_root_that_changes_meanwhile_gives_no_archive(root, tmp_path, capsys):
    """Something that does not respect the lock writes all the time."""
    log = root / "State" / "growing.log"
    log.write_text("invented")
    writer = subprocess.Popen(["bash", "-c", 'while :; do echo invented >>"$0"; done', log])
    try:
        assert back_up(root, tmp_path / "back ups") == 11
    finally:
        writer.kill()
        writer.wait()
    assert "changed during the backup" in capsys.readouterr().err
    assert list((tmp_path / "back ups").iterdir()) == []


@pytest.mark.parametrize("milliseconds", [0, 10, 30, 60, 100, 200])
def test_a_backup_killed_at_any_moment_leaves_whole_archives_only(root, tmp_path, milliseconds):
    backups = tmp_path / "back ups"
    backups.mkdir()
    process = start("--data-root", root, "--backups-dir", backups, "--run-id", RUN_ID)
    deadline = time.monotonic() + 20
    # Counted from when the stage begins to write.
    while not list(backups.iterdir()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    if (backups / NAME).exists():
        assert restore(backups / NAME, tmp_path / "restored") == 0
        assert contents(tmp_path / "restored") == contents(root)
    # The next night's backup is whole, and clears up.
    assert back_up(root, backups, run_id="2026-11-23T020511Z-unknown") == 0
    assert not list(backups.glob("*.partial"))


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
