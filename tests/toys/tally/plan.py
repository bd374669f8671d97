"""Say what a tally would count."""

from collections.abc import Iterator

from engagement.stages.planning.context import PlanContext


def plan_tally(context: PlanContext) -> Iterator[str]:
    """One line: how many flows."""
    configuration = context.project.configuration
    yield f"{len(configuration.activation_flows) + len(configuration.survey_flows)} flows to count"
