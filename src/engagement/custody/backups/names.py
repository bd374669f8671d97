"""Archive names: each is named after its run, which also identifies old ones."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.foundation.run_report import RUN_ID

_ARCHIVE = re.compile(rf"data-(?P<run_id>{RUN_ID})\.tar\.gz")
_UNFINISHED = re.compile(rf"data-{RUN_ID}\.tar\.gz\.partial")


def archive_name(run_id: str) -> str:
    """Return the name of a run's archive."""
    return f"data-{run_id}.tar.gz"


def find_archives(directory: Path) -> list[Path]:
    """Find the archives in a directory, oldest first; files with other names are not ours."""
    return sorted(path for path in directory.iterdir() if _ARCHIVE.fullmatch(path.name) and _is_file(path))


def find_unfinished(directory: Path) -> list[Path]:
    """Find possible leftovers of killed backups in a directory."""
    return sorted(path for path in directory.iterdir() if _UNFINISHED.fullmatch(path.name) and _is_file(path))


def find_older_than(directory: Path, days: int, newest: Path, now: datetime) -> Iterator[Path]:
    """Find archives that are more than `days` days old by their names, but never the newest one."""
    for path in find_archives(directory):
        named = _ARCHIVE.fullmatch(path.name)
        if named is not None and path != newest and now - _time_of(named["time"]) > timedelta(days=days):
            yield path


def _time_of(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        # These digits are not a date, so the name is not ours and never old.
        return datetime.max.replace(tzinfo=UTC)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
