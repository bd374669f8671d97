"""The uuid table of a data root whose people were forgotten: it gives none of them a new uid.

Their mappings may have been removed from the table, so their ids are known by marks alone. They are looked for before the table is asked for
a uid. After the time until which somebody is left out, their id gets a uid as any other: they are a new person.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from engagement.foundation.errors import ConfigurationError
from engagement.services.uuid_tables.protocol import UuidExchange, UuidTable
from engagement.sources.forgotten import ForgottenPeople, Tombstone, in_place_of_uid

# In place of the uid of an id whose mapping was removed, and that gets a new one when it is its latest holder's.
_FREE = "free "

_logger = logging.getLogger(__name__)


class TableButForgotten:
    """The table, but with a name that no fetch keeps in place of the uids of people who were forgotten."""

    def __init__(self, table: UuidTable, forgotten: ForgottenPeople, now: datetime):
        self._table = table
        self._forgotten = forgotten
        self._now = now

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each known id, or what is in its place.

        A removed mapping counts as known: whoever held the number after them is found.
        """
        found = self._table.find(ids)
        for identifier, (mark, person) in self._find_marked(ids).items():
            if person.holds_back(self._now):
                found[identifier] = in_place_of_uid(mark)
            elif identifier in found:
                self._forgotten.know_too(self._current(mark, person), [found[identifier]])
            else:
                found[identifier] = f"{_FREE}{mark}"
        return found

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each id, or what is in its place; a new id gets a uuid."""
        marked = self._find_marked(ids)
        held_back = {
            identifier: in_place_of_uid(mark)
            for identifier, (mark, person) in marked.items()
            if person.holds_back(self._now)
        }
        made = self._table.uuids_for([identifier for identifier in ids if identifier not in held_back])
        for identifier in marked.keys() & made.keys():
            # What they sent before stays out, whenever it comes.
            self._forgotten.know_too(self._current(*marked[identifier]), [made[identifier]])
        return made | held_back

    def _find_marked(self, ids: Collection[str]) -> dict[str, tuple[str, Tombstone]]:
        found = {}
        for identifier, mark in self._table.marks(ids).items():
            person = self._forgotten.find_mark(mark)
            if person is not None:
                found[identifier] = mark, person
        return found

    def _current(self, mark: str, person: Tombstone) -> Tombstone:
        return self._forgotten.find_mark(mark) or person

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Tell whether the table has at least one of these uuids."""
        return self._table.knows_any(participants)

    @property
    def has_gaps(self) -> bool:
        """Tell whether rows were released."""
        return self._table.has_gaps

    def close(self) -> None:
        """Close the table."""
        self._table.close()


def leave_out_forgotten(
    table: UuidTable, name: str, forgotten: ForgottenPeople, now: datetime, accept_new_table: bool
) -> UuidExchange:
    """Leave people who were forgotten out of a table.

    Raises
    ------
    ConfigurationError
        It is another one than that of their ids, and `accept_new_table` is not set.
    """
    if table.marks_key in forgotten.marks_keys:
        return TableButForgotten(table, forgotten, now)
    if not accept_new_table:
        raise ConfigurationError(
            f"uuid table {name!r}: its key is not the one that people in Forgotten/ were marked with; expected the table that they were "
            "removed from. Nothing was fetched, as they would come back. Check PhoneNumberUuidTable, or bring the table back "
            "(docs/runbook.md, 'The uuid table'). If it is meant to be a new one, run stage 2 with --accept-new-uuid-table: "
            "then forget them again when they write."
        )
    _logger.warning("uuid table %r: people who were forgotten are not known in it", name)
    return table


def is_free(uuid: str) -> bool:
    """Check if what the table gave is no uuid, but the place of one that its latest holder gets."""
    return uuid.startswith(_FREE)
