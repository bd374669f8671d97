"""Listening groups as the analysis sees them: questions that attendance answers with yes or no."""

from collections.abc import Sequence

from engagement.configuration.code_schemes import Code, CodeScheme, CodeType
from engagement.configuration.coding_plans import (
    CodingConfiguration,
    CodingMode,
    CodingPlan,
    FoldStrategy,
    PlanKind,
    RawFieldFoldStrategy,
)
from engagement.configuration.contact_selections import ListeningGroup
from engagement.configuration.origin_plans import is_origin_plan

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
    scheme = CodeScheme.model_validate(
        {
            "SchemeID": f"Scheme-{group.column}",
            "Name": group.column,
            "Version": "0",
            "Codes": tuple(map(Code.model_validate, codes)),
        }
    )
    coding = CodingConfiguration(
        CodingMode.SINGLE,
        scheme,
        "",
        group.column,
        group.column,
        FoldStrategy.ASSERT_LABEL_IDS_EQUAL,
        None,
        True,
        False,
    )
    return CodingPlan(
        kind=PlanKind.FOLLOW_UP,
        raw_field=group.column,
        time_field=None,
        run_id_field=None,
        coda_filename=None,
        icr_filename=None,
        id_field=f"{group.column}_id",
        ws_code=None,
        raw_field_fold_strategy=RawFieldFoldStrategy.CONCATENATE,
        code_imputation_function=None,
        coding_configurations=(coding,),
    )
