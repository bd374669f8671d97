"""Joining the labels of a message that stands in several segments of a dataset."""

import heapq
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engagement.services.coda.format import MessageDocument, parse_time
from engagement.services.coda.labels import MANUALLY_UNCODED, is_ticked, labels_of

_NEVER = datetime.min.replace(tzinfo=UTC)


def join_labels(copies: Sequence[MessageDocument]) -> list[Mapping[str, Any]]:
    """Join the labels of a message's copies, newest first; equal ones come once.

    The pipeline's proposals go behind what people did: the newest label of a scheme counts.
    """
    of_copies = [labels_of(copy) for copy in copies]
    by_people = heapq.merge(
        *([one for one in labels if _is_by_person(one)] for labels in of_copies), key=_time, reverse=True
    )
    proposed = [one for labels in of_copies for one in labels if not _is_by_person(one)]
    joined: list[Mapping[str, Any]] = []
    for label in (*by_people, *proposed):
        if label not in joined:
            joined.append(label)
    return joined


def _is_by_person(label: Mapping[str, Any]) -> bool:
    origin = label.get("Origin")
    is_manual = isinstance(origin, dict) and origin.get("OriginType") == "Manual"
    return is_ticked(label) or is_manual or label["CodeID"] == MANUALLY_UNCODED


def _time(label: Mapping[str, Any]) -> datetime:
    try:
        return parse_time(label["DateTimeUTC"])
    except (KeyError, TypeError, ValueError):
        return _NEVER
