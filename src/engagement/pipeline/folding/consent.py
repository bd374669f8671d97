"""Decide whether a participant withdrew consent, and why: one STOP is STOP everywhere."""

import enum
from collections.abc import Iterable, Sequence

from engagement.configuration.control_codes import entry_of
from engagement.pipeline.coding import labels
from engagement.pipeline.coding.coded_datasets import CodedDataset
from engagement.pipeline.coding.reasons import Reason


class ConsentCase(enum.StrEnum):
    """Reasons for keeping or removing a participant."""

    STAYS = (
        "No coder had labelled any answer of theirs {codes} when Outputs were made, those included that moved or were left out. "
        "Had one, nothing of the participant would be here."
    )
    WITHDREW = (
        "A coder has labelled an answer to {field!r} {codes} since Outputs were made. The next run of stage 3 takes everything of "
        "the participant out of them."
    )


def decide_consent(
    in_runs: Sequence[Iterable[str]], in_messages: Sequence[Iterable[str]], datasets: Sequence[CodedDataset | None]
) -> Reason:
    """Give the reason to keep or remove a participant.

    `in_runs` are their texts before any move, `in_messages` those after; all arguments are in the plans' order.
    """
    withdrawn_in = find_withdrawal(in_runs, datasets) or find_withdrawal(in_messages, datasets)
    codes = " or ".join(f"{code} ({entry_of(code).wording})" for code in labels.WITHDRAWING)
    if withdrawn_in is None:
        return Reason(ConsentCase.STAYS, {"codes": codes})
    return Reason(ConsentCase.WITHDREW, {"codes": codes, "field": withdrawn_in})


def find_withdrawal(texts: Sequence[Iterable[str]], datasets: Sequence[CodedDataset | None]) -> str | None:
    """Find the field of a text that a coder labelled STOP; both arguments are in the plans' order."""
    found = (
        dataset
        for texts_of_plan, dataset in zip(texts, datasets, strict=True)
        if dataset is not None and dataset.has_stops
        for text in texts_of_plan
        if text != "" and dataset.reading(text).has_stop
    )
    dataset = next(found, None)
    return None if dataset is None else dataset.plan.raw_field


def has_withdrawn(texts: Sequence[Iterable[str]], datasets: Sequence[CodedDataset | None]) -> bool:
    """Tell whether a coder labelled any of a participant's texts STOP."""
    return find_withdrawal(texts, datasets) is not None
