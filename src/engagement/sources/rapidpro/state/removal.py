"""Remove contacts from the state of a RapidPro source, with all that it holds of them."""

from collections.abc import Collection
from pathlib import Path

from engagement.sources.rapidpro.state.run_store import RunStore
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from engagement.sources.state_databases import leave_no_trace

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
