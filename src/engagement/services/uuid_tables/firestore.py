"""The phone number <-> uuid table in Firestore: tables/<name>/mappings/<id> = {"uuid": …}.

The key for marks of ids is in tables/<name>/keys/marks = {"key": …}, made when the first participant is forgotten. Beside it,
keys/gaps = {} says that rows were released.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from itertools import batched
from typing import Any

import google.api_core.exceptions
import google.auth.exceptions
from google.cloud import firestore

from engagement.foundation.errors import ServiceError
from engagement.services.credentials import GoogleCredentials
from engagement.services.google_keys import refuse_broken_key
from engagement.services.retries import RetryPolicy, TemporaryError, call_with_retries
from engagement.services.uuid_tables.uuids import in_batches, make_participant_uuid

_TIMEOUT_SECONDS = 60.0
_MOST_ROUNDS = 20
# Firestore compares with so many values at once, and takes so many writes.
_MOST_IN_A_QUERY, _MOST_IN_A_COMMIT = 30, 500
_MARKS_KEY = b"the key of marks"
_KEY = re.compile("[0-9a-f]{64}")
# A phone number's digits, with its country's, perhaps of its second holder, third …; other ids are no numbers.
_NUMBER = re.compile(r"(?:holder ([0-9]+):)?([0-9]{10,15})")
_TEMPORARY = (
    google.api_core.exceptions.ServerError,
    google.api_core.exceptions.TooManyRequests,
    google.api_core.exceptions.Aborted,
    google.api_core.exceptions.Cancelled,
    google.api_core.exceptions.RetryError,
    google.auth.exceptions.TransportError,
)


class FirestoreUuidTable:
    """A table in a project's Firestore; the first to create a mapping wins, everybody else reads it."""

    def __init__(
        self,
        credentials: GoogleCredentials,
        table_name: str,
        policy: RetryPolicy,
        make_uuid: Callable[[], str] = make_participant_uuid,
    ):
        self._where = f"Firestore {credentials.project_id}: uuid table {table_name!r}"
        self._policy = policy
        self._make_uuid = make_uuid
        self._client = _connect(credentials)
        self._table = self._client.collection("tables").document(table_name)
        self._table_name = table_name
        self._is_named = False
        self._key: bytes | None = None
        self._has_gaps: bool | None = None

    def uuids_for(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each id; a new id gets one."""
        found: dict[str, str] = {}
        for batch in in_batches(ids):
            found |= self._uuids_for_batch(batch)
        return found

    def find(self, ids: Collection[str]) -> dict[str, str]:
        """Return the uuid of each known id."""
        found: dict[str, str] = {}
        for batch in in_batches(ids):
            found |= self._look_up(batch)
        return found

    def knows_any(self, participants: Sequence[str]) -> bool:
        """Tell whether the table has at least one of these uuids (30 at most, the limit of a query)."""
        known = firestore.FieldFilter("uuid", "in", list(participants))
        query = self._table.collection("mappings").where(filter=known).limit(1)
        return bool(self._call(lambda: query.get(retry=None, timeout=_TIMEOUT_SECONDS), "look for participants"))

    def find_numbers(self, participants: Sequence[str]) -> dict[str, str]:
        """Return the phone number, in digits, of each participant who has one, and is its latest holder."""
        held: dict[str, tuple[str, int, str]] = {}
        for some in batched(sorted(set(participants)), _MOST_IN_A_QUERY):
            for snapshot in self._find_mappings(some):
                match = _NUMBER.fullmatch(snapshot.id)
                if match is not None:
                    held[snapshot.id] = match[2], int(match[1] or 1), _uuid_of(snapshot)
        # A number that went on to another holder is no longer this participant's.
        handed_on = self.find({f"holder {holder + 1}:{number}" for number, holder, _ in held.values()})
        return {
            participant: number
            for _, (number, holder, participant) in sorted(held.items())
            if f"holder {holder + 1}:{number}" not in handed_on
        }

    def _find_mappings(self, participants: Sequence[str]) -> Sequence[Any]:
        known = firestore.FieldFilter("uuid", "in", list(participants))
        query = self._table.collection("mappings").where(filter=known)
        return self._call(lambda: list(query.get(retry=None, timeout=_TIMEOUT_SECONDS)), "look for numbers")

    def count_all(self) -> int:
        """Count all ids in the table."""
        query = self._table.collection("mappings").count()
        return int(self._call(lambda: query.get(retry=None, timeout=_TIMEOUT_SECONDS), "count")[0][0].value)

    def count_ids(self, participants: Collection[str]) -> int:
        """Count the ids of these participants."""
        return len(self._snapshots_of(participants))

    def marks_of(self, participants: Collection[str]) -> list[str]:
        """Return a mark of each id of these participants; the first one of all makes the key."""
        documents = [snapshot.id for snapshot in self._snapshots_of(participants)]
        if documents and self._read_key() is None:
            self._call(self._make_key, "make the key of marks")
        return sorted(map(self._mark, documents))

    def marks(self, ids: Collection[str]) -> dict[str, str]:
        """Return the mark of each id, known or not."""
        return {identifier: self._mark(document_id(identifier)) for identifier in ids}

    @property
    def marks_key(self) -> str | None:
        """Name of the key that marks are made with; None if there is none yet."""
        key = self._read_key()
        return None if key is None else hmac.digest(key, _MARKS_KEY, hashlib.sha256).hex()

    def remove(self, participants: Collection[str]) -> int:
        """Remove the ids of these participants; return how many there were."""
        snapshots = self._snapshots_of(participants)
        for some in batched(snapshots, _MOST_IN_A_COMMIT):
            self._call(lambda some=some: self._delete(some), "remove mappings")  # type: ignore[misc]  # bound at once
        return len(snapshots)

    def release(self, participants: Collection[str]) -> int:
        """Remove the ids of these participants, and note first that the table has gaps."""
        self._call(lambda: self._document("gaps").set({}, retry=None, timeout=_TIMEOUT_SECONDS), "note the gaps")
        self._has_gaps = True
        return self.remove(participants)

    @property
    def has_gaps(self) -> bool:
        """Tell whether rows were released; asked once."""
        if self._has_gaps is None:
            gaps = self._document("gaps")
            snapshot = self._call(lambda: gaps.get(retry=None, timeout=_TIMEOUT_SECONDS), "look for gaps")
            self._has_gaps = bool(snapshot.exists)
        return self._has_gaps

    def _delete(self, snapshots: Sequence[Any]) -> None:
        writes = self._client.batch()
        for snapshot in snapshots:
            writes.delete(snapshot.reference)
        writes.commit(retry=None, timeout=_TIMEOUT_SECONDS)

    def _snapshots_of(self, participants: Collection[str]) -> list[Any]:
        batches = batched(sorted(set(participants)), _MOST_IN_A_QUERY)
        return [snapshot for some in batches for snapshot in self._find_mappings(some)]

    def _mark(self, document: str) -> str:
        key = self._read_key()
        if key is None:
            raise ServiceError(
                f"{self._where}: its document keys/marks is gone; expected the key that people who were forgotten are known by. "
                "Restore the document."
            )
        return hmac.digest(key, document.encode(), hashlib.sha256).hex()

    def _read_key(self) -> bytes | None:
        if self._key is None:
            snapshot = self._call(
                lambda: self._document("marks").get(retry=None, timeout=_TIMEOUT_SECONDS), "read the key of marks"
            )
            text = (snapshot.to_dict() or {}).get("key") if snapshot.exists else None
            self._key = bytes.fromhex(text) if isinstance(text, str) and _KEY.fullmatch(text) else None
        return self._key

    def _make_key(self) -> None:
        key = {"key": secrets.token_hex(hashlib.sha256().digest_size)}
        try:
            self._document("marks").create(key, retry=None, timeout=_TIMEOUT_SECONDS)
        except google.api_core.exceptions.AlreadyExists:
            # Another pipeline was first: its key counts.
            return

    def _document(self, name: str) -> Any:
        return self._table.collection("keys").document(name)

    def close(self) -> None:
        """Do nothing: the client holds nothing that others wait for."""

    def _uuids_for_batch(self, batch: Sequence[str]) -> dict[str, str]:
        found = self._look_up(batch)
        for _ in range(_MOST_ROUNDS):
            new = [identifier for identifier in batch if identifier not in found]
            if not new:
                return found
            # Creates all new ones, or none if another pipeline was first with one: the next look-up then finds it.
            self._create(new)
            found |= self._look_up(new)
        raise ServiceError(
            f"{self._where}: mappings that others created at the same time could not be read back; expected them to stay. "
            "Run this again."
        )

    def _look_up(self, batch: Sequence[str]) -> dict[str, str]:
        by_document = {document_id(identifier): identifier for identifier in batch}
        mappings = self._table.collection("mappings")
        references = [mappings.document(document) for document in by_document]

        def read() -> dict[str, str]:
            snapshots = self._client.get_all(references, retry=None, timeout=_TIMEOUT_SECONDS)
            return {by_document[snapshot.id]: _uuid_of(snapshot) for snapshot in snapshots if snapshot.exists}

        return self._call(read, "look up")

    def _create(self, new: Sequence[str]) -> None:
        mappings = self._table.collection("mappings")

        def write() -> None:
            writes = self._client.batch()
            for identifier in new:
                writes.create(mappings.document(document_id(identifier)), {"uuid": self._make_uuid()})
            try:
                writes.commit(retry=None, timeout=_TIMEOUT_SECONDS)
            except google.api_core.exceptions.Conflict as conflict:
                if isinstance(conflict, google.api_core.exceptions.Aborted):
                    raise

        if not self._is_named:
            # Once, not with each batch: pipelines running at once would wait for each other here.
            self._call(self._name_table, "name the table")
            self._is_named = True
        self._call(write, "create mappings")

    def _name_table(self) -> None:
        if not self._table.get(retry=None, timeout=_TIMEOUT_SECONDS).exists:
            self._table.set({"table_name": self._table_name}, retry=None, timeout=_TIMEOUT_SECONDS)

    def _call[Outcome](self, action: Callable[[], Outcome], what: str) -> Outcome:
        return _call(action, f"{self._where}: {what}", self._policy)


def find_firestore_tables(credentials: GoogleCredentials, policy: RetryPolicy) -> list[str]:
    """List the tables in a project's Firestore."""
    tables = _connect(credentials).collection("tables")

    def read() -> list[str]:
        return [table.id for table in tables.list_documents(retry=None, timeout=_TIMEOUT_SECONDS)]

    return _call(read, f"Firestore {credentials.project_id}: look for uuid tables", policy)


def _call[Outcome](action: Callable[[], Outcome], where: str, policy: RetryPolicy) -> Outcome:
    def explained() -> Outcome:
        # The errors' texts can name documents, whose ids are phone numbers: report only their kinds.
        try:
            return action()
        except _TEMPORARY as error:
            raise TemporaryError(f"answered {type(error).__name__}") from None
        except google.auth.exceptions.GoogleAuthError:
            raise ServiceError(
                f"{where}: the service account's key was refused; expected a valid one. "
                "Check the file that FirebaseCredentialsFileURL names."
            ) from None
        except google.api_core.exceptions.GoogleAPIError as error:
            raise ServiceError(
                f"{where}: answered {type(error).__name__}; expected read and write permission. "
                "Check the project and the service account's roles."
            ) from None

    return call_with_retries(explained, where, policy)


def document_id(identifier: str) -> str:
    """Return an id as a document name, which may contain no slash.

    >>> document_id("252615000001"), document_id("facebook:a/b")
    ('252615000001', 'facebook:a%2Fb')
    """
    return identifier.replace("%", "%25").replace("/", "%2F")


def _uuid_of(snapshot: Any) -> str:
    participant = (snapshot.to_dict() or {}).get("uuid")
    if not isinstance(participant, str) or not participant:
        raise ServiceError("a mapping in the uuid table has no 'uuid'; expected one. Correct the table by hand.")
    return participant


def _connect(credentials: GoogleCredentials) -> firestore.Client:
    if os.environ.get("FIRESTORE_EMULATOR_HOST"):
        return firestore.Client(project=credentials.project_id)
    with refuse_broken_key(credentials):
        client: firestore.Client = firestore.Client.from_service_account_info(dict(credentials.info))
    return client
