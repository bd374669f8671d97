"""Find out why no label of an answer counts: only a scheme's newest can, if a coder ticked it."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from engagement.configuration import CodeScheme
from engagement.pipeline.coding.labels import (
    MANUALLY_UNCODED,
    PIPELINE_CODER,
    counts,
    newest_by_scheme_id,
    origin_of,
)
from engagement.pipeline.coding.reasons import Reason


class UncountedCase(enum.StrEnum):
    """Reasons why no label of an answer counts; `label` stands for its maker."""

    NOT_IN_CODA = "The answer was not in Coda yet when its labels were last fetched"
    TAKEN_OFF = "{label} took its label off again, and no coder has labelled it since"
    NOT_TICKED = "{label} labelled the answer and did not tick the label, so that it does not count"
    OTHER_SCHEME = "{label} labelled it under scheme {scheme!r}, which the plan does not have, so that the label counts for nothing"
    NO_LABEL = "No coder has labelled the answer yet"


def find_why_none_counts(
    labels: Sequence[Mapping[str, Any]] | None, scheme: CodeScheme, known: Sequence[CodeScheme]
) -> Reason:
    """Find out why no label counts under a scheme.

    `labels` are the answer's in Coda, newest first; None if Coda lacks the answer. `known` are all schemes of the dataset.
    """
    if labels is None:
        return Reason(UncountedCase.NOT_IN_CODA)
    newest = next((label for label in labels if scheme.owns(label["SchemeID"])), None)
    if newest is not None and newest["CodeID"] == MANUALLY_UNCODED:
        return Reason(UncountedCase.TAKEN_OFF, {"label": newest})
    if newest is not None and origin_of(newest).get("Name") != PIPELINE_CODER:
        return Reason(UncountedCase.NOT_TICKED, {"label": newest})
    for scheme_id, label in newest_by_scheme_id(labels).items():
        if counts(label) and not any(other.owns(scheme_id) for other in known):
            return Reason(UncountedCase.OTHER_SCHEME, {"label": label, "scheme": scheme_id})
    return Reason(UncountedCase.NO_LABEL)
