"""What Google will bill for reading from Coda's Firestore: told beforehand, from what is known without asking.

These follow the requests of `coda_firestore` and `coda_firestore_adding`; a test holds them against what is billed.
"""

from engagement.services.coda.format import SEGMENT_SIZE

_COUNTED_FOR_ONE_READ = 1000


def reads_to_download(held: int) -> int:
    """The least reads that it costs to see what changed in a dataset of so many messages; each that changed is one more."""
    # The dataset, its number of segments, and a query a segment; one that finds something costs what it finds.
    return 2 + len(_segments(held))


def reads_to_add(known: int, new: int, code_schemes: int, with_labels: bool) -> int:
    """The most reads that it costs to add messages to a dataset that has just the known ones, or does not exist yet.

    `with_labels`: some of the new messages have labels that somebody checked.
    """
    if not new:
        return 0
    segments = _segments(known)
    schemes = max(1, code_schemes)
    # Whether it exists; then its number of segments and the code schemes of each, to compare them, or once more whether it exists.
    reads = 1 + 1 + schemes * len(segments)
    # Its end: number of segments, metrics, last segment; each segment's size and highest number.
    reads += 3 + sum(max(1, -(-size // _COUNTED_FOR_ONE_READ)) + 1 for size in segments)
    # Another segment: whether its name is free, and the users of the one before it.
    opened = len(_segments(known + new)) - len(segments)
    reads += 2 * opened
    return reads + (schemes if opened or with_labels else 0)


def _segments(messages: int) -> list[int]:
    """The sizes of the segments of a dataset of so many messages; it has at least one."""
    full, rest = divmod(messages, SEGMENT_SIZE)
    return [SEGMENT_SIZE] * full + ([rest] if rest or not full else [])
