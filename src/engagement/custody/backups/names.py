"""Archive names: each is named after its run, which also identifies old ones."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from engagement.foundation.run_report import RUN_ID, time_of_run

_ARCHIVE = re.compile(rf"data-(?P<run_id>{RUN_ID})\.tar\.gz(?:\.age)?")
# age's own ending.
ENCRYPTED = ".age"
_UNFINISHED = re.compile(rf"data-{RUN_ID}\.tar\.gz(?:\.age)?\.partial")


def archive_name(run_id: str, is_encrypted: bool = False) -> str:
    """Return the name of a run's archive."""
    return f"data-{run_id}.tar.gz{ENCRYPTED if is_encrypted else ''}"


def find_archives(directory: Path) -> list[Path]:
    """Find the archives in a directory, oldest first; files with other names are not ours."""
    paths = directory.iterdir() if directory.is_dir() else ()
    return sorted(path for path in paths if _ARCHIVE.fullmatch(path.name) and _is_file(path))


def find_unfinished(directory: Path) -> list[Path]:
    """Find possible leftovers of killed backups in a directory."""
    return sorted(path for path in directory.iterdir() if _UNFINISHED.fullmatch(path.name) and _is_file(path))


def find_older_than(directory: Path, days: int, newest: Path, now: datetime) -> Iterator[Path]:
    """Find archives that are more than `days` days old by their names, but never the newest one."""
    for path in find_archives(directory):
        made_at = time_of(path)
        if made_at is not None and path != newest and now - made_at > timedelta(days=days):
            yield path


def time_of(archive: Path) -> datetime | None:
    """Return the time in an archive's name; None if it is not one of our names."""
    named = _ARCHIVE.fullmatch(archive.name)
    return time_of_run(named["run_id"]) if named else None


def key_of(data_root: Path) -> str:
    """Return what tells a data root's files beside the archives from those of others."""
    return hashlib.sha256(str(data_root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def scratch_of(backups: Path, data_root: Path) -> Path:
    """Return the folder of a data root's restore drill, beside the archives."""
    return backups / f".drill-{key_of(data_root)}"


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
