"""Remove submissions from a form's or channel's state: participants', or those over age."""

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from engagement.configuration.field_names import PARTICIPANT_KEY
from engagement.foundation.microseconds import count_microseconds
from engagement.sources.message_cut import LineAges, read_values
from engagement.sources.state_databases import (
    connect_state,
    explain_state_error,
    leave_no_trace,
    look_into_state,
    set_up_state,
    state_files,
)

_KINDS = ("episode", "survey")


def find_submissions(connection: sqlite3.Connection, uids: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Find participants' submissions: the key of each, and the data of its lines."""
    for key, *lines in connection.execute("SELECT key, episode, survey FROM submissions ORDER BY time, key"):
        found = {kind: read_values(line) for kind, line in zip(_KINDS, lines, strict=True) if line is not None}
        if any(data.get(PARTICIPANT_KEY) in uids for data in found.values()):
            yield key, found


def find_submitting(data_root: Path) -> set[str]:
    """Find whose submissions the fetch holds, in Raw Data/ or not yet."""
    found: set[str] = set()
    for path in state_files(data_root, "submissions"):
        with look_into_state(path) as connection:
            for lines in connection.execute("SELECT episode, survey FROM submissions"):
                found.update(str(read_values(line).get(PARTICIPANT_KEY)) for line in lines if line is not None)
    return found


def remove_submissions(path: Path, uids: Collection[str]) -> None:
    """Remove participants' submissions. May be killed and repeated.

    Raises
    ------
    LockedError
        A fetch has the state open.
    """
    _remove(path, lambda connection: find_submissions(connection, uids))


def remove_old_submissions(path: Path, ages: LineAges) -> None:
    """Remove submissions that are over age. May be killed and repeated.

    Raises
    ------
    LockedError
        A fetch has the state open.
    """
    _remove(path, lambda connection: _find_old(connection, ages))


def _find_old(connection: sqlite3.Connection, ages: LineAges) -> Iterator[tuple[str, Collection[str]]]:
    query = "SELECT key, episode, survey FROM submissions WHERE time < ?"
    for key, *lines in connection.execute(query, (count_microseconds(ages.cut.before),)):
        found = {kind: line for kind, line in zip(_KINDS, lines, strict=True) if line is not None}
        if all(map(ages.removes_line, found.values())):
            yield key, list(found)


def _remove(path: Path, find: Callable[[sqlite3.Connection], Iterator[tuple[str, Collection[str]]]]) -> None:
    """Remove the submissions that `find` finds, each with the kinds of its lines."""
    with contextlib.closing(connect_state(path)) as connection:
        try:
            set_up_state(connection)
            with leave_no_trace(connection):
                found = list(find(connection))
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("DELETE FROM submissions WHERE key = ?", [(key,) for key, _ in found])
                connection.executemany("DELETE FROM set_aside WHERE key = ?", [(key,) for key, _ in found])
                # Raw Data is written again from what is left.
                for kind in {kind for _, lines in found for kind in lines}:
                    connection.execute("REPLACE INTO notes VALUES (?, ?)", (f"generation of {kind}", uuid.uuid4().hex))
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain_state_error(path, error) from error
