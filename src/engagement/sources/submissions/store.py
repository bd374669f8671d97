"""Submissions of one form that a fetch holds: State/fetch/<source type> <FlowName>.sqlite.

A submission's lines are made when it arrives, and kept ready: one that comes again the same keeps its lines, so the bytes of Raw
Data stay. Each page is one transaction. A killed fetch goes on after its last page, as `versions` tells what is here. Nothing in it
reveals who answered: lines are de-identified, and keys are the service's.

A store that is damaged, or was made with other questions, starts again. Its lines then come back from Raw Data, so that nothing
there changes that did not have to. Another operator scheme labels the lines that are held again: not every source could bring them
once more.
"""

import contextlib
import logging
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from engagement.foundation.errors import count_of
from engagement.foundation.microseconds import count_microseconds
from engagement.sources.held_back import NOTHING, HeldBack
from engagement.sources.state_databases import DamagedStateError, find_damage, remove_state
from engagement.sources.submissions.earlier_lines import EarlierLines
from engagement.sources.submissions.lines import HeldLine, SubmissionLines, hash_of
from engagement.sources.submissions.long_answers import part_long
from engagement.sources.submissions.submission import Submission, UnreadableSubmission

EPISODE, SURVEY = _KINDS = ("episode", "survey")
_LINES_A_READ = 500
_LARGEST_QUERY = 500
_UPSERT = (
    "INSERT INTO submissions (key, version, time, episode, survey) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "version = excluded.version, time = excluded.time, episode = excluded.episode, survey = excluded.survey"
)
_EPISODES = "SELECT id, episode FROM submissions WHERE id > ? AND episode IS NOT NULL ORDER BY id LIMIT ?"
_LABELS = "labels of operators"

_logger = logging.getLogger(__name__)


class _Row(NamedTuple):
    key: str
    version: str
    time: int
    episode: bytes | None
    survey: bytes | None


