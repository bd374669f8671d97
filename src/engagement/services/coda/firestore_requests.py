"""Requests to Coda V2's Firestore, each with its own time limit, and a count of billed reads.

The Google client's own retries, which last minutes, are off: retrying happens in one place only.
"""

import math
from datetime import datetime
from typing import Any

from google.cloud import firestore

_DOCUMENT_SECONDS = 15.0
_COUNT_SECONDS = 30.0
# A whole segment, or a batch of messages, over a slow connection.
_BULK_SECONDS = 60.0
_COUNTED_FOR_ONE_READ = 1000


class Requests:
    """Send requests, one try each; `documents_read` counts the reads that Google bills.

    Billing: one read for each document requested, whether it exists or not; for a query, one for each document found,
    and at least one; for a count, one for every 1,000 documents.
    """

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        self.documents_read = 0

    def get(self, document: firestore.DocumentReference) -> "firestore.DocumentSnapshot[Any]":
        """Read a document; it may not exist."""
        self.documents_read += 1
        return document.get(retry=None, timeout=_DOCUMENT_SECONDS)

    def find(
        self, query: firestore.Query, read_time: datetime | None = None
    ) -> "list[firestore.DocumentSnapshot[Any]]":
        """Read the documents that match a query, now or as of a moment."""
        found = list(query.stream(retry=None, timeout=_BULK_SECONDS, read_time=read_time))
        self.documents_read += max(1, len(found))
        return found

    def count(self, query: firestore.Query) -> int:
        """Count the documents that match a query, without reading them."""
        counting: Any = query.count()  # the type stubs confuse the query with its class
        count = int(counting.get(retry=None, timeout=_COUNT_SECONDS)[0][0].value)
        self.documents_read += max(1, math.ceil(count / _COUNTED_FOR_ONE_READ))
        return count

    def commit(self, writes: firestore.WriteBatch) -> list[Any]:
        """Commit a batch of writes, all or none; return the time of each."""
        return [result.update_time for result in writes.commit(retry=None, timeout=_BULK_SECONDS)]
