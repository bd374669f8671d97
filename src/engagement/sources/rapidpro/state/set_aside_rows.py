"""List of unusable rows in a source's state: uuids, times, keys, reasons, and nothing else."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from engagement.foundation.microseconds import count_microseconds, make_instant
from engagement.services.rapidpro.client import UnreadableRow

# Stands for the flow of a row without one: flows are numbered from 1.
CONTACTS, UNKNOWN_FLOW = 0, -1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS set_aside (
    flow INTEGER, archive TEXT, uuid TEXT, after INTEGER, before INTEGER, key TEXT, reason TEXT
)
"""


@dataclass(frozen=True)
class SetAsideRow:
    """An unusable row: `flow` is its flow's number in the store, `archive` the md5, empty if live."""

    flow: int
    archive: str
    row: UnreadableRow
    number: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """Key that identifies the row from one fetch to the next."""
        if self.row.uuid is not None:
            return self.flow, self.row.uuid
        return self.flow, self.archive, self.row.after, self.row.before, self.row.key, self.row.reason


class SetAsideRows:
    """The list in the state's database. Changes belong to the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        # Apart from the other tables, which are restarted when their format changes: a missing list is an empty one.
        connection.execute(_SCHEMA)

    def all(self) -> list[SetAsideRow]:
        """List all rows, first those that were asked for longest ago."""
        rows = self._connection.execute(
            "SELECT rowid, flow, archive, uuid, after, before, key, reason FROM set_aside ORDER BY rowid"
        )
        return [
            SetAsideRow(flow, archive, UnreadableRow(uuid, None, _instant(after), _instant(before), *why), number)
            for number, flow, archive, uuid, after, before, *why in rows
        ]

    def has_any(self, flow: int) -> bool:
        """Check if live rows of a flow are listed."""
        found = self._connection.execute("SELECT 1 FROM set_aside WHERE flow = ? AND archive = '' LIMIT 1", (flow,))
        return found.fetchone() is not None

    def add(self, rows: Sequence[SetAsideRow]) -> None:
        """List rows, replacing earlier entries of the same ones."""
        self._connection.executemany(
            "DELETE FROM set_aside WHERE flow = ? AND archive = ? AND uuid IS ? AND (uuid IS NOT NULL OR "
            "(after IS ? AND before IS ?))",
            [(one.flow, one.archive, one.row.uuid, _number(one.row.after), _number(one.row.before)) for one in rows],
        )
        self._connection.executemany(
            "INSERT INTO set_aside VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(one.flow, one.archive, one.row.uuid, _number(one.row.after), _number(one.row.before)),
                    *(one.row.key, one.row.reason),
                )
                for one in rows
            ],
        )

    def remove(self, row: SetAsideRow) -> None:
        """Take one off the list."""
        self._connection.execute("DELETE FROM set_aside WHERE rowid = ?", (row.number,))

    def remove_live(self, flow: int, uuids: Collection[str]) -> None:
        """Take live rows off the list, by their uuids."""
        query = "DELETE FROM set_aside WHERE flow = ? AND archive = '' AND uuid = ?"
        self._connection.executemany(query, [(flow, uuid) for uuid in uuids])

    def remove_archived(self, flow: int, archive: str) -> None:
        """Take the rows of a flow in an archive off the list."""
        self._connection.execute("DELETE FROM set_aside WHERE flow = ? AND archive = ?", (flow, archive))

    def keep_archives(self, archives: Collection[str]) -> None:
        """Take the rows of all archives but these off the list."""
        listed = {md5 for (md5,) in self._connection.execute("SELECT DISTINCT archive FROM set_aside")}
        gone = [(md5,) for md5 in listed - {"", *archives}]
        self._connection.executemany("DELETE FROM set_aside WHERE archive = ?", gone)


def _number(instant: datetime | None) -> int | None:
    return None if instant is None else count_microseconds(instant)


def _instant(number: int | None) -> datetime | None:
    return None if number is None else make_instant(number)
