"""Labels of a message in Coda, newest first.

A scheme's newest label counts if a coder ticked it.

This is the one place that knows the order and the ticks; `pipeline.coding.labels` knows what codes mean.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

MANUALLY_UNCODED = "SPECIAL-MANUALLY_UNCODED"
"""The CodeID with which Coda takes a label off again."""


def is_label(item: Any) -> bool:
    """Tell whether an item names a scheme and a code."""
    return isinstance(item, dict) and isinstance(item.get("SchemeID"), str) and isinstance(item.get("CodeID"), str)


def labels_of(message: Any) -> list[Mapping[str, Any]]:
    """Return a message's labels, newest first; none if somebody broke the message."""
    labels = message.get("Labels") if isinstance(message, dict) else None
    return [label for label in labels if is_label(label)] if isinstance(labels, list) else []


def newest_by_scheme_id(labels: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Find the newest label of each scheme of a message, whose labels are newest first."""
    newest: dict[str, Mapping[str, Any]] = {}
    for label in labels:
        newest.setdefault(label["SchemeID"], label)
    return newest


def is_ticked(label: Mapping[str, Any]) -> bool:
    """Tell whether a person ticked a label; labels that the pipeline sets or proposes are not ticked."""
    return label.get("Checked") is True


def counts(label: Mapping[str, Any]) -> bool:
    """Tell whether a scheme's newest label is a coder's: ticked, and not taken off again."""
    return is_ticked(label) and label["CodeID"] != MANUALLY_UNCODED


def is_labelled(labels: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether any of a message's labels counts."""
    return any(map(counts, newest_by_scheme_id(labels).values()))


def find_new_labels(
    message: Any, labels: Mapping[str, Sequence[Mapping[str, Any]]], may_replace: Callable[[Any], bool]
) -> list[Mapping[str, Any]] | None:
    """Find what to set a message's labels to; None if it stays as it is. `labels` are by MessageID."""
    name = message.get("MessageID") if isinstance(message, dict) else None
    new = labels.get(name) if isinstance(name, str) else None
    if new is None or list(new) == message.get("Labels") or not may_replace(message.get("Labels")):
        return None
    return list(new)
