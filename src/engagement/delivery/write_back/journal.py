"""Hand-overs/: what was written back, when and by whom; data that back-ups hold.

`write_back.jsonl` has two lines for each target: one before anything is sent and one after. Participants that joined the group
or got the field of a selection are also in `hand_overs.jsonl`. No phone number is in either.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from engagement.delivery.selections.hand_overs import (
    BEGUN,
    DONE,
    HandOver,
    hand_overs_folder,
    make_hand_over,
    record_hand_over,
)
from engagement.delivery.write_back.workspace import Target
from engagement.foundation.files import hold_directory, open_bytes_for_writing

_FILE = "write_back.jsonl"


class Journal:
    """The record of one run. `selections` are the names of the selections that are written."""

    def __init__(self, data_root: Path, user: str, now: datetime, selections: Collection[str]):
        self._data_root = data_root
        self._user = user
        self._now = now
        self._selections = selections

    def begin(self, where: str, target: Target, uids: Collection[str]) -> None:
        """Note participants who are about to be written to a target."""
        self._note(BEGUN, where, target, uids, {})

    def end(self, where: str, target: Target, uids: Collection[str], counts: Mapping[str, int]) -> None:
        """Note what was written."""
        self._note(DONE, where, target, uids, counts)

    def _note(self, event: str, where: str, target: Target, uids: Collection[str], counts: Mapping[str, int]) -> None:
        named = f"{where}: {target.name}"
        line = make_hand_over(self._now, self._user, event, target.origin, named, sorted(uids), counts)
        if target.origin in self._selections and not target.is_leaving:
            record_hand_over(self._data_root, line, sorted(uids))
        _append(hand_overs_folder(self._data_root), line)


def _append(folder: Path, line: HandOver) -> None:
    with hold_directory(folder):
        path = folder / _FILE
        earlier = path.read_bytes() if path.exists() else b""
        with open_bytes_for_writing(path) as file:
            file.write(earlier + msgspec.json.encode(line) + b"\n")
