"""Forgetting a person in the archives of a data root."""

import json
import random
import shutil

from engagement.custody.backups.archive import verify_archive
from engagement.custody.backups.checksums import compare_checksum
from engagement.custody.backups.last_archive import NothingToCopy, find_last_archive
from engagement.custody.backups.names import scratch_of
from engagement.custody.backups.restore import restore_archive
from engagement.custody.backups.unfinished import hold
from engagement.desk.held_data.archives import hold_backups
from engagement.pipeline.coding.coded_datasets import message_id_of
from engagement.sources.forgotten import read_forgotten
from faults import KILLED, NOW, Changes, in_server, limit_files, run_stage
from forgotten_person import (
    CONTACT,
    FIRST,
    MOMENTS,
    ONLY_THEIRS,
    PERSON,
    SECOND,
    THIRD,
    UID,
    forget,
    kept_bytes,
    rows_of,
    type_number,
    watch,
    what_is_left,
)


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


def forget_again(project):
    return forget(project, "--backups-dir", str(project.backups))


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
    remains = {one["Where"] for one in document["Remains"]}
    assert f"archive {encrypted.name}" in remains
    assert [where for where in remains if where.startswith("logs of runs, also at gs://")]
    again = in_server(forget_again, project)
    assert (again.status, "Forgotten already. Receipt: " in again.told) == (0, True), again.told


def found_of(project):
    """What the receipt says was found, but for Outputs/ and what is unfinished, of which a kill may leave more."""
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    return [one for one in json.loads(receipt.read_text())["Found"] if one["Place"] != "Left by killed or failed runs"]


def kill_in_archives(project):
    """Kill it before some of its changes; return the moments after which an archive was broken or anything was left."""
    kept = project.folder.parent / "archives"
    project.put_back("before")
    with_archives(project)
    project.keep("with archives")
    options = ("--backups-dir", str(project.backups))
    count = forget(project, *options, prepare=lambda: watch(Changes(project.folder))).changes
    undisturbed, counted = kept_bytes(project), found_of(project)
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
        is_same = kept_bytes(project) == undisturbed and rows_of(project) == {}
        # Also of the archive that had been rewritten before the kill.
        is_same = is_same and found_of(project) == counted
        if killed.status != KILLED or ended.status or found or what_is_left(project) or not is_same:
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


NUMBER = f"+252 61 500{PERSON:04}"


def names_in(archive, folder):
    """Name the files of an archive that hold the person."""
    restored = restore(archive, folder)
    needles = [UID.encode(), f'"{CONTACT}"'.encode(), ONLY_THEIRS.encode(), message_id_of(ONLY_THEIRS).encode()]
    files = [path for path in restored.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(needle in path.read_bytes() for needle in needles)]


def forget_late(project):
    """Forget them without archives, and ask for the archives later, when nothing but a tombstone tells of the number."""
    archive, _ = with_archives(project)
    first = forget(project)
    return archive, first, type_number(project, NUMBER, "--backups-dir", str(project.backups))


