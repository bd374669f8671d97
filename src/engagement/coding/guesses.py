"""Codes that stand for an answer that nobody gave: they are marked, so that nothing takes them for answers."""

from dataclasses import replace

from engagement.coding.labels import Label
from engagement.configuration import CodingPlan
from engagement.configuration.coding_plans import LOCATION_WITH_ZONE

# What a zone is guessed from where nobody named a place.
OPERATOR = "operator"


def mark_guesses(plan: CodingPlan, labels: tuple[tuple[Label, ...], ...]) -> tuple[tuple[Label, ...], ...]:
    """Mark every Normal code that a plan's imputation function gave although there was no answer."""
    function = plan.code_imputation_function
    source = OPERATOR if function == LOCATION_WITH_ZONE else function
    return tuple(
        tuple(replace(label, guessed_from=source) if label.code.is_normal else label for label in several)
        for several in labels
    )
