"""The protocol of Coda, where people label messages, and how to open it.

Two implementations: Coda V2's Firestore database, and a folder for the demo and for tests.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from engagement.services.coda.downloads import Download
from engagement.services.coda.embedded import FolderCoda
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument
from engagement.services.credentials import Credentials, EmbeddedCredentials


class CodaDatabase(Protocol):
    """One Coda instance. A dataset is one list of messages, however many segments it is split into."""

    @property
    def instance(self) -> str:
        """This instance's name, usable as a file name; equal names mean the same instance."""

    @property
    def documents_read(self) -> int:
        """Billed reads so far."""

    def has_dataset(self, dataset: str) -> bool:
        """Tell whether the dataset exists, even without messages."""

    def download(self, dataset: str, since: datetime | None = None) -> Download:
        """Read all messages, or what changed since an earlier download's moment or newest LastUpdated.

        Messages without LastUpdated only come with a full read. Some that came before may come again.
        """

    def read_messages(self, dataset: str, updated_since: datetime | None = None) -> list[MessageDocument]:
        """Read the messages of such a download alone."""

    def read_code_schemes(self, dataset: str) -> list[CodeSchemeDocument]:
        """Read the code schemes for labelling the dataset's next messages."""

    def read_code_schemes_of_all_segments(self, dataset: str) -> list[list[CodeSchemeDocument]]:
        """Read each segment's code schemes, in segment order; people may have edited just one segment."""

    def read_users(self, dataset: str) -> list[str]:
        """Read the users (e-mail addresses) who may label the next messages; empty without a dataset."""

    def create_dataset(self, dataset: str, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]) -> None:
        """Create an empty dataset, unless it exists."""

    def add_messages(self, dataset: str, messages: Sequence[MessageDocument], known_count: int | None = None) -> int:
        """Add the messages that the dataset lacks (by MessageID), and return how many.

        Existing messages stay untouched.
        New messages get the numbers after the dataset's highest SequenceNumber, in the given order. Opens segments as
        needed and updates the metrics. Safe to kill, to repeat, and to run beside another process that does the same.

        `known_count` is the number of messages that the caller knows to be in the dataset, none of them in `messages`.
        If the dataset has no more than these, it is not searched, which saves reads.

        Raises
        ------
        DatasetError
            The dataset does not exist or can't be added to now; others may.
        ServiceError
            Coda can't be reached.
        """

    def join_copies(self, dataset: str, copies: Mapping[str, Sequence[str]]) -> None:
        """Leave one copy, with the labels of all, of messages in several segments; recount the segments.

        `copies` are those of a download. Safe to kill, to repeat, and to run while people label.
        """

    def replace_labels(
        self,
        dataset: str,
        labels: Mapping[str, Sequence[Mapping[str, Any]]],
        may_replace: Callable[[Any], bool],
    ) -> int:
        """Set labels of messages, by MessageID, where `may_replace` those of that moment.

        Returns how many were set. A message that somebody labels meanwhile stays as they leave it.
        """

    def remove_messages(self, dataset: str, message_ids: Collection[str]) -> None:
        """Remove messages with their labels, for good, and recount the segments.

        Those that are not there don't matter.

        Safe to kill and to repeat.
        """

    def read_users_of_all_segments(self, dataset: str) -> list[list[str]]:
        """Read each segment's users, in segment order."""

    def set_up_segment(
        self, dataset: str, number: int, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]
    ) -> None:
        """Add users to a dataset's segment, and set code schemes in it, replacing those of the same id."""


def open_coda(credentials: Credentials) -> CodaDatabase:
    """Open the Coda instance that the credentials belong to."""
    if isinstance(credentials, EmbeddedCredentials):
        return FolderCoda(credentials.directory)
    # The Google client takes a second to import; the demo does not need it.
    from engagement.services.coda.firestore import FirestoreCoda

    return FirestoreCoda(credentials)
