"""Contacts without a run in the state of a RapidPro source: who has runs, and removal."""

from collections.abc import Collection
from pathlib import Path

from engagement.foundation.files import read_json, write_json
from engagement.sources.rapidpro.state.run_store_files import open_run_store
from engagement.sources.state_databases import leave_no_trace, look_into_state, state_files

_HAVE_RUNS = (
    "SELECT participant FROM contacts WHERE uuid IN (SELECT contact FROM runs UNION SELECT contact FROM waiting)"
)
_SAVED = "*.saved_contacts.json"


def find_participants_with_runs(data_root: Path) -> set[str]:
    """Find whose runs the fetch holds, in Raw Data/ or not yet."""
    found: set[str] = set()
    for path in state_files(data_root, "contacts"):
        with look_into_state(path) as connection:
            found.update(participant for (participant,) in connection.execute(_HAVE_RUNS))
    return found


def remove_idle_contacts(data_root: Path, uids: Collection[str]) -> None:
    """Remove the contacts of participants who have no run. May be killed and repeated.

    Raises
    ------
    LockedError
        A fetch has the state open.
    """
    for path in sorted((data_root / "State" / "fetch").glob(_SAVED)):
        rows = read_json(path)
        kept = [row for row in rows if row[1] not in uids]
        if len(kept) < len(rows):
            write_json(path, kept)
    for path in state_files(data_root, "contacts"):
        with look_into_state(path) as connection:
            known = connection.execute("SELECT uuid, participant FROM contacts")
            contacts = [(contact,) for contact, participant in known if participant in uids]
        if not contacts:
            continue
        with open_run_store(path) as store, leave_no_trace(store.connection), store.transaction():
            for table, column in (("contacts", "uuid"), ("asked_for", "contact"), ("messages", "contact")):
                store.connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", contacts)  # noqa: S608 - names of our own
