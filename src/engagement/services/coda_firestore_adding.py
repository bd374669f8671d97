"""Adding messages to Coda V2's Firestore: one batch at a time, each in a transaction, so that a batch is there whole or not.

Whoever adds reads, then writes, the metrics of the dataset's last segment (and the number of segments where one is opened).
So of two processes that add at the same time one has to start its batch again, and sees what the other one added. What else
is read need not be part of the transaction: it only changes together with those documents, or does not matter.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import firestore

from engagement.errors import ServiceError
from engagement.services.coda_format import SEGMENT_SIZE, CodeScheme, Message, name_segment
from engagement.services.coda_metrics import count_metrics

# Firestore takes 500 writes and 10 MiB in one transaction, its emulator 4 MiB; a batch also writes metrics.
_BATCH_MESSAGES = 400
_BATCH_BYTES = 2_000_000
_NO_METRICS = count_metrics([], [])


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: so many of its first messages are in the dataset now, and so many were added for that."""

    done: int
    added: int


def take_batch(messages: Sequence[Message]) -> list[Message]:
    """The first messages, as many as fit one transaction and at least one."""
    batch: list[Message] = []
    size = 0
    for message in messages[:_BATCH_MESSAGES]:
        size += len(json.dumps(message))
        if batch and size > _BATCH_BYTES:
            break
        batch.append(message)
    return batch


def write_segment(
    batch: firestore.WriteBatch,
    client: firestore.Client,
    segment: str,
    users: Sequence[str],
    code_schemes: Sequence[CodeScheme],
) -> None:
    """Put a new segment without messages into a batch of writes, which fails where the segment exists."""
    dataset = client.document("datasets", segment)
    batch.create(dataset, {"users": list(users)})
    for code_scheme in code_schemes:
        batch.set(dataset.collection("code_schemes").document(code_scheme["SchemeID"]), code_scheme)
    batch.set(dataset.collection("metrics").document("messages"), _NO_METRICS)


def add_batch(client: firestore.Client, dataset: str, batch: Sequence[Message]) -> BatchResult:
    """Add the messages of a batch that the dataset lacks, as far as its last segment has room; or open another segment.

    Raises
    ------
    ServiceError
        The dataset does not exist, or the name of its next segment is taken.
    google.api_core.exceptions.Aborted
        Another process was faster: nothing was added, and the batch is to be tried again.
    """
    # Tried again from outside, so that reading which is refused because of the other process counts as well.
    transaction = client.transaction(max_attempts=1)
    add = firestore.transactional(_BatchOfDataset(client, dataset, batch).add)
    try:
        return add(transaction)
    except ValueError as error:
        # The client's word for a transaction that was aborted as often as it may be; the cause is Aborted.
        raise error.__cause__ or error from None


@dataclass(frozen=True)
class _BatchOfDataset:
    client: firestore.Client
    dataset: str
    batch: Sequence[Message]

    def add(self, transaction: firestore.Transaction) -> BatchResult:
        counter = self.client.document("segment_counts", self.dataset).get(transaction=transaction)
        count = counter.get("segment_count") if counter.exists else 1
        segments = [self._segment(number) for number in range(1, count + 1)]
        last = segments[-1]
        metrics = self._metrics_of(last).get(transaction=transaction)
        if not last.get().exists:
            raise ServiceError(f"Coda: no dataset {last.id!r}; expected it to exist. Make it in Coda.")
        new = self._find_new(segments)
        size = int(last.collection("messages").count().get()[0][0].value)
        if new and size >= SEGMENT_SIZE:
            self._open_segment(transaction, last, count + 1)
            return BatchResult(done=0, added=0)
        fitting = new[: SEGMENT_SIZE - size]
        if fitting:
            self._write(transaction, segments, fitting, self._metrics_before(last, metrics.to_dict(), size))
        return BatchResult(
            len(self.batch) if len(fitting) == len(new) else self.batch.index(fitting[-1]) + 1, len(fitting)
        )

    def _find_new(self, segments: Sequence[firestore.DocumentReference]) -> list[Message]:
        """The messages that no segment has."""
        references = [
            segment.collection("messages").document(message["MessageID"])
            for segment in segments
            for message in self.batch
        ]
        found = {found.id for found in self.client.get_all(references, field_paths=["MessageID"]) if found.exists}
        return [message for message in self.batch if message["MessageID"] not in found]

    def _write(
        self,
        transaction: firestore.Transaction,
        segments: Sequence[firestore.DocumentReference],
        messages: Sequence[Message],
        metrics: dict[str, int],
    ) -> None:
        last = segments[-1]
        first_number = max(map(_find_highest_number, segments)) + 1
        for number, message in enumerate(messages, start=first_number):
            document = {**message, "SequenceNumber": number, "LastUpdated": firestore.SERVER_TIMESTAMP}
            transaction.create(last.collection("messages").document(message["MessageID"]), document)
        added = _count(last, messages)
        after = {name: metrics[name] + count for name, count in added.items()}
        transaction.set(self._metrics_of(last), after, merge=True)

    def _metrics_before(
        self, segment: firestore.DocumentReference, metrics: dict[str, Any] | None, size: int
    ) -> dict[str, int]:
        """A segment's metrics as Coda has them; counted from its messages where they are missing or plainly wrong."""
        if metrics is not None and metrics.get("messages_count") == size and metrics.keys() >= _NO_METRICS.keys():
            return metrics
        return _count(
            segment, [found.to_dict() for found in segment.collection("messages").select(["Labels"]).stream()]
        )

    def _open_segment(self, transaction: firestore.Transaction, last: firestore.DocumentReference, number: int) -> None:
        segment = self._segment(number)
        if segment.get().exists:
            raise ServiceError(
                f"Coda: dataset {segment.id!r} exists; expected its name to be free for segment {number} of "
                f"{self.dataset!r}. If it is that segment, set segment_counts/{self.dataset} to {number} in Coda; "
                "otherwise rename it."
            )
        users = last.get().to_dict().get("users", [])
        write_segment(transaction, self.client, segment.id, users, _read_code_schemes(last))
        transaction.set(self.client.document("segment_counts", self.dataset), {"segment_count": number})

    def _segment(self, number: int) -> firestore.DocumentReference:
        return self.client.document("datasets", name_segment(self.dataset, number))

    def _metrics_of(self, segment: firestore.DocumentReference) -> firestore.DocumentReference:
        return segment.collection("metrics").document("messages")


def _read_code_schemes(segment: firestore.DocumentReference) -> list[CodeScheme]:
    return [found.to_dict() for found in segment.collection("code_schemes").stream()]


def _count(segment: firestore.DocumentReference, messages: Sequence[Message]) -> dict[str, int]:
    """Count messages, with the segment's code schemes where a label is checked."""
    has_checked = any(label.get("Checked") for message in messages for label in message["Labels"])
    return count_metrics(messages, _read_code_schemes(segment) if has_checked else [])


def _find_highest_number(segment: firestore.DocumentReference) -> int:
    """The highest SequenceNumber of a segment; -1 when no message has one."""
    highest_first = segment.collection("messages").order_by("SequenceNumber", direction="DESCENDING")
    numbers = [found.get("SequenceNumber") for found in highest_first.limit(1).stream()]
    return max((number for number in numbers if number is not None), default=-1)
