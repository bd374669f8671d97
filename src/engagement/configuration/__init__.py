"""JSON -> frozen models, or all problems at once: pipeline configuration, coding plans, code schemes.

`load_project` reads all three and checks them together; the attributes are the JSON keys in snake_case. A name is imported when it is
asked for: the models take longer to make than all else that a stage with nothing new does.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engagement.configuration.code_schemes import Code, CodeScheme, CodeType
    from engagement.configuration.coding_plans import (
        CodingConfiguration,
        CodingMode,
        CodingPlan,
        CodingPlans,
        FoldStrategy,
        RawFieldFoldStrategy,
    )
    from engagement.configuration.control_codes import ControlCode
    from engagement.configuration.loading import (
        Project,
        load_coding_plans,
        load_pipeline_configuration,
        load_project,
    )
    from engagement.configuration.pipeline_configuration import PipelineConfiguration
    from engagement.configuration.plan_kinds import PlanKind

__all__ = [
    "Code",
    "CodeScheme",
    "CodeType",
    "CodingConfiguration",
    "CodingMode",
    "CodingPlan",
    "CodingPlans",
    "ControlCode",
    "FoldStrategy",
    "PipelineConfiguration",
    "PlanKind",
    "Project",
    "RawFieldFoldStrategy",
    "load_coding_plans",
    "load_pipeline_configuration",
    "load_project",
]

_HOMES = {
    "Code": "code_schemes",
    "CodeScheme": "code_schemes",
    "CodeType": "code_schemes",
    "CodingConfiguration": "coding_plans",
    "CodingMode": "coding_plans",
    "CodingPlan": "coding_plans",
    "CodingPlans": "coding_plans",
    "FoldStrategy": "coding_plans",
    "RawFieldFoldStrategy": "coding_plans",
    "ControlCode": "control_codes",
    "Project": "loading",
    "load_coding_plans": "loading",
    "load_pipeline_configuration": "loading",
    "load_project": "loading",
    "PipelineConfiguration": "pipeline_configuration",
    "PlanKind": "plan_kinds",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
