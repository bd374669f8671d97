"""One project's state, from its data root: nothing is asked of a service, and no data file is read."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engagement.custody.restore_drills.records import find_last_proven, read_records
from engagement.custody.retention.last_run import LastRetention, read_last_retention
from engagement.desk.statuses.runs import failed_stages, find_drill_problem, find_problem, is_in_use, read_runs, time_of
from engagement.foundation.errors import InputError

_CODA, _FETCH, _OUTPUTS = 1, 2, 3


@dataclass(frozen=True)
class ProjectStatus:
    """A project's state; a count is None where no run told it.

    `status` is "ok", "failed", "killed", "at work", "no run" or "damaged". `problem` says what is wrong, if anything. Changes are
    since the last earlier run that told the count. Times are ISO 8601, sizes bytes.
    """

    project: str
    data_root: str
    status: str
    problem: str | None
    run_id: str | None = None
    ended: str | None = None
    age_hours: float | None = None
    exit_status: int | None = None
    failed_stage: str | None = None
    messages: int | None = None
    messages_change: int | None = None
    participants: int | None = None
    participants_change: int | None = None
    labelled_messages: int | None = None
    coda_messages: int | None = None
    missing_archives: int | None = None
    set_aside_rows: int | None = None
    drive_held_back: int | None = None
    disk_used: int | None = None
    disk_free: int | None = None
    restore_proven: str | None = None
    restore_proven_age_hours: float | None = None
    retention: LastRetention | None = None
    retention_age_hours: float | None = None


def find_status(data_root: Path, max_age_hours: float | None, now: datetime) -> ProjectStatus:
    """Find out how a project is; what is damaged is its problem, and no error."""
    proven = find_last_proven(read_records(data_root))
    retention = read_last_retention(data_root)
    bare = ProjectStatus(
        project=_name_of(data_root),
        data_root=str(data_root),
        status="no run",
        problem="no run has ended yet; expected one. Start run_pipeline.sh.",
        drive_held_back=_count_held_back(data_root),
        disk_used=_disk_used(data_root),
        disk_free=shutil.disk_usage(data_root).free,
        restore_proven=None if proven is None else proven.at,
        restore_proven_age_hours=None if proven is None else _hours_since(proven.at, now),
        retention=retention,
        retention_age_hours=None if retention is None else _hours_since(retention.at, now),
    )
    try:
        runs = read_runs(data_root)
        is_at_work = is_in_use(data_root) and bool(runs) and runs[-1]["ended"] is None
        over = [run for run in runs if run["ended"] is not None] if is_at_work else runs
        if not over:
            return replace(bare, status="at work", problem=None) if is_at_work else bare
        last = over[-1]
        return replace(
            bare,
            status="at work" if is_at_work else _status_of(last),
            problem=find_problem(over, max_age_hours, now) or find_drill_problem(data_root),
            run_id=last["run_id"],
            ended=last["ended"],
            age_hours=_age_of(last, now),
            exit_status=last["exit_status"],
            failed_stage=next(iter(failed_stages(last)), None),
            **_counts_of(over),
        )
    except InputError as error:
        return replace(bare, status="damaged", problem=str(error))
    except (KeyError, TypeError, ValueError, AttributeError):
        return replace(bare, status="damaged", problem="a run's summary was edited or damaged; restore or remove it.")


def _status_of(run: Mapping[str, Any]) -> str:
    if run["ended"] is None or run["exit_status"] == 137:
        return "killed"
    return "ok" if run["exit_status"] == 0 else "failed"


def _age_of(run: Mapping[str, Any], now: datetime) -> float:
    return _hours_since(run["ended"] or run["started"], now)


def _hours_since(time: str, now: datetime) -> float:
    return round((now - time_of(time)) / timedelta(hours=1), 1)


def _counts_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts: dict[str, int | None] = {}
    for name in ("messages", "participants"):
        told = _find_counts(runs, _OUTPUTS, name)
        counts[name] = next(iter(told), None)
        counts[f"{name}_change"] = told[0] - told[1] if len(told) > 1 else None
    for name in ("labelled_messages", "coda_messages"):
        counts[name] = next(iter(_find_counts(runs, _CODA, name)), None)
    for name in ("missing_archives", "set_aside_rows"):
        # A fetch only counts what it found.
        counts[name] = next(iter(_find_counts(runs, _FETCH, name, "flows")), None)
    return counts


def _find_counts(runs: Sequence[Mapping[str, Any]], number: int, name: str, besides: str = "") -> list[int]:
    """Find a stage's newest two counts, newest first; 0 where it only told of what is `besides`."""
    found: list[int] = []
    for run in reversed(runs):
        told = [stage for stage in run["stages"] if stage["stage"] == number]
        counts = told[0].get("counts", {}) if told else {}
        if name in counts or besides in counts:
            found.append(int(counts.get(name, 0)))
        if len(found) == 2:
            break
    return found


def _name_of(data_root: Path) -> str:
    """Find the pipeline's name: in the configuration that stage 3 kept, or else the folder's name."""
    try:
        kept = json.loads((data_root / "State" / "project" / "pipeline_configuration.json").read_text("utf-8"))
        name = kept.get("PipelineName")
    except (OSError, ValueError, AttributeError):
        name = None
    return name if isinstance(name, str) and name else data_root.parent.name or str(data_root)


def _count_held_back(data_root: Path) -> int | None:
    """Count what the gate held back from Drive in the last upload; None without one."""
    counts = []
    for path in (data_root / "State" / "drive").glob("held_back_*.csv"):
        with path.open("rb") as file:
            # Below the header.
            counts.append(max(0, sum(1 for _ in file) - 1))
    return sum(counts) if counts else None


def _disk_used(data_root: Path) -> int:
    used = 0
    folders = [os.fspath(data_root)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    used += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            # A run at work replaces files; what this user may not read does not count.
            continue
    return used
