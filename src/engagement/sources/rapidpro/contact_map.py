"""Participants of a workspace's contacts: <data-root>/Contacts/<workspace>.jsonl, one contact a line.

{"contact":"<uuid>","operator_raw":"25261","participant":"avf-phone-uuid-…","urn_type":"tel"}

This file is data. Only it knows that a contact keeps its uuid when its number changes, so it outlives State/ and is never
rebuilt from RapidPro. Lines are only ever added. The fetch's state keeps a copy for looking up contacts, and notes how much of
the file that copy covers: as long as both agree, which a look at the end of the file shows, the file is not read.

A killed process can leave lines that the copy lacks, which are read the next time, or a part of a line, which is cut off:
nothing used it yet. Contacts that only the copy has, such as those from before this file existed, are added to the file. Where
both differ, the file counts.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from engagement.configuration.participant_ids import may_be_participant_id
from engagement.foundation.errors import InputError, count_of
from engagement.foundation.files import explain_os_errors, make_directory
from engagement.sources.rapidpro.de_identify import ContactIdentity, Holder
from engagement.sources.rapidpro.state.contact_copy import Covered
from engagement.sources.rapidpro.state.line_log import LineLog
from engagement.sources.rapidpro.state.run_store import RunStore

_TAIL_BYTES = 4096
_LINES_A_BATCH = 5000

_logger = logging.getLogger(__name__)


class _Line(msgspec.Struct):
    """A line of the file, its keys in order."""

    contact: str
    operator_raw: str
    participant: str
    urn_type: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode


class ContactMap:
    """The contacts of one workspace. Open it with `open_contact_map`."""

    def __init__(self, log: LineLog, store: RunStore):
        self._log = log
        self._store = store
        self._first_new_line = store.contacts.covered().lines

    def keep(self, participants: dict[str, ContactIdentity]) -> None:
        """Add new contacts. Call it within a transaction of the store."""
        if participants:
            _add(self._log, self._store, participants)

    def holders(self, participants: Sequence[str]) -> dict[str, list[Holder]]:
        """Find the contacts that have these uuids, by uuid."""
        found: dict[str, list[Holder]] = {}
        for participant, contact, urn_type, line in self._store.contacts.holders(participants):
            found.setdefault(participant, []).append(Holder(contact, urn_type, line >= self._first_new_line))
        return found

    def flush(self) -> None:
        """Flush the additions to the disk."""
        self._log.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._log.close()


def open_contact_map(path: Path, earlier: Path, store: RunStore) -> ContactMap:
    """Open a workspace's contacts, and make the file and the store's copy agree.

    `earlier` is the file's name from before the server gave the workspace's uuid: its contacts are taken over, then it is removed.

    Raises
    ------
    InputError
        A line of the file is damaged.
    """
    make_directory(path.parent)
    takes_over = earlier != path and earlier.exists()
    if takes_over:
        with store.transaction():
            for batch in _read_batches(earlier, 0, earlier.stat().st_size):
                store.contacts.add((line, None) for line in batch)
    whole = _find_end_of_lines(path)
    copy = store.contacts.covered()
    covers = copy.file == path.name and copy.size <= whole and _digest_tail(path, copy.size) == copy.tail
    log = LineLog(path, whole)
    with store.transaction():
        if not covers:
            _merge(path, whole, store, log)
        elif copy.size < whole:
            _read_new_lines(path, copy.size, whole, store)
        elif takes_over:
            _add_missing(store, log)
    log.flush()
    if takes_over:
        with explain_os_errors(earlier):
            earlier.unlink()
        _logger.info("%s: its contacts are in %s now", earlier, path.name)
    return ContactMap(log, store)


def read_contacts(path: Path) -> Iterator[tuple[str, ContactIdentity]]:
    """Read every contact of a file, with its participant; nothing if there is no file."""
    for batch in _read_batches(path, 0, _find_end_of_lines(path)):
        yield from batch


def _read_new_lines(path: Path, start: int, end: int, store: RunStore) -> None:
    """Read the lines added to the file since the store copied it."""
    lines = store.contacts.covered().lines
    for batch in _read_batches(path, start, end, lines):
        store.contacts.add((line, number) for number, line in enumerate(batch, lines))
        lines += len(batch)
    store.contacts.keep_covered(Covered(path.name, end, lines, _digest_tail(path, end)))


def _merge(path: Path, end: int, store: RunStore, log: LineLog) -> None:
    """Read the whole file, correct the store's copy by it, and add to the file what it lacks."""
    lines = corrected = 0
    store.contacts.forget_lines()
    for batch in _read_batches(path, 0, end):
        corrected += store.contacts.correct((line, number) for number, line in enumerate(batch, lines))
        lines += len(batch)
    if corrected:
        _logger.warning("%s: %s not as in the copy in State/; the file counts", path, count_of(corrected, "contact"))
        store.forget_renderings()
    store.contacts.keep_covered(Covered(path.name, end, lines, _digest_tail(path, end)))
    _add_missing(store, log)


