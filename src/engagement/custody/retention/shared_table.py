"""Refuse to remove rows of a uuid table that other projects seem to use, too.

A data root knows only its own messages. Nobody can tell from a table whose a row is; but far more rows than there are people here are
somebody else's. That a table has no more proves nothing: the same people may write to both.
"""

from pathlib import Path

from engagement.configuration import Project
from engagement.custody.retention.raw_participants import RawParticipants
from engagement.custody.retention.silent_people import read_silent_people
from engagement.delivery.write_back.made_contacts import find_made_contacts
from engagement.foundation.errors import InputError
from engagement.services.uuid_tables.protocol import UuidTable
from engagement.sources.contacts_directory import read_participants
from engagement.sources.forgotten import read_forgotten
from engagement.sources.rapidpro.state.idle_contacts import find_participants_with_runs
from engagement.sources.submissions.removal import find_submitting

# A source may lose a person whom the table keeps: a row of a spreadsheet, a comment that was deleted.
_MOST_UNKNOWN, _MOST_OF_KNOWN = 10, 0.02


def refuse_shared_table(table: UuidTable, project: Project, data_root: Path) -> None:
    """Refuse a table with many ids of people whom this data root never knew.

    Raises
    ------
    InputError
        It has too many.
    """
    in_raw_data = RawParticipants(data_root)
    in_raw_data.write()
    silent = read_silent_people(data_root)
    people = in_raw_data.uids | find_participants_with_runs(data_root) | find_submitting(data_root)
    people |= read_participants(data_root) | find_made_contacts(data_root) | silent.since.keys() | silent.stays
    # Of people who were forgotten the table may have kept the ids.
    known = len(people) + read_forgotten(data_root).count_marks()
    unknown = table.count_all() - known
    if unknown <= max(_MOST_UNKNOWN, known * _MOST_OF_KNOWN):
        return
    name = project.configuration.phone_number_uuid_table.table_name
    raise InputError(
        f"uuid table {name!r}: it has about {unknown:,} ids of people whom this data root never knew, beside {known:,} whom it did; expected a table "
        "of this project alone, as it would lose people who still write to another one. Nothing was removed. If other projects use it, take "
        "UuidTable out of Retention. If none does, as after files with numbers were de-identified, or an earlier pipeline used the table, "
        "set UuidTableIsUnshared to true."
    )
