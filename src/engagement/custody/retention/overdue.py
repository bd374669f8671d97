"""Find what is older than the configuration keeps, by the times in names.

Only files that are surely this data root's: several may share the folders for archives and logs. The newest of each kind always stays,
and so does what belongs to the newest run that succeeded.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engagement.configuration.retention import Retention
from engagement.custody.backups.keeping import find_own_archives, noted_for_others
from engagement.custody.backups.names import find_archives, time_of
from engagement.custody.retention.run_records import RunRecords, find_unneeded_inputs, read_manifests, read_records
from engagement.foundation.errors import count_of
from engagement.foundation.run_report import time_of_run

# In the order in which they are removed: a run's record says whose its log is, and a manifest which inputs are needed.
ARCHIVE, LOG, PROFILE, RECORD, MANIFEST, KEPT_INPUT = (
    "archive", "log", "memory profile", "run record", "manifest", "kept configuration or scheme",
)  # fmt: skip
_PER_RUN = (
    (LOG, re.compile(r"(.+)\.log")),
    (PROFILE, re.compile(r"memory-(.+)\.profile(?:\.partial)?")),
)
# So few may well be all there is.
_FEW = 2


@dataclass(frozen=True)
class RetentionPlaces:
    """Where a data root's data, archives and logs lie; the folders need not exist."""

    data_root: Path
    backups: Path
    logs: Path


@dataclass(frozen=True)
class OverdueFile:
    """A file that is over age; `at` is the time in its name, if it has one."""

    kind: str
    path: Path
    at: datetime | None


@dataclass
class Overdue:
    """What is over age, in the order in which it is removed.

    `stays` says what is over age, and why it stays all the same. `doubts`: kinds of which all but the newest file would go,
    though there is no earlier run that is younger either; `runs` are the times of those before the newest. `oldest` are the times of
    the oldest that go next, by kind.
    """

    runs: list[datetime] = field(default_factory=list)
    files: list[OverdueFile] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    oldest: dict[str, datetime] = field(default_factory=dict)

    def add(self, kind: str, times: Mapping[Path, datetime], kept: Iterable[Path], limit: datetime) -> list[Path]:
        """Add the files of one kind that are older than `limit`, but for those to keep; return those."""
        newest = max(times, key=lambda path: (times[path], path.name), default=None)
        staying = {*kept, newest}
        found = sorted(
            (path for path, time in times.items() if time < limit and path not in staying),
            key=lambda path: (times[path], path.name),
        )
        self.files += [OverdueFile(kind, path, times[path]) for path in found]
        next_ones = [time for path, time in times.items() if time >= limit and path not in staying]
        if next_ones:
            self.oldest[kind] = min(next_ones)
        young = [time for time in (*(times[path] for path in times if path != newest), *self.runs) if time >= limit]
        if len(found) > _FEW and not young:
            self.doubts.append(f"{count_of(len(found), kind)}, all but the newest one")
        return found


def find_overdue(places: RetentionPlaces, retention: Retention, now: datetime, archive_comes: bool = False) -> Overdue:
    """Find everything that is over age; `archive_comes`: as if a new archive were there."""
    records = read_records(places.data_root)
    overdue = Overdue(sorted(records.times.values())[:-1])
    if retention.archives is not None:
        _add_archives(overdue, places, retention.archives.before(now), now if archive_comes else None)
    if retention.logs is not None:
        _add_logs(overdue, places, records, retention.logs.before(now))
    if retention.runs is not None:
        _add_runs(overdue, places, records, retention.runs.before(now))
    return overdue


def _add_archives(overdue: Overdue, places: RetentionPlaces, limit: datetime, coming: datetime | None) -> None:
    own = {path: at for path in find_own_archives(places.backups, places.data_root) if (at := time_of(path))}
    if coming is not None:
        # Of those that are there none is the newest then.
        own[places.backups / "the coming one"] = coming
    overdue.add(ARCHIVE, own, (), limit)
    others = noted_for_others(places.backups, places.data_root)
    unknown = [
        path
        for path in find_archives(places.backups)
        if path not in own and path.name not in others and (at := time_of(path)) is not None and at < limit
    ]
    if unknown:
        overdue.stays.append(
            f"{count_of(len(unknown), 'archive')} in {places.backups}, from {unknown[0].name} on: nobody noted whose. Remove what "
            "you don't need by hand"
        )


def _add_logs(overdue: Overdue, places: RetentionPlaces, records: RunRecords, limit: datetime) -> None:
    paths = sorted(places.logs.iterdir()) if places.logs.is_dir() else []
    unknown: list[Path] = []
    for kind, name in _PER_RUN:
        times: dict[Path, datetime] = {}
        kept = []
        for path in paths:
            run_id = found[1] if (found := name.fullmatch(path.name)) else ""
            at = time_of_run(run_id)
            if at is None or path.is_symlink() or not path.is_file():
                continue
            if run_id not in records.known:
                unknown += [path] if at < limit else []
                continue
            times[path] = at
            if run_id in records.kept:
                kept.append(path)
        overdue.add(kind, times, kept, limit)
    if unknown:
        overdue.stays.append(
            f"{count_of(len(unknown), 'log')} and profiles in {places.logs}, from {unknown[0].name} on: of no run in "
            f"{places.data_root / 'Runs'}, perhaps another data root's"
        )


def _add_runs(overdue: Overdue, places: RetentionPlaces, records: RunRecords, limit: datetime) -> None:
    overdue.stays += records.damaged
    overdue.add(RECORD, records.times, [records.paths[run_id] for run_id in records.kept], limit)
    manifests, damaged = read_manifests(places.data_root)
    overdue.stays += damaged
    times = {path: at for path in manifests if (at := time_of_run(path.stem)) is not None}
    going = overdue.add(MANIFEST, times, [path for path in times if path.stem in records.kept], limit)
    if damaged:
        # Nobody knows what they need.
        return
    staying = [manifest for path, manifest in manifests.items() if path not in set(going)]
    overdue.files += [OverdueFile(KEPT_INPUT, path, None) for path in find_unneeded_inputs(places.data_root, staying)]
