"""How old the lines of each raw file are, so that files with nothing over age need not be read.

    State/retention/raw_ages.json   of each file its stamp, and times to the minute

Safe to remove: the next cut then reads every file, as one in a few does anyhow.
"""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engagement.custody.retention.state_notes import read_state_note, state_notes_folder, write_state_note
from engagement.foundation.file_stamps import FULL_AFTER, is_settled, stamp_of
from engagement.sources.message_cut import LineAges

_VERSION = 1


class FileAges(msgspec.Struct):
    """The ages of a file's lines, each by the minute of its last time.

    `oldest` is that of the lines that go once they are over age; `staying` has those of the others, which a STOP keeps. `lines`
    counts all of them, also those without a time.
    """

    stamp: list[int]
    read_at: int
    lines: int = 0
    oldest: int | None = None
    staying: list[int] = []

    @classmethod
    def begin(cls, path: Path) -> "FileAges":
        """Begin to read a file: a change from now on changes its stamp."""
        return cls(stamp_of(path), time.time_ns())

    def add(self, last: datetime | None, is_kept: bool) -> None:
        """Add a line by its last time, if it has one."""
        self.lines += 1
        if last is None:
            return
        minute = _minute_of(last)
        if is_kept:
            self.staying.append(minute)
        else:
            self.oldest = minute if self.oldest is None else min(minute, self.oldest)

    @property
    def oldest_time(self) -> datetime | None:
        """The oldest minute of the lines that go once they are over age."""
        return None if self.oldest is None else datetime.fromtimestamp(self.oldest * 60, UTC)

    def count_younger(self, before: datetime) -> int:
        """Count the lines that are not over age, where none goes."""
        return self.lines - sum(minute < _minute_of(before) for minute in self.staying)

    def without_staying(self) -> "FileAges":
        """Return the ages as far as they are known where other texts stay: any line may go."""
        minutes = [*self.staying, *([] if self.oldest is None else [self.oldest])]
        return FileAges(self.stamp, self.read_at, self.lines, min(minutes, default=None))


class _Notes(msgspec.Struct):
    """What lies on disk.

    `believed` counts the cuts that believed stamps since every file was read; `keys` and `stays` are digests.
    """

    version: int
    keys: str
    stays: str
    believed: int
    files: dict[str, FileAges]


class RawAges:
    """What the last cut noted of a data root's raw files, and what this one notes for the next."""

    def __init__(self, data_root: Path, ages: LineAges):
        self._path = state_notes_folder(data_root) / "raw_ages.json"
        self._before = _minute_of(ages.cut.before)
        self._keys, self._stays = _digest(ages.keys), _digest(sorted(ages.cut.stays))
        last = self._read()
        is_full = last is None or last.believed >= FULL_AFTER
        self._last: Mapping[str, FileAges] = {} if last is None or is_full else last.files
        self._is_same_stay = last is not None and last.stays == self._stays
        self._believed = 0 if last is None or is_full else last.believed + 1
        self._next: dict[str, FileAges] = {}

    def find_young(self, path: Path) -> FileAges | None:
        """Return the ages of a file that did not change, if none of its lines goes; others are to be read."""
        known = self._last.get(path.name)
        if known is None or known.stamp != stamp_of(path):
            return None
        if not self._is_same_stay:
            known = known.without_staying()
        if known.oldest is not None and known.oldest < self._before:
            return None
        self._next[path.name] = known
        return known

    def add(self, path: Path, read: FileAges) -> None:
        """Note a file that was read; one that had just changed may do so again within a tick of the clock."""
        if is_settled(read.stamp, read.read_at):
            self._next[path.name] = read

    def write(self) -> None:
        """Write the notes for the next cut."""
        notes = _Notes(_VERSION, self._keys, self._stays, self._believed, self._next)
        write_state_note(self._path, msgspec.json.encode(notes))

    def _read(self) -> _Notes | None:
        note = read_state_note(self._path)
        try:
            notes = None if note is None else msgspec.json.decode(note, type=_Notes)
        except msgspec.MsgspecError:
            # Of another version, it is of no use.
            notes = None
        if notes is None:
            return None
        return notes if (notes.version, notes.keys) == (_VERSION, self._keys) else None


def _minute_of(at: datetime) -> int:
    """Return a time in minutes since 1970.

    A cut is at a full one: seconds would only tell more of the message.
    """
    return int(at.timestamp() // 60)


def _digest(document: object) -> str:
    return hashlib.sha256(msgspec.json.encode(document)).hexdigest()
