"""JSON -> frozen models, or all problems at once: pipeline configuration, coding plans, code schemes.

`load_project` reads all three and checks them together; the attributes are the JSON keys in snake_case.
"""

from engagement.configuration.code_schemes import Code, CodeScheme, CodeType
from engagement.configuration.coding_plans import (
    CodingConfiguration,
    CodingMode,
    CodingPlan,
    CodingPlans,
    FoldStrategy,
    PlanKind,
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
