"""Look at a RapidPro source's fetched data: nothing is changed, made or locked."""

import contextlib
import sqlite3
import urllib.parse
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engagement.foundation.errors import MachineError
from engagement.foundation.microseconds import count_microseconds, make_instant

_LARGEST_QUERY = 500


@dataclass(frozen=True)
class FlowState:
    """Progress of a flow. `newest` is the newest modification that came, by the server's clock."""

    runs: int = 0
    waiting: int = 0
    newest: datetime | None = None


class FetchState:
    """State of one source; without a connection, nothing was fetched from it yet.

    `is_behind`: a fetch is at work, or was killed, and what it took in last is not in here yet.
    """

    def __init__(self, connection: sqlite3.Connection | None = None, is_behind: bool = False):
        self._connection = connection
        self.is_behind = is_behind

    def is_empty(self) -> bool:
        """Check if nothing was fetched yet, or the state was removed."""
        return not self._select("SELECT 1 FROM contacts LIMIT 1", ())

    def workspace(self) -> str | None:
        """Find the uuid of the workspace that everything came from, if it is known."""
        try:
            rows = self._select("SELECT workspace FROM source", ())
        except sqlite3.OperationalError:
            return None  # of an earlier version
        return rows[0][0] if rows else None

    def flow(self, uuid: str, name: str) -> FlowState:
        """Return the progress of a flow."""
        flow = self._flow_id(uuid, name)
        if flow is None:
            return FlowState()
        (runs,), (waiting,) = (
            self._select(f"SELECT count(*) FROM {table} WHERE flow = ?", (flow,))[0]  # noqa: S608 - names of our own
            for table in ("runs", "waiting")
        )
        return FlowState(runs, waiting, self._newest(f"runs of flow {flow}, %"))

    def new_runs(self, uuid: str, name: str, modified: dict[str, datetime]) -> tuple[int, int]:
        """Count the runs, given by uuid and modification time, that are not held or held in an older version."""
        flow = self._flow_id(uuid, name)
        held: dict[str, int] = {}
        if flow is not None:
            for table in ("runs", "waiting"):
                query = f"SELECT uuid, modified FROM {table} WHERE flow = ? AND uuid IN ({{}})"  # noqa: S608
                for run, time in self._select_of(query, (flow,), modified):
                    held[str(run)] = max(int(time), held.get(str(run), 0))
        changed = sum(run in held and count_microseconds(time) > held[run] for run, time in modified.items())
        return sum(run not in held for run in modified), changed

    def contacts(self) -> tuple[int, datetime | None]:
        """Count the known contacts, with the newest modification that came."""
        rows = self._select("SELECT count(*) FROM contacts", ())
        return (rows[0][0] if rows else 0), self._newest("contacts")

    def new_contacts(self, uuids: Collection[str]) -> int:
        """Count the unknown ones of these contacts."""
        known = {row[0] for row in self._select_of("SELECT uuid FROM contacts WHERE uuid IN ({})", (), uuids)}
        return len(set(uuids) - known)

    def has_read_archive(self, md5: str, flows: Collection[tuple[str, str]]) -> bool:
        """Check if all of these flows (uuid, name) hold their runs of an archive."""
        ids = [self._flow_id(*flow) for flow in flows]
        rows = self._select("SELECT flow FROM archives WHERE md5 = ?", (md5,))
        return {row[0] for row in rows} >= set(ids)

    def _flow_id(self, uuid: str, name: str) -> int | None:
        rows = self._select("SELECT id FROM flows WHERE uuid = ? AND name = ?", (uuid, name))
        return int(rows[0][0]) if rows else None

    def _newest(self, listing: str) -> datetime | None:
        rows = self._select("SELECT newest FROM places WHERE listing LIKE ? AND newest IS NOT NULL", (listing,))
        return make_instant(rows[0][0]) if rows else None

    def _select_of(self, query: str, first: tuple[object, ...], values: Collection[str]) -> Iterator[tuple[Any, ...]]:
        distinct = list(values)
        for start in range(0, len(distinct), _LARGEST_QUERY):
            batch = distinct[start : start + _LARGEST_QUERY]
            yield from self._select(query.format(", ".join("?" * len(batch))), (*first, *batch))

    def _select(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return [] if self._connection is None else self._connection.execute(query, values).fetchall()


@contextlib.contextmanager
def look_at_fetch_state(path: Path) -> Iterator[FetchState]:
    """Look at a source's state; one that is damaged or of another version counts as empty."""
    if not path.exists():
        yield FetchState()
        return
    log = path.with_name(path.name + "-wal")
    # Opened as immutable: SQLite then makes no file beside it, and waits for no lock.
    address = f"file:{urllib.parse.quote(str(path.resolve()))}?immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        is_behind = log.exists() and log.stat().st_size > 0
        try:
            yield FetchState(connection if _has_tables(connection) else None, is_behind)
        except sqlite3.Error as error:
            raise MachineError(
                f"{path}: the state of the fetch could not be read: {error}. If no fetch is at work, remove the file, at the "
                "cost of fetching everything again."
            ) from error


def _has_tables(connection: sqlite3.Connection) -> bool:
    try:
        for query in (
            "SELECT flow, uuid, modified FROM runs LIMIT 1",
            "SELECT flow, uuid, modified FROM waiting LIMIT 1",
            "SELECT uuid FROM contacts LIMIT 1",
            "SELECT listing, newest FROM places LIMIT 1",
            "SELECT id, uuid, name FROM flows LIMIT 1",
            "SELECT flow, md5 FROM archives LIMIT 1",
        ):
            connection.execute(query).fetchone()
    except sqlite3.Error:
        return False
    return True
