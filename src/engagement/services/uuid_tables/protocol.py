"""Phone number -> participant uuid: the one place where phone numbers live, each with one uuid for ever.

The ids that come in are those of `engagement.sources.rapidpro.urns`: a number's digits, or "<scheme>:<path>" of another channel; and
those of `engagement.sources.rapidpro.de_identify`, which have a blank in them. The embedded table, SQLite's, never holds one: it is keyed by HMAC-SHA256 under a key of its own.
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
    """Gives every participant one uuid for ever, also when two pipelines meet one at the same moment."""

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """The uuid of each id, like "avf-phone-uuid-…"; an id that is new gets one."""

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """The uuid of each id that the table knows; nothing is made."""

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Whether at least one of at most 30 uuids is in the table; nothing is made."""

    def close(self) -> None:
        """Let go of what the table keeps open. It may be used again."""


def open_uuid_table(
    credentials: Credentials, table_name: str, policy: RetryPolicy, prefix: str = PARTICIPANT_PREFIX
) -> UuidTable:
    """Give the table that the credentials are for. `prefix` is what the uuids begin with that it gives to new ids."""
    make_uuid = functools.partial(make_participant_uuid, prefix)
    if isinstance(credentials, EmbeddedCredentials):
        return EmbeddedUuidTable(credentials.directory, table_name, make_uuid)
    from engagement.services.uuid_tables.firestore import FirestoreUuidTable

    return FirestoreUuidTable(credentials, table_name, policy, make_uuid)


def find_uuid_tables(credentials: Credentials, policy: RetryPolicy) -> list[str]:
    """The names of the tables that there are where the credentials lead; nothing is made or written."""
    if isinstance(credentials, EmbeddedCredentials):
        return find_embedded_tables(credentials.directory / "uuid_tables.sqlite")
    from engagement.services.uuid_tables.firestore import find_firestore_tables

    return find_firestore_tables(credentials, policy)
