"""Coda, where people label messages: what the pipeline asks of it, and how to open it.

The protocol has two implementations: Coda V2's Firestore database, and a folder for the demo and for tests.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engagement.services.coda.embedded import FolderCoda
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument
from engagement.services.credentials import Credentials, EmbeddedCredentials


class CodaDatabase(Protocol):
    """One Coda instance. A dataset is its messages, whatever number of segments they are split into."""

    @property
    def instance(self) -> str:
        """A name for this instance, fit for a file name; two databases with the same name are the same one."""

    @property
    def documents_read(self) -> int:
        """How many reads were made that somebody is billed for."""

    def has_dataset(self, dataset: str) -> bool:
        """Whether the dataset exists, perhaps without messages."""

    def read_messages(self, dataset: str, updated_since: datetime | None = None) -> list[MessageDocument]:
        """Read the messages that were updated at a time or later, or all of them, as they were at one moment.

        A message without LastUpdated is only read along with all of them. A few messages that are somewhat older than
        `updated_since` may be among them.
        """

    def read_code_schemes(self, dataset: str) -> list[CodeSchemeDocument]:
        """Read the code schemes that a dataset's next messages are labelled with."""

    def read_code_schemes_of_all_segments(self, dataset: str) -> list[list[CodeSchemeDocument]]:
        """Read the code schemes of each segment, in the order of the segments: they can be edited in one segment only."""

    def read_users(self, dataset: str) -> list[str]:
        """Read who may label a dataset's next messages: e-mail addresses; none where there is no such dataset."""

    def create_dataset(self, dataset: str, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]) -> None:
        """Create a dataset without messages; one that exists stays as it is."""

    def add_messages(self, dataset: str, messages: Sequence[MessageDocument], known_count: int | None = None) -> int:
        """Add the messages that the dataset lacks (by MessageID) and return how many; those it has are not touched.

        They get the numbers after the dataset's highest SequenceNumber, in the order given. Segments are opened as they
        are needed and metrics follow. Safe to kill, to repeat, and beside another process that does the same.

        `known_count` is the number of messages that the caller knows the dataset to have, none of them among `messages`:
        where the dataset has no more than these, nothing needs to be looked for in it, which saves reads.

        Raises
        ------
        ServiceError
            The dataset does not exist, or Coda can't be reached.
        """


def open_coda(credentials: Credentials) -> CodaDatabase:
    """Open the Coda instance that the credentials belong to."""
    if isinstance(credentials, EmbeddedCredentials):
        return FolderCoda(credentials.directory)
    # The Google client takes a second to import, and the demo does without it.
    from engagement.services.coda.firestore import FirestoreCoda

    return FirestoreCoda(credentials)
