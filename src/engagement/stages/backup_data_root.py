"""Archive the data root, or restore an archive.

Writes <data-backups-dir>/data-<run id>.tar.gz, which gets its name only after it has been read back and compared with the
data root. With --restore it verifies an archive and unpacks it into an empty directory. With --drill it proves that the newest one
can be restored.
"""

import argparse
import contextlib
import functools
import logging
import os
import re
import shutil
import stat
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.custody.backups.checksums import note_checksum
from engagement.custody.backups.contents import BackupEntry, scan
from engagement.custody.backups.encryption import encrypt_to
from engagement.custody.backups.keeping import find_superfluous, note_archive
from engagement.custody.backups.last_archive import (
    KeptMembers,
    LastArchive,
    NothingToCopy,
    find_last_archive,
    list_members,
)
from engagement.custody.backups.names import archive_name, find_older_than, scratch_of, time_of
from engagement.custody.backups.restore import restore_archive
from engagement.custody.backups.unfinished import hold, remove_unfinished
from engagement.custody.backups.writing import HowToWrite, write_archive
from engagement.foundation.errors import MachineError, UsageError, count_of
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.foundation.partitions import count_processors
from engagement.foundation.run_report import record_counts
from engagement.foundation.scratch_folders import remove_scratch

if TYPE_CHECKING:
    from engagement.configuration.backup import KeptArchives

log = logging.getLogger(__name__)

