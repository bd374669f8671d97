"""Adding messages to Coda V2's Firestore in batches, each added whole or not at all in one commit.

There are no locks: they would delay coders, and block everyone for a minute after a process was killed. Instead, each
commit also writes the metrics of the dataset's last segment, on condition that they have not changed since before we
read anything else. So if two processes add at the same time, one is refused; it looks again and sees what the other
added. As long as nobody else adds, each batch builds on the previous commit, with no reads in between.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from engagement.foundation.errors import ServiceError
from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.format import (
    SEGMENT_SIZE,
    CodeSchemeDocument,
    MessageDocument,
    is_code_scheme,
    name_segment,
)
from engagement.services.coda.metrics import count_metrics

# Firestore accepts 500 writes and 10 MiB per commit, its emulator 4 MiB.
_BATCH_MESSAGES = 450
_BATCH_BYTES = 2_000_000
# The most values allowed in one query condition, and the most ids worth looking up: beyond that it takes too long.
_IDS_IN_ONE_QUERY = 30
_MOST_IDS_TO_LOOK_FOR = 300
_NO_METRICS = count_metrics([], [])


@dataclass(frozen=True)
class _End:
    """A dataset's last segment, where messages are added; stays valid until somebody else adds some.

    The times are the last writes of Coda's documents; None if there is no document.
    """

    segment_count: int
    counter_written: datetime | None
    size: int
    next_number: int
    metrics: dict[str, int]
    metrics_written: datetime | None


class Addition:
    """Messages to add to one dataset, in this order; `waiting` are those not added yet."""

    def __init__(
        self, requests: Requests, dataset: str, messages: Sequence[MessageDocument], known_count: int | None = None
    ) -> None:
        self.waiting = list(messages)
        self.added = 0
        self._requests = requests
        self._client = requests.client
        self._dataset = dataset
        self._known_count = known_count
        self._end: _End | None = None
        self._code_schemes: list[CodeSchemeDocument] | None = None

    def take_step(self) -> None:
        """Add a batch of the waiting messages, or open a segment for them.

        The first step drops the messages that the dataset already has.

        Raises
        ------
        ServiceError
            The dataset does not exist, or its next segment's name is taken.
        google.api_core.exceptions.GoogleAPIError
            Including when another process was faster (FailedPrecondition, AlreadyExists, Aborted). The outcome of this step is
            then unknown, and the next step looks again.
        """
        end, self._end = self._end, None
        if end is None:
            end = self._look()
        if self.waiting:
            end = self._open_segment(end) if end.size >= SEGMENT_SIZE else self._add_batch(end)
        self._end = end

    def _look(self) -> _End:
        """Find the end of the dataset, and drop messages that it already has from `waiting`."""
        counter = self._requests.get(self._client.document("segment_counts", self._dataset))
        segment_count = count_segments(counter)
        segments = [self._segment(number) for number in range(1, segment_count + 1)]
        last = segments[-1]
        # Before anything else: if the metrics document has not changed, what it says about the segment has not
        # either.
        metrics = self._requests.get(_metrics_of(last))
        if not self._requests.get(last).exists:
            raise ServiceError(f"Coda: no dataset {last.id!r}; expected it to exist. Create it in Coda.")
        sizes = [self._requests.count(segment.collection("messages")) for segment in segments]
        if not self._is_all_known(sizes):
            for segment, size in zip(segments, sizes, strict=True):
                self._drop_present(segment, size)
        # Only the first time: later, somebody else has added something.
        self._known_count = None
        return _End(
            segment_count,
            counter.update_time,
            sizes[-1],
            max(map(self._find_highest_number, segments)) + 1,
            self._metrics_before(last, metrics.to_dict(), sizes[-1]),
            metrics.update_time,
        )

    def _is_all_known(self, sizes: Sequence[int]) -> bool:
        """Tell whether the dataset holds only known messages, so none of `waiting` is in it.

        If some were deleted and as many added, the new ones are in the last segment, and the commit is refused.
        """
        return sum(sizes) == self._known_count and all(size == SEGMENT_SIZE for size in sizes[:-1])

    def _drop_present(self, segment: firestore.DocumentReference, size: int) -> None:
        """Drop messages that a segment of this size has from `waiting`."""
        messages = segment.collection("messages")
        only_ids = messages.select(["__name__"])
        if len(self.waiting) > min(size, _MOST_IDS_TO_LOOK_FOR):
            queries: Iterable[Any] = [only_ids]
        else:
            # An empty result is billed as one read, however many ids the query names.
            ids = (message["MessageID"] for message in self.waiting)
            queries = (
                only_ids.where(filter=FieldFilter("__name__", "in", [messages.document(name) for name in names]))
                for names in batched(ids, _IDS_IN_ONE_QUERY)
            )
        present = {found.id for query in queries for found in self._requests.find(query)}
        self.waiting = [message for message in self.waiting if message["MessageID"] not in present]

    def _add_batch(self, end: _End) -> _End:
        segment = self._segment(end.segment_count)
        batch = take_batch(self.waiting[: SEGMENT_SIZE - end.size])
        writes = self._client.batch()
        more = self._count(segment, batch)
        metrics = {name: end.metrics[name] + count for name, count in more.items()}
        # First, so one of two processes is refused here, before they wait for each other over hundreds of documents.
        self._write_unless_changed(writes, _metrics_of(segment), end.metrics_written, metrics)
        for number, message in enumerate(batch, start=end.next_number):
            document = {**message, "SequenceNumber": number, "LastUpdated": firestore.SERVER_TIMESTAMP}
            writes.create(segment.collection("messages").document(message["MessageID"]), document)
        metrics_written, *_ = self._requests.commit(writes)
        self.added += len(batch)
        self.waiting = self.waiting[len(batch) :]
        return replace(
            end,
            size=end.size + len(batch),
            next_number=end.next_number + len(batch),
            metrics=metrics,
            metrics_written=metrics_written,
        )

    def _open_segment(self, end: _End) -> _End:
        """Open the next segment, with the last one's users and code schemes."""
        last = self._segment(end.segment_count)
        number = end.segment_count + 1
        segment = self._segment(number)
        counter = self._client.document("segment_counts", self._dataset)
        if self._requests.get(segment).exists and self._requests.get(counter).update_time == end.counter_written:
            raise ServiceError(
                f"Coda: dataset {segment.id!r} exists; expected its name to be free for segment {number} of "
                f"{self._dataset!r}. If it is that segment, set segment_counts/{self._dataset} to {number} in Coda; "
                "otherwise rename it."
            )
        users = (self._requests.get(last).to_dict() or {}).get("users", [])
        writes = self._client.batch()
        write_segment(writes, segment, users, self._read_code_schemes(last))
        self._write_unless_changed(writes, counter, end.counter_written, {"segment_count": number})
        *_, metrics_written, counter_written = self._requests.commit(writes)
        return _End(number, counter_written, 0, end.next_number, _NO_METRICS, metrics_written)

    def _write_unless_changed(
        self,
        writes: firestore.WriteBatch,
        document: firestore.DocumentReference,
        written: datetime | None,
        values: dict[str, int],
    ) -> None:
        """Add a document to a batch that is refused if the document was created or changed since."""
        if written is None:
            writes.create(document, values)
        else:
            writes.update(document, values, option=self._client.write_option(last_update_time=written))

    def _metrics_before(
        self, segment: firestore.DocumentReference, metrics: dict[str, Any] | None, size: int
    ) -> dict[str, int]:
        """Return a segment's metrics from Coda, or count its messages if they are missing or plainly wrong."""
        if metrics is not None and metrics.get("messages_count") == size and metrics.keys() >= _NO_METRICS.keys():
            return {name: metrics[name] for name in _NO_METRICS}
        found = self._requests.find(segment.collection("messages").select(["Labels"]))
        return self._count(segment, [message.to_dict() or {} for message in found])

    def _count(self, segment: firestore.DocumentReference, messages: Sequence[MessageDocument]) -> dict[str, int]:
        """Count messages; read the segment's code schemes only if a label is checked."""
        has_checked = any(label.get("Checked") for message in messages for label in message.get("Labels", []))
        return count_metrics(messages, self._read_code_schemes(segment) if has_checked else [])

    def _read_code_schemes(self, segment: firestore.DocumentReference) -> list[CodeSchemeDocument]:
        # All segments of a dataset have the same ones.
        if self._code_schemes is None:
            self._code_schemes = read_code_schemes(self._requests, segment)
        return self._code_schemes

    def _find_highest_number(self, segment: firestore.DocumentReference) -> int:
        """Return a segment's highest SequenceNumber; -1 if no message has one."""
        highest_first = segment.collection("messages").order_by("SequenceNumber", direction="DESCENDING").limit(1)
        numbers = [found.get("SequenceNumber") for found in self._requests.find(highest_first)]
        return max((number for number in numbers if number is not None), default=-1)

    def _segment(self, number: int) -> firestore.DocumentReference:
        return self._client.document("datasets", name_segment(self._dataset, number))


