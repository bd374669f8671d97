"""Stage 6 with Backup in the configuration: encrypted archives, and which archives stay. All data is invented."""

import io
import json
import os
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from engagement.__main__ import main

SOURCE = Path(__file__).resolve().parents[2] / "src"
DAY = datetime(2026, 11, 22, 2, 5, 11, tzinfo=UTC)


def run_id(time):
    return f"{time:%Y-%m-%dT%H%M%SZ}-unknown"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data root"
    (root / "Raw Data").mkdir(parents=True)
    (root / "Raw Data" / "flow.jsonl").write_bytes(os.urandom(300_000) + b"the very secret answer\n" * 100_000)
    return root


@pytest.fixture
def identity(tmp_path):
    """A key, in a file as age-keygen writes it."""
    found = pyrage.x25519.Identity.generate()
    path = tmp_path / "identity.txt"
    path.write_text(f"# created: 2026-11-22\n# public key: {found.to_public()}\n{found}\n")
    return path, str(found.to_public())


def configure(tmp_path, **backup):
    path = tmp_path / "pipeline_configuration.json"
    # The rest is broken: an archive is made none the less.
    path.write_text(json.dumps({"TimeZone": "Nowhere/At/All", "Backup": backup}))
    return path


def back_up(root, backups, configuration, *options, time=DAY):
    return main(
        ["backup-data-root", "--data-root", str(root), "--backups-dir", str(backups), "--run-id", run_id(time)]
        + ["--pipeline-configuration", str(configuration), *options]
    )


def restore(archive, directory, *options):
    return main(["backup-data-root", "--restore", str(archive), "--into", str(directory), *map(str, options)])


@pytest.fixture
def encrypted(root, tmp_path, identity):
    backups = tmp_path / "back ups"
    other = pyrage.x25519.Identity.generate().to_public()
    assert back_up(root, backups, configure(tmp_path, Encrypt=[str(other), identity[1]])) == 0
    return backups / f"data-{run_id(DAY)}.tar.gz.age"


def test_an_encrypted_archive_is_read_by_each_recipient_and_leaves_nothing_plain(root, tmp_path, identity, encrypted):
    assert sorted(path.name for path in encrypted.parent.iterdir()) == [".members", encrypted.name]
    noted = sorted(path.suffixes[-2:] for path in (encrypted.parent / ".members").iterdir())
    assert noted == [[".archives", ".json"], [".checksum", ".json"]]
    assert encrypted.stat().st_mode & 0o077 == 0
    assert encrypted.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert restore(encrypted, tmp_path / "restored", "--identity", identity[0]) == 0
    flow = Path("Raw Data", "flow.jsonl")
    assert (tmp_path / "restored" / flow).read_bytes() == (root / flow).read_bytes()


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_pieces_are_digested_only_where_the_next_archive_may_copy_them(root, tmp_path, identity, is_encrypted):
    settings = {"Encrypt": [identity[1]]} if is_encrypted else {}
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "engagement", "backup-data-root", "--data-root", str(root)]
        + ["--backups-dir", str(tmp_path / "back ups"), "--run-id", run_id(DAY)]
        + ["--pipeline-configuration", str(configure(tmp_path, **settings))],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        check=True,
    )
    assert (b"cryptography.hazmat" in process.stderr) != is_encrypted


def test_age_and_tar_read_an_encrypted_archive_without_this_project(root, identity, encrypted):
    key = pyrage.x25519.Identity.from_str(identity[0].read_text().split("\n")[2])
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(encrypted.read_bytes(), [key]))) as tar:
        assert tar.getnames() == ["Raw Data", "Raw Data/flow.jsonl", ".sha256sums"]
        assert tar.extractfile("Raw Data/flow.jsonl").read() == (root / "Raw Data" / "flow.jsonl").read_bytes()


def test_an_encrypted_archive_needs_the_right_identity(tmp_path, encrypted, capsys):
    assert restore(encrypted, tmp_path / "restored") == 2
    assert "is encrypted; expected --identity" in capsys.readouterr().err
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(str(pyrage.x25519.Identity.generate()))
    assert restore(encrypted, tmp_path / "restored", "--identity", wrong) == 11
    errors = capsys.readouterr().err
    assert f"{encrypted}: is not encrypted to the key in {wrong}" in errors
    assert "AGE-SECRET-KEY" not in errors
    wrong.write_text("AGE-SECRET-KEY-1WRONG")
    assert restore(encrypted, tmp_path / "restored", "--identity", wrong) == 2
    assert "AGE-SECRET-KEY-1WRONG" not in capsys.readouterr().err
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("share", [0, 1, 50, 99, 100])
def test_a_damaged_encrypted_archive_is_refused_and_leaves_nothing(tmp_path, identity, encrypted, share, capsys):
    whole = encrypted.read_bytes()
    place = min(len(whole) * share // 100, len(whole) - 1)
    for damaged in (whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], whole[:place], whole + b"more"):
        encrypted.write_bytes(damaged)
        assert restore(encrypted, tmp_path / "restored", "--identity", identity[0]) == 11
        assert f"ERROR: {encrypted}: " in capsys.readouterr().err
        assert not (tmp_path / "restored").exists()