class SubmissionStore:
    """State of one form; open it with `opened_stores.open_store`. `flow` is its FlowName."""

    def __init__(
        self,
        path: Path,
        flow: str,
        connection: sqlite3.Connection,
        lines: SubmissionLines,
        earlier: EarlierLines,
        held_back: HeldBack = NOTHING,
    ):
        self.flow = flow
        self._path = path
        self._is_whole = False
        self._held_back = held_back
        self._connection = connection
        self._lines = lines
        self._earlier = earlier

    def versions(self) -> dict[str, str]:
        """Return the version of each submission held, by its key."""
        return dict(self._connection.execute("SELECT key, version FROM submissions"))

    def count(self) -> int:
        """Count the submissions held."""
        return int(self._connection.execute("SELECT count(*) FROM submissions").fetchone()[0])

    def label_again(self) -> None:
        """Label the operators of all lines as the project's scheme has them now, if it changed."""
        labels = self._lines.labels
        if self.note(_LABELS) == labels:
            return
        with self._transaction():
            last = changed = 0
            while rows := self._connection.execute(_EPISODES, (last, _LINES_A_READ)).fetchall():
                last = rows[-1][0]
                labelled = [(new, id_) for id_, old in rows if (new := self._lines.label_again(old)) != old]
                self._connection.executemany("UPDATE submissions SET episode = ? WHERE id = ?", labelled)
                changed += len(labelled)
            self._note({_LABELS: labels})
            if changed:
                self._mark([EPISODE])
        if changed:
            _logger.info(
                "Flow %r: the operator scheme changed; %s labelled again", self.flow, count_of(changed, "line")
            )

    def refuse_damage(self) -> None:
        """Read all pages, once. Call it before lines are read for Raw Data.

        Raises
        ------
        DamagedStateError
            One is damaged. The store is closed and removed: the next one starts again.
        """
        damage = None if self._is_whole else find_damage(self._connection)
        if damage is not None:
            self._connection.close()
            remove_state(self._path)
            raise DamagedStateError(self._path, damage)
        self._is_whole = True

    def all_keys(self) -> Iterator[str]:
        """Read the keys of the submissions held."""
        return (key for (key,) in self._connection.execute("SELECT key FROM submissions"))

    def held_versions(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the versions of those of the submissions that are held, by key."""
        query = "SELECT key, version FROM submissions WHERE key IN ({})"
        return dict(self._connection.execute(query.format(", ".join("?" * len(keys))), keys))

    def note(self, name: str) -> str | None:
        """Return what the source noted under a name, like its place in a listing; None if nothing."""
        row = self._connection.execute("SELECT text FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def put(
        self,
        page: Sequence[tuple[Submission, str]],
        unreadable: Sequence[UnreadableSubmission] = (),
        notes: Mapping[str, str] | None = None,
    ) -> int:
        """Keep a page of submissions with their participants; return how many are new or changed.

        All or nothing. A submission replaces the one with its key. `unreadable` ones are listed until they can be read, or are
        dropped; an earlier version of one stays in Raw Data. So are those with an answer that is far too long. What is
        held back is left out.
        """
        known = [
            (one, participant)
            for one, participant in page
            if not self._held_back.holds_back(participant, one.time, one.texts)
        ]
        usable, long = part_long(known)
        unreadable = [*unreadable, *long]
        newest = {one.key: (one, participant) for one, participant in usable}
        with self._transaction():
            held = self._held(newest)
            rows: list[_Row] = []
            changed: set[str] = set()
            for key, (one, participant) in newest.items():
                before = held.get(key)
                row = self._make_row(one, participant, before)
                if row == before:
                    continue
                rows.append(row)
                is_moved = before is not None and before.time != row.time
                for kind, line, old in zip(_KINDS, row[3:], before[3:] if before else (None, None), strict=True):
                    if line != old or (is_moved and line is not None):
                        changed.add(kind)
            self._connection.executemany(_UPSERT, rows)
            self._take_off_list(newest)
            self._connection.executemany("REPLACE INTO set_aside VALUES (?, ?, ?)", unreadable)
            # Whatever version comes next is another one.
            broken = [(one.key,) for one in unreadable]
            self._connection.executemany("UPDATE submissions SET version = '' WHERE key = ?", broken)
            self._note(notes or {})
            self._mark(changed)
        return len(rows)

    def _make_row(self, one: Submission, participant: str, before: "_Row | None") -> "_Row":
        """Make the lines of a submission; those that hold the same as before stay, whoever brought them."""
        lines: list[bytes | None] = []
        for kind, line, old in zip(
            _KINDS, self._lines.make(one, participant), before[3:] if before else (None, None), strict=True
        ):
            if line is None:
                lines.append(None)
            elif old is not None and hash_of(line) == hash_of(old):
                lines.append(old)
            else:
                lines.append(self._earlier.find(kind, line))
        return _Row(one.key, one.version, count_microseconds(one.time), *lines)

    def drop(self, keys: Collection[str]) -> None:
        """Forget submissions that the service no longer has. Call `refuse_emptied` before."""
        with self._transaction():
            for row in self._held(keys).values():
                self._mark(kind for kind, line in zip(_KINDS, row[3:], strict=True) if line is not None)
            self._connection.executemany("DELETE FROM submissions WHERE key = ?", [(key,) for key in keys])
            self._take_off_list(keys)

    def warn_of_missing_operators(self) -> None:
        """Warn of operators without a code, of the submissions that came in this fetch."""
        self._lines.warn_of_missing_operators()

    def set_aside(self) -> list[UnreadableSubmission]:
        """List the submissions that can't be read."""
        rows = self._connection.execute("SELECT key, place, reason FROM set_aside ORDER BY key")
        return [UnreadableSubmission(*row) for row in rows]

    def count_lines(self, kind: str) -> int:
        """Count the lines of the episode's or the survey's answers, once after a change."""
        generation, note = self.generation(kind), f"lines of {kind}"
        noted, _, number = (self.note(note) or "").rpartition(" ")
        if number and noted == generation:
            return int(number)
        query = f"SELECT count(*) FROM submissions WHERE {kind} IS NOT NULL"  # noqa: S608 - names of our own
        count = int(self._connection.execute(query).fetchone()[0])
        self.keep_notes({note: f"{generation} {count}"})
        return count

    def lines(self, kind: str) -> Iterator[HeldLine]:
        """Read the lines of the episode's or the survey's answers, by time, then key."""
        query = f"SELECT time, key, {kind} FROM submissions WHERE {kind} IS NOT NULL ORDER BY time, key"  # noqa: S608
        rows = self._connection.execute(query)
        while batch := rows.fetchmany(_LINES_A_READ):
            yield from map(HeldLine._make, batch)

    def generation(self, kind: str) -> str:
        """Return a name of the lines as they are: another one after each change."""
        return self.note(f"generation of {kind}") or ""

    def keep_notes(self, notes: Mapping[str, str]) -> None:
        """Keep what the source wants to know in the next fetch."""
        with self._transaction():
            self._note(notes)

    def _note(self, notes: Mapping[str, str]) -> None:
        self._connection.executemany("REPLACE INTO notes VALUES (?, ?)", notes.items())

    def _mark(self, kinds: Iterable[str]) -> None:
        self._note({f"generation of {kind}": uuid.uuid4().hex for kind in kinds})

    def _take_off_list(self, keys: Collection[str]) -> None:
        self._connection.executemany("DELETE FROM set_aside WHERE key = ?", [(key,) for key in keys])

    def _held(self, keys: Collection[str]) -> "dict[str, _Row]":
        found: dict[str, _Row] = {}
        query = "SELECT key, version, time, episode, survey FROM submissions WHERE key IN ({})"
        distinct = list(keys)
        for start in range(0, len(distinct), _LARGEST_QUERY):
            batch = distinct[start : start + _LARGEST_QUERY]
            rows = self._connection.execute(query.format(", ".join("?" * len(batch))), batch)
            found |= {row[0]: _Row(*row) for row in rows}
        return found

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
