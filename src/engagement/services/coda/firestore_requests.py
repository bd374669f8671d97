"""Requests to Coda V2's Firestore: each with a time limit of its own, and what Google bills counted.

The Google client would try again by itself for minutes; here it does not, so that there is one place that is patient.
"""

import math
from datetime import datetime
from typing import Any

from google.cloud import firestore

_DOCUMENT_SECONDS = 15.0
_COUNT_SECONDS = 30.0
# A whole segment, or a batch of messages, over a slow line.
_BULK_SECONDS = 60.0
_COUNTED_FOR_ONE_READ = 1000


class Requests:
    """Carries out requests, one try each. `documents_read` is the number of reads that Google bills for them.

    That is one for a document, found or not; for a query one for each document that it finds, and one if it finds none;
    for a count one for each 1,000 documents.
    """

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        self.documents_read = 0

    def get(self, document: firestore.DocumentReference) -> "firestore.DocumentSnapshot[Any]":
        """Read a document, which need not exist."""
        self.documents_read += 1
        return document.get(retry=None, timeout=_DOCUMENT_SECONDS)

    def find(
        self, query: firestore.Query, read_time: datetime | None = None
    ) -> "list[firestore.DocumentSnapshot[Any]]":
        """Read the documents that a query finds, as they were at a moment or are now."""
        found = list(query.stream(retry=None, timeout=_BULK_SECONDS, read_time=read_time))
        self.documents_read += max(1, len(found))
        return found

    def count(self, query: firestore.Query) -> int:
        """Count the documents that a query finds, without reading them."""
        counting: Any = query.count()  # its types take a query for its class
        count = int(counting.get(retry=None, timeout=_COUNT_SECONDS)[0][0].value)
        self.documents_read += max(1, math.ceil(count / _COUNTED_FOR_ONE_READ))
        return count

    def commit(self, writes: firestore.WriteBatch) -> list[Any]:
        """Carry out a batch of writes, all or none; gives the time of each."""
        return [result.update_time for result in writes.commit(retry=None, timeout=_BULK_SECONDS)]
