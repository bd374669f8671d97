"""Listening groups as the analysis sees them: questions that attendance answers with yes or no."""

from collections.abc import Sequence

from engagement.configuration.code_schemes import CodeType
from engagement.configuration.coding_plans import CodingPlan
from engagement.configuration.column_plans import make_column_plan
from engagement.configuration.contact_selections import ListeningGroup
from engagement.configuration.origin_plans import is_origin_plan
from engagement.configuration.plan_kinds import PlanKind

MEMBER, OTHER = "true", "false"


def make_group_plans(groups: Sequence[ListeningGroup]) -> tuple[CodingPlan, ...]:
    """Make a plan for each group; nobody writes to it, so it has no texts and no dataset in Coda."""
    return tuple(map(_make_plan, groups))


def is_group_plan(plan: CodingPlan) -> bool:
    """Tell whether a plan is a listening group's: its scheme is in no file."""
    return not is_origin_plan(plan) and not any(coding.code_scheme_file for coding in plan.coding_configurations)


def _make_plan(group: ListeningGroup) -> CodingPlan:
    codes = [
        {
            "CodeID": value, "CodeType": CodeType.NORMAL, "DisplayText": text, "NumericValue": number, "StringValue": value,
            "VisibleInCoda": False,
        }
        for number, (value, text) in enumerate(((MEMBER, "member"), (OTHER, "no member")), 1)
    ]  # fmt: skip
    return make_column_plan(PlanKind.FOLLOW_UP, group.column, codes)
