"""The protocol of the uuid table: the only place for phone numbers, each with one permanent uuid.

Ids come from `engagement.sources.urns` (a number's digits, or "<scheme>:<path>" of another channel) or from
`engagement.sources.rapidpro.de_identify` (these contain a blank). The embedded SQLite table never stores an id: its
keys are HMAC-SHA256 hashes under a secret key.
"""

import functools
from collections.abc import Collection, Sequence
from typing import Protocol

from engagement.configuration.participant_ids import PARTICIPANT_PREFIX
from engagement.services.credentials import Credentials, EmbeddedCredentials
from engagement.services.retries import RetryPolicy
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable, find_embedded_tables
from engagement.services.uuid_tables.uuids import make_participant_uuid


class UuidTable(Protocol):
    """Gives each participant one permanent uuid, even if two pipelines add one at the same moment."""

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each id, like "avf-phone-uuid-…"; a new id gets one."""

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each known id; create nothing."""

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Tell whether the table has at least one of these uuids (at most 30); create nothing."""

    def find_numbers(self, participants: Sequence[str]) -> dict[str, str] | None:
        """Return the phone number, in digits, of each participant who has one; None if the table can't tell."""

    def close(self) -> None:
        """Close what the table keeps open; it may be used again."""


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
