"""Adding messages to Coda V2's Firestore: one batch at a time, each in one commit, so that a batch is there whole or not.

Nothing is locked, which would hold up coders, and everybody for a minute after a process was killed. Instead, whoever adds
also writes the metrics of the dataset's last segment, on the condition that they are as they were before anything else was
read. So of two processes that add at the same time one is refused; it starts its batch again, and sees what the other added.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import firestore

from engagement.errors import ServiceError
from engagement.services.coda_format import SEGMENT_SIZE, CodeScheme, Message, name_segment
from engagement.services.coda_metrics import count_metrics

# Firestore takes 500 writes and 10 MiB in one commit, its emulator 4 MiB.
_BATCH_MESSAGES = 400
_BATCH_BYTES = 2_000_000
_NO_METRICS = count_metrics([], [])


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: so many of its first messages are in the dataset now, and so many were added for that."""

    done: int
    added: int


def take_batch(messages: Sequence[Message]) -> list[Message]:
    """The first messages, as many as fit one commit and at least one."""
    batch: list[Message] = []
    size = 0
    for message in messages[:_BATCH_MESSAGES]:
        size += len(json.dumps(message))
        if batch and size > _BATCH_BYTES:
            break
        batch.append(message)
    return batch


def write_segment(
    writes: firestore.WriteBatch,
    segment: firestore.DocumentReference,
    users: Sequence[str],
    code_schemes: Sequence[CodeScheme],
) -> None:
    """Put a new segment without messages into a batch of writes, which is refused where the segment exists."""
    writes.create(segment, {"users": list(users)})
    for code_scheme in code_schemes:
        writes.set(segment.collection("code_schemes").document(code_scheme["SchemeID"]), code_scheme)
    writes.set(_metrics_of(segment), _NO_METRICS)


def add_batch(client: firestore.Client, dataset: str, batch: Sequence[Message]) -> BatchResult:
    """Add the messages of a batch that the dataset lacks, as far as its last segment has room; or open another segment.

    Raises
    ------
    ServiceError
        The dataset does not exist, or the name of its next segment is taken.
    google.api_core.exceptions.FailedPrecondition, AlreadyExists, Aborted
        Another process was faster: nothing was added, and the batch is to be tried again.
    """
    counter = client.document("segment_counts", dataset).get()
    names = [name_segment(dataset, number) for number in range(1, count_segments(counter) + 1)]
    segments = [client.document("datasets", name) for name in names]
    last = segments[-1]
    # Before all that follows: what an unchanged document of metrics says of the segment has not changed either.
    metrics = _metrics_of(last).get()
    if not last.get().exists:
        raise ServiceError(f"Coda: no dataset {last.id!r}; expected it to exist. Make it in Coda.")
    new = _find_new(client, segments, batch)
    size = int(last.collection("messages").count().get()[0][0].value)
    if new and size >= SEGMENT_SIZE:
        _open_segment(client, dataset, counter, last)
        return BatchResult(done=0, added=0)
    fitting = new[: SEGMENT_SIZE - size]
    if fitting:
        _write_messages(client, last, fitting, max(map(_find_highest_number, segments)) + 1, metrics, size)
    done = len(batch) if len(fitting) == len(new) else batch.index(fitting[-1]) + 1
    return BatchResult(done, len(fitting))


def count_segments(counter: firestore.DocumentSnapshot) -> int:
    """The number of a dataset's segments, from its document in segment_counts, which a dataset of one need not have."""
    return int(counter.get("segment_count")) if counter.exists else 1


def _find_new(
    client: firestore.Client, segments: Sequence[firestore.DocumentReference], batch: Sequence[Message]
) -> list[Message]:
    """The messages that no segment has."""
    references = [
        segment.collection("messages").document(message["MessageID"]) for segment in segments for message in batch
    ]
    found = {found.id for found in client.get_all(references, field_paths=["MessageID"]) if found.exists}
    return [message for message in batch if message["MessageID"] not in found]


def _write_messages(
    client: firestore.Client,
    segment: firestore.DocumentReference,
    messages: Sequence[Message],
    first_number: int,
    metrics: firestore.DocumentSnapshot,
    size: int,
) -> None:
    writes = client.batch()
    for number, message in enumerate(messages, start=first_number):
        document = {**message, "SequenceNumber": number, "LastUpdated": firestore.SERVER_TIMESTAMP}
        writes.create(segment.collection("messages").document(message["MessageID"]), document)
    before = _metrics_before(segment, metrics.to_dict(), size)
    added = _count(segment, messages)
    _write_unless_changed(client, writes, metrics, {name: before[name] + count for name, count in added.items()})
    writes.commit()


def _metrics_before(segment: firestore.DocumentReference, metrics: dict[str, Any] | None, size: int) -> dict[str, int]:
    """A segment's metrics as Coda has them; counted from its messages where they are missing or plainly wrong."""
    if metrics is not None and metrics.get("messages_count") == size and metrics.keys() >= _NO_METRICS.keys():
        return metrics
    return _count(segment, [found.to_dict() for found in segment.collection("messages").select(["Labels"]).stream()])


def _open_segment(
    client: firestore.Client,
    dataset: str,
    counter: firestore.DocumentSnapshot,
    last: firestore.DocumentReference,
) -> None:
    """Open the segment after the last one, with that one's users and code schemes."""
    number = count_segments(counter) + 1
    segment = client.document("datasets", name_segment(dataset, number))
    if segment.get().exists and counter.reference.get().update_time == counter.update_time:
        raise ServiceError(
            f"Coda: dataset {segment.id!r} exists; expected its name to be free for segment {number} of {dataset!r}. If it "
            f"is that segment, set segment_counts/{dataset} to {number} in Coda; otherwise rename it."
        )
    writes = client.batch()
    write_segment(writes, segment, last.get().to_dict().get("users", []), _read_code_schemes(last))
    _write_unless_changed(client, writes, counter, {"segment_count": number})
    writes.commit()


def _write_unless_changed(
    client: firestore.Client, writes: firestore.WriteBatch, seen: firestore.DocumentSnapshot, values: dict[str, Any]
) -> None:
    """Put a document into a batch of writes, which is refused when it is not as it was seen any more."""
    if seen.exists:
        writes.update(seen.reference, values, option=client.write_option(last_update_time=seen.update_time))
    else:
        writes.create(seen.reference, values)


def _metrics_of(segment: firestore.DocumentReference) -> firestore.DocumentReference:
    return segment.collection("metrics").document("messages")


def _read_code_schemes(segment: firestore.DocumentReference) -> list[CodeScheme]:
    return [found.to_dict() for found in segment.collection("code_schemes").stream()]


def _count(segment: firestore.DocumentReference, messages: Sequence[Message]) -> dict[str, int]:
    """Count messages, with the segment's code schemes where a label is checked."""
    has_checked = any(label.get("Checked") for message in messages for label in message.get("Labels", []))
    return count_metrics(messages, _read_code_schemes(segment) if has_checked else [])


def _find_highest_number(segment: firestore.DocumentReference) -> int:
    """The highest SequenceNumber of a segment; -1 when no message has one."""
    highest_first = segment.collection("messages").order_by("SequenceNumber", direction="DESCENDING")
    numbers = [found.get("SequenceNumber") for found in highest_first.limit(1).stream()]
    return max((number for number in numbers if number is not None), default=-1)
