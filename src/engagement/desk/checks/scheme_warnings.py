"""Find oddities in code schemes, and in how the plans use them."""

import re
from collections.abc import Callable, Iterator, Sequence

from engagement.configuration import Code, CodeScheme, CodingMode, CodingPlan, CodingPlans, ControlCode
from engagement.configuration.control_codes import OwnControlCode, say_undeclared
from engagement.configuration.function_names import is_project_function
from engagement.configuration.imputation_checks import AGE_RANGE, sides_of_reasons
from engagement.configuration.plan_places import placed_configurations
from engagement.configuration.problems import AtStake, Problem
from engagement.labelling.code_books.look_alikes import find_look_alikes, say_harm
from engagement.pipeline.coding.automatic import find_code
from engagement.pipeline.coding.cleaning import codes_of_cleaner
from engagement.pipeline.coding.cleaning.places import PlaceTable
from engagement.pipeline.coding.location_levels import find_levels, places_of
from engagement.pipeline.coding.locations import find_place_table

_COLOR = re.compile(r"#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?|[a-z]+")
# Only coders can say these, by ticking them.
_CODERS_SAY = (ControlCode.STOP, ControlCode.WS, ControlCode.NC)
_FEW = 5

Found = Iterator[tuple[str, Problem]]


def find_scheme_warnings(plans: CodingPlans) -> Found:
    """Find what operators should know about their code schemes, with the file of each."""
    schemes = {
        configuration.code_scheme_file: configuration.code_scheme
        for _, _, configuration in placed_configurations(plans)
    }
    coded = {c.code_scheme_file for _, plan, c in placed_configurations(plans) if plan.coda_filename is not None}
    ws_scheme, ws_file = plans.ws_correct_dataset_scheme, plans.ws_correct_dataset_scheme_file
    if ws_scheme is not None and ws_file is not None:
        schemes[ws_file] = ws_scheme
        yield from ((ws_file, problem) for problem in _find_lost_datasets(ws_scheme, plans))
    for file, scheme in schemes.items():
        yield from ((file, problem) for problem in _find_odd_codes(scheme, is_for_coders=file in coded))
        yield from ((file, problem) for problem in _find_look_alikes(scheme))
    for _, plan, configuration in placed_configurations(plans):
        file, scheme, cleaner = configuration.code_scheme_file, configuration.code_scheme, configuration.cleaner
        is_proposed = plan.coda_filename is not None and configuration.in_coda
        if cleaner is not None and not is_project_function(cleaner) and is_proposed:
            yield from (
                (file, problem)
                for problem in _find_missing_codes(scheme, codes_of_cleaner(cleaner), f"cleaner {cleaner!r}")
            )
    for plan in plans.all:
        yield from _find_imputation_warnings(plan)


def _find_lost_datasets(scheme: CodeScheme, plans: CodingPlans) -> Iterator[Problem]:
    named = {plan.ws_code.code_id for plan in plans.all if plan.ws_code is not None}
    yield from _list_codes(
        scheme,
        lambda code: code.code_id in named,
        "the WSCode of no plan, so that answers which coders send there are left out; expected a plan for each. Give a plan "
        "the code, or hide it in Coda.",
    )


def _find_odd_codes(scheme: CodeScheme, is_for_coders: bool) -> Iterator[Problem]:
    shortcuts: dict[str, int] = {}
    numbers: dict[int, int] = {}
    for position, code in enumerate(scheme.codes):
        at = f"$.Codes[{position}]"
        if not code.display_text.strip():
            yield Problem(
                f"{at}.DisplayText", "is empty, so that coders see nothing to tick; expected words. Fill it in."
            )
        first = numbers.setdefault(code.numeric_value, position)
        if first != position:
            yield Problem(
                f"{at}.NumericValue",
                f"{code.numeric_value} is that of $.Codes[{first}] too, so that the numbers do not tell the codes apart; expected "
                "a number of its own. Change one.",
            )
        if code.shortcut:
            first = shortcuts.setdefault(code.shortcut, position)
            if first != position:
                yield Problem(
                    f"{at}.Shortcut",
                    f"{code.shortcut!r} is that of $.Codes[{first}] too; expected a key of its own. Change one.",
                )
        if code.color and _COLOR.fullmatch(code.color) is None:
            yield Problem(f"{at}.Color", f"{code.color!r} is no colour; expected one like '#b5d3ff'. Change it.")
        control = code.control_code
        if isinstance(control, OwnControlCode) and not control.is_declared:
            yield Problem(f"{at}.ControlCode", say_undeclared(control))
        if control is not None and code.string_value != control and code.string_value in set(ControlCode):
            yield Problem(
                f"{at}.StringValue",
                f"{code.string_value!r} on the control code '{control}', so that the CSVs say another thing than Coda; expected "
                f"'{control}'. Change the StringValue; change the ControlCode only if no message is labelled with the code.",
                at_stake=AtStake(scheme.scheme_id, (code.code_id,)),
            )
        if is_for_coders and control in _CODERS_SAY and not code.visible_in_coda:
            yield Problem(
                f"{at}.VisibleInCoda", f"false on '{control}', so that no coder can say it; expected true. Change it."
            )


