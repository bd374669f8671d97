"""Copy of the contacts' file in a fetch's state, for look-ups. See `contact_map` for the file."""

import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from engagement.sources.rapidpro.de_identify import ContactIdentity

_LARGEST_QUERY = 500
_REMEMBERED_PARTICIPANTS = 50_000
_HELD = "SELECT uuid, participant FROM contacts WHERE uuid IN ({})"

_logger = logging.getLogger(__name__)


class Covered(NamedTuple):
    """The part of the file that the copy covers: its name, bytes, lines, and a digest of the last bytes."""

    file: str
    size: int
    lines: int
    tail: bytes


class ContactCopy:
    """Contacts in a connection's tables `contacts` and `contact_file`, within its owner's transactions."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._participants: dict[str, ContactIdentity] = {}

    def participants(self, contacts: Collection[str]) -> dict[str, ContactIdentity]:
        """Find the participants of known contacts."""
        missing = [contact for contact in contacts if contact not in self._participants]
        if missing:
            if len(self._participants) > _REMEMBERED_PARTICIPANTS:
                self._participants.clear()
                missing = list(contacts)
            query = "SELECT uuid, participant, urn_type, operator_raw FROM contacts WHERE uuid IN ({})"
            rows = self._select(query, (), missing)
            # A contact's participant never changes, so it can be remembered, unless a transaction is undone.
            self._participants.update((uuid, ContactIdentity(*participant)) for uuid, *participant in rows)
        return {contact: self._participants[contact] for contact in contacts if contact in self._participants}

    def holders(self, participants: Collection[str]) -> Iterator[tuple[str, str, str, int]]:
        """Find the contacts with these uuids: uuid, contact, channel, and the contact's line in the file."""
        # Made on first use, which a first fetch never gets to: uuids have no order, so each would be written to its own place.
        self._connection.execute("CREATE INDEX IF NOT EXISTS contacts_by_participant ON contacts (participant)")
        query = "SELECT participant, uuid, urn_type, line FROM contacts WHERE participant IN ({}) ORDER BY line"
        yield from self._select(query, (), participants)

    def add(self, contacts: Iterable[tuple[tuple[str, ContactIdentity], int | None]]) -> None:
        """Copy contacts, each with its line in the file, None if it is not there yet. Known contacts stay."""
        rows = [(contact, *who, line) for (contact, who), line in contacts]
        cursor = self._connection.executemany(
            "INSERT INTO contacts VALUES (?, ?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET line = excluded.line WHERE line IS NULL",
            rows,
        )
        self._warn_of_repeated(rows, cursor.rowcount)

    def correct(self, contacts: Iterable[tuple[tuple[str, ContactIdentity], int]]) -> int:
        """Copy contacts from the file; returns how many differed in the copy. A contact's first line counts."""
        rows = [(contact, *who, line) for (contact, who), line in contacts]
        other = 0
        for start in range(0, len(rows), _LARGEST_QUERY):
            batch = {row[0]: row[1:4] for row in reversed(rows[start : start + _LARGEST_QUERY])}
            query = "SELECT uuid, participant, urn_type, operator_raw FROM contacts WHERE line IS NULL AND uuid IN ({})"
            other += sum(tuple(found) != batch[uuid] for uuid, *found in self._select(query, (), batch))
        cursor = self._connection.executemany(
            "INSERT INTO contacts VALUES (?, ?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET participant = excluded.participant, "
            "urn_type = excluded.urn_type, operator_raw = excluded.operator_raw, line = excluded.line WHERE line IS NULL",
            rows,
        )
        self._participants.clear()
        self._warn_of_repeated(rows, cursor.rowcount)
        return other

    def _warn_of_repeated(self, rows: Sequence[tuple[Any, ...]], taken: int) -> None:
        """Warn of contacts that an earlier line gives another participant, if not all rows were taken."""
        if taken == len(rows):
            return
        held = dict(self._select(_HELD, (), dict.fromkeys(row[0] for row in rows)))
        for contact, participant, _, _, line in rows:
            if line is not None and held[contact] != participant:
                _logger.warning(
                    "Contacts/: contact %s is participant %r on line %d and %r on an earlier one, which holds; expected one line a "
                    "contact. Remove the wrong line, and run stage 2 again",
                    contact,
                    participant,
                    line + 1,
                    held[contact],
                )

    def without_line(self, most: int) -> dict[str, ContactIdentity]:
        """Find contacts of the copy that are not in the file."""
        query = (
            "SELECT uuid, participant, urn_type, operator_raw FROM contacts WHERE line IS NULL ORDER BY uuid LIMIT ?"
        )
        return {uuid: ContactIdentity(*who) for uuid, *who in self._connection.execute(query, (most,))}

    def forget_lines(self) -> None:
        """Count no contact as in the file, until it has been read."""
        self._connection.execute("UPDATE contacts SET line = NULL WHERE line IS NOT NULL")

    def covered(self) -> Covered:
        """Return the part of the file that the copy covers."""
        row = self._connection.execute("SELECT file, size, lines, tail FROM contact_file").fetchone()
        return Covered(*row)

    def keep_covered(self, covered: Covered) -> None:
        """Remember the part of the file that the copy covers."""
        self._connection.execute("UPDATE contact_file SET file = ?, size = ?, lines = ?, tail = ?", covered)

    def clear(self) -> None:
        """Forget every contact."""
        self._connection.execute("DELETE FROM contacts")
        self.keep_covered(Covered("", 0, 0, b""))
        self.forget_remembered()

    def forget_remembered(self) -> None:
        """Look every contact up again: a transaction was undone."""
        self._participants.clear()

    def _select(self, query: str, first: Sequence[object], values: Collection[object]) -> Iterator[tuple[Any, ...]]:
        distinct = list(values)
        for start in range(0, len(distinct), _LARGEST_QUERY):
            batch = distinct[start : start + _LARGEST_QUERY]
            yield from self._connection.execute(query.format(", ".join("?" * len(batch))), (*first, *batch))
