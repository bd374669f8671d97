"""Mending a dataset in Coda V2's Firestore: doubled texts, segments' users and code schemes."""

import itertools
from collections.abc import Collection, Mapping, Sequence

from google.cloud import firestore

from engagement.services.coda.copies import join_labels
from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.firestore_segments import find_segments, metrics_of, read_code_schemes
from engagement.services.coda.format import CodeSchemeDocument
from engagement.services.coda.metrics import count_metrics

_LARGEST_BATCH = 400


def join_message(requests: Requests, message_id: str, segments: Sequence[str]) -> None:
    """Put the labels of a message's copies into the one of the first segment, and delete the others.

    Refused if a coder labels one of them meanwhile; then nothing has changed.
    """
    client = requests.client
    found = [requests.get(client.document("datasets", segment, "messages", message_id)) for segment in segments]
    copies = [copy for copy in found if copy.exists]
    if len(copies) < 2:
        return
    writes = client.batch()
    kept, *others = copies
    changed = {
        "Labels": join_labels([copy.to_dict() or {} for copy in copies]),
        "LastUpdated": firestore.SERVER_TIMESTAMP,
    }
    writes.update(kept.reference, changed, option=client.write_option(last_update_time=kept.update_time))
    for copy in others:
        writes.delete(copy.reference, option=client.write_option(last_update_time=copy.update_time))
    requests.commit(writes)


def count_again(requests: Requests, segments: Mapping[str, None]) -> None:
    """Count the messages of segments, and set their metrics."""
    writes = requests.client.batch()
    for name in segments:
        segment = requests.client.document("datasets", name)
        found = requests.find(segment.collection("messages").select(["Labels"]))
        metrics = count_metrics([copy.to_dict() or {} for copy in found], read_code_schemes(requests, segment))
        writes.set(metrics_of(segment), metrics, merge=True)
    requests.commit(writes)


def remove_messages(requests: Requests, dataset: str, message_ids: Collection[str]) -> None:
    """Delete messages from all segments of a dataset, and count those again."""
    segments = find_segments(requests, dataset)
    for batch in itertools.batched(sorted(message_ids), _LARGEST_BATCH):
        for segment in segments:
            writes = requests.client.batch()
            for message_id in batch:
                writes.delete(segment.collection("messages").document(message_id))
            requests.commit(writes)
    # Also after a kill, when the messages are gone and the counts are not right yet.
    count_again(requests, dict.fromkeys(segment.id for segment in segments))


def set_up_segment(
    requests: Requests, dataset: str, number: int, users: Sequence[str], code_schemes: Sequence[CodeSchemeDocument]
) -> None:
    """Add users to a dataset's segment, and set code schemes in it; everything else stays."""
    segment = find_segments(requests, dataset)[number - 1]
    writes = requests.client.batch()
    if users:
        writes.update(segment, {"users": firestore.ArrayUnion(list(users))})
    for code_scheme in code_schemes:
        writes.set(segment.collection("code_schemes").document(code_scheme["SchemeID"]), code_scheme)
    requests.commit(writes)
