"""Coda V2's Firestore database.

datasets/{segment}                          {"users": [e-mail address, …]}
datasets/{segment}/messages/{MessageID}     a message, with SequenceNumber and LastUpdated (the server's time)
datasets/{segment}/code_schemes/{SchemeID}  a code scheme
datasets/{segment}/metrics/messages         how far the coding is
segment_counts/{dataset}                    {"segment_count": n}, absent for a dataset of one segment
pipeline_additions/{dataset}                {"last_added": the server's time}, the pipeline's own: see firestore_adding

firestore.indexes.json, beside this file, lists the composite indexes that the queries need: none. Firestore indexes
every single field by itself.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from engagement.foundation.errors import ServiceError, UsageError
from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.downloads import Download, sort_out
from engagement.services.coda.firestore_adding import Addition
from engagement.services.coda.firestore_labels import LabelReplacement
from engagement.services.coda.firestore_mending import count_again, join_message, remove_messages, set_up_segment
from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.firestore_segments import (
    count_segments,
    counter_of,
    find_segments,
    read_code_schemes,
    read_segment_users,
    segment_of,
    write_segment,
)
from engagement.services.coda.format import CodeSchemeDocument, MessageDocument, write_time
from engagement.services.credentials import GoogleCredentials
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries

# The server stamps a change (LastUpdated) when it accepts it, but readers see it only after the commit. What a download
# as of one moment did not see was committed later, so it was stamped less than a commit's duration before that moment,
# or after it. The next download starts there. A commit waits for others at most 20 s; its request ends after 60 s.
# Coda's page writes nothing else that would do: a browser that is closed after a label leaves the metrics as they were.
_COMMIT_DURATION = timedelta(seconds=60)
# Another process wrote at the same moment.
_COLLISIONS = (exceptions.Aborted, exceptions.AlreadyExists, exceptions.FailedPrecondition)
_INTERRUPTIONS = (
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
)
_REFUSALS = (exceptions.PermissionDenied, exceptions.Unauthenticated)
_PATIENCE = RetryPolicy(first_wait_seconds=0.2, longest_wait_seconds=15.0, budget_seconds=300.0)
# An operator without a network should find out within a minute: half of it goes on waiting, the rest on requests that
# get no answer.
_MOST_INTERRUPTIONS = 8
_MOST_INTERRUPTED_SECONDS = 45.0
# If the key was revoked, requests just go unanswered.
_INTERRUPTION_REMEDY = (
    "Check the network, and whether the credentials are still valid; then run this again: finished work is kept."
)


_COLLISION_REMEDY = "Run this again, best when they pause: finished work is kept."


class FirestoreCoda:
    """Coda in a Google Cloud project's Firestore; see CodaDatabase."""

    def __init__(self, credentials: GoogleCredentials, policy: RetryPolicy = _PATIENCE) -> None:
        self.instance = credentials.project_id
        self._client = _connect(credentials)
        self._requests = Requests(self._client)
        self._policy = policy

    @property
    def documents_read(self) -> int:
        """Reads that Google has billed so far."""
        return self._requests.documents_read

    def has_dataset(self, dataset: str) -> bool:
        """Tell whether the dataset exists, even without messages."""
        return self._call(dataset, lambda: self._requests.get(self._segment(dataset, 1)).exists)

    def download(self, dataset: str, since: datetime | None = None) -> Download:
        """Read all messages, or what changed since; see CodaDatabase."""
        return self._call(dataset, lambda: self._download(dataset, since))

    def read_messages(self, dataset: str, updated_since: datetime | None = None) -> list[MessageDocument]:
        """Read all usable messages, or those updated since a given time, as of one moment."""
        return self.download(dataset, updated_since).messages

    def read_code_schemes(self, dataset: str) -> list[CodeSchemeDocument]:
        """Read the code schemes for labelling the dataset's next messages."""
        return self._call(
            dataset, lambda: read_code_schemes(self._requests, find_segments(self._requests, dataset)[-1])
        )

    def read_code_schemes_of_all_segments(self, dataset: str) -> list[list[CodeSchemeDocument]]:
        """Read the code schemes of each segment; see CodaDatabase."""

        def read() -> list[list[CodeSchemeDocument]]:
            return [read_code_schemes(self._requests, found) for found in find_segments(self._requests, dataset)]

        return self._call(dataset, read)

    def read_users(self, dataset: str) -> list[str]:
        """Read the users who may label the dataset's next messages."""
        return self._call(
            dataset, lambda: read_segment_users(self._requests, find_segments(self._requests, dataset)[-1])
        )

    def create_dataset(self, dataset: str, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]) -> None:
        """Create an empty dataset, unless it exists."""

        def create() -> None:
            segment = self._segment(dataset, 1)
            if not self._requests.get(segment).exists:
                # All or nothing; nothing if another process was faster.
                writes = self._client.batch()
                write_segment(writes, segment, users, code_schemes)
                self._requests.commit(writes)

        self._call(dataset, create)

    def add_messages(self, dataset: str, messages: Sequence[MessageDocument], known_count: int | None = None) -> int:
        """Add the messages that the dataset lacks; see CodaDatabase."""
        addition = Addition(self._requests, dataset, messages, known_count)
        while addition.waiting:
            self._call(dataset, addition.take_step)
        return addition.added

    def join_copies(self, dataset: str, copies: Mapping[str, Sequence[str]]) -> None:
        """Leave one copy of each of these messages; see CodaDatabase."""
        for message_id, segments in copies.items():
            self._call(dataset, partial(join_message, self._requests, message_id, segments))
        touched = dict.fromkeys(segment for segments in copies.values() for segment in segments)
        self._call(dataset, lambda: count_again(self._requests, touched))

    def replace_labels(
        self,
        dataset: str,
        labels: Mapping[str, Sequence[Mapping[str, Any]]],
        may_replace: Callable[[Any], bool],
    ) -> int:
        """Set the labels of messages, each only if they may be replaced at that moment; see CodaDatabase."""
        replacement = LabelReplacement(self._requests, dataset, labels, may_replace)
        while replacement.waiting:
            self._call(dataset, replacement.take_step)
        return replacement.replaced

    def remove_messages(self, dataset: str, message_ids: Collection[str]) -> None:
        """Remove messages; see CodaDatabase."""
        self._call(dataset, lambda: remove_messages(self._requests, dataset, message_ids))

    def read_users_of_all_segments(self, dataset: str) -> list[list[str]]:
        """Read each segment's users, in segment order."""

        def read() -> list[list[str]]:
            return [read_segment_users(self._requests, found) for found in find_segments(self._requests, dataset)]

        return self._call(dataset, read)

    def set_up_segment(
        self, dataset: str, number: int, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]
    ) -> None:
        """Add users to a segment, and set code schemes in it; see CodaDatabase."""
        self._call(dataset, lambda: set_up_segment(self._requests, dataset, number, users, code_schemes))

    def _download(self, dataset: str, since: datetime | None) -> Download:
        counter = self._requests.get(counter_of(self._client, dataset))
        # Read all segments as of this moment. Read one after the other, they could hide a label: one made in a
        # segment already read, but before a label found in a later segment, would never be downloaded.
        moment = counter.read_time
        found = []
        for number in range(1, count_segments(counter) + 1):
            segment = self._segment(dataset, number)
            query = segment.collection("messages")
            if since is not None:
                query = query.where(filter=FieldFilter("LastUpdated", ">=", since - _COMMIT_DURATION))
            found += [
                (segment.id, snapshot.reference.path, _to_json(snapshot.to_dict()))
                for snapshot in self._requests.find(query, read_time=moment)
            ]
        return sort_out(found, datetime.fromtimestamp(moment.timestamp(), UTC))

    def _segment(self, dataset: str, number: int) -> firestore.DocumentReference:
        return segment_of(self._client, dataset, number)

    def _call[T](self, dataset: str, action: Callable[[], T]) -> T:
        """Send a request, and retry temporary failures.

        Errors name the kind of failure, never what was sent.
        """
        where = f"Coda {self.instance}, dataset {dataset!r}"
        started = time.monotonic()
        has_collided = False

        def attempt() -> T:
            nonlocal has_collided
            has_collided = False
            try:
                return action()
            except _COLLISIONS as error:
                has_collided = True
                reason = f"answered {_kind(error)}, as people are labelling in this dataset or another process is adding to it"
                raise TemporaryError(reason, remedy=_COLLISION_REMEDY) from error
            except _INTERRUPTIONS as error:
                is_late = time.monotonic() - started > _MOST_INTERRUPTED_SECONDS
                most_attempts = 1 if is_late else _MOST_INTERRUPTIONS
                raise TemporaryError(f"answered {_kind(error)}", None, most_attempts, _INTERRUPTION_REMEDY) from error

        try:
            return call_with_retries(attempt, where, self._policy)
        except ServiceError as error:
            # Others at work in one dataset are no reason to leave out the next.
            raise DatasetError(str(error)) if has_collided else error from None
        except _REFUSALS as error:
            raise ServiceError(
                f"{where}: the request ended with {_kind(error)}; expected credentials that may read and write this "
                "project's Firestore. Give the service account the role Cloud Datastore User, or use another key."
            ) from error
        except (exceptions.GoogleAPIError, GoogleAuthError) as error:
            raise ServiceError(
                f"{where}: the request ended with {_kind(error)}; expected an answer. "
                "Check the network, and whether these credentials belong to a project with Coda."
            ) from error


def _connect(credentials: GoogleCredentials) -> firestore.Client:
    """Connect to the project's Firestore, or to the emulator that FIRESTORE_EMULATOR_HOST names.

    The emulator needs no key.
    """
    if os.environ.get("FIRESTORE_EMULATOR_HOST"):
        return firestore.Client(project=credentials.project_id)
    try:
        client: firestore.Client = firestore.Client.from_service_account_info(
            dict(credentials.info), project=credentials.project_id
        )
    except ValueError:
        raise UsageError(
            f"Credentials of project {credentials.project_id!r}: the private key can't be read; expected a service account's "
            "key. Download the key again."
        ) from None
    return client


def _kind(error: Exception) -> str:
    """Return the server's name for this kind of error."""
    if isinstance(error, exceptions.RetryError) and error.cause is not None:
        return _kind(error.cause)
    status = getattr(error, "grpc_status_code", None)
    return type(error).__name__ if status is None else status.name


def _to_json(value: Any) -> Any:
    """Convert a document's value to JSON: times become text, at any depth."""
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    return value
