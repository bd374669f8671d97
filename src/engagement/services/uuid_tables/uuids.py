"""Participant uuids, and batches of ids for one request."""

import uuid
from collections.abc import Iterable, Iterator, Sequence

from engagement.configuration.participant_ids import PARTICIPANT_PREFIX

_BATCH = 500


def make_participant_uuid(prefix: str = PARTICIPANT_PREFIX) -> str:
    """Make a new participant's uuid."""
    return f"{prefix}{uuid.uuid4()}"


def in_batches(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """Split distinct ids, in order, into batches that any service accepts in one request."""
    distinct = list(dict.fromkeys(ids))
    for start in range(0, len(distinct), _BATCH):
        yield distinct[start : start + _BATCH]
