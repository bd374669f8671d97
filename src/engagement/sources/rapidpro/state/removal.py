"""Remove contacts, or runs that are over age, from the state of a RapidPro source."""

from collections.abc import Collection, Iterable
from pathlib import Path

from engagement.foundation.microseconds import count_microseconds
from engagement.sources.forgotten import NOBODY
from engagement.sources.held_back import HeldBack
from engagement.sources.message_cut import LineAges, MessageCut
from engagement.sources.rapidpro.flow_runs import decode_run, is_held_back
from engagement.sources.rapidpro.state.run_store import RunStore
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from engagement.sources.state_databases import leave_no_trace, look_into_state

_RUN = "uuid, contact, modified, run_id, start, length, is_archived, texts_from"


def remove_contacts(path: Path, contacts: Collection[str]) -> None:
    """Remove contacts, their runs, and the runs' lines. May be killed and repeated.

    Raises
    ------
    LockedError
        A fetch has the state open.
    """
    with open_run_store(path) as store, leave_no_trace(store.connection), store.transaction():
        _delete(store, contacts)
    # The lines themselves stay in the log until it is written again.
    with open_run_store(path, writes_log_anew=True):
        pass


def _delete(store: RunStore, contacts: Collection[str]) -> None:
    connection = store.connection
    rows = [(contact,) for contact in contacts]
    flows = {flow for (flow,) in store.select("SELECT DISTINCT flow FROM runs WHERE contact IN ({})", (), contacts)}
    for table in ("runs", "waiting", "asked_for", "messages"):
        connection.executemany(f"DELETE FROM {table} WHERE contact = ?", rows)  # noqa: S608 - names of our own
    connection.executemany("DELETE FROM contacts WHERE uuid = ?", rows)
    connection.executemany("DELETE FROM set_aside WHERE uuid = ?", rows)
    _close_gaps(store, flows)


def remove_old_runs(path: Path, ages: LineAges) -> None:
    """Remove runs that are over age, and older messages of a look-up. May be killed and repeated.

    Raises
    ------
    LockedError
        A fetch has the state open.
    """
    with open_run_store(path) as store, leave_no_trace(store.connection), store.transaction():
        connection = store.connection
        emptied = []
        for (flow,) in connection.execute("SELECT id FROM flows").fetchall():
            old = [(flow, run.uuid) for batch in store.batches(flow) for run in batch if ages.removes_line(run.text)]
            connection.execute("CREATE TEMP TABLE old_runs (flow INTEGER, uuid TEXT PRIMARY KEY)")
            connection.executemany("INSERT INTO old_runs VALUES (?, ?)", old)
            connection.execute("DELETE FROM runs WHERE flow = ? AND uuid IN (SELECT uuid FROM old_runs)", (flow,))
            connection.execute("DROP TABLE old_runs")
            emptied += [flow] if old else []
        held_back = HeldBack(NOBODY, ages.cut)
        waiting = connection.execute("SELECT flow, uuid, run FROM waiting").fetchall()
        rows = [(flow, uuid) for flow, uuid, run in waiting if is_held_back(held_back, decode_run(run))]
        connection.executemany("DELETE FROM waiting WHERE flow = ? AND uuid = ?", rows)
        connection.execute("DELETE FROM messages WHERE created < ?", (count_microseconds(ages.cut.before),))
        _close_gaps(store, emptied)
    with open_run_store(path, writes_log_anew=True):
        pass


def count_old_waiting(path: Path, cut: MessageCut) -> int:
    """Count the runs that wait for their contact and are over age; none in the state of another source."""
    with look_into_state(path) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").fetchone() is None:
            return 0
        rows = connection.execute("SELECT run FROM waiting WHERE modified < ?", (count_microseconds(cut.before),))
        held_back = HeldBack(NOBODY, cut)
        return sum(is_held_back(held_back, decode_run(run)) for (run,) in rows)


def _close_gaps(store: RunStore, flows: Iterable[int]) -> None:
    connection = store.connection
    for flow in flows:
        # A new run gets the number of runs held: a gap would give it the number of another one, and replace that.
        connection.execute(
            f"CREATE TEMP TABLE kept AS SELECT flow, row_number() OVER (ORDER BY id) - 1 AS id, {_RUN} FROM runs WHERE flow = ?",  # noqa: S608
            (flow,),
        )
        connection.execute("DELETE FROM runs WHERE flow = ?", (flow,))
        connection.execute(f"INSERT INTO runs (flow, id, {_RUN}) SELECT flow, id, {_RUN} FROM kept")  # noqa: S608
        connection.execute("DROP TABLE kept")
        connection.execute("UPDATE flows SET written_runs = NULL WHERE id = ?", (flow,))