# Our files are text, which compresses to less than this share of its size.
_COMPRESSED_PART = 0.25
_MEBIBYTE = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this stage takes on its command line."""
    parser.add_argument("--data-root", type=Path, help="directory that holds all the pipeline's data")
    parser.add_argument("--backups-dir", type=Path, help="directory for the archives")
    parser.add_argument("--run-id", help="run that the archive is named after")
    parser.add_argument("--keep-days", type=_count, help="afterwards, remove archives that are older than this")
    parser.add_argument(
        "--pipeline-configuration", type=Path, help="whose Backup says who can read archives, and which stay"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say which archives would be removed, and change nothing"
    )
    parser.add_argument("--full", action="store_true", help="read every file, also those that did not change")
    parser.add_argument(
        "--drill", action="store_true", help="instead, restore the newest archive beside it, and compare the outputs"
    )
    parser.add_argument(
        "--allow-project-code", action="store_true", help="with --drill: run functions of the project's own"
    )
    parser.add_argument("--restore", type=Path, metavar="ARCHIVE", help="unpack this archive instead")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="secret key for an encrypted archive")
    parser.add_argument("--into", type=Path, metavar="DIRECTORY", help="where to unpack it: a new or empty directory")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def run(args: argparse.Namespace) -> None:
    """Restore an archive; or check, archive and remove old archives."""
    if args.restore is not None:
        if args.into is None:
            raise UsageError("backup-data-root: no --into; expected it with --restore. Give it.")
        members = restore_archive(args.restore, args.into, args.identity)
        log.info("Restored %d files, directories and links of %s into %s", members, args.restore.name, args.into)
        return
    if args.drill:
        _drill(args)
        return
    if args.data_root is None or args.backups_dir is None or not re.fullmatch(r"[A-Za-z0-9_.-]+", args.run_id or ""):
        raise UsageError(
            "backup-data-root: expected --data-root, --backups-dir, and a --run-id of letters, digits and . _ - only. "
            "Give them."
        )
    recipients, keep = _read_settings(args.pipeline_configuration)
    if not args.dry_run:
        _back_up(args.data_root, args.backups_dir, args.run_id, args.full, recipients)
    newest = args.backups_dir / archive_name(args.run_id, bool(recipients))
    if keep is not None:
        superfluous = find_superfluous(args.backups_dir, args.data_root, keep, newest, time_of(newest))
        why = "which Backup.Keep does not keep"
    elif args.keep_days is not None:
        superfluous = list(find_older_than(args.backups_dir, args.keep_days, newest, datetime.now(UTC)))
        why = f"which is more than {count_of(args.keep_days, 'day')} old"
    else:
        return
    _remove(superfluous, why, args.dry_run)


def _drill(args: argparse.Namespace) -> None:
    if args.data_root is None or args.backups_dir is None:
        raise UsageError("backup-data-root: expected --data-root and --backups-dir with --drill. Give them.")
    # It runs stage 3: most nights need not wait for the import.
    from engagement.stages.restore_drill import DrillRequest, run_drill

    places = (args.data_root, args.backups_dir, args.pipeline_configuration, args.identity)
    run_drill(DrillRequest(*places, args.allow_project_code))


def _read_settings(configuration: Path | None) -> tuple[Sequence[str], "KeptArchives | None"]:
    """Return who can read the archives, and which stay."""
    if configuration is None:
        return (), None
    # A project that asks for neither need not wait for the import.
    from engagement.configuration.backup import load_backup

    settings = load_backup(configuration)
    return settings.encrypt, settings.keep


def _back_up(data_root: Path, backups: Path, run_id: str, is_full: bool, recipients: Sequence[str]) -> None:
    archive = _expect_place(data_root, backups, archive_name(run_id, bool(recipients)))
    for path in remove_unfinished(backups):
        log.info("Removed %s, left over from a killed backup", path)
    if remove_scratch(scratch_of(backups, data_root)):
        log.info("Removed what a killed restore drill left in %s", backups)
    scanned_at = time.time_ns()
    entries, left_out = scan(data_root)
    for name in left_out:
        log.warning("%s is not a file, directory or link; left out", data_root / name)
    _warn_of_links(data_root, entries)
    size = sum(entry.size for entry in entries)
    _expect_room(backups, size)
    if recipients:
        last: LastArchive | NothingToCopy = NothingToCopy("an encrypted archive has nothing to copy")
    else:
        last = NothingToCopy("--full") if is_full else find_last_archive(backups, data_root)
    if isinstance(last, NothingToCopy):
        log.log(logging.WARNING if last.is_odd else logging.INFO, "Every file is read: %s", last.reason)
    earlier = last if isinstance(last, LastArchive) else None
    wrap = functools.partial(encrypt_to, recipients) if recipients else contextlib.nullcontext
    how = HowToWrite(count_processors(), hold, wrap, is_listed=not recipients)
    written = write_archive(archive, data_root, entries, earlier, how)
    copied = sum(entry.is_copied for entry in written.entries)
    try:
        note_archive(archive, data_root)
        note_checksum(archive, written.checksum)
        if written.digests is not None:
            files = {found.entry.name: KeptMembers(found.entry, found.place, found.digest) for found in written.entries}
            copies = 0 if earlier is None or written.is_full else earlier.copies + 1
            list_members(LastArchive(archive, files, copies, written.digests), data_root, scanned_at)
    except MachineError as error:
        # The archive is complete; only the next one takes longer.
        log.warning("%s", error)
    count = sum(entry.kind == stat.S_IFREG for entry in entries)
    archived = archive.stat().st_size
    log.info(
        "Archived %s of %.1f MiB in %s: %.1f MiB; %d of them unchanged, copied from the last archive%s",
        count_of(count, "file"),
        size / _MEBIBYTE,
        archive,
        archived / _MEBIBYTE,
        copied,
        f", as were {count_of(written.copied_pieces, 'piece')} of others" if written.copied_pieces else "",
    )
    record_counts({"files": count, "copied_files": copied, "archive_bytes": archived})


def _expect_place(data_root: Path, backups: Path, name: str) -> Path:
    """Return where the archive goes; create the directory."""
    if not data_root.is_dir():
        raise UsageError(f"{data_root}: no such directory; expected the data root. Check the path.")
    if backups.resolve().is_relative_to(data_root.resolve()):
        raise UsageError(
            f"{backups}: lies in the data root {data_root}; expected a directory outside of it. Choose another one."
        )
    make_directory(backups)
    archive = backups / name
    if archive.exists():
        raise UsageError(f"{archive}: is there already; expected a new run id. Choose another one.")
    return archive


def _warn_of_links(data_root: Path, entries: Sequence[BackupEntry]) -> None:
    links = [entry for entry in entries if entry.kind == stat.S_IFLNK]
    # Unlike Path.resolve, this bears links in a circle.
    root = Path(os.path.realpath(data_root))
    targets = {entry.name: Path(os.path.realpath(root / entry.name)) for entry in links}
    outside = [name for name, target in targets.items() if not target.is_relative_to(root)]
    if outside:
        log.warning(
            "%d link(s) lead out of the data root: %s; kept as links, what they lead to is not in the archive",
            len(outside),
            ", ".join(map(repr, outside[:10])),
        )


def _expect_room(backups: Path, size: int) -> None:
    free, needed = shutil.disk_usage(backups).free, int(size * _COMPRESSED_PART)
    if free < needed:
        raise MachineError(
            f"{backups}: {free / _MEBIBYTE:.1f} MiB are free; expected about {needed / _MEBIBYTE:.1f} MiB for the archive. "
            "Nothing was written. Free some space, or remove old archives with --keep-days."
        )


def _remove(archives: Sequence[Path], why: str, is_dry_run: bool) -> None:
    for path in archives:
        if is_dry_run:
            log.info("Would remove %s, %s", path, why)
            continue
        with explain_os_errors(path):
            path.unlink()
        log.info("Removed %s, %s", path, why)
