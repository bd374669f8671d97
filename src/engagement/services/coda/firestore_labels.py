"""Setting labels of messages in Coda V2's Firestore, one commit each; a coder's label wins.

A message is read, and written on condition that nobody has written it since. If somebody has, it is left alone: what they did
counts. Metrics stay as they are, as they count ticked labels alone.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.firestore_segments import find_segments
from engagement.services.coda.labels import find_new_labels

# The most values allowed in one query condition.
_IDS_IN_ONE_QUERY = 30


class LabelReplacement:
    """Labels to set in one dataset, by message id; `waiting` are those not looked at yet."""

    def __init__(
        self,
        requests: Requests,
        dataset: str,
        labels: Mapping[str, Sequence[Mapping[str, Any]]],
        may_replace: Callable[[Any], bool],
    ) -> None:
        self.waiting = dict(labels)
        self.replaced = 0
        self._requests = requests
        self._dataset = dataset
        self._may_replace = may_replace
        self._segments: list[firestore.DocumentReference] | None = None

    def take_step(self) -> None:
        """Set the labels of some of the waiting messages.

        Raises
        ------
        google.api_core.exceptions.GoogleAPIError
            Coda could not be reached; the next step looks at these messages again.
        """
        if self._segments is None:
            self._segments = find_segments(self._requests, self._dataset)
        names = list(itertools.islice(self.waiting, _IDS_IN_ONE_QUERY))
        for segment in self._segments:
            messages = segment.collection("messages")
            wanted = FieldFilter("__name__", "in", [messages.document(name) for name in names])
            for found in self._requests.find(messages.where(filter=wanted)):
                self._replace(found)
        for name in names:
            del self.waiting[name]

    def _replace(self, found: "firestore.DocumentSnapshot[Any]") -> None:
        labels = find_new_labels({**(found.to_dict() or {}), "MessageID": found.id}, self.waiting, self._may_replace)
        if labels is None:
            return
        client = self._requests.client
        writes = client.batch()
        changed = {"Labels": labels, "LastUpdated": firestore.SERVER_TIMESTAMP}
        writes.update(found.reference, changed, option=client.write_option(last_update_time=found.update_time))
        try:
            self._requests.commit(writes)
        except (FailedPrecondition, Aborted, NotFound):
            # Somebody labelled or removed it meanwhile.
            return
        self.replaced += 1
