"""Which archives stay: the last of each of the newest days, weeks and months.

Archives of several data roots may share a directory, and their names look alike. So the names of each data root's archives are
noted there, and an archive that is not noted always stays.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engagement.custody.backups.last_archive import notes_path
from engagement.custody.backups.names import find_archives, time_of
from engagement.foundation.errors import PipelineError
from engagement.foundation.files import make_directory, read_json, write_json

if TYPE_CHECKING:
    from engagement.configuration.backup import KeptArchives

_ENDING = ".archives.json"


def note_archive(archive: Path, data_root: Path) -> None:
    """Note that an archive is the data root's."""
    path = notes_path(archive.parent, data_root, _ENDING)
    make_directory(path.parent).chmod(0o700)
    write_json(path, sorted({archive.name, *_noted(archive.parent, data_root)}))


def find_superfluous(
    backups: Path, data_root: Path, keep: "KeptArchives", newest: Path, newest_at: datetime | None
) -> list[Path]:
    """Find the data root's archives that need not stay, oldest first.

    `newest` is the archive that was made just now, or will be; it stays, and so does the one with the newest name.
    """
    made_at = {path: time for path in find_own_archives(backups, data_root) if (time := time_of(path))}
    if newest_at is not None:
        made_at[newest] = newest_at
    kept = {newest, *choose_kept(made_at, keep)}
    return [path for path in sorted(made_at, key=lambda path: (made_at[path], path.name)) if path not in kept]


def choose_kept[Name: (Path, str)](made_at: Mapping[Name, datetime], keep: "KeptArchives") -> set[Name]:
    """Choose the archives that stay: the newest, and the last of each day, week and month that counts."""
    newest_first = sorted(made_at, key=lambda name: (made_at[name], Path(name).name), reverse=True)
    kept = set(newest_first[:1])
    rules: tuple[tuple[int | None, Callable[[datetime], object]], ...] = (
        (keep.daily, lambda time: time.date()),
        (keep.weekly, lambda time: time.isocalendar()[:2]),
        (keep.monthly, lambda time: (time.year, time.month)),
    )
    for count, span_of in rules:
        last_of: dict[object, Name] = {}
        for name in newest_first:
            last_of.setdefault(span_of(made_at[name]), name)
        kept.update(list(last_of.values())[: count or 0])
    return kept


def noted_archives(backups: Path, data_root: Path) -> list[Path]:
    """List the archives that are noted as the data root's."""
    return [backups / name for name in sorted(_noted(backups, data_root))]


def noted_for_others(backups: Path, data_root: Path) -> set[str]:
    """Name the archives that are noted as another data root's, and not as this one's."""
    own = notes_path(backups, data_root, _ENDING)
    others = [path for path in own.parent.glob(f"*{_ENDING}") if path != own]
    return {name for path in others for name in _read_notes(path, backups)} - set(_noted(backups, data_root))


def find_own_archives(backups: Path, data_root: Path) -> list[Path]:
    """Find the archives that are noted as the data root's, oldest first by the times in their names."""
    noted = _noted(backups, data_root)
    return [path for path in find_archives(backups) if path.name in noted]


def _noted(backups: Path, data_root: Path) -> Iterable[str]:
    """Return the names of the data root's archives that still exist; none if the note is gone or damaged."""
    return _read_notes(notes_path(backups, data_root, _ENDING), backups)


def _read_notes(path: Path, backups: Path) -> set[str]:
    try:
        names = read_json(path) if path.exists() else []
    except PipelineError:
        return set()
    return (
        {name for name in names if isinstance(name, str) and (backups / Path(name).name).exists()}
        if isinstance(names, list)
        else set()
    )
