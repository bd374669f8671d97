"""State of the look-up of whole texts: runs that lack them, and meanwhile their contacts' messages."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from engagement.foundation.microseconds import count_microseconds, make_instant
from engagement.sources.rapidpro.message_matching import SentText
from engagement.sources.rapidpro.state.run_store import KeptRun, RunStore

_CONTACTS_A_READ = 200
_FIRST, _UNTIL = "messages from", "messages until"


class TextStore:
    """The part of a source's state about texts."""

    def __init__(self, store: RunStore):
        self._store = store
        self._connection = store.connection

    def mark(self, flow: int, runs: Collection[KeptRun]) -> None:
        """Remember the time from which texts of runs need a look-up."""
        self._store.keep_as_they_are(flow, [run for run in runs if run.texts_from is not None])

    def keep_whether_looked_up(self, flow: int, are_looked_up: bool) -> None:
        """Turn the look-up of a flow's texts on or off; turning it off clears its open look-ups."""
        if not are_looked_up:
            self._connection.execute("UPDATE runs SET texts_from = NULL WHERE flow = ?", (flow,))
        self._connection.execute("UPDATE flows SET full_texts = ? WHERE id = ?", (are_looked_up, flow))

    def first_time(self) -> datetime | None:
        """Find the time of the first answer whose text needs a look-up; None if there is none."""
        query = "SELECT min(texts_from) FROM runs WHERE texts_from IS NOT NULL"
        (time,) = self._connection.execute(query).fetchone()
        return None if time is None else make_instant(time)

    def newest_row(self) -> datetime | None:
        """Find the newest modification of anything that came, by the server's clock."""
        (time,) = self._connection.execute("SELECT max(newest) FROM places").fetchone()
        return None if time is None else make_instant(time)

    def contacts_among(self, contacts: Collection[str]) -> set[str]:
        """Find those of some contacts whose texts need a look-up."""
        query = "SELECT DISTINCT contact FROM runs WHERE texts_from IS NOT NULL AND contact IN ({})"
        return {row[0] for row in self._store.select(query, (), contacts)}

    def runs_by_contact(self) -> Iterator[dict[str, list[tuple[int, KeptRun]]]]:
        """Read the runs whose texts need a look-up, with their flows' numbers, some contacts at a time."""
        last = ""
        query = (
            "SELECT DISTINCT contact FROM runs WHERE texts_from IS NOT NULL AND contact > ? ORDER BY contact LIMIT ?"
        )
        while found := self._connection.execute(query, (last, _CONTACTS_A_READ)).fetchall():
            contacts = [row[0] for row in found]
            runs = defaultdict(list)
            for flow, run in self._store.runs_to_look_up(contacts):
                runs[run.contact].append((flow, run))
            yield runs
            last = contacts[-1]

    def messages_of(self, contacts: Collection[str]) -> dict[str, list[SentText]]:
        """Read the messages of contacts."""
        messages = defaultdict(list)
        query = "SELECT contact, created, text FROM messages WHERE contact IN ({})"
        for contact, created, text in self._store.select(query, (), contacts):
            messages[contact].append(SentText(created, text))
        return messages

    def keep_messages(self, messages: Iterable[tuple[str, datetime, str]]) -> None:
        """Hold messages: contact, time and text."""
        rows = [(contact, count_microseconds(created), text) for contact, created, text in messages]
        self._connection.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?, ?)", rows)

    def stretch(self) -> tuple[datetime, datetime] | None:
        """Find the time range whose messages are all held, while a look-up is incomplete."""
        first, until = self._store.position(_FIRST).newest, self._store.position(_UNTIL).newest
        return None if first is None or until is None else (first, until)

    def keep_stretch(self, first: datetime, until: datetime) -> None:
        """Remember the time range whose messages are all held."""
        for listing, time in ((_FIRST, first), (_UNTIL, until)):
            query = "REPLACE INTO places (listing, newest) VALUES (?, ?)"
            self._connection.execute(query, (listing, count_microseconds(time)))

    def drop_messages(self) -> None:
        """Delete all held messages."""
        self._connection.execute("DELETE FROM messages")
        self._connection.execute("DELETE FROM places WHERE listing IN (?, ?)", (_FIRST, _UNTIL))