def test_a_disk_that_fills_up_leaves_no_encrypted_archive(root, tmp_path, identity):
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000,) * 2); "
    program = limit + "from engagement.__main__ import main; sys.exit(main(sys.argv[1:]))"
    result = subprocess.run(
        [sys.executable, "-c", program, "backup-data-root", "--data-root", root, "--backups-dir", tmp_path / "back ups"]
        + ["--run-id", run_id(DAY), "--pipeline-configuration", configure(tmp_path, Encrypt=[identity[1]])],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, "could not be written" in result.stderr) == (14, True), result.stderr
    assert list((tmp_path / "back ups").iterdir()) == []


GOOD = str(pyrage.x25519.Identity.generate().to_public())


@pytest.mark.parametrize(
    ("backup", "place"),
    [
        ({"Encrypt": [GOOD, GOOD[:-1] + ("q" if GOOD[-1] != "q" else "p")]}, "$.Backup.Encrypt[1]"),
        ({"Encrypt": ["AGE-SECRET-KEY-1ABC"]}, "$.Backup.Encrypt[0]"),
        ({"Encrypt": GOOD}, "$.Backup.Encrypt"),
        ({"Keep": {}}, "$.Backup.Keep"),
        ({"Keep": {"Daily": 0}}, "$.Backup.Keep.Daily"),
        ({"Keep": {"Hourly": 3}}, "$.Backup.Keep.Hourly"),
    ],
)
def test_wrong_settings_stop_a_backup_before_anything_is_written(root, tmp_path, backup, place, capsys):
    """An archive that somebody wanted encrypted is never written plain."""
    assert back_up(root, tmp_path / "back ups", configure(tmp_path, **backup)) == 10
    assert f"at {place}" in capsys.readouterr().err
    assert not (tmp_path / "back ups").exists()


def days_left(backups):
    return sorted(path.name[5:15] for path in backups.glob("data-*"))


def test_the_last_archives_of_days_weeks_and_months_stay(root, tmp_path, caplog):
    (root / "Raw Data" / "flow.jsonl").write_text("invented")
    backups = tmp_path / "back ups"
    everything = configure(tmp_path)
    # Every third day, twice a day.
    for number in range(40, -1, -1):
        time = DAY - timedelta(days=3 * number)
        for moment in (time - timedelta(hours=1), time):
            assert back_up(root, backups, everything, time=moment) == 0
    assert len(days_left(backups)) == 82
    keep = configure(tmp_path, Keep={"Daily": 3, "Weekly": 3, "Monthly": 3})
    before = days_left(backups)
    caplog.set_level("INFO")
    assert back_up(root, backups, keep, "--dry-run", time=DAY + timedelta(hours=1)) == 0
    assert days_left(backups) == before
    named = [
        message.removeprefix("Would remove ") for message in caplog.messages if message.startswith("Would remove ")
    ]
    caplog.clear()
    assert back_up(root, backups, keep, time=DAY + timedelta(hours=1)) == 0
    assert named == [text.removeprefix("Removed ") for text in caplog.messages if text.startswith("Removed ")]
    # The days 22, 19, 16; the weeks of 16, 9 and 2 November, last archived on 22, 13 and 7; and the months.
    assert days_left(backups) == ["2026-09-29", "2026-10-29", "2026-11-07", "2026-11-13", "2026-11-16", "2026-11-19", "2026-11-22"]  # fmt: skip
    assert (backups / f"data-{run_id(DAY + timedelta(hours=1))}.tar.gz").exists()


def test_only_archives_that_are_known_to_be_the_data_roots_are_removed(root, tmp_path, caplog):
    caplog.set_level("INFO")
    backups, other = tmp_path / "back ups", tmp_path / "other root"
    other.mkdir()
    keep = configure(tmp_path, Keep={"Monthly": 1})
    old = DAY - timedelta(days=300)
    backups.mkdir()
    strangers = [
        f"data-{run_id(old - timedelta(days=1))}.tar.gz",
        "data-2020-99-99T000000Z-unknown.tar.gz",
        "notes.txt",
    ]
    for name in strangers:
        (backups / name).write_text("invented")
    assert back_up(other, backups, keep, time=old) == 0
    assert back_up(root, backups, keep, time=old + timedelta(days=1)) == 0
    assert back_up(root, backups, keep) == 0
    left = {path.name for path in backups.iterdir()} - {".members"}
    assert left == {*strangers, f"data-{run_id(old)}.tar.gz", f"data-{run_id(DAY)}.tar.gz"}
    assert f"data-{run_id(old + timedelta(days=1))}.tar.gz, which Backup.Keep does not keep" in caplog.text


def test_the_newest_archive_stays_even_if_the_clock_went_back(root, tmp_path):
    keep = configure(tmp_path, Keep={"Daily": 1})
    assert back_up(root, tmp_path / "back ups", keep) == 0
    assert back_up(root, tmp_path / "back ups", keep, time=DAY - timedelta(days=9)) == 0
    assert days_left(tmp_path / "back ups") == ["2026-11-13", "2026-11-22"]
