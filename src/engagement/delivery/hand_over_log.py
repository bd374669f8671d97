"""Runs/hand_overs.jsonl: what went to Drive, and which exports of participants were made.

Two lines for each, before it begins and when it is done: when, by whom, what, where to, and counts. No number, text or uid is in it.
Selections of contacts and write-backs have records of their own, in Hand-overs/.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engagement.foundation.files import hold_directory, open_to_append
from engagement.foundation.who import name_account

BEGUN, DONE = "begun", "done"


def log_path(data_root: Path) -> Path:
    """Name the file in a data root; it need not exist."""
    return data_root / "Runs" / "hand_overs.jsonl"


@contextlib.contextmanager
def log_hand_over(data_root: Path, what: str, target: str) -> Iterator[dict[str, int]]:
    """Log a hand-over; the block fills in the counts. Without its end it failed or was killed."""
    counts: dict[str, int] = {}
    began = datetime.now(UTC).isoformat()
    line = {"began": began, "by": name_account(), "what": what, "target": target}
    _append(data_root, {**line, "event": BEGUN})
    yield counts
    _append(data_root, {**line, "event": DONE, "counts": counts})


def _append(data_root: Path, line: dict[str, object]) -> None:
    path = log_path(data_root)
    with hold_directory(path.parent), open_to_append(path) as file:
        file.write((json.dumps(line, sort_keys=True) + "\n").encode())
