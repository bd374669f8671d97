"""Segments of a dataset in Coda V2's Firestore: their documents, how many there are, and making one."""

from collections.abc import Sequence
from typing import Any

from google.cloud import firestore

from engagement.services.coda.dataset_errors import DatasetError
from engagement.services.coda.firestore_requests import Requests
from engagement.services.coda.format import CodeSchemeDocument, is_code_scheme, name_segment
from engagement.services.coda.metrics import count_metrics

NO_METRICS = count_metrics([], [])


def segment_of(client: firestore.Client, dataset: str, number: int) -> firestore.DocumentReference:
    """Return the document of a dataset's segment."""
    document: firestore.DocumentReference = client.document("datasets", name_segment(dataset, number))
    return document


def counter_of(client: firestore.Client, dataset: str) -> firestore.DocumentReference:
    """Return the document that says how many segments a dataset has."""
    document: firestore.DocumentReference = client.document("segment_counts", dataset)
    return document


def metrics_of(segment: firestore.DocumentReference) -> firestore.DocumentReference:
    """Return the document that says how far the coding of a segment is."""
    document: firestore.DocumentReference = segment.collection("metrics").document("messages")
    return document


def count_segments(counter: "firestore.DocumentSnapshot[Any]") -> int:
    """Return the number of segments from the document in segment_counts; 1 if there is no document."""
    return int(counter.get("segment_count")) if counter.exists else 1


def find_segments(requests: Requests, dataset: str) -> list[firestore.DocumentReference]:
    """Find a dataset's segments, without those that segment_counts promises but nobody made."""
    count = count_segments(requests.get(counter_of(requests.client, dataset)))
    segments = [segment_of(requests.client, dataset, number) for number in range(1, count + 1)]
    while len(segments) > 1 and not requests.get(segments[-1]).exists:
        segments.pop()
    return segments


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
    writes.set(metrics_of(segment), NO_METRICS)


def read_segment_users(requests: Requests, segment: firestore.DocumentReference) -> list[str]:
    """Read the users of a segment; none without a segment."""
    users = (requests.get(segment).to_dict() or {}).get("users", [])
    return [user for user in users if isinstance(user, str)]


def read_code_schemes(requests: Requests, segment: firestore.DocumentReference) -> list[CodeSchemeDocument]:
    """Read a segment's code schemes.

    Raises
    ------
    DatasetError
        Somebody broke one while editing it in Coda.
    """
    found = requests.find(segment.collection("code_schemes"))
    broken = [document.id for document in found if not is_code_scheme(document.to_dict())]
    if broken:
        raise DatasetError(
            f"Coda: dataset {segment.id!r}, code scheme {', '.join(map(repr, broken))}: no SchemeID, or a code without CodeID; "
            "expected a code scheme. Have an administrator set it again in Coda."
        )
    return [document.to_dict() or {} for document in found]
