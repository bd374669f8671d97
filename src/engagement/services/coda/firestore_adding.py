"""Adding messages to Coda V2's Firestore in batches, each added whole or not at all in one commit.

There are no locks: they would delay coders, and block everyone for a minute after a process was killed. Instead, each
commit also writes the document `pipeline_additions/{dataset}`, on condition that it has not changed since before we
read anything else. So if two processes add at the same time, one is refused; it looks again and sees what the other
added. As long as nobody else adds, each batch builds on the previous commit, with no reads in between.

That document is the pipeline's own. Coda's page writes the message and then the metrics of its segment after every
label, so a condition on one of these would fail for as long as people label. The metrics are incremented, unless they
are missing or plainly wrong. The page may overwrite them with what it had before the addition; its next label, or the
next addition, puts that right.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.firestore_segments import (
    NO_METRICS,
    count_segments,
    counter_of,
    metrics_of,
    read_code_schemes,
    read_segment_users,
    segment_of,
    write_segment,
)
from engagement.services.coda.format import SEGMENT_SIZE, CodeSchemeDocument, MessageDocument
from engagement.services.coda.labels import is_ticked, labels_of
from engagement.services.coda.metrics import count_metrics

_log = logging.getLogger(__name__)

# Firestore accepts 500 writes and 10 MiB per commit, its emulator 4 MiB.
_BATCH_MESSAGES = 450
_BATCH_BYTES = 2_000_000
# The most values allowed in one query condition, and the most ids worth looking up: beyond that it takes too long.
_IDS_IN_ONE_QUERY = 30
_MOST_IDS_TO_LOOK_FOR = 300


@dataclass(frozen=True)
class _End:
    """A dataset's last segment, where messages are added; stays valid until somebody else adds some.

    The times are the last writes of documents; None if there is no document. `metrics` are None if those in Coda can
    be counted on, else what they should be.
    """

    guard_written: datetime | None
    segment_count: int
    counter_written: datetime | None
    size: int
    next_number: int
    metrics: dict[str, int] | None = None


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
        self._guard: firestore.DocumentReference = self._client.document("pipeline_additions", dataset)
        self._end: _End | None = None
        self._code_schemes: list[CodeSchemeDocument] | None = None

    def take_step(self) -> None:
        """Add a batch of the waiting messages, or open a segment for them.

        The first step drops the messages that the dataset already has.

        Raises
        ------
        DatasetError
            The dataset does not exist, or its next segment's name is taken.
        google.api_core.exceptions.GoogleAPIError
            Including when another process was faster (FailedPrecondition, AlreadyExists, Aborted). The outcome of this step is
            then unknown, and the next step looks again.
        """
        end, self._end = self._end, None
        if end is None:
            end = self._look()
        if end is not None and self.waiting:
            end = self._open_segment(end) if end.size >= SEGMENT_SIZE else self._add_batch(end)
        self._end = end

    def _look(self) -> _End | None:
        """Find the end of the dataset, and drop messages that it already has from `waiting`.

        None if the number of segments had to be corrected first: the next step looks again.
        """
        # Before anything else: if this document has not changed, nobody has added anything to what is read below.
        guard = self._requests.get(self._guard)
        counter = self._requests.get(counter_of(self._client, self._dataset))
        segment_count = count_segments(counter)
        segments = [self._segment(number) for number in range(1, segment_count + 1)]
        last = segments[-1]
        if not self._requests.get(last).exists:
            if segment_count == 1:
                raise DatasetError(f"Coda: no dataset {last.id!r}; expected it to exist. Create it in Coda.")
            self._correct_segment_count(segments, counter.update_time)
            return None
        metrics = self._requests.get(metrics_of(last)).to_dict()
        sizes = [self._requests.count(segment.collection("messages")) for segment in segments]
        if not self._is_all_known(sizes):
            for segment, size in zip(segments, sizes, strict=True):
                self._drop_present(segment, size)
        # Only the first time: later, somebody else has added something.
        self._known_count = None
        return _End(
            guard.update_time,
            segment_count,
            counter.update_time,
            sizes[-1],
            max(map(self._find_highest_number, segments)) + 1,
            self._correct_metrics(last, metrics, sizes[-1]),
        )

    def _correct_segment_count(self, segments: list[firestore.DocumentReference], written: datetime) -> None:
        """Correct a count of segments that is ahead of them; segments with messages are kept.

        Of the promised segments, the last that has messages is made; the count then goes down to it, or to the last
        that exists.
        """
        while len(segments) > 1 and not self._requests.get(segments[-1]).exists:
            if self._requests.count(segments[-1].collection("messages")):
                break
            segments.pop()
        writes = self._client.batch()
        self._write_unless_changed(
            writes, counter_of(self._client, self._dataset), written, {"segment_count": len(segments)}
        )
        if not self._requests.get(segments[-1]).exists:
            users = read_segment_users(self._requests, segments[0])
            write_segment(writes, segments[-1], users, self._read_code_schemes(segments[0]))
        self._requests.commit(writes)
        _log.warning(
            "Coda %r: segment_counts promised segments that nobody had made; set it to %d", self._dataset, len(segments)
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
        # First, so one of two processes is refused here, before they wait for each other over hundreds of documents.
        self._write_unless_changed(writes, self._guard, end.guard_written, {"last_added": firestore.SERVER_TIMESTAMP})
        metrics = {
            name: firestore.Increment(count) if end.metrics is None else end.metrics[name] + count
            for name, count in more.items()
        }
        writes.set(metrics_of(segment), metrics, merge=True)
        for number, message in enumerate(batch, start=end.next_number):
            document = {**message, "SequenceNumber": number, "LastUpdated": firestore.SERVER_TIMESTAMP}
            writes.create(segment.collection("messages").document(message["MessageID"]), document)
        guard_written, *_ = self._requests.commit(writes)
        self.added += len(batch)
        self.waiting = self.waiting[len(batch) :]
        return replace(
            end,
            guard_written=guard_written,
            size=end.size + len(batch),
            next_number=end.next_number + len(batch),
            metrics=None,
        )

    def _open_segment(self, end: _End) -> _End:
        """Open the next segment, with the last one's users and code schemes."""
        last = self._segment(end.segment_count)
        number = end.segment_count + 1
        segment = self._segment(number)
        counter = counter_of(self._client, self._dataset)
        if self._requests.get(segment).exists and self._requests.get(counter).update_time == end.counter_written:
            raise DatasetError(
                f"Coda: dataset {segment.id!r} exists; expected its name to be free for segment {number} of "
                f"{self._dataset!r}. If it is that segment, set segment_counts/{self._dataset} to {number} in Coda; "
                "otherwise rename it."
            )
        users = read_segment_users(self._requests, last)
        writes = self._client.batch()
        self._write_unless_changed(writes, self._guard, end.guard_written, {"last_added": firestore.SERVER_TIMESTAMP})
        write_segment(writes, segment, users, self._read_code_schemes(last))
        self._write_unless_changed(writes, counter, end.counter_written, {"segment_count": number})
        guard_written, *_, counter_written = self._requests.commit(writes)
        return _End(guard_written, number, counter_written, 0, end.next_number)

    def _write_unless_changed(
        self,
        writes: firestore.WriteBatch,
        document: firestore.DocumentReference,
        written: datetime | None,
        values: dict[str, Any],
    ) -> None:
        """Add a document to a batch that is refused if the document was created or changed since."""
        if written is None:
            writes.create(document, values)
        else:
            writes.update(document, values, option=self._client.write_option(last_update_time=written))

    def _correct_metrics(
        self, segment: firestore.DocumentReference, metrics: dict[str, Any] | None, size: int
    ) -> dict[str, int] | None:
        """Count a segment's messages if its metrics in Coda are missing or plainly wrong; else None."""
        if metrics is not None and metrics.get("messages_count") == size and metrics.keys() >= NO_METRICS.keys():
            return None
        found = self._requests.find(segment.collection("messages").select(["Labels"]))
        return self._count(segment, [message.to_dict() or {} for message in found])

    def _count(self, segment: firestore.DocumentReference, messages: Sequence[MessageDocument]) -> dict[str, int]:
        """Count messages; read the segment's code schemes only if a label is checked."""
        has_checked = any(is_ticked(label) for message in messages for label in labels_of(message))
        return count_metrics(messages, self._read_code_schemes(segment) if has_checked else [])

    def _read_code_schemes(self, segment: firestore.DocumentReference) -> list[CodeSchemeDocument]:
        # All segments of a dataset have the same ones.
        if self._code_schemes is None:
            self._code_schemes = read_code_schemes(self._requests, segment)
        return self._code_schemes

    def _find_highest_number(self, segment: firestore.DocumentReference) -> int:
        """Return a segment's highest SequenceNumber; -1 if no message has one."""
        # Only numbers: Firestore sorts texts, which somebody may have put there, behind them.
        numbered = segment.collection("messages").where(filter=FieldFilter("SequenceNumber", ">=", 0))
        highest_first = numbered.order_by("SequenceNumber", direction="DESCENDING").limit(1)
        return max((int(found.get("SequenceNumber")) for found in self._requests.find(highest_first)), default=-1)

    def _segment(self, number: int) -> firestore.DocumentReference:
        return segment_of(self._client, self._dataset, number)


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
