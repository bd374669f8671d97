"""Find plans whose answers no remapping writes: another season's in a shared file, or misspelt ones."""

from collections.abc import Iterator

from engagement.configuration.coding_plans import CodingPlan, CodingPlans
from engagement.configuration.field_names import FETCHED_FIELDS
from engagement.configuration.nearest import is_misspelling
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.configuration.plan_kinds import PlanKind
from engagement.configuration.problems import Problem


def is_written(plan: CodingPlan, configuration: PipelineConfiguration) -> bool:
    """Check if anything in the configuration writes a plan's answers."""
    field = plan.raw_field
    return (
        field in FETCHED_FIELDS
        or any(remapping.pipeline_key == field for remapping in configuration.rapid_pro_key_remappings)
        or any(remapping.show_pipeline_key_to_remap_to == field for remapping in configuration.timestamp_remappings)
    )


def find_unwritten_plans(configuration: PipelineConfiguration, plans: CodingPlans) -> Iterator[Problem]:
    """Find plans without answers, with a suggested name."""
    read = {field for plan in plans.all for field in (plan.raw_field, plan.time_field, plan.run_id_field)}
    unread = sorted({r.pipeline_key for r in configuration.rapid_pro_key_remappings} - read)
    for kind in PlanKind:
        for position, plan in enumerate(plan for plan in plans.all if plan.kind is kind):
            if not is_written(plan, configuration):
                meant = [repr(field) for field in unread if is_misspelling(field, plan.raw_field)]
                says = f" (but {' and '.join(meant)}, which no plan reads)" if meant else ""
                remedy = "Mend either name." if meant else "Add it, unless the plan is another season's."
                yield Problem(
                    f"$.{kind}[{position}].RawField",
                    f"no remapping writes {plan.raw_field!r}{says}; expected one, or the plan has no answers. {remedy}",
                )
