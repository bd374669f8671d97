"""State/retention/last_run.json: when retention last ran, what it removed, and what is due next.

`pipeline_status.sh` reads it with any Python, so this imports nothing beyond the standard library.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from engagement.custody.retention.state_notes import read_state_note, state_notes_folder, write_state_note
from engagement.foundation.errors import count_of


@dataclass(frozen=True)
class LastRetention:
    """When it began, in UTC, and how many of each kind it removed.

    `due` has the day on which the next of a kind is over age.
    """

    at: str
    removed: Mapping[str, int] = field(default_factory=dict)
    due: Mapping[str, str] = field(default_factory=dict)

    def say(self) -> str:
        """Say what it removed, and what is due next.

        >>> LastRetention("2026-04-03", {"message": 5}, {"log": "2026-06-01", "message": "2026-05-01"}).say()
        'removed 5 messages; next due: message on 2026-05-01'
        """
        counts = ", ".join(count_of(count, kind) for kind, count in self.removed.items())
        told = f"removed {counts}" if counts else "nothing was over age"
        if not self.due:
            return told
        day = min(self.due.values())
        kinds = ", ".join(kind for kind, on in self.due.items() if on == day)
        return f"{told}; next due: {kinds} on {day}"


def write_last_retention(data_root: Path, last: LastRetention) -> None:
    """Write down how retention ran."""
    write_state_note(_path_in(data_root), json.dumps(asdict(last)).encode())


def read_last_retention(data_root: Path) -> LastRetention | None:
    """Read how retention last ran; None if nobody knows."""
    note = read_state_note(_path_in(data_root))
    try:
        last = None if note is None else LastRetention(**json.loads(note))
        if last is not None:
            datetime.fromisoformat(last.at)
    except (ValueError, TypeError):
        # Of another version.
        return None
    return last


def _path_in(data_root: Path) -> Path:
    return state_notes_folder(data_root) / "last_run.json"
