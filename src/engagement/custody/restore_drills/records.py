"""Runs/restore_drills.jsonl: what restore drills found, a line each, the oldest first.

`pipeline_status.sh` reads it with any Python, so this imports nothing beyond the standard library.
"""

import enum
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from engagement.foundation.files import make_directory, open_for_writing


class DrillResult(enum.StrEnum):
    """What a drill found.

    `FILES_WHOLE`: every file was restored, but its outputs can't be compared. `NOT_OPENED`: an encrypted archive is as it was
    written, and there was no key to open it.
    """

    PROVEN = "proven"
    FILES_WHOLE = "files whole"
    NOT_OPENED = "not opened"
    FAILED = "failed"


@dataclass(frozen=True)
class DrillRecord:
    """A drill: when it ended, in UTC, of which archive, and what it found; `reason` says why not more."""

    at: str
    archive: str
    result: DrillResult
    reason: str = ""
    files: int = 0
    seconds: float = 0.0


def add_record(data_root: Path, record: DrillRecord) -> None:
    """Write down a drill; lines that can't be read are left out from now on."""
    path = _path_in(data_root)
    make_directory(path.parent)
    records = [*read_records(data_root), record]
    with open_for_writing(path) as file:
        file.writelines(json.dumps(asdict(one)) + "\n" for one in records)


def read_records(data_root: Path) -> list[DrillRecord]:
    """Read the drills of a data root, the oldest first; none if there was none."""
    found = []
    try:
        lines = _path_in(data_root).read_bytes().split(b"\n")
    except OSError:
        return []
    for line in lines:
        try:
            document = json.loads(line)
            datetime.fromisoformat(document["at"])
            found.append(DrillRecord(**{**document, "result": DrillResult(document["result"])}))
        except (ValueError, TypeError, LookupError):
            continue
    return found


def find_last_proven(records: Sequence[DrillRecord]) -> DrillRecord | None:
    """Find the newest drill whose outputs came out the same."""
    return next((record for record in reversed(records) if record.result is DrillResult.PROVEN), None)


def _path_in(data_root: Path) -> Path:
    return data_root / "Runs" / "restore_drills.jsonl"
