"""Whose the lines of each raw file are.

Files that did not change then need not be read to know who has a message.

    State/retention/raw_participants.json   of each file its stamp, and uids

Safe to remove: the next look then reads every file, as one in a few does anyhow.
"""

import time
from pathlib import Path

import msgspec

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.custody.retention.state_notes import read_state_note, state_notes_folder, write_state_note
from engagement.custody.retention.texts import raw_files
from engagement.foundation.file_stamps import FULL_AFTER, is_settled, stamp_of
from engagement.provenance import read_traced_data

_VERSION = 1


class _FileParticipants(msgspec.Struct):
    stamp: list[int]
    uids: list[str]


class _Notes(msgspec.Struct):
    """What lies on disk; `believed` counts the looks that believed stamps since every file was read."""

    version: int
    believed: int
    files: dict[str, _FileParticipants]


class RawParticipants:
    """Who has a line in Raw Data/ now: `uids`. `write` notes it for the next look."""

    def __init__(self, data_root: Path):
        self._path = state_notes_folder(data_root) / "raw_participants.json"
        last = _read(self._path)
        is_full = last.believed >= FULL_AFTER
        self._next = _Notes(_VERSION, 0 if is_full or not last.files else last.believed + 1, {})
        self.uids: set[str] = set()
        for path in raw_files(data_root):
            self._add(path, None if is_full else last.files.get(path.name))

    def _add(self, path: Path, known: _FileParticipants | None) -> None:
        # A change from now on changes the stamp.
        stamp, read_at = stamp_of(path), time.time_ns()
        if known is None or known.stamp != stamp:
            uids = {str(record.values.get(PARTICIPANT_KEY)) for record in read_traced_data(path)}
            known = _FileParticipants(stamp, sorted(uids))
            is_noted = is_settled(stamp, read_at)
        else:
            is_noted = True
        self.uids.update(known.uids)
        if is_noted:
            self._next.files[path.name] = known

    def write(self) -> None:
        """Write the notes for the next look."""
        write_state_note(self._path, msgspec.json.encode(self._next))


def _read(path: Path) -> _Notes:
    note = read_state_note(path)
    try:
        notes = None if note is None else msgspec.json.decode(note, type=_Notes)
    except msgspec.MsgspecError:
        notes = None
    return notes if notes is not None and notes.version == _VERSION else _Notes(_VERSION, 0, {})
