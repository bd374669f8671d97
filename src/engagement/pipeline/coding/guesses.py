"""Mark codes that were guessed without an answer, so that nothing mistakes them for answers."""

from dataclasses import replace

from engagement.configuration import CodingPlan
from engagement.configuration.function_names import LOCATION_WITH_ZONE, is_project_function
from engagement.pipeline.coding.labels import Label
from engagement.pipeline.coding.location_levels import find_levels
from engagement.pipeline.coding.locations import PLACE_TABLES

# The source of a guessed zone if nobody named a place.
OPERATOR = "operator"


def find_guessed_positions(plan: CodingPlan) -> tuple[int, ...]:
    """Find the numbers of coding configurations that may get a code without an answer of the participant."""
    function = plan.code_imputation_function
    if function is not None and is_project_function(function):
        return tuple(range(len(plan.coding_configurations)))
    if function == LOCATION_WITH_ZONE and plan.zone_from_operator:
        levels = find_levels(plan, PLACE_TABLES[function]())
        return tuple(position for position, level in enumerate(levels) if level == "zone")
    return ()


def mark_guesses(plan: CodingPlan, labels: tuple[tuple[Label, ...], ...]) -> tuple[tuple[Label, ...], ...]:
    """Mark every Normal code that a plan's imputation function gave without an answer."""
    function = plan.code_imputation_function
    source = OPERATOR if function == LOCATION_WITH_ZONE else function
    return tuple(
        tuple(replace(label, guessed_from=source) if label.code.is_normal else label for label in several)
        for several in labels
    )
