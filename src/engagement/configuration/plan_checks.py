"""Check the coding plans, and how they use the code schemes."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator

from engagement.configuration.coding_plans import (
    CodingConfigurationDocument,
    CodingMode,
    CodingPlanDocument,
    CodingPlansDocument,
    FoldStrategy,
)
from engagement.configuration.field_names import AMBIVALENT, CONSENT_FIELD, OPERATOR_FIELD, UID_FIELD
from engagement.configuration.imputation_checks import Schemes, find_imputation_problems
from engagement.configuration.nearest import nearest
from engagement.configuration.plan_kinds import PlanKind
from engagement.configuration.problems import AtStake, Problem
from engagement.configuration.suggestion_settings import find_suggestion_problems

_LABEL_STRATEGIES = {
    CodingMode.SINGLE: {
        FoldStrategy.ASSERT_LABEL_IDS_EQUAL,
        FoldStrategy.YES_NO_AMB,
        FoldStrategy.CONTROL_CODE_BY_PRECEDENCE,
    },
    CodingMode.MULTIPLE: {FoldStrategy.LIST_OF_LABELS},
}

_NAMES_OF_FILES = {"CodaFilename", "ICRFilename"}
_OF_DATASETS = "Leave it to the plan whose code schemes its messages are labelled with, and give the other plan a dataset of its own."


def placed_plans(document: CodingPlansDocument) -> Iterator[tuple[str, PlanKind, CodingPlanDocument]]:
    """List the plans with their JSON paths and kinds, in the order of the output columns."""
    for kind, plans in (
        (PlanKind.RQA, document.rqa_coding_plans),
        (PlanKind.DEMOGRAPHIC, document.demographic_coding_plans),
        (PlanKind.FOLLOW_UP, document.follow_up_coding_plans),
    ):
        for position, plan in enumerate(plans):
            yield f"$.{kind}[{position}]", kind, plan


def placed_configurations(
    document: CodingPlansDocument,
) -> Iterator[tuple[str, CodingPlanDocument, CodingConfigurationDocument]]:
    """List the coding configurations with their JSON paths and plans."""
    for at, _, plan in placed_plans(document):
        for position, configuration in enumerate(plan.coding_configurations):
            yield f"{at}.CodingConfigurations[{position}]", plan, configuration


def find_repeated(
    places: Iterable[tuple[str, str]], what: str, remedy: str = "Change one.", is_dataset: bool = False
) -> Iterator[Problem]:
    """Find repeated values. `is_dataset`: the values are files of datasets in Coda."""
    first: dict[str, str] = {}
    for place, value in places:
        if value in first:
            stake = AtStake(dataset=value.removesuffix(".json")) if is_dataset else None
            text = f"the {what} {value!r} is already at {first[value]}; expected once. {remedy}"
            yield Problem(place, text, at_stake=stake)
        first.setdefault(value, place)


def find_same_files(places: Iterable[tuple[str, str]], what: str) -> Iterator[Problem]:
    """Find names that differ, and still name one file where the disk takes capitals for small letters.

    Equal names are for `find_repeated`.
    """
    first: dict[str, tuple[str, str]] = {}
    for place, name in places:
        # Disks of macOS take an accent for the same, with its letter or behind it.
        file = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        other, known = first.setdefault(file, (place, name))
        if known != name:
            yield Problem(
                place,
                f"the {what} {name!r} and {known!r}, at {other}, are the same file on many disks, where one would replace the other; "
                "expected names that differ in more than capitals and accents' spelling. Change one.",
            )


def find_plan_problems(document: CodingPlansDocument, schemes: Schemes) -> Iterator[Problem]:
    """Find problems in the coding plans, and between them and the code schemes that could be read."""
    plans = list(placed_plans(document))
    named: tuple[tuple[str, str, Callable[[CodingPlanDocument], str | None]], ...] = (
        ("RawField", "raw field", lambda plan: plan.raw_field),
        ("CodaFilename", "dataset", lambda plan: plan.coda_filename),
        ("ICRFilename", "ICR file", lambda plan: plan.icr_filename),
        ("IDField", "field", lambda plan: plan.id_field or f"{plan.raw_field}_id"),
        ("WSCode", "WS code", lambda plan: plan.ws_code),
    )
    for name, what, value_of in named:
        values = [(f"{at}.{name}", value_of(plan)) for at, _, plan in plans]
        # Plans of one raw field also share a default id: reported once.
        placed = [(place, value) for place, value in values if value is not None]
        is_dataset = name == "CodaFilename"
        if name in _NAMES_OF_FILES:
            yield from find_same_files(placed, what)
        found = find_repeated(placed, what, _OF_DATASETS if is_dataset else "Change one.", is_dataset)
        yield from (problem for problem in found if name != "IDField" or not _repeats_a_raw_field(problem, plans))
    controls = [(f"$.ControlCodes[{n}].Code", control.code) for n, control in enumerate(document.control_codes)]
    yield from find_repeated(controls, "control code")
    yield from _find_field_collisions(document)
    yield from _find_repeated_columns(document, schemes)
    for at, kind, plan in plans:
        yield from _find_plan_problems(at, kind, plan, document, schemes)
    for at, plan, configuration in placed_configurations(document):
        yield from _find_configuration_problems(at, plan, configuration, document, schemes)


def _repeats_a_raw_field(problem: Problem, plans: list[tuple[str, PlanKind, CodingPlanDocument]]) -> bool:
    raw_fields = [plan.raw_field for _, _, plan in plans]
    return any(
        problem.at == f"{at}.IDField" and plan.id_field is None and raw_fields.count(plan.raw_field) > 1
        for at, _, plan in plans
    )


def _find_field_collisions(document: CodingPlansDocument) -> Iterator[Problem]:
    """Find fields that a label would overwrite."""
    texts = {
        field: f"{at}.{name}"
        for at, _, plan in placed_plans(document)
        for name, field in (
            ("RawField", plan.raw_field),
            ("TimeField", plan.time_field),
            ("RunIDField", plan.run_id_field),
        )
        if field is not None
    }
    places = []
    for at, _, configuration in placed_configurations(document):
        field = configuration.coded_field
        if field in texts:
            yield Problem(
                f"{at}.CodedField",
                f"the field {field!r} is already at {texts[field]}; expected another one for labels. Change one.",
            )
        places.append((f"{at}.CodedField", field))
    yield from find_repeated(places, "coded field")


def _find_repeated_columns(document: CodingPlansDocument, schemes: Schemes) -> Iterator[Problem]:
    columns = [("the first column", UID_FIELD), ("the second column", CONSENT_FIELD)]
    raw_fields: set[str] = set()
    for at, _, plan in placed_plans(document):
        if plan.raw_field not in raw_fields:  # repeated raw fields are reported separately
            columns.append((f"{at}.RawField", plan.raw_field))
        raw_fields.add(plan.raw_field)
    for at, _, configuration in placed_configurations(document):
        place = f"{at}.AnalysisFileKey"
        scheme, name = schemes.get(configuration.code_scheme), configuration.analysis_file_key
        if name is None:
            continue
        if configuration.coding_mode is CodingMode.SINGLE:
            columns.append((place, name))
        elif scheme is not None:
            columns.extend((place, f"{name}_{code.string_value}") for code in scheme.codes)
    told: set[str | None] = set()
    for problem in find_repeated(columns, "column"):
        # Two keys of one scheme share the columns of all its codes: reported once.
        if problem.at not in told:
            yield problem
        told.add(problem.at)


def _find_plan_problems(
    at: str, kind: PlanKind, plan: CodingPlanDocument, document: CodingPlansDocument, schemes: Schemes
) -> Iterator[Problem]:
    ws_file = document.ws_correct_dataset_scheme
    ws_scheme = schemes.get(ws_file or "")
    if plan.ws_code is not None:
        if ws_file is None:
            yield Problem(f"{at}.WSCode", "there is no WSCorrectDatasetScheme; expected one beside WS codes. Add it.")
        elif ws_scheme is not None and plan.ws_code not in ws_scheme.codes_by_match_value:
            yield Problem(
                f"{at}.WSCode",
                f"{plan.ws_code!r} is no match value of {ws_file!r}; expected one"
                f"{nearest(plan.ws_code, sorted(ws_scheme.codes_by_match_value))} Change it.",
            )
    if plan.time_field is None and (kind is PlanKind.RQA or plan.coda_filename is not None):
        what = "an RQA plan" if kind is PlanKind.RQA else "a plan with a CodaFilename"
        yield Problem(at, f"no 'TimeField'; expected one on {what}. Add it.")
    if plan.icr_filename is not None and plan.run_id_field is None:
        yield Problem(at, "no 'RunIDField'; expected one on a plan with an ICRFilename. Add it.")
    yield from find_imputation_problems(at, plan, schemes)


def _find_configuration_problems(
    at: str,
    plan: CodingPlanDocument,
    configuration: CodingConfigurationDocument,
    document: CodingPlansDocument,
    schemes: Schemes,
) -> Iterator[Problem]:
    allowed = _LABEL_STRATEGIES[configuration.coding_mode]
    strategy = configuration.fold_strategy
    if strategy is not None and strategy not in allowed:
        yield Problem(
            f"{at}.FoldStrategy",
            f"{str(strategy)!r} does not fold labels of mode '{configuration.coding_mode}'; expected "
            f"{' or '.join(sorted(map(repr, map(str, allowed))))}. Change it.",
        )
    scheme = schemes.get(configuration.code_scheme)
    if strategy is FoldStrategy.YES_NO_AMB and scheme and AMBIVALENT not in scheme.codes_by_match_value:
        yield Problem(
            f"{at}.FoldStrategy",
            f"'yes_no_amb' over {configuration.code_scheme!r}, where no code has the match value {AMBIVALENT!r}; expected "
            "one. Add it to a code.",
        )
    if configuration.suggestions is not None:
        has_dataset = plan.coda_filename is not None
        yield from find_suggestion_problems(at, has_dataset, configuration.in_coda, scheme)
    if configuration.coded_field == OPERATOR_FIELD and plan.coda_filename is None:
        if document.operator_scheme is None:
            yield Problem(at, "there is no OperatorScheme; expected one, as operators are coded at fetch. Add it.")
        elif document.operator_scheme != configuration.code_scheme:
            yield Problem(
                f"{at}.CodeScheme",
                f"{configuration.code_scheme!r}; expected the OperatorScheme, {document.operator_scheme!r}. Change one.",
            )
