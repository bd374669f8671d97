"""Find hand-overs and removals in the records of a data root."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.custody.retention.removal import read_receipts
from engagement.custody.run_manifests.kept_inputs import read_kept_configuration
from engagement.custody.run_manifests.manifest import RunManifest, find_manifests
from engagement.delivery.hand_over_log import DONE, log_path
from engagement.delivery.selections.hand_overs import hand_overs_folder
from engagement.desk.statuses.runs import read_runs, time_of
from engagement.foundation.errors import InputError
from engagement.foundation.files import read_json
from engagement.sources.forgotten import forgotten_folder

_UPLOAD_LOGS = 7
_UPLOAD_ADDRESSES = (
    "MemoryProfileUploadURLPrefix",
    "MemoryProfileUploadBucket",
    "DataArchiveUploadURLPrefix",
    "DataArchiveUploadBucket",
)
_BUCKET = re.compile(r"gs://[^/]+")


@dataclass(frozen=True, order=True)
class HandOverEvent:
    """Something handed over or removed; `is_done` is false if no record has its end."""

    time: datetime
    what: str
    by: str
    target: str
    is_done: bool = True
    counts: Mapping[str, int] = field(default_factory=dict, compare=False)

    def say_counts(self) -> str:
        """Put the counts into words."""
        told = [f"{name.replace('_', ' ')} {count:,}" for name, count in self.counts.items()]
        return ", ".join([*told, *([] if self.is_done else ["not known to be completed"])])


def find_events(data_root: Path) -> list[HandOverEvent]:
    """Find all events, the earliest first.

    Raises
    ------
    InputError
        A record is damaged.
    """
    found = [
        *_find_logged(data_root),
        *_find_selections(data_root),
        *_find_uploads(data_root),
        *_find_forgotten(data_root),
        *_find_retention(data_root),
    ]
    return sorted(found)


def _find_logged(data_root: Path) -> Iterator[HandOverEvent]:
    """Read Runs/hand_overs.jsonl: Drive, and exports of participants."""
    lines = list(_read_lines(log_path(data_root)))
    ends = {(line["began"], line["what"], line["target"]): line for line in lines if line["event"] == DONE}
    for line in lines:
        if line["event"] != DONE:
            end = ends.get((line["began"], line["what"], line["target"]))
            counts = {} if end is None else end["counts"]
            yield HandOverEvent(
                time_of(line["began"]), line["what"], line["by"], line["target"], end is not None, counts
            )


def _find_selections(data_root: Path) -> Iterator[HandOverEvent]:
    """Read Hand-overs/: selections that were handed over, and what was written back."""
    seen = set()
    for name, what in (("write_back.jsonl", "write-back"), ("hand_overs.jsonl", "contacts")):
        lines = list(_read_lines(hand_overs_folder(data_root) / name))
        keys = [(line["at"], line["by"], line["selection"], line["target"], line["digest"]) for line in lines]
        done = {key: line for key, line in zip(keys, lines, strict=True) if line["event"] == "done"}
        # A number may be lacking for some, so that the end has the same digest as the beginning.
        for key, line in zip(keys, lines, strict=True):
            if line["event"] != "begun" or key in seen:
                continue
            seen.add(key)
            end = done.get(key)
            counts = {"participants": line["participants"], **({} if end is None else end["counts"])}
            target = f"{line['selection']}: {line['target']}"
            yield HandOverEvent(time_of(line["at"]), what, line["by"], target, end is not None, counts)


def _find_uploads(data_root: Path) -> Iterator[HandOverEvent]:
    """Read Runs/: uploads of archives, memory profiles and logs; the run's manifest knows who."""
    manifests = {manifest.run_id: manifest for manifest in find_manifests(data_root)}
    for run in read_runs(data_root):
        for stage in run["stages"]:
            if stage["stage"] != _UPLOAD_LOGS or not stage.get("counts", {}).get("uploaded"):
                continue
            manifest = manifests.get(run["run_id"])
            by = "" if manifest is None else f"{manifest.user} ({manifest.account})"
            buckets = [] if manifest is None else _find_buckets(data_root, manifest)
            target = f"{', '.join(buckets) or 'buckets'} of run {run['run_id']}"
            yield HandOverEvent(time_of(stage["started"]), "upload-logs", by, target, True, stage["counts"])


def _find_buckets(data_root: Path, manifest: RunManifest) -> list[str]:
    """Name the buckets of a run by its own configuration; none if State/ no longer has it.

    What comes behind the bucket may be anything, so it is not told.
    """
    try:
        configuration = read_kept_configuration(data_root, manifest) or {}
    except InputError:
        return []
    addresses = [str(configuration.get(key) or "") for key in _UPLOAD_ADDRESSES]
    return sorted({found[0] for address in addresses if (found := _BUCKET.match(address))})


def _find_forgotten(data_root: Path) -> Iterator[HandOverEvent]:
    """Read Forgotten/receipts/: people who were removed."""
    for path in sorted((forgotten_folder(data_root) / "receipts").glob("*.json")):
        receipt = read_json(path)
        try:
            removed = sum(found["Count"] for found in receipt["Found"] if found["Removed"])
            yield HandOverEvent(
                time_of(receipt["Completed"]),
                "forget",
                receipt["By"],
                f"receipt {path.stem}",
                True,
                {"removed": removed},
            )
        except (KeyError, TypeError):
            raise InputError(f"{path}: no receipt; expected one of 'forget'. Restore it from an archive.") from None


def _find_retention(data_root: Path) -> Iterator[HandOverEvent]:
    """Read Runs/retention/receipts.jsonl: archives, logs and records that were over age."""
    for receipt in read_receipts(data_root):
        counts = {one["Kind"]: one["Count"] for one in receipt["Removed"]}
        yield HandOverEvent(
            time_of(receipt["Completed"]), "apply-retention", receipt["By"], "files over age", True, counts
        )


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise InputError(
                f"{path}, line {number}: not JSON; expected a hand-over. Restore the file from an archive."
            ) from None