def take_batch(messages: Sequence[MessageDocument]) -> list[MessageDocument]:
    """Return the first messages, as many as fit one commit and at least one."""
    batch: list[MessageDocument] = []
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
    code_schemes: Sequence[CodeSchemeDocument],
) -> None:
    """Add a new, empty segment to a batch of writes, metrics last; refused if the segment exists."""
    writes.create(segment, {"users": list(users)})
    for code_scheme in code_schemes:
        writes.set(segment.collection("code_schemes").document(code_scheme["SchemeID"]), code_scheme)
    writes.set(_metrics_of(segment), _NO_METRICS)


def count_segments(counter: "firestore.DocumentSnapshot[Any]") -> int:
    """Return the number of segments from the document in segment_counts; 1 if there is no document."""
    return int(counter.get("segment_count")) if counter.exists else 1


def read_code_schemes(requests: Requests, segment: firestore.DocumentReference) -> list[CodeSchemeDocument]:
    """Read a segment's code schemes.

    Raises
    ------
    ServiceError
        Somebody broke one while editing it in Coda.
    """
    found = requests.find(segment.collection("code_schemes"))
    broken = [document.id for document in found if not is_code_scheme(document.to_dict())]
    if broken:
        raise ServiceError(
            f"Coda: dataset {segment.id!r}, code scheme {', '.join(map(repr, broken))}: no SchemeID, or a code without CodeID; "
            "expected a code scheme. Have an administrator set it again in Coda."
        )
    return [document.to_dict() or {} for document in found]


def _metrics_of(segment: firestore.DocumentReference) -> firestore.DocumentReference:
    document: firestore.DocumentReference = segment.collection("metrics").document("messages")
    return document
