"""Stage 6: an archive holds all of the data root or does not exist. All data is invented."""

import datetime
import fcntl
import os
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

from backed_up_root import NAME, RUN_ID, back_up, contents, limit_files, restore, start


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


@pytest.mark.parametrize("target", ["loop", "../data root/other", "missing/../loop"])
def test_links_in_a_circle_are_archived_as_links(root, tmp_path, target):
    (root / "loop").symlink_to(target)
    (root / "other").symlink_to("loop")
    assert back_up(root, tmp_path) == 0
    assert restore(tmp_path / NAME, tmp_path / "restored") == 0
    assert contents(tmp_path / "restored") == contents(root)


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
