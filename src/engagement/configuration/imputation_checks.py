"""Check the coding plans whose codes complete each other for what their imputation functions need."""

import re
from collections.abc import Iterator, Mapping

from engagement.configuration.code_schemes import Code, CodeScheme
from engagement.configuration.coding_plans import CodingConfigurationDocument, CodingMode, CodingPlanDocument
from engagement.configuration.field_names import NO, YES
from engagement.configuration.function_names import LOCATION_LEVELS, LOCATION_WITH_ZONE
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem

# A match value of an age category; both ends are included.
AGE_RANGE = re.compile(r"(\d+) to (\d+)")

Schemes = Mapping[str, CodeScheme | None]


def find_imputation_problems(at: str, plan: CodingPlanDocument, schemes: Schemes) -> Iterator[Problem]:
    """Find errors in the coding configurations of a plan under its imputation function."""
    function = plan.code_imputation_function or ""
    if function == "age_category":
        yield from _find_age_problems(at, plan)
    if "zone_from_operator" in plan.model_fields_set and function != LOCATION_WITH_ZONE:
        yield Problem(
            f"{at}.ZoneFromOperator",
            f"there is no zone to guess here; expected it beside 'CodeImputationFunction': '{LOCATION_WITH_ZONE}' alone. "
            "Take it away.",
        )
    if function in LOCATION_LEVELS:
        yield from _find_mode_problems(at, plan)
    elif function == "yes_no_reasons":
        yield from _find_yes_no_problems(at, plan, schemes)
    for position, configuration in enumerate(plan.coding_configurations):
        place = f"{at}.CodingConfigurations[{position}]"
        yield from _find_level_problems(place, function, configuration)
        if function != "yes_no_reasons":
            for name, value in _reasons_of(configuration):
                if value is not None:
                    yield Problem(
                        f"{place}.{name}", "has no effect here; expected it only under 'yes_no_reasons'. Remove it."
                    )
    if plan.coda_filename is not None and not any(c.in_coda for c in plan.coding_configurations):
        yield Problem(
            f"{at}.CodingConfigurations",
            "none is in Coda, so that coders see answers and nothing to tick; expected at least one without "
            '"InCoda": false. Change one.',
        )


def _find_age_problems(at: str, plan: CodingPlanDocument) -> Iterator[Problem]:
    found = len(plan.coding_configurations)
    if found != 2:
        yield Problem(
            f"{at}.CodingConfigurations",
            f"{found} of them; expected 2 for 'age_category', in this order: age, age category. Add what is missing, or take "
            "the CodeImputationFunction away.",
        )
    yield from _find_mode_problems(at, plan)


def _find_mode_problems(at: str, plan: CodingPlanDocument) -> Iterator[Problem]:
    for position, configuration in enumerate(plan.coding_configurations):
        if configuration.coding_mode is not CodingMode.SINGLE:
            yield Problem(
                f"{at}.CodingConfigurations[{position}].CodingMode",
                f"'{configuration.coding_mode}' under {plan.code_imputation_function!r}; expected 'SINGLE'. Change it; labels "
                "that only copies of the scheme have count for nothing then.",
            )


def _find_level_problems(at: str, function: str, configuration: CodingConfigurationDocument) -> Iterator[Problem]:
    level = configuration.location_level
    levels = LOCATION_LEVELS.get(function)
    if level is None:
        return
    if levels is None:
        yield Problem(
            f"{at}.LocationLevel",
            f"has no effect here; expected it only under {' or '.join(map(repr, sorted(LOCATION_LEVELS)))}. Remove it.",
        )
    elif level not in levels:
        yield Problem(
            f"{at}.LocationLevel", f"{level!r} under {function!r}; expected one{nearest(level, levels)} Change it."
        )


def _reasons_of(configuration: CodingConfigurationDocument) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
    return ("ReasonsForYes", configuration.reasons_for_yes), ("ReasonsForNo", configuration.reasons_for_no)


def _find_yes_no_problems(at: str, plan: CodingPlanDocument, schemes: Schemes) -> Iterator[Problem]:
    modes = [configuration.coding_mode for configuration in plan.coding_configurations]
    if sorted(modes) != sorted((CodingMode.SINGLE, CodingMode.MULTIPLE)):
        yield Problem(
            f"{at}.CodingConfigurations",
            f"{', '.join(modes)}; expected two for 'yes_no_reasons': a SINGLE scheme of yes and no, and a MULTIPLE one of "
            "reasons. Change them, or take the CodeImputationFunction away.",
        )
        return
    for position, configuration in enumerate(plan.coding_configurations):
        place, scheme = f"{at}.CodingConfigurations[{position}]", schemes.get(configuration.code_scheme)
        if configuration.coding_mode is CodingMode.SINGLE:
            for name, value in _reasons_of(configuration):
                if value is not None:
                    yield Problem(
                        f"{place}.{name}", "on the scheme of yes and no; expected it on the reasons. Move it."
                    )
            missing = [name for name in (YES, NO) if scheme is not None and find_named_code(scheme, name) is None]
            if missing:
                yield Problem(
                    f"{place}.CodeScheme",
                    f"{configuration.code_scheme!r} has no code {' and no code '.join(map(repr, missing))}; expected both under "
                    "'yes_no_reasons', as match value or StringValue of a Normal code. Add them.",
                )
        elif scheme is not None:
            yield from _find_reason_problems(place, configuration, scheme)


def _find_reason_problems(at: str, configuration: CodingConfigurationDocument, scheme: CodeScheme) -> Iterator[Problem]:
    known = [code.string_value for code in scheme.codes if code.is_normal]
    for name, values in _reasons_of(configuration):
        for position, value in enumerate(values or ()):
            if value not in known:
                yield Problem(
                    f"{at}.{name}[{position}]",
                    f"{value!r} is no Normal code of {configuration.code_scheme!r}; expected a StringValue"
                    f"{nearest(value, known)} Change it.",
                )
            elif name == "ReasonsForNo" and value in (configuration.reasons_for_yes or ()):
                yield Problem(
                    f"{at}.{name}[{position}]",
                    f"{value!r} is in ReasonsForYes as well; expected it in one. Remove one.",
                )


def find_named_code(scheme: CodeScheme, name: str) -> Code | None:
    """Find a scheme's Normal code for yes, no or ambivalent by its match values, else by its StringValue."""
    code = scheme.codes_by_match_value.get(name)
    if code is not None and code.is_normal:
        return code
    return next((code for code in scheme.codes if code.is_normal and code.string_value == name), None)


def sides_of_reasons(
    scheme: CodeScheme, reasons_for_yes: tuple[str, ...] | None, reasons_for_no: tuple[str, ...] | None
) -> Mapping[str, str]:
    """Sort reasons into "yes" and "no", by CodeID, without those that support neither.

    If the configuration names none, the prefixes yes_ and no_ of StringValues decide, if the scheme has both: one
    without the other, like no_money, is more likely a word of the reason.
    """
    if reasons_for_yes is None and reasons_for_no is None:
        begins = {code.string_value: _side_of_name(code.string_value) for code in scheme.codes if code.is_normal}
        if not {YES, NO} <= set(begins.values()):
            return {}
        named = begins
    else:
        named = {
            value: side for side, values in ((YES, reasons_for_yes), (NO, reasons_for_no)) for value in values or ()
        }
    return {code.code_id: side for code in scheme.codes if (side := named.get(code.string_value)) and code.is_normal}


def _side_of_name(string_value: str) -> str | None:
    return next((side for side in (YES, NO) if string_value.startswith(f"{side}_")), None)
