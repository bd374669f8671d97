"""What a RapidPro source has fetched so far, in State/: lines of runs, who contacts are, and how far each listing was read.

One SQLite file a source. Each page is kept in one transaction together with the place that it was read to, so a fetch that
is killed at any moment goes on after the last page that arrived. Nothing in it can tell a phone number: a contact is its
uuid here, and lines are made of what was de-identified.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engagement.errors import MachineError
from engagement.files import explain_os_errors, make_directory
from engagement.sources.de_identify import Participant

_VERSION = 1
_PAGE_BYTES = 16384  # lines of some kilobytes fit
_CACHE_KIBIBYTES = 65536
_LARGEST_QUERY = 500
_LINES_A_READ = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE contacts (uuid TEXT PRIMARY KEY, participant TEXT, urn_type TEXT, operator_raw TEXT) WITHOUT ROWID;
CREATE TABLE places (listing TEXT PRIMARY KEY, newest INTEGER, following TEXT) WITHOUT ROWID;
CREATE TABLE flows (
    id INTEGER PRIMARY KEY, uuid TEXT, name TEXT, rendering TEXT, written_runs INTEGER, written_size INTEGER,
    written_at INTEGER, UNIQUE (uuid, name)
);
CREATE TABLE archives (flow INTEGER, md5 TEXT, PRIMARY KEY (flow, md5)) WITHOUT ROWID;
CREATE TABLE runs (flow INTEGER, uuid TEXT, contact TEXT, modified INTEGER, run_id ANY, line BLOB);
CREATE UNIQUE INDEX runs_by_uuid ON runs (flow, uuid);
CREATE TABLE waiting (
    flow INTEGER, uuid TEXT, contact TEXT, modified INTEGER, run_id ANY, run BLOB, PRIMARY KEY (flow, uuid)
) WITHOUT ROWID;
"""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """How far a listing was read: the newest modification that came, and the page to go on from, inside a listing."""

    newest: datetime | None = None
    following: str | None = None


@dataclass(frozen=True)
class KeptRun:
    """A run of a flow. `text` is its line, or its JSON while it waits for its contact to be known."""

    uuid: str
    contact: str
    modified: int
    run_id: int | str
    text: bytes


