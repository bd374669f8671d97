"""A RapidPro source's state in State/: lines of runs, and the position in each listing.

It has only a copy of the contacts; see `contact_map` for the file that counts. Each page is kept in one transaction together
with the position after it, so a fetch that is killed at any moment goes on after the last page that arrived. Nothing in it can
reveal a phone number: a contact is its uuid here, and lines are made of de-identified data.
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from engagement.foundation.microseconds import count_microseconds, make_instant
from engagement.sources.rapidpro.de_identify import ContactIdentity
from engagement.sources.rapidpro.state.contact_copy import ContactCopy
from engagement.sources.rapidpro.state.line_log import LineLog
from engagement.sources.rapidpro.state.run_numbers import RunNumbers
from engagement.sources.rapidpro.state.set_aside_rows import SetAsideRows

_LARGEST_QUERY = 500
_RUNS_A_READ = 1000
_LARGEST_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class ListingPosition:
    """Position in a listing: the newest modification that came, and where to go on if it was cut short."""

    newest: datetime | None = None
    go_on_from: datetime | None = None


class KeptRun(NamedTuple):
    """A run of a flow. `text` is its line, or its JSON while it waits for its contact.

    `texts_from` is the time of its first result whose whole text still needs a look-up among the messages.
    """

    uuid: str
    contact: str
    modified: int
    run_id: int | str
    text: bytes
    is_archived: bool = False
    texts_from: int | None = None


class HeldRun(NamedTuple):
    """A held run. Of two versions with one modification time the archived one is the newer."""

    version: tuple[int, bool]
    run_id: int | str
    texts_from: int | None = None


class RunStore:
    """State of one source; open it with `open_run_store`. `connection` is for other data in this state."""

    def __init__(self, connection: sqlite3.Connection, log: LineLog):
        self.connection = connection
        self._log = log
        self.contacts = ContactCopy(connection)
        self._numbers: dict[int, RunNumbers] = {}
        self.set_aside = SetAsideRows(connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything in the block together, or nothing if it raises."""
        size = self._log.size
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self._log.size != size:
                # Before the rows that name them: a power cut may lose the last transactions, but never only their lines.
                self._log.flush()
                self.connection.execute("UPDATE line_log SET size = ?", (self._log.size,))
            self.connection.execute("COMMIT")
        except BaseException:
            self._log.size = size
            self.contacts.forget_remembered()
            self._numbers.clear()
            # A full disk may have undone it already.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def position(self, listing: str) -> ListingPosition:
        """Find how far a listing was read; an empty position if it never was."""
        query = "SELECT newest, go_on_from FROM places WHERE listing = ?"
        row = self.connection.execute(query, (listing,)).fetchone() or (None, None)
        return ListingPosition(*(None if at is None else make_instant(at) for at in row))

    def keep_position(self, listing: str, position: ListingPosition) -> None:
        """Remember how far a listing was read."""
        times = (None if at is None else count_microseconds(at) for at in (position.newest, position.go_on_from))
        self.connection.execute("REPLACE INTO places VALUES (?, ?, ?)", (listing, *times))

    def participants(self, contacts: Collection[str]) -> dict[str, ContactIdentity]:
        """Find the participants of known contacts."""
        return self.contacts.participants(contacts)

    def is_empty(self) -> bool:
        """Check if nothing was fetched yet."""
        return (
            self.connection.execute("SELECT 1 FROM flows UNION ALL SELECT 1 FROM contacts LIMIT 1").fetchone() is None
        )

    def begin_anew(self) -> None:
        """Forget everything fetched. Call it within a transaction."""
        self.contacts.clear()
        for table in ("places", "flows", "archives", "runs", "waiting", "set_aside", "asked_for", "messages"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        self.connection.execute("UPDATE line_log SET size = 0")
        self._numbers.clear()

    def flow_id(self, uuid: str, name: str) -> int:
        """Return the store's number of a flow. A renamed flow is another one: its lines hold the name."""
        self.connection.execute("INSERT OR IGNORE INTO flows (uuid, name) VALUES (?, ?)", (uuid, name))
        row = self.connection.execute("SELECT id FROM flows WHERE uuid = ? AND name = ?", (uuid, name)).fetchone()
        return int(row[0])

    def has_read_archive(self, flow: int, md5: str) -> bool:
        """Check if a flow's runs of an archive are held."""
        found = self.connection.execute("SELECT 1 FROM archives WHERE flow = ? AND md5 = ?", (flow, md5))
        return found.fetchone() is not None

    def keep_archive(self, flow: int, md5: str) -> None:
        """Remember that a flow's runs of an archive are held."""
        self.connection.execute("INSERT OR IGNORE INTO archives VALUES (?, ?)", (flow, md5))

    def held(self, flow: int, uuids: Collection[str]) -> dict[str, HeldRun]:
        """Find the newest held versions of runs, and their first run ids."""
        held: dict[str, HeldRun] = {}
        if self._has_waiting(flow):
            query = "SELECT uuid, modified, is_archived, run_id FROM waiting WHERE flow = ? AND uuid IN ({})"
            for uuid, modified, is_archived, run_id in self.select(query, (flow,), uuids):
                held[uuid] = HeldRun((modified, bool(is_archived)), run_id)
        query = "SELECT uuid, modified, is_archived, run_id, texts_from FROM runs WHERE flow = ? AND id IN ({})"
        known = self._numbers_of(flow).known(uuids)
        for uuid, modified, is_archived, run_id, texts_from in self.select(query, (flow,), known):
            version = (modified, bool(is_archived))
            held[uuid] = HeldRun(max(version, held[uuid].version) if uuid in held else version, run_id, texts_from)
        return held

    def lines_of(self, flow: int, uuids: Collection[str]) -> dict[str, bytes]:
        """Read the lines of those runs that are held as lines."""
        query = "SELECT uuid, start, length FROM runs WHERE flow = ? AND id IN ({})"
        found = self.select(query, (flow,), self._numbers_of(flow).known(uuids))
        return {uuid: self._log.read(start, length) for uuid, start, length in found}

    def keep_lines(self, flow: int, runs: Sequence[KeptRun]) -> None:
        """Hold runs as lines, replacing their older ones."""
        if not runs:
            return
        lines = [run.text for run in runs]
        starts = itertools.accumulate(map(len, lines), initial=self._log.append(lines))
        numbers = self._numbers_of(flow).number([run.uuid for run in runs])
        rows = [
            (flow, number, uuid, contact, modified, run_id, start, len(line), archived, texts_from)
            for number, start, (uuid, contact, modified, run_id, line, archived, texts_from) in zip(
                numbers, starts, runs, strict=False
            )
        ]
        self.connection.executemany("REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        if self._has_waiting(flow):
            self.connection.executemany(
                "DELETE FROM waiting WHERE flow = ? AND uuid = ?", [(flow, run.uuid) for run in runs]
            )
        self.connection.execute("UPDATE flows SET written_runs = NULL WHERE id = ?", (flow,))

    def keep_as_they_are(self, flow: int, runs: Sequence[KeptRun]) -> None:
        """Update the other columns of runs whose lines stay."""
        numbers = self._numbers_of(flow).number([run.uuid for run in runs])
        self.connection.executemany(
            "UPDATE runs SET is_archived = ?, texts_from = ? WHERE flow = ? AND id = ?",
            [(run.is_archived, run.texts_from, flow, number) for run, number in zip(runs, numbers, strict=True)],
        )

    def keep_waiting(self, flow: int, runs: Sequence[KeptRun]) -> None:
        """Hold runs until their contacts are known."""
        self.connection.executemany(
            "REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)", [(flow, *run[:-1]) for run in runs]
        )

    def ready(self, flow: int) -> Iterator[list[tuple[KeptRun, ContactIdentity]]]:
        """Read waiting runs whose contacts have become known, in batches; each batch must be kept as lines."""
        query = (
            "SELECT waiting.uuid, contact, modified, run_id, run, is_archived, participant, urn_type, operator_raw "
            "FROM waiting JOIN contacts ON contacts.uuid = contact WHERE flow = ? LIMIT ?"
        )
        while rows := self.connection.execute(query, (flow, _RUNS_A_READ)).fetchall():
            yield [(KeptRun(*row[:6]), ContactIdentity(*row[6:])) for row in rows]

    def contacts_waited_for(self, flow: int) -> list[tuple[str, int, bool]]:
        """List the contacts that runs wait for, each with its number of runs, and true if it is gone."""
        rows = self.connection.execute(
            "SELECT contact, count(*), coalesce(max(is_gone), 0) FROM waiting LEFT JOIN asked_for USING (contact) "
            "WHERE flow = ? GROUP BY contact ORDER BY contact",
            (flow,),
        )
        return [(contact, runs, bool(is_gone)) for contact, runs, is_gone in rows]

    def count(self, flow: int) -> int:
        """Count the runs of a flow that are held as lines."""
        row = self.connection.execute("SELECT count(*) FROM runs WHERE flow = ?", (flow,)).fetchone()
        return int(row[0])

    def lines(self, flow: int) -> Iterator[bytes]:
        """Read a flow's lines by modification time, then uuid, in pieces of many lines."""
        places = self.connection.execute(
            "SELECT start, length FROM runs WHERE flow = ? ORDER BY modified, uuid", (flow,)
        )
        start = end = 0
        for place, length in places:
            # Lines that arrived in order are stored in order, and are read together.
            if place != end or end - start > _LARGEST_READ_BYTES:
                yield self._log.read(start, end - start)
                start = end = place
            end += length
        yield self._log.read(start, end - start)

    def batches(self, flow: int) -> Iterator[list[KeptRun]]:
        """Read a flow's runs in batches, in order of arrival; a batch may be replaced before the next."""
        last = -1
        query = (
            "SELECT id, start, length, uuid, contact, modified, run_id, is_archived, texts_from FROM runs "
            "WHERE flow = ? AND id > ? ORDER BY id LIMIT ?"
        )
        while rows := self.connection.execute(query, (flow, last, _RUNS_A_READ)).fetchall():
            yield [self._kept_run(row[1:]) for row in rows]
            last = rows[-1][0]

    def runs_to_look_up(self, contacts: Collection[str]) -> Iterator[tuple[int, KeptRun]]:
        """Find these contacts' runs whose texts need a look-up, with their flows' numbers."""
        query = (
            "SELECT flow, start, length, uuid, contact, modified, run_id, is_archived, texts_from FROM runs "
            "WHERE texts_from IS NOT NULL AND contact IN ({})"
        )
        for flow, *row in self.select(query, (), contacts):
            yield flow, self._kept_run(row)

    def _kept_run(self, row: Sequence[Any]) -> KeptRun:
        start, length, uuid, contact, modified, run_id, is_archived, texts_from = row
        text = self._log.read(start, length)
        return KeptRun(uuid, contact, modified, run_id, text, is_archived, texts_from)

    def rendering(self, flow: int) -> str | None:
        """Return the settings that the held lines of a flow were made with."""
        row = self.connection.execute("SELECT rendering FROM flows WHERE id = ?", (flow,)).fetchone()
        rendering: str | None = row[0]
        return rendering

    def keep_rendering(self, flow: int, rendering: str) -> None:
        """Remember the settings that the held lines of a flow were made with."""
        self.connection.execute("UPDATE flows SET rendering = ? WHERE id = ?", (rendering, flow))

    def forget_renderings(self) -> None:
        """Mark every flow's lines for another check, whatever their settings."""
        self.connection.execute("UPDATE flows SET rendering = '' WHERE rendering IS NOT NULL")

    def written(self, flow: int) -> tuple[int, int, int] | None:
        """Runs, size and modification time of the file written from the lines held; None if they changed."""
        query = "SELECT written_runs, written_size, written_at FROM flows WHERE id = ? AND written_runs IS NOT NULL"
        written: tuple[int, int, int] | None = self.connection.execute(query, (flow,)).fetchone()
        return written

    def keep_written(self, flow: int, runs: int, size: int, at: int) -> None:
        """Remember that a file was written from the lines held."""
        self.connection.execute(
            "UPDATE flows SET written_runs = ?, written_size = ?, written_at = ? WHERE id = ?", (runs, size, at, flow)
        )

    def are_texts_looked_up(self, flow: int) -> bool:
        """Check if the last fetch looked up whole texts of a flow."""
        row = self.connection.execute("SELECT full_texts FROM flows WHERE id = ?", (flow,)).fetchone()
        return bool(row[0])

    def _numbers_of(self, flow: int) -> RunNumbers:
        if flow not in self._numbers:
            (last,) = self.connection.execute("SELECT max(id) FROM runs WHERE flow = ?", (flow,)).fetchone()
            query = "SELECT uuid, id FROM runs WHERE flow = ? AND id >= ? AND id < ?"
            self._numbers[flow] = RunNumbers(
                0 if last is None else last + 1,
                lambda first, end: self.connection.execute(query, (flow, first, end)),
            )
        return self._numbers[flow]

    def _has_waiting(self, flow: int) -> bool:
        return self.connection.execute("SELECT 1 FROM waiting WHERE flow = ? LIMIT 1", (flow,)).fetchone() is not None

    def select(self, query: str, first: Sequence[object], values: Collection[object]) -> Iterator[tuple[Any, ...]]:
        """Run a query with one `IN ({})` for any number of values."""
        distinct = list(values)
        for start in range(0, len(distinct), _LARGEST_QUERY):
            batch = distinct[start : start + _LARGEST_QUERY]
            yield from self.connection.execute(query.format(", ".join("?" * len(batch))), (*first, *batch))