def test_archives_are_searched_when_the_number_alone_is_known(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, first, ended = in_server(forget_late, project)
    assert (first.status, ended.status) == (0, 0), first.told + ended.told
    assert f"Archive {archive.name}: rewritten: " in ended.told
    assert names_in(archive, tmp_path / "restored") == []


def forget_who_is_in_archives(project, uid):
    """Ask for somebody whom the data root has never had."""
    archive, encrypted = with_archives(project)
    encrypted.unlink()
    for name in ("Raw Data", "Contacts", "State", "Outputs", "Coded Coda Files"):
        shutil.rmtree(project.data_root / name)
    (project.embedded / "uuid_tables.sqlite").unlink()
    return archive, forget(project, "--backups-dir", str(project.backups), who=("--uid", uid))


def test_whoever_is_in_an_archive_alone_is_removed_from_it(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, ended = in_server(forget_who_is_in_archives, project, UID)
    assert ended.status == 0, ended.told
    assert "Nothing is held of this participant in the data root, but an archive has them.\n" in ended.told
    assert names_in(archive, tmp_path / "restored") == []


def test_whoever_is_in_no_archive_leaves_nothing_behind(seasons):
    project, *_ = seasons
    project.put_back("before")
    _, ended = in_server(forget_who_is_in_archives, project, "avf-phone-uuid-9999")
    assert (ended.status, ended.told) == (0, "Nothing is held of this participant.\n")
    assert not (project.data_root / "Forgotten").exists()
    assert not (project.backups / ".forgetting").exists()


def forget_in_derived_files(project):
    """Forget them where Outputs/ has files with ids of messages alone, and compressed ones."""
    outputs = project.data_root / "Outputs"
    for name in ("Suggestions/EXAMPLE_s01e01.csv", "Automated Analysis/shares.csv"):
        (outputs / name).parent.mkdir(exist_ok=True)
    (outputs / "Suggestions" / "EXAMPLE_s01e01.csv").write_text(f"Message ID,Why\n{message_id_of(ONLY_THEIRS)},odd\n")
    (outputs / "Automated Analysis" / "shares.csv").write_text("Code,Share\nwater,1\n")
    (outputs / "Automated Analysis" / "tables.xlsx").write_bytes(b"PK")
    (project.data_root / "State" / "analysis").mkdir(exist_ok=True)
    (project.data_root / "State" / "analysis" / "messages.parquet").write_bytes(b"PAR1")
    archive, _ = with_archives(project)
    return archive, forget(project, "--backups-dir", str(project.backups))


def test_an_archive_loses_outputs_with_ids_of_their_messages_and_compressed_ones(seasons, tmp_path):
    project, *_ = seasons
    project.put_back("before")
    archive, ended = in_server(forget_in_derived_files, project)
    assert ended.status == 0, ended.told
    assert names_in(archive, tmp_path / "restored") == []
    names = {path.name for path in (tmp_path / "restored").rglob("*")}
    assert "shares.csv" in names
    assert not {"EXAMPLE_s01e01.csv", "tables.xlsx", "messages.parquet"} & names


def forget_after_a_move(project):
    """Forget them in a data root that was moved: its archives are noted under its old place."""
    archive, encrypted = with_archives(project)
    encrypted.unlink()
    (note,) = (project.backups / ".members").glob("*.archives.json")
    note.rename(note.with_name(f"{'0' * 16}.archives.json"))
    return archive, forget(project, "--backups-dir", str(project.backups))


def test_archives_that_are_noted_as_of_another_place_are_told(seasons):
    project, *_ = seasons
    project.put_back("before")
    archive, ended = in_server(forget_after_a_move, project)
    assert ended.status == 0, ended.told
    assert f"Archive {archive.name}: stays until somebody looks: not searched, as it is noted as another" in ended.told
    (receipt,) = (project.data_root / "Forgotten" / "receipts").glob("*.json")
    assert f"archive {archive.name}" in {one["Where"] for one in json.loads(receipt.read_text())["Remains"]}


def leave_beside_archives(project):
    """Leave what a killed backup, a killed drill and a killed forgetting leave beside the archives."""
    archive, _ = with_archives(project)
    unfinished = archive.with_name(archive.name.replace(SECOND, THIRD) + ".partial")
    shutil.copy(archive, unfinished)
    held = archive.with_name(archive.name.replace(SECOND, FIRST) + ".partial")
    shutil.copy(archive, held)
    for folder in (scratch_of(project.backups, project.data_root), project.backups / ".forgetting"):
        shutil.copytree(project.data_root, folder / "data root")
    with held.open("rb") as file:
        # Another project's backup is at work.
        hold(file.fileno())
        ended = forget(project, "--backups-dir", str(project.backups))
    return archive, held, ended


def test_what_killed_backups_and_drills_left_beside_the_archives_goes_too(seasons):
    project, *_ = seasons
    project.put_back("before")
    archive, held, ended = in_server(leave_beside_archives, project)
    assert ended.status == 0, ended.told
    left = {path.name for path in project.backups.iterdir() if not path.name.endswith(".age")}
    assert left == {archive.name, held.name, ".members"}


def forget_while_another_does(project):
    """Forget while another data root's participant is forgotten in the same folder of archives; then once more."""
    archive, _ = with_archives(project)
    before = archive.read_bytes()
    with hold_backups(project.backups):
        found = [forget(project, "--backups-dir", str(project.backups), *options) for options in ((), ("--dry-run",))]
        is_same = archive.read_bytes() == before
        without = forget(project)
    return found, is_same, without, forget(project, "--backups-dir", str(project.backups))


def test_one_command_at_a_time_looks_into_a_folder_of_archives(seasons):
    project, *_ = seasons
    project.put_back("before")
    found, is_same, without, ended = in_server(forget_while_another_does, project)
    assert [one.status for one in found] == [4, 4]
    for one in found:
        assert (
            f"{project.backups}: somebody is being forgotten in these archives; expected one command at a time."
            in one.told
        )
    assert is_same
    assert without.status == 0, without.told
    assert ended.status == 0, ended.told
    assert "rewritten: " in ended.told
    assert what_is_left(project) == []