def microseconds(instant: datetime) -> int:
    """An instant as a number that orders as instants do: microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


class RunStore:
    """The state of one source. Open it with `open_run_store`."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is kept in the block is kept together, or not at all when it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A full disk may have undone it already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def place(self, listing: str) -> Place:
        """How far a listing was read; an empty place for one that never was."""
        row = self._connection.execute("SELECT newest, following FROM places WHERE listing = ?", (listing,)).fetchone()
        if row is None:
            return Place()
        return Place(None if row[0] is None else _EPOCH + timedelta(microseconds=row[0]), row[1])

    def keep_place(self, listing: str, place: Place) -> None:
        """Remember how far a listing was read."""
        newest = None if place.newest is None else microseconds(place.newest)
        self._connection.execute("REPLACE INTO places VALUES (?, ?, ?)", (listing, newest, place.following))

    def participants(self, contacts: Collection[str]) -> dict[str, Participant]:
        """Who contacts are, as far as that is known."""
        rows = self._select("SELECT * FROM contacts WHERE uuid IN ({})", (), contacts)
        return {uuid: Participant(*participant) for uuid, *participant in rows}

    def keep_participants(self, participants: dict[str, Participant]) -> None:
        """Remember who contacts are. Who is known already stays as first met."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO contacts VALUES (?, ?, ?, ?)",
            [(contact, who.uuid, who.urn_type, who.operator_raw) for contact, who in participants.items()],
        )

    def flow_id(self, uuid: str, name: str) -> int:
        """The store's own number of a flow. A flow under another name counts as another: the name is part of its lines."""
        self._connection.execute("INSERT OR IGNORE INTO flows (uuid, name) VALUES (?, ?)", (uuid, name))
        row = self._connection.execute("SELECT id FROM flows WHERE uuid = ? AND name = ?", (uuid, name)).fetchone()
        return int(row[0])

    def has_read_archive(self, flow: int, md5: str) -> bool:
        """Whether a flow's runs of an archive are held."""
        found = self._connection.execute("SELECT 1 FROM archives WHERE flow = ? AND md5 = ?", (flow, md5))
        return found.fetchone() is not None

    def keep_archive(self, flow: int, md5: str) -> None:
        """Remember that a flow's runs of an archive are held."""
        self._connection.execute("INSERT OR IGNORE INTO archives VALUES (?, ?)", (flow, md5))

    def held(self, flow: int, uuids: Collection[str]) -> dict[str, tuple[int, int | str]]:
        """The newest modification that is held of runs, and the run id that they went by first."""
        held: dict[str, tuple[int, int | str]] = {}
        for query in (
            "SELECT uuid, modified, run_id FROM waiting WHERE flow = ? AND uuid IN ({})",
            "SELECT uuid, modified, run_id FROM runs WHERE flow = ? AND uuid IN ({})",
        ):
            for uuid, modified, run_id in self._select(query, (flow,), uuids):
                held[uuid] = (max(modified, held.get(uuid, (modified,))[0]), run_id)
        return held

    def keep_lines(self, flow: int, runs: Sequence[KeptRun]) -> None:
        """Hold runs as lines, in the place of their older ones."""
        if not runs:
            return
        self._replace("runs", flow, runs)
        self._connection.executemany(
            "DELETE FROM waiting WHERE flow = ? AND uuid = ?", [(flow, run.uuid) for run in runs]
        )
        self._connection.execute("UPDATE flows SET written_runs = NULL WHERE id = ?", (flow,))

    def keep_waiting(self, flow: int, runs: Sequence[KeptRun]) -> None:
        """Hold runs until their contacts are known."""
        self._replace("waiting", flow, runs)

    def ready(self, flow: int) -> Iterator[list[tuple[KeptRun, Participant]]]:
        """Runs that waited and whose contacts are known by now, in batches; each batch must be kept as lines."""
        query = (
            "SELECT waiting.uuid, contact, modified, run_id, run, participant, urn_type, operator_raw "
            "FROM waiting JOIN contacts ON contacts.uuid = contact WHERE flow = ? LIMIT ?"
        )
        while rows := self._connection.execute(query, (flow, _LINES_A_READ)).fetchall():
            yield [(KeptRun(*row[:5]), Participant(*row[5:])) for row in rows]

    def contacts_waited_for(self, flow: int) -> list[tuple[str, int]]:
        """The contacts that runs wait for, each with its number of runs."""
        rows = self._connection.execute(
            "SELECT contact, count(*) FROM waiting WHERE flow = ? GROUP BY contact ORDER BY contact", (flow,)
        )
        return rows.fetchall()

    def count(self, flow: int) -> int:
        """How many runs of a flow are held as lines."""
        row = self._connection.execute("SELECT count(*) FROM runs WHERE flow = ?", (flow,)).fetchone()
        return int(row[0])

    def lines(self, flow: int) -> Iterator[list[bytes]]:
        """A flow's lines by modification time, then uuid, in batches."""
        # Only keys are sorted, and the lines looked up in that order: an index for it would cost every page that arrives.
        # The limit keeps SQLite from dropping the inner order as idle.
        rows = self._connection.execute(
            "SELECT line FROM (SELECT rowid AS place FROM runs WHERE flow = ? ORDER BY modified, uuid LIMIT -1) "
            "CROSS JOIN runs ON runs.rowid = place",
            (flow,),
        )
        while batch := rows.fetchmany(_LINES_A_READ):
            yield [line for (line,) in batch]

    def batches(self, flow: int) -> Iterator[list[KeptRun]]:
        """A flow's runs in batches, in order of their uuids; a batch may be kept anew before the next is taken."""
        last = ""
        query = (
            "SELECT uuid, contact, modified, run_id, line FROM runs INDEXED BY runs_by_uuid "
            "WHERE flow = ? AND uuid > ? ORDER BY uuid LIMIT ?"
        )
        while rows := self._connection.execute(query, (flow, last, _LINES_A_READ)).fetchall():
            yield [KeptRun(*row) for row in rows]
            last = rows[-1][0]

    def rendering(self, flow: int) -> str | None:
        """What the held lines of a flow were made with, beside the runs themselves."""
        row = self._connection.execute("SELECT rendering FROM flows WHERE id = ?", (flow,)).fetchone()
        return row[0]

    def keep_rendering(self, flow: int, rendering: str) -> None:
        """Remember what the held lines of a flow were made with."""
        self._connection.execute("UPDATE flows SET rendering = ? WHERE id = ?", (rendering, flow))

    def written(self, flow: int) -> tuple[int, int, int] | None:
        """Runs, size and modification time of the file that was written of exactly the lines held; None if they changed."""
        query = "SELECT written_runs, written_size, written_at FROM flows WHERE id = ? AND written_runs IS NOT NULL"
        return self._connection.execute(query, (flow,)).fetchone()

    def keep_written(self, flow: int, runs: int, size: int, at: int) -> None:
        """Remember that a file was written of the lines held."""
        self._connection.execute(
            "UPDATE flows SET written_runs = ?, written_size = ?, written_at = ? WHERE id = ?", (runs, size, at, flow)
        )

    def _replace(self, table: str, flow: int, runs: Iterable[KeptRun]) -> None:
        self._connection.executemany(
            f"REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - a name of our own
            [(flow, run.uuid, run.contact, run.modified, run.run_id, run.text) for run in runs],
        )

    def _select(self, query: str, first: Sequence[object], values: Collection[str]) -> Iterator[tuple[str, ...]]:
        distinct = list(values)
        for start in range(0, len(distinct), _LARGEST_QUERY):
            batch = distinct[start : start + _LARGEST_QUERY]
            yield from self._connection.execute(query.format(", ".join("?" * len(batch))), (*first, *batch))


