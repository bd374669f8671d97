"""Plans of columns that nobody writes to.

They have no texts, no dataset in Coda, and a scheme that is in no file.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from engagement.configuration.code_schemes import Code, CodeScheme
from engagement.configuration.coding_plans import (
    CodingConfiguration,
    CodingMode,
    CodingPlan,
    FoldStrategy,
    RawFieldFoldStrategy,
)
from engagement.configuration.plan_kinds import PlanKind


def make_column_plan(kind: PlanKind, column: str, codes: Iterable[Mapping[str, Any]]) -> CodingPlan:
    """Make the plan of a column, whose values have these codes."""
    scheme = CodeScheme.model_validate(
        {
            "SchemeID": f"Scheme-{column}",
            "Name": column,
            "Version": "0",
            "Codes": tuple(map(Code.model_validate, codes)),
        }
    )
    coding = CodingConfiguration(
        CodingMode.SINGLE, scheme, "", column, column, FoldStrategy.ASSERT_LABEL_IDS_EQUAL, None, True, False
    )
    return CodingPlan(
        kind=kind,
        raw_field=column,
        time_field=None,
        run_id_field=None,
        coda_filename=None,
        icr_filename=None,
        id_field=f"{column}_id",
        ws_code=None,
        raw_field_fold_strategy=RawFieldFoldStrategy.CONCATENATE,
        code_imputation_function=None,
        coding_configurations=(coding,),
    )
