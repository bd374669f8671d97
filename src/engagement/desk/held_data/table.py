"""The table of places, in the order in which they are emptied.

Each is found by what later ones hold: texts by Raw Data/ and, where stage 3 joined several, by the Coda files; contacts by Contacts/. So a run that was killed is repeated by the same command.
"""

from engagement.desk.held_data.coda_messages import (
    find_coda_messages,
    find_decisions,
    remove_coda_messages,
    remove_decisions_on_texts,
    remove_from_coda,
)
from engagement.desk.held_data.contacts import find_contacts, find_written_back, remove_contacts, remove_written_back
from engagement.desk.held_data.fetched import find_fetched, find_submitted, remove_fetched, remove_submitted
from engagement.desk.held_data.handed_over import find_hand_overs, remove_hand_overs
from engagement.desk.held_data.outputs import find_nothing, find_rows, remove_notes
from engagement.desk.held_data.place import Place
from engagement.desk.held_data.raw_data import find_runs, remove_runs
from engagement.desk.held_data.silence import find_silence, remove_silence
from engagement.desk.held_data.table_ids import find_ids
from engagement.desk.held_data.unfinished import find_unfinished, remove_unfinished

PLACES = (
    Place("Left by killed or failed runs", find_unfinished, remove_unfinished),
    Place("Coda", find_nothing, remove_from_coda),
    Place("Decisions on labels", find_decisions, remove_decisions_on_texts),
    Place("Coda files", find_coda_messages, remove_coda_messages),
    Place("Hand-overs", find_hand_overs, remove_hand_overs),
    Place("Write-back", find_written_back, remove_written_back),
    Place("Outputs", find_rows, None),
    Place("Notes of stage 3 and of retention", find_nothing, remove_notes),
    Place("Note on silent people", find_silence, remove_silence),
    Place("Submissions of the fetch", find_submitted, remove_submitted),
    Place("Raw Data", find_runs, remove_runs),
    Place("State of the fetch", find_fetched, remove_fetched),
    Place("Contacts", find_contacts, remove_contacts),
    # Removed after the receipt was written.
    Place("Uuid table", find_ids, None),
)
