"""A person in archives of the data root on this machine.

A plain archive that has them is unpacked beside, emptied of them as the data root is, and written anew: the old one stays until the new one
was read back. The new one has their tombstone, so that a restored data root does not fetch them again. An encrypted archive can't be read
here: it is listed with the day on which it is let go.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from engagement.custody.backups.checksums import drop_checksum, note_checksum
from engagement.custody.backups.contents import scan
from engagement.custody.backups.keeping import choose_kept, noted_archives, noted_for_others
from engagement.custody.backups.last_archive import FOLDER, drop_list
from engagement.custody.backups.names import ENCRYPTED, find_archives, scratch_of, time_of
from engagement.custody.backups.restore import restore_archive
from engagement.custody.backups.unfinished import hold, remove_unfinished
from engagement.custody.backups.writing import HowToWrite, write_archive
from engagement.desk.held_data.coda_messages import find_coda_messages
from engagement.desk.held_data.copies import DERIVED, find_files_with
from engagement.desk.held_data.participants import find_uids_of
from engagement.desk.held_data.person import PersonSearch
from engagement.desk.held_data.table import PLACES
from engagement.foundation.errors import InputError, UsageError
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.foundation.scratch_folders import remove_scratch
from engagement.foundation.working_lock import hold_file
from engagement.sources.forgotten import ForgottenPeople, Tombstone, forgotten_folder

_SCRATCH = ".forgetting"
_LOCK = "forgetting.lock"
_THREADS = 2
# Shorter texts are found in files of other people, too.
_LEAST_TEXT = 5
# What these hold is compressed: a search of their bytes finds nobody.
_COMPRESSED = (".parquet", ".xlsx")
_DAYS_AHEAD = 3660
_OTHERS = (
    "somebody looks: not searched, as it is noted as another data root's, or this one's before it was moved. If it was moved, make "
    "archives here and remove those"
)


class ArchiveOutcome(NamedTuple):
    """What became of an archive: how much was removed, until when it stays, or why it is damaged."""

    name: str
    removed: int = 0
    until: str = ""
    problem: str = ""


def check_backups(folder: Path) -> None:
    """Refuse a folder of archives that is not there.

    Raises
    ------
    UsageError
        It is not there.
    """
    if not folder.is_dir():
        raise UsageError(
            f"--backups-dir {folder}: no such directory; expected the folder of the archives. Check the path."
        )


@contextlib.contextmanager
def hold_backups(folder: Path | None) -> Iterator[None]:
    """Let one command at a time look into a folder of archives.

    Data roots may share it, and each unpacks archives there.

    Raises
    ------
    LockedError
        Another one does.
    """
    if folder is None:
        yield
        return
    notes = make_directory(folder / FOLDER)
    notes.chmod(0o700)
    problem = (
        f"{folder}: somebody is being forgotten in these archives; expected one command at a time. Wait until it has ended, "
        "and run this again."
    )
    with hold_file(notes / _LOCK, problem):
        yield


def forget_in_archives(
    search: PersonSearch,
    backups: Path,
    now: datetime,
    forgotten: ForgottenPeople,
    person: Tombstone,
    note: Callable[[str, int], None],
) -> Iterator[ArchiveOutcome]:
    """Remove a person from archives of this data root; yield those that had or may have them.

    `note` is told the name of an archive, and how much it had, before it is replaced.
    Whoever is known here by their tombstone alone is found there by the uids that it has hashes of.
    """
    _remove_left_overs(search.data_root, backups)
    others = _others_in(search.data_root, backups)
    if others:
        more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
        yield ArchiveOutcome(f"{others[0]}{more}", until=_OTHERS)
    for archive in _archives_of(search.data_root, backups):
        if archive.name.endswith(ENCRYPTED):
            yield ArchiveOutcome(archive.name, until=_say_until(search, backups, archive, now))
            continue
        try:
            removed = _rewrite(search, archive, forgotten, person, note)
        except InputError as error:
            yield ArchiveOutcome(archive.name, until="somebody removes it: it is damaged", problem=str(error))
            continue
        if removed:
            yield ArchiveOutcome(archive.name, removed)


def is_in_archives(search: PersonSearch, backups: Path) -> bool:
    """Check if a plain archive of this data root has somebody, whom the data root itself may lack.

    Raises
    ------
    InputError
        An archive is damaged.
    """
    for archive in _archives_of(search.data_root, backups):
        if archive.name.endswith(ENCRYPTED):
            continue
        with _unpacked(archive) as data_root:
            there = PersonSearch(search.project, data_root, search.uids)
            if any(True for place in PLACES for _ in place.find(there)):
                return True
    return False


def _archives_of(data_root: Path, backups: Path) -> list[Path]:
    others = set(_others_in(data_root, backups))
    return [archive for archive in find_archives(backups) if archive.name not in others]


def _remove_left_overs(data_root: Path, backups: Path) -> None:
    """Remove what killed backups, drills and forgettings left beside the archives: it may hold anybody."""
    remove_unfinished(backups)
    for scratch in (scratch_of(backups, data_root), backups / _SCRATCH):
        remove_scratch(scratch)


def _others_in(data_root: Path, backups: Path) -> list[str]:
    return sorted(noted_for_others(backups, data_root))


@contextlib.contextmanager
def _unpacked(archive: Path) -> Iterator[Path]:
    """Unpack an archive beside itself, as long as it is needed."""
    scratch = archive.parent / _SCRATCH
    try:
        with explain_os_errors(scratch):
            # Of a run that was killed.
            shutil.rmtree(scratch, ignore_errors=True)
            make_directory(scratch).chmod(0o700)
        data_root = scratch / "data root"
        restore_archive(archive, data_root)
        yield data_root
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _rewrite(
    search: PersonSearch,
    archive: Path,
    forgotten: ForgottenPeople,
    person: Tombstone,
    note: Callable[[str, int], None],
) -> int:
    with _unpacked(archive) as data_root:
        uids = search.uids or find_uids_of(data_root, forgotten, person)
        removed = _empty(
            PersonSearch(search.project, data_root, uids), search.contacts, forgotten_folder(search.data_root)
        )
        if removed:
            note(archive.name, removed)
            # Killed in between, it has no notes rather than wrong ones.
            drop_checksum(archive)
            drop_list(archive.parent, search.data_root)
            how = HowToWrite(_THREADS, hold)
            written = write_archive(archive, data_root, scan(data_root)[0], None, how)
            note_checksum(archive, written.checksum)
    return removed


def _empty(search: PersonSearch, contacts: tuple[str, ...], forgotten: Path) -> int:
    """Empty an unpacked data root of a person; return how much there was."""
    found = [item for place in PLACES for item in place.find(search) if not item.stays]
    messages = [item.content for item in find_coda_messages(search) if not item.stays]
    texts = [str(one["Text"]) for one in messages if "Text" in one]
    names = [*search.uids, *contacts, *search.contacts, *(str(one["MessageID"]) for one in messages)]
    needles = [*names, *(text for text in texts if len(text) >= _LEAST_TEXT)]
    for place in PLACES:
        if place.remove is not None:
            place.remove(search)
    # Made again by the next run.
    derived = {name for name in find_files_with(search.data_root, needles) if name.startswith(DERIVED)}
    if found or derived:
        derived |= _compressed_in(search.data_root)
    with explain_os_errors(search.data_root):
        for name in sorted(derived):
            (search.data_root / name).unlink()
        removed = len(found) + len(derived)
        if removed:
            folder = make_directory(forgotten_folder(search.data_root))
            for name in ("tombstones.json", "secret.key"):
                shutil.copy2(forgotten / name, folder / name)
    return removed


def _compressed_in(data_root: Path) -> set[str]:
    paths = (path for ending in _COMPRESSED for path in data_root.rglob(f"*{ending}"))
    names = (path.relative_to(data_root).as_posix() for path in paths)
    return {name for name in names if name.startswith(DERIVED)}


def _say_until(search: PersonSearch, backups: Path, archive: Path, now: datetime) -> str:
    """Say until when an encrypted archive stays, if there is a new one every day from now on."""
    backup = search.project.configuration.backup
    keep = backup.keep if backup is not None else None
    if keep is None:
        return "somebody removes it: it is encrypted, and Backup has no 'Keep'"
    times = {path.name: time for path in noted_archives(backups, search.data_root) if (time := time_of(path))}
    if archive.name not in times:
        return "somebody removes it: it is encrypted, and not noted as of this data root"
    for days in range(1, _DAYS_AHEAD):
        times[f"new {days}"] = now + timedelta(days=days)
        kept = choose_kept(times, keep)
        if archive.name not in kept:
            return f"{(now + timedelta(days=days)).date()}, by 'Keep' of Backup: it is encrypted"
        times = {name: time for name, time in times.items() if name in kept}
    return "'Keep' of Backup lets it go: it is encrypted"
