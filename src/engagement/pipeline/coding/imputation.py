"""Impute codes that follow from others: age categories, levels of places, yes or no from reasons."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from engagement.configuration import Code, CodeScheme, CodingConfiguration, CodingPlan, ControlCode
from engagement.configuration.imputation_checks import AGE_RANGE
from engagement.foundation.errors import ConfigurationError, listing
from engagement.pipeline.coding.imputing import (
    AnswerState,
    Imputation,
    ImputationMaker,
    Imputed,
    make_control_label,
    make_same_label,
)
from engagement.pipeline.coding.labels import Label, Labels, make_pipeline_label
from engagement.pipeline.coding.locations import make_kenya_location, make_somalia_location
from engagement.pipeline.coding.reasons import Fact, Reason
from engagement.pipeline.coding.yes_no_reasons import YesNoReasons


class AgeCase(enum.StrEnum):
    """Reasons for an age's category."""

    IN_RANGE = "It follows from {field!r}, which is {age}"
    OUT_OF_RANGE = "{field!r} is {age}, which no category has"
    NO_AGE = "{field!r} is {age}, and the category says the same"


@dataclass(frozen=True, eq=False)
class AgeCategory:
    """Imputes the category of the first configuration's age; a coding error outside all categories."""

    plan: CodingPlan

    def __call__(self, labels: tuple[Labels, ...], answer: AnswerState) -> Imputed:
        """Keep the age and add its category."""
        (age,), scheme = labels[0], self.plan.coding_configurations[1].code_scheme
        case, category = self._categorise(age, scheme)
        facts: dict[str, Fact] = {"field": self.plan.coding_configurations[0].coded_field, "age": age.code}
        return Imputed(((age,), (category,)), (None, Reason(case, facts)))

    def _categorise(self, age: Label, scheme: CodeScheme) -> tuple[AgeCase, Label]:
        if not age.code.is_normal:
            return AgeCase.NO_AGE, make_same_label(scheme, age.code)
        number = _number_of(age.code)
        for (youngest, oldest), category in _categories(scheme):
            if number is not None and youngest <= number <= oldest:
                return AgeCase.IN_RANGE, make_pipeline_label(scheme, category)
        return AgeCase.OUT_OF_RANGE, make_control_label(scheme, ControlCode.CE)


def _number_of(code: Code) -> int | None:
    return next((int(name) for name in (*code.match_values, code.string_value) if name.isdecimal()), None)


def _categories(scheme: CodeScheme) -> list[tuple[tuple[int, int], Code]]:
    """List the age ranges of a scheme, both ends inclusive: a match value like "18 to 35" names one."""
    matches = ((AGE_RANGE.fullmatch(value), code) for code in scheme.codes for value in code.match_values)
    return [((int(match[1]), int(match[2])), code) for match, code in matches if match is not None]


IMPUTATIONS: Mapping[str, ImputationMaker] = {
    "age_category": AgeCategory,
    "somalia_location": make_somalia_location,
    "kenya_location": make_kenya_location,
    "yes_no_reasons": YesNoReasons,
}


def codings_behind(plan: CodingPlan, configuration: CodingConfiguration) -> tuple[CodingConfiguration, ...]:
    """List the codings behind a coding's reasons, itself last: an age category needs its age."""
    first = plan.coding_configurations[0]
    if IMPUTATIONS.get(plan.code_imputation_function or "") is AgeCategory and configuration is not first:
        return first, configuration
    return (configuration,)


def make_imputations(plans: tuple[CodingPlan, ...], own: Mapping[str, ImputationMaker]) -> list[Imputation | None]:
    """Make the imputation function of each plan, including the project's `own`.

    Raises
    ------
    ConfigurationError
        The schemes of some plans can't be understood; lists every problem.
    """
    known = {**IMPUTATIONS, **own}
    imputations: list[Imputation | None] = []
    problems = []
    for plan in plans:
        maker = known.get(plan.code_imputation_function or "")
        try:
            imputations.append(None if maker is None else maker(plan))
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError(f"the coding plans: {listing(problems)}")
    return imputations
