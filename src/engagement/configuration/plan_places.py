"""Places of plans and their coding configurations in the coding plans' file."""

from collections.abc import Iterator

from engagement.configuration import CodingConfiguration, CodingPlan, CodingPlans


def placed_plans(plans: CodingPlans) -> Iterator[tuple[str, CodingPlan]]:
    """List the plans with their JSON paths."""
    for of_kind in (plans.rqa, plans.demographic, plans.follow_up):
        for position, plan in enumerate(of_kind):
            yield f"$.{plan.kind}[{position}]", plan


def placed_configurations(plans: CodingPlans) -> Iterator[tuple[str, CodingPlan, CodingConfiguration]]:
    """List the coding configurations with their JSON paths and plans."""
    for at, plan in placed_plans(plans):
        for position, configuration in enumerate(plan.coding_configurations):
            yield f"{at}.CodingConfigurations[{position}]", plan, configuration
