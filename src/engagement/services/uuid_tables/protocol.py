"""The protocol of the uuid table: the only place for phone numbers, each with one permanent uuid.

Ids come from `engagement.sources.urns` (a number's digits, or "<scheme>:<path>" of another channel) or from
`engagement.sources.rapidpro.de_identify` (these contain a blank). The embedded SQLite table never stores an id: its
keys are HMAC-SHA256 hashes under a secret key.

A mark is a hash of an id under a key that the table alone has. By marks a data root knows the ids of people who were forgotten
after their mappings were removed. Without the table's credentials nobody can try numbers out on them.
"""

import functools
from collections.abc import Collection, Sequence
from typing import Protocol

from engagement.configuration.participant_ids import PARTICIPANT_PREFIX
from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable, find_embedded_tables
from engagement.services.uuid_tables.uuids import make_participant_uuid


class UuidExchange(Protocol):
    """Exchanges ids for uuids."""

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each id, like "avf-phone-uuid-…"; a new id gets one."""

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each known id; create nothing."""

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Tell whether the table has at least one of these uuids (at most 30); create nothing."""

    @property
    def has_gaps(self) -> bool:
        """Tell whether rows were released: a number may have a later holder without an earlier one."""

    def close(self) -> None:
        """Close what the table keeps open; it may be used again."""


class UuidTable(UuidExchange, Protocol):
    """Gives each participant one permanent uuid, even if two pipelines add one at the same moment."""

    def find_numbers(self, participants: Sequence[str]) -> dict[str, str] | None:
        """Return the phone number, in digits, of each participant who has one; None if the table can't tell."""

    def count_all(self) -> int:
        """Count all ids, of this project and of others."""

    def count_ids(self, participants: Collection[str]) -> int:
        """Count the ids of these participants."""

    def marks_of(self, participants: Collection[str]) -> list[str]:
        """Return a mark of each id of these participants."""

    def marks(self, ids: Collection[str]) -> dict[str, str]:
        """Return the mark of each id, known or not; create nothing."""

    @property
    def marks_key(self) -> str | None:
        """Name of the key that marks are made with; None if there is none yet."""

    def remove(self, participants: Collection[str]) -> int:
        """Remove the ids of these participants; return how many there were."""

    def release(self, participants: Collection[str]) -> int:
        """Remove ids of participants whom nobody will know any more; return how many there were.

        From then on the table has gaps. Who writes again gets another uuid.
        """


def open_uuid_table(
    credentials: Credentials, table_name: str, policy: RetryPolicy, prefix: str = PARTICIPANT_PREFIX
) -> UuidTable:
    """Return the table that the credentials are for; new uuids begin with `prefix`."""
    make_uuid = functools.partial(make_participant_uuid, prefix)
    if isinstance(credentials, EmbeddedCredentials):
        return EmbeddedUuidTable(credentials.directory, table_name, make_uuid)
    from engagement.services.uuid_tables.firestore import FirestoreUuidTable

    return FirestoreUuidTable(credentials, table_name, policy, make_uuid)


def find_uuid_tables(credentials: Credentials, policy: RetryPolicy) -> list[str]:
    """List the tables that the credentials lead to; create and write nothing."""
    if isinstance(credentials, EmbeddedCredentials):
        return find_embedded_tables(credentials.directory / "uuid_tables.sqlite")
    from engagement.services.uuid_tables.firestore import find_firestore_tables

    return find_firestore_tables(credentials, policy)