@contextlib.contextmanager
def open_run_store(path: Path) -> Iterator[RunStore]:
    """Open a source's state, or begin a new one; a state of another version or a damaged one is begun anew, with a warning."""
    make_directory(path.parent)
    with explain_os_errors(path):
        path.touch(mode=0o600)
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise _unusable(path, error) from error
        _logger.warning("%s: damaged (%s); everything is fetched anew", path, error)
        connection = _begin_anew(path)
    if connection is None:
        _logger.warning("%s: made by another version of this program; everything is fetched anew", path)
        connection = _begin_anew(path)
    with contextlib.closing(connection):
        try:
            yield RunStore(connection)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error


def _connect(path: Path) -> sqlite3.Connection | None:
    """Open a state of this version, or make an empty file one; None for another version."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        # Safe when the process is killed; after a power cut the last pages may be asked for again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        # Moved from the log into the file every 64 MiB: a flow's indexes change with each page of runs.
        connection.execute("PRAGMA wal_autocheckpoint = 4096")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not version and not tables:
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
            version = _VERSION
    except BaseException:
        connection.close()
        raise
    if version != _VERSION:
        connection.close()
        return None
    return connection


def _begin_anew(path: Path) -> sqlite3.Connection:
    with explain_os_errors(path):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    connection = _connect(path)
    if connection is None:
        raise MachineError(f"{path}: could not be made anew. Remove it and run this again.")
    return connection


def _unusable(path: Path, error: sqlite3.Error) -> MachineError:
    return MachineError(
        f"{path}: the state of the fetch could not be used: {error}. Check the disk and the file's permissions; "
        "it may be removed, at the cost of fetching everything anew."
    )
