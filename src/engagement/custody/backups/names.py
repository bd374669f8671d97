"""Archives are named after the run that made them; by their names the old ones are known."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.foundation.run_report import RUN_ID

_ARCHIVE = re.compile(rf"data-(?P<run_id>{RUN_ID})\.tar\.gz")
_UNFINISHED = re.compile(rf"data-{RUN_ID}\.tar\.gz\.partial")


def archive_name(run_id: str) -> str:
    """The name of a run's archive."""
    return f"data-{run_id}.tar.gz"


def find_archives(directory: Path) -> list[Path]:
    """The archives in a directory, the oldest first; files of other names are none of ours."""
    return sorted(path for path in directory.iterdir() if _ARCHIVE.fullmatch(path.name) and _is_file(path))


def find_unfinished(directory: Path) -> list[Path]:
    """What backups that were killed may have left in a directory."""
    return sorted(path for path in directory.iterdir() if _UNFINISHED.fullmatch(path.name) and _is_file(path))


def find_older_than(directory: Path, days: int, newest: Path, now: datetime) -> Iterator[Path]:
    """The archives whose name says that they are more than `days` days old; never the newest one."""
    for path in find_archives(directory):
        named = _ARCHIVE.fullmatch(path.name)
        if named is not None and path != newest and now - _time_of(named["time"]) > timedelta(days=days):
            yield path


def _time_of(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        # Digits that are no date: not a name that we gave, so never old.
        return datetime.max.replace(tzinfo=UTC)


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
