"""Coding progress of a segment: the counts that Coda shows beside it."""

import re
from collections.abc import Iterable, Sequence

from engagement.services.coda.format import CodeSchemeDocument, MessageDocument
from engagement.services.coda.labels import counts, labels_of, newest_by_scheme_id

_COPY_SUFFIX = re.compile(r"-\d+\Z")


def count_metrics(messages: Iterable[MessageDocument], code_schemes: Sequence[CodeSchemeDocument]) -> dict[str, int]:
    """Count a segment's messages: all, labelled, labelled WS (wrong scheme) and labelled NC (not coded).

    A label counts if it is the newest of its scheme (or of its copy of the scheme), checked, and not removed again.
    """
    control_codes = {
        (scheme["SchemeID"], code["CodeID"]): code.get("ControlCode")
        for scheme in code_schemes
        for code in scheme.get("Codes", [])
    }
    scheme_ids = {scheme["SchemeID"] for scheme in code_schemes}
    metrics = {"messages_count": 0, "messages_with_label": 0, "wrong_scheme_messages": 0, "not_coded_messages": 0}
    for message in messages:
        labels = [label for label in newest_by_scheme_id(labels_of(message)).values() if counts(label)]
        codes = {
            control_codes.get((primary_scheme_id(label["SchemeID"], scheme_ids), label["CodeID"])) for label in labels
        }
        metrics["messages_count"] += 1
        metrics["messages_with_label"] += bool(labels)
        metrics["wrong_scheme_messages"] += "WS" in codes
        metrics["not_coded_messages"] += "NC" in codes
    return metrics


def primary_scheme_id(scheme_id: str, scheme_ids: set[str]) -> str:
    """Return the scheme that a copy ("Scheme-abc-1") belongs to.

    A scheme's own id is returned as it is, even if it looks like a copy's.
    """
    return scheme_id if scheme_id in scheme_ids else _COPY_SUFFIX.sub("", scheme_id)
