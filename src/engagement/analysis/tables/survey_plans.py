"""Plans of what is known of participants, those of origins and listening groups among them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engagement.configuration import CodingPlan, PlanKind, Project
from engagement.configuration.group_plans import make_group_plans
from engagement.configuration.origin_plans import make_origin_plan
from engagement.pipeline.outputs.analysis_files import codes_column

if TYPE_CHECKING:
    from engagement.analysis.tables.coded_table import CodedTable


def find_survey_plans(project: Project, tables: tuple[CodedTable, CodedTable]) -> tuple[CodingPlan, ...]:
    """List the plans of demographics, origins, follow-up questions and listening groups, in this order.

    `tables` have the values of the origins.
    """
    plans = project.coding_plans.survey
    if project.configuration.origin_columns:
        origins = tuple(_make_origin_plan(str(column), tables) for column in project.configuration.origin_columns)
        place = sum(plan.kind is PlanKind.DEMOGRAPHIC for plan in plans)
        plans = (*plans[:place], *origins, *plans[place:])
    return plans + make_group_plans(project.configuration.listening_groups)


def _make_origin_plan(column: str, tables: tuple[CodedTable, CodedTable]) -> CodingPlan:
    found = (text for table in tables for text in table.column(codes_column(column)).cat.categories)
    return make_origin_plan(column, [value for text in found for value in json.loads(text)])
