"""Decided differences from the earlier pipelines, and the cells that they explain."""

from dataclasses import dataclass

from engagement.configuration import CodingConfiguration, CodingMode, CodingPlan, ControlCode, PlanKind
from engagement.configuration.field_names import OPERATOR_FIELD
from engagement.pipeline.coding.location_levels import find_levels
from engagement.pipeline.coding.locations import find_place_table

ZONE = "the zone of those who named no place follows from their operator; the earlier pipelines looked it up as a state"
FINEST_PLACE = "a place that was ticked together with the places around it agrees, and the finest counts"
AGE_RANGE = "an age below 10 or above 99 is a coding error (CE); it stopped the earlier pipelines, or passed"
NULL_ANSWER = "a later empty survey answer no longer hides an earlier one"
UNTICKED = "only ticked labels count: one that a coder took off, or that nobody ticked, no longer does"
UNKNOWN_CODE = "a code that the scheme lacks is counted, named and kept as not coded (NC)"
OPERATOR = "a number of a country that the operator scheme lacks is NC, and other channels go by their name"
WRONG_SCHEME = (
    "an answer of the wrong dataset moves by ticked labels alone, and a missing file means that nothing is coded yet"
)
REASONS = "coded reasons stay, all of them, and control codes of yes or no are copied to the reasons without an own one"

LABELS_ALONE = frozenset({UNTICKED, UNKNOWN_CODE, WRONG_SCHEME})
"""Reasons that a lost label would seem to have as well."""

_OF_CONTROLS: dict[str | None, str] = {
    ControlCode.NR: UNTICKED,
    ControlCode.NC: UNKNOWN_CODE,
    ControlCode.WS: WRONG_SCHEME,
}


@dataclass(frozen=True)
class ComparedColumn:
    """A coded column: its plan and coding configuration.

    `level` is that of its places, if it holds places; `control_code` that of a column of one code.
    """

    name: str
    plan: CodingPlan
    configuration: CodingConfiguration
    level: str | None
    control_code: str | None

    @property
    def known_values(self) -> frozenset[str]:
        """List the values that may be shown: all others may be something that a person wrote."""
        if self.configuration.coding_mode is CodingMode.MULTIPLE:
            return frozenset({"0", "1", ""})
        return frozenset({"", *(code.string_value for code in self.configuration.code_scheme.codes)})


def list_columns(plan: CodingPlan) -> list[ComparedColumn]:
    """List a plan's coded columns."""
    table = find_place_table(plan)
    levels: tuple[str | None, ...] = () if table is None else find_levels(plan, table)
    found = []
    for position, configuration in enumerate(plan.coding_configurations):
        level = levels[position] if position < len(levels) else None
        codes = configuration.code_scheme.codes
        for number, name in enumerate(configuration.columns()):
            control = codes[number].control_code if configuration.coding_mode is CodingMode.MULTIPLE else None
            found.append(ComparedColumn(name, plan, configuration, level, control))
    return found


def explain_change(column: ComparedColumn, before: str, after: str) -> str | None:
    """Name the decided difference that explains a cell's change; None if none does.

    `before` and `after` are StringValues, or "0" and "1" in the columns of a matrix.
    """
    if column.configuration.coding_mode is CodingMode.MULTIPLE:
        return _explain_tick(column, before, after)
    was, becomes = (_control_of(column, value) for value in (before, after))
    if column.configuration.coded_field == OPERATOR_FIELD:
        return OPERATOR
    if column.level == "zone" and was in (ControlCode.NA, ControlCode.NC) and becomes is None:
        return ZONE
    if column.level is not None and was == ControlCode.CE:
        return FINEST_PLACE
    if column.plan.code_imputation_function == "age_category" and becomes == ControlCode.CE:
        return AGE_RANGE
    if becomes == ControlCode.NR:
        return UNTICKED
    if was == ControlCode.NA and column.plan.kind is not PlanKind.RQA:
        return NULL_ANSWER
    if becomes == ControlCode.NC:
        return UNKNOWN_CODE
    if ControlCode.WS in (was, becomes):
        return WRONG_SCHEME
    return None


def _explain_tick(column: ComparedColumn, before: str, after: str) -> str | None:
    if column.plan.code_imputation_function == "yes_no_reasons":
        return REASONS
    comes = (before, after) == ("0", "1")
    if comes and column.control_code in _OF_CONTROLS:
        return _OF_CONTROLS[column.control_code]
    if column.control_code == ControlCode.NA and not comes and column.plan.kind is not PlanKind.RQA:
        return NULL_ANSWER
    return UNTICKED if column.control_code is None and (before, after) == ("1", "0") else None


def _control_of(column: ComparedColumn, value: str) -> str | None:
    """Find the control code of a value; the value itself if the scheme lacks it, None for any other code."""
    for code in column.configuration.code_scheme.codes:
        if code.string_value == value:
            return code.control_code
    # An old table may leave a missing answer empty.
    return ControlCode.NA if value == "" else value