def _find_look_alikes(scheme: CodeScheme) -> Iterator[Problem]:
    for found in find_look_alikes(scheme.codes):
        at, kind = f"$.Codes[{found.position}].{found.field}", scheme.codes[found.position].code_type
        if found.control is not None:
            remedy = (
                "Remove the match value."
                if found.field == "MatchValues"
                else f"Have coders use '{found.control}' and hide this code (VisibleInCoda false), or rename it if it means "
                "something else; its labels stay."
            )
            yield Problem(
                at,
                f"{found.name!r} reads like the control code '{found.control}', but is a {kind} code, so that "
                f"{say_harm(found.control)}; expected a name that can't be taken for it. {remedy}",
            )
        elif found.other is not None:
            yield Problem(
                at,
                f"coders see {found.name!r} at $.Codes[{found.other}] too; expected a name of its own. Change the DisplayText of "
                "one; its labels stay.",
            )


def _find_missing_codes(scheme: CodeScheme, names: frozenset[str], of: str) -> Iterator[Problem]:
    missing = sorted(name for name in names if find_code(scheme, name) is None)
    if missing:
        shown = _shorten(missing)
        yield Problem(
            "$.Codes",
            f"no match value for {len(missing)} of the {len(names)} codes of {of}: {shown}; expected all, as such answers stay "
            "uncoded. Add them to MatchValues.",
        )


def _find_imputation_warnings(plan: CodingPlan) -> Found:
    configurations = plan.coding_configurations
    table = find_place_table(plan)
    if table is not None:
        for level, configuration in zip(find_levels(plan, table), configurations, strict=False):
            found = _find_unknown_places(configuration.code_scheme, table, level)
            yield from ((configuration.code_scheme_file, problem) for problem in found)
    if plan.code_imputation_function == "yes_no_reasons":
        yield from _find_reason_warnings(plan)
    if plan.code_imputation_function == "age_category":
        age, category = configurations
        found = _list_codes(
            age.code_scheme,
            lambda code: any(name.isdecimal() for name in (*code.match_values, code.string_value)),
            "no number, so that the category is a coding error (CE); expected a number among the MatchValues. Add it.",
        )
        yield from ((age.code_scheme_file, problem) for problem in found)
        found = _list_codes(
            category.code_scheme,
            lambda code: any(map(AGE_RANGE.fullmatch, code.match_values)),
            "no range of ages, so that nobody gets it; expected a match value like '18 to 35'. Add it.",
        )
        yield from ((category.code_scheme_file, problem) for problem in found)


def _find_reason_warnings(plan: CodingPlan) -> Found:
    reasons = next(c for c in plan.coding_configurations if c.coding_mode is CodingMode.MULTIPLE)
    if reasons.reasons_for_yes is None and reasons.reasons_for_no is None:
        sides = sides_of_reasons(reasons.code_scheme, None, None)
        found = _list_codes(
            reasons.code_scheme,
            lambda code: code.code_id in sides,
            "nothing tells whether they speak for yes or for no, so that neither follows from them; expected StringValues that "
            "begin with yes_ and no_. Name them in ReasonsForYes and ReasonsForNo of the coding plans, empty lists if neither.",
        )
        yield from ((reasons.code_scheme_file, problem) for problem in found)


def _find_unknown_places(scheme: CodeScheme, table: PlaceTable, level: str) -> Iterator[Problem]:
    yield from _list_codes(
        scheme,
        lambda code: bool(places_of(code, table, level)),
        f"no known {level.replace('_', ' ')}, so that answers with it are coding errors (CE); expected the place's name among "
        "the MatchValues. Add it.",
    )


def _list_codes(scheme: CodeScheme, is_right: Callable[[Code], bool], text: str) -> Iterator[Problem]:
    """Warn once about the Normal codes that are wrong, at the first of them."""
    normal = [(position, code) for position, code in enumerate(scheme.codes) if code.is_normal]
    wrong = [(position, code.string_value) for position, code in normal if not is_right(code)]
    if wrong:
        shown = _shorten([name for _, name in wrong])
        yield Problem(f"$.Codes[{wrong[0][0]}]", f"{len(wrong)} of {len(normal)} codes, {shown}: {text}")


def _shorten(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_FEW])) + (", …" if len(names) > _FEW else "")