def _add_missing(store: RunStore, log: LineLog) -> None:
    """Add the contacts of the store's copy that the file lacks."""
    added = 0
    while batch := store.contacts.without_line(_LINES_A_BATCH):
        _add(log, store, batch)
        added += len(batch)
    if added:
        _logger.info("%s: took over %s from State/", log.path, count_of(added, "contact"))


def _add(log: LineLog, store: RunStore, participants: dict[str, ContactIdentity]) -> None:
    copy = store.contacts.covered()
    # Lines of an undone transaction are overwritten.
    log.size = copy.size
    encoded = [
        _encode(_Line(contact, who.operator_raw, who.uuid, who.urn_type)) + b"\n"
        for contact, who in participants.items()
    ]
    log.append(encoded)
    store.contacts.add((item, number) for number, item in enumerate(participants.items(), copy.lines))
    tail = _digest(log.read(max(0, log.size - _TAIL_BYTES), min(log.size, _TAIL_BYTES)))
    store.contacts.keep_covered(Covered(log.path.name, log.size, copy.lines + len(encoded), tail))


def _read_batches(path: Path, start: int, end: int, lines: int = 0) -> Iterator[list[tuple[str, ContactIdentity]]]:
    if start >= end:
        return
    with path.open("rb") as file:
        file.seek(start)
        batch: list[tuple[str, ContactIdentity]] = []
        for number, text in enumerate(file, lines + 1):
            if start >= end:
                break
            start += len(text)
            try:
                line = _decode(text)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                line = None
            # A number written there by hand would go into every output.
            if line is None or not may_be_participant_id(line.participant):
                # Without the error itself, which could quote the line.
                raise InputError(
                    f"{path}, line {number}: not a contact and its participant; expected a line as stage 2 writes it. "
                    "Restore the file from the newest archive of the data root: it can't be fetched again."
                ) from None
            batch.append((line.contact, ContactIdentity(line.participant, line.urn_type, line.operator_raw)))
            if len(batch) == _LINES_A_BATCH:
                yield batch
                batch = []
        yield batch


def _find_end_of_lines(path: Path) -> int:
    """Measure the file without an incomplete last line."""
    try:
        with path.open("rb") as file:
            size = end = file.seek(0, 2)
            while end:
                start = max(0, end - _TAIL_BYTES)
                file.seek(start)
                line_end = file.read(end - start).rfind(b"\n")
                if line_end >= 0:
                    end = start + line_end + 1
                    break
                end = start
    except FileNotFoundError:
        return 0
    if end < size:
        _logger.info("%s: cut off an incomplete last line", path)
    return end


def _digest_tail(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, size - _TAIL_BYTES))
            return _digest(file.read(min(size, _TAIL_BYTES)))
    except FileNotFoundError:
        return _digest(b"")


def _digest(tail: bytes) -> bytes:
    return hashlib.sha256(tail).digest()
