"""Records and manifests of a data root's runs, and the configurations that they need."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.custody.run_manifests.kept_inputs import inputs_folder
from engagement.custody.run_manifests.manifest import RunManifest, manifests_folder, read_manifest
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.foundation.run_report import time_of_run

_FETCH = 2
_INPUT = re.compile(r"[0-9a-f]{64}\.json")


@dataclass(frozen=True)
class RunRecords:
    """The records in Runs/, by run id.

    `known` are all runs, `kept` those that always stay: the newest, and the newest ones that succeeded. `times` are of records that
    can be read, `damaged` says which can't.
    """

    paths: Mapping[str, Path]
    times: Mapping[Path, datetime]
    kept: frozenset[str]
    damaged: list[str]

    @property
    def known(self) -> frozenset[str]:
        """The ids of all runs."""
        return frozenset(self.paths)


def read_records(data_root: Path) -> RunRecords:
    """Read the records that run_pipeline.sh writes; files with other names are not ours."""
    paths, times, damaged = {}, {}, []
    succeeded = fetched = ""
    for path in sorted((data_root / "Runs").glob("*.json")):
        at = time_of_run(path.stem)
        if at is None or path.is_symlink() or not path.is_file():
            continue
        paths[path.stem] = path
        record = _read_record(path)
        if record is None:
            damaged.append(f"{path}: no record of a run. Remove it by hand, or restore it from an archive")
            continue
        times[path] = at
        if record["ended"] is not None and record["exit_status"] == 0:
            succeeded = path.stem
            if any(stage.get("stage") == _FETCH for stage in record["stages"]):
                fetched = path.stem
    # `status` shows the newest, and the last good night: one that fetched.
    kept = frozenset(filter(None, (max(paths, default=""), succeeded, fetched)))
    return RunRecords(paths, times, kept, damaged)


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        record = read_json(path)
    except InputError:
        return None
    is_one = isinstance(record, dict) and record.get("run_id") == path.stem and {"ended", "exit_status"} <= set(record)
    stages = record.get("stages") if is_one else None
    return record if isinstance(stages, list) and all(isinstance(stage, dict) for stage in stages) else None


def read_manifests(data_root: Path) -> tuple[dict[Path, RunManifest], list[str]]:
    """Read the manifests, the oldest first; say which can't be read."""
    manifests, damaged = {}, []
    for path in sorted(manifests_folder(data_root).glob("*.json")):
        try:
            manifests[path] = read_manifest(data_root, path.stem)
        except InputError as error:
            damaged.append(
                f"{str(error).rstrip('.')}. Until then, no configuration in {inputs_folder(data_root)} is removed"
            )
    return manifests, damaged


def find_unneeded_inputs(data_root: Path, manifests: Iterable[RunManifest]) -> list[Path]:
    """Find the kept configurations, coding plans and schemes that none of these manifests names."""
    needed: set[str] = set()
    for manifest in manifests:
        needed.update((manifest.configuration, manifest.coding_plans, *manifest.schemes.values()))
    found = sorted(path for path in inputs_folder(data_root).glob("*.json") if _INPUT.fullmatch(path.name))
    return [path for path in found if path.stem not in needed and path.is_file() and not path.is_symlink()]
