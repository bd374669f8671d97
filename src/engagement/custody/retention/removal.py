"""Remove files that are over age: first a journal, then the files, then a receipt.

May be killed at any moment, and repeated.

    Runs/retention/journal.json     what is being removed
    Runs/retention/receipts.jsonl   what was removed, a line for each time that something was

Both name files and runs alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.custody.retention.journals import RemovalJournal, retention_folder
from engagement.custody.retention.overdue import Overdue
from engagement.foundation.errors import InputError
from engagement.foundation.files import (
    explain_os_errors,
    open_bytes_for_writing,
)


@dataclass(frozen=True)
class RetentionRequest:
    """Who asked when, and for how long what is kept."""

    user: str
    now: str
    periods: Mapping[str, str]


def receipts_path(data_root: Path) -> Path:
    """Name the file of receipts in a data root; it need not exist."""
    return retention_folder(data_root) / "receipts.jsonl"


def is_interrupted(data_root: Path) -> bool:
    """Check if an earlier removal did not come to its end."""
    return _journal(data_root).exists()


def remove_overdue(data_root: Path, overdue: Overdue, request: RetentionRequest) -> dict[str, Any] | None:
    """Remove what is over age, and write a receipt; return it, or None if there was nothing to do."""
    journal = _journal(data_root)
    document = journal.read()
    if document is not None and document.get("Begun") == _last_begun(data_root):
        # Killed after its receipt: that removal is complete.
        journal.drop()
        document = None
    if document is None and not overdue.files:
        return None
    rows = [_row(one.kind, one.path, one.at) for one in overdue.files]
    if document is None:
        document = {"By": request.user, "Begun": request.now, "Periods": dict(request.periods)}
    else:
        # What a killed run removed is told of, too; what it did not reach is found again, unless it may stay by now.
        gone = [row for row in document["Files"] if not Path(row["Path"]).exists()]
        rows = [*gone, *(row for row in rows if row not in gone)]
    document["Files"] = rows
    journal.write(document)
    for one in overdue.files:
        with explain_os_errors(one.path):
            one.path.unlink(missing_ok=True)
    receipt = {key: value for key, value in document.items() if key not in ("Version", "Files")}
    receipt |= {"Completed": request.now, "Removed": _summarise(rows)}
    if rows:
        # Without one, the killed run had not removed anything, and now everything may stay.
        add_receipt(data_root, receipt)
    journal.drop()
    return receipt if rows else None


def read_receipts(data_root: Path) -> list[dict[str, Any]]:
    """Read the receipts, the oldest first.

    Raises
    ------
    InputError
        One is damaged.
    """
    path = receipts_path(data_root)
    if not path.exists():
        return []
    receipts = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            receipt = json.loads(line)
            datetime.fromisoformat(receipt["Completed"])
            receipt["By"], [(one["Kind"], one["Count"]) for one in receipt["Removed"]]
        except (ValueError, LookupError, TypeError):
            raise InputError(
                f"{path}, line {number}: no receipt; expected one of apply-retention. Restore the file from an archive."
            ) from None
        receipts.append(receipt)
    return receipts


def _journal(data_root: Path) -> RemovalJournal:
    return RemovalJournal(retention_folder(data_root) / "journal.json", {"Begun": str, "Files": list})


def _row(kind: str, path: Path, at: datetime | None) -> dict[str, Any]:
    return {"Kind": kind, "Path": str(path), "At": None if at is None else at.isoformat()}


def _summarise(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count the files by kind, with the oldest time and their names."""
    found = []
    for kind in dict.fromkeys(row["Kind"] for row in rows):
        own = [row for row in rows if row["Kind"] == kind]
        oldest = min((row["At"] for row in own if row["At"] is not None), default=None)
        names = sorted({Path(row["Path"]).name for row in own})
        found.append({"Kind": kind, "Count": len(names), "Oldest": oldest, "Names": names})
    return found


def add_receipt(data_root: Path, receipt: Mapping[str, Any]) -> None:
    """Add a receipt; those that are there keep their bytes."""
    path = receipts_path(data_root)
    lines = path.read_bytes() if path.exists() else b""
    with open_bytes_for_writing(path) as file:
        file.write(lines + (b"" if not lines or lines.endswith(b"\n") else b"\n"))
        file.write(json.dumps(receipt, sort_keys=True).encode() + b"\n")


def has_receipt(data_root: Path, document: Mapping[str, Any]) -> bool:
    """Check if a removal of what was sent before a time has its receipt."""
    compared = ("Before", "Begun", "Periods")
    return any(all(one.get(key) == document[key] for key in compared) for one in read_receipts(data_root))


def _last_begun(data_root: Path) -> str | None:
    # Those of messages and of people have a time before which they were sent.
    receipts = [receipt for receipt in read_receipts(data_root) if "Before" not in receipt]
    return receipts[-1].get("Begun") if receipts else None


def say_removed(receipt: Mapping[str, Any]) -> Iterable[str]:
    """Put what a receipt tells of into words, a line for each kind."""
    for one in receipt["Removed"]:
        yield f"{one['Count']:,} {one['Kind']}(s){', the oldest of ' + one['Oldest'] if one['Oldest'] else ''}"
