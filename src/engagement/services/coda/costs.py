"""Estimates of the Firestore reads that Google bills for Coda, made without asking Coda.

They follow the requests in `firestore` and `firestore_adding`; a test compares them with the bill.
"""

from engagement.services.coda.format import SEGMENT_SIZE

_COUNTED_FOR_ONE_READ = 1000
_IDS_IN_ONE_QUERY = 30


def reads_to_download(held: int) -> int:
    """Return the minimum reads for finding changes in a dataset of `held` messages.

    Each changed message adds one read.
    """
    # The dataset, its number of segments, and one query per segment; a query that finds something costs what it
    # finds.
    return 2 + len(_segments(held))


def reads_to_add(known: int, new: int, code_schemes: int, with_labels: bool) -> int:
    """Return the maximum reads for adding messages to a new dataset, or one with only the known ones.

    `with_labels`: some new messages have checked labels.
    """
    if not new:
        return 0
    segments = _segments(known)
    schemes = max(1, code_schemes)
    # Does the dataset exist? Then its number of segments, the last of several, and each segment's code schemes, to
    # compare them; for a new dataset, a second check that it does not exist.
    reads = 1 + 1 + (len(segments) > 1) + schemes * len(segments)
    # The end of the dataset: number of segments, last addition, metrics, last segment; each segment's size and highest
    # number.
    reads += 4 + sum(max(1, -(-size // _COUNTED_FOR_ONE_READ)) + 1 for size in segments)
    # Each new segment: is its name free, and who are the users of the previous one?
    opened = len(_segments(known + new)) - len(segments)
    reads += 2 * opened
    return reads + (schemes if opened or with_labels else 0)


def reads_to_update(known: int, updated: int, code_schemes: int) -> int:
    """Return the maximum reads for setting labels of messages in a dataset that has the known ones."""
    if not updated:
        return 0
    segments = len(_segments(known))
    # Does the dataset exist? Then its number of segments, twice, and each segment's code schemes; each segment is asked for some
    # messages at a time.
    queries = -(-updated // _IDS_IN_ONE_QUERY)
    return 3 + (segments > 1) + max(1, code_schemes) * segments + updated + queries * segments


def _segments(messages: int) -> list[int]:
    """Return the segment sizes for a dataset of this many messages; there is at least one segment."""
    full, rest = divmod(messages, SEGMENT_SIZE)
    return [SEGMENT_SIZE] * full + ([rest] if rest or not full else [])
