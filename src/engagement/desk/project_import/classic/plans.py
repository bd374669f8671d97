"""Turn the coding plans of a classic project, in all their generations, into coding_plans.json."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engagement.configuration.field_names import OPERATOR_FIELD
from engagement.desk.project_import.classic.layouts import FoundPlans, find_plans, find_ws_scheme
from engagement.desk.project_import.classic.older_plans import is_older_plan, split_older_plan
from engagement.desk.project_import.classic.repeated_values import settle_repeated_values
from engagement.desk.project_import.cleaner_names import name_fold_strategy, name_of
from engagement.desk.project_import.coda_datasets import DatasetNames
from engagement.desk.project_import.coding_conversion import (
    Workbench,
    convert_coding,
    read_text_argument,
    tell_unknown_arguments,
)
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.evaluation.python_values import Call, Unknown, find_unknown
from engagement.desk.project_import.imputation_names import convert_imputation
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.problems import ImportProblems
from engagement.desk.project_import.scheme_files import SchemeFile, SchemeFiles
from engagement.desk.project_import.scheme_mending import mend_schemes
from engagement.desk.project_import.stubs import Stubs

_KINDS: Final = {"rqa": "RQACodingPlans", "demographic": "DemographicCodingPlans", "follow_up": "FollowUpCodingPlans"}
_RAW_FOLDS: Final = ("concatenate", "assert_equal")
_KNOWN: Final = {
    "raw_field", "dataset_name", "time_field", "run_id_field", "coda_filename", "icr_filename", "id_field", "ws_code",
    "raw_field_fold_strategy", "raw_field_folding_mode", "code_imputation_function", "coding_configurations",
}  # fmt: skip


@dataclass(frozen=True)
class ImportedPlans:
    """What is written of the plans. `constants` are names that the configuration may need."""

    coding_plans: dict[str, Any]
    schemes: dict[str, bytes]
    functions: bytes | None
    constants: dict[str, object]
    local_names: dict[str, str]


def convert_plans(
    evaluator: Evaluator,
    configuration_file: Path,
    pipeline: str,
    datasets: DatasetNames,
    problems: ImportProblems,
    migration: Migration,
) -> ImportedPlans | None:
    """Convert the plans of one pipeline; None, with problems, where they can't be read."""
    found = find_plans(evaluator, configuration_file, pipeline, problems, migration)
    if found is None:
        return None
    schemes = SchemeFiles(evaluator.root, problems)
    bench = Workbench(evaluator, schemes, problems, migration, Stubs())
    coding_plans: dict[str, Any] = {"CodeSchemesDir": "code_schemes"}
    by_kind = _sort_by_kind(found, bench)
    ws_scheme = _find_ws_scheme(found, by_kind, bench)
    if ws_scheme is not None:
        ws_scheme.needs.add("CE")
        coding_plans["WSCorrectDatasetScheme"] = ws_scheme.name
    used: list[SchemeFile] = []
    for kind, key in _KINDS.items():
        plans = [_convert_plan(value, kind, pipeline, datasets, coding_plans, used, bench) for value in by_kind[kind]]
        coding_plans[key] = [plan for plan in plans if plan is not None]
    if problems.lines:
        return None
    if not any(coding_plans[key] for key in _KINDS.values()):
        problems.add(
            found.place, None, f"no coding plan for {pipeline!r} is left; expected some. Check the pipeline's name."
        )
        return None
    settle_repeated_values(coding_plans, migration)
    files, controls = mend_schemes(schemes.all(), migration)
    if controls:
        coding_plans["ControlCodes"] = controls
    count = sum(len(coding_plans[key]) for key in _KINDS.values())
    migration.done(
        f"{count} coding plans of {found.place}, and {len(files)} code schemes with their SchemeIDs and CodeIDs."
    )
    return ImportedPlans(coding_plans, files, bench.stubs.source(), found.constants, bench.local_names)


def _sort_by_kind(found: FoundPlans, bench: Workbench) -> dict[str, list[Any]]:
    """Say which survey plans are demographic; engagement plans, of Facebook, have no source here."""
    by_kind = {kind: _distinct(found.by_kind.get(kind, ())) for kind in _KINDS}
    placed = {id(plan) for plans in by_kind.values() for plan in plans}
    rest = [plan for plan in _distinct(found.by_kind.get("survey", ())) if id(plan) not in placed]
    order = {id(plan): number for number, plan in enumerate(found.by_kind.get("survey", ()))}
    for kind in ("demographic", "follow_up"):
        if all(id(plan) in order for plan in by_kind[kind]):
            # The outputs went by the list of all survey plans; lists of some, like those of places, stand before it.
            by_kind[kind].sort(key=lambda plan: order[id(plan)])
    if rest:
        by_kind["demographic"] = sorted([*by_kind["demographic"], *rest], key=lambda plan: order.get(id(plan), -1))
        bench.migration.to_decide(
            "SURVEY_CODING_PLANS",
            f"{len(rest)} plans of demographics and follow-up questions stood in one list; all are DemographicCodingPlans now. Move "
            "those that ask about the show to FollowUpCodingPlans: columns change places, nothing else.",
        )
    for plan in found.by_kind.get("engagement", ()):
        name = plan.get("raw_field") if isinstance(plan, Call) else "a plan"
        bench.migration.to_decide(
            f"engagement plan {name}", "its messages came from Facebook, which is no source here; left out."
        )
    return by_kind


def _distinct(plans: Iterable[Any]) -> list[Any]:
    """Return plans once each: lists of plans often hold the same ones."""
    return list({id(plan): plan for plan in plans}.values())


def _find_ws_scheme(found: FoundPlans, by_kind: dict[str, list[Any]], bench: Workbench) -> SchemeFile | None:
    value = found.ws_scheme
    codes = [plan.get("ws_code") for plans in by_kind.values() for plan in plans if isinstance(plan, Call)]
    owners = {
        path: code.owner
        for code in codes
        if isinstance(code, Call) and (path := bench.schemes.path_of(code.owner)) is not None
    }
    if owners and (value is None or bench.schemes.path_of(value) not in owners):
        value = next(iter(owners.values()))
    if len(owners) > 1:
        bench.migration.to_decide(
            "ws_code",
            f"the plans name codes of {', '.join(owners)}; expected one scheme. The codes of the others are left out.",
        )
    if value is None:
        value = find_ws_scheme(found.constants)
    if value is None:
        return None
    return bench.schemes.find(value, *((value.file, value.line) if isinstance(value, Call) else (found.place, 1)))


def _convert_plan(
    value: object,
    kind: str,
    pipeline: str,
    datasets: DatasetNames,
    whole: dict[str, Any],
    used: list[SchemeFile],
    bench: Workbench,
) -> dict[str, Any] | None:
    if isinstance(value, Unknown):
        bench.problems.add_unknown(value, "a coding plan")
        return None
    if not isinstance(value, Call) or "raw_field" not in value.keywords:
        _tell_no_plan(value, bench)
        return None
    raw_field = read_text_argument(value, "raw_field", bench.problems, needed=True)
    codings = _convert_codings(value, kind, bench)
    if raw_field is None or codings is None:
        return None
    if not codings:
        bench.migration.dropped(
            f"plan of {raw_field}", f"{value.file}:{value.line}: none of its coding configurations is left."
        )
        return None
    plan: dict[str, Any] = {"RawField": raw_field}
    for key, old in (("TimeField", "time_field"), ("RunIDField", "run_id_field")):
        text = read_text_argument(value, old, bench.problems)
        if text is not None:
            plan[key] = text
    coda_file = read_text_argument(value, "coda_filename", bench.problems)
    if coda_file is not None:
        plan["CodaFilename"] = datasets.name_file(coda_file, pipeline, bench.migration)
        bench.local_names[coda_file.removesuffix(".json")] = plan["CodaFilename"].removesuffix(".json")
    _add_files_and_ids(value, raw_field, plan, bench)
    _add_ws_code(value, raw_field, plan, whole, bench)
    plan["RawFieldFoldStrategy"] = _raw_fold(value, raw_field, kind, bench)
    plan["CodingConfigurations"] = [coding for coding, _ in codings]
    for _, scheme in codings:
        scheme.needs |= {"NA", "NC", "NR", "CE"} if coda_file is not None else {"NA", "NC"}
    convert_imputation(value, plan, [scheme for _, scheme in codings], bench)
    for coding, scheme in codings:
        if coding["CodedField"] == OPERATOR_FIELD and coda_file is None:
            whole["OperatorScheme"] = scheme.name
    return plan


def _tell_no_plan(value: object, bench: Workbench) -> None:
    if isinstance(value, Call) and value.arguments:
        bench.problems.add(
            value.file,
            value.line,
            f"{value.name}(…) without names of arguments, and its class is not in the old folder; expected raw_field=… and so on. "
            "Name them in a copy.",
        )
        return
    place = value if isinstance(value, Call) else Call("", (), {}, "coding plans", 1)
    what = f"{place.name}(…)" if place.name else name_of(value)
    bench.problems.add(
        place.file, place.line, f"{what} is no coding plan; expected CodingPlan(raw_field=…). Mend it in a copy."
    )


def _convert_codings(plan: Call, kind: str, bench: Workbench) -> list[tuple[dict[str, Any], SchemeFile]] | None:
    """Convert a plan's coding configurations; None if they can't be read."""
    if is_older_plan(plan):
        configurations: object = split_older_plan(plan)
    else:
        tell_unknown_arguments(plan, _KNOWN, f"the plan of {plan.get('raw_field')}", bench.migration)
        configurations = plan.get("coding_configurations")
    if isinstance(configurations, Unknown):
        bench.problems.add_unknown(configurations, "a list of coding configurations")
        return None
    if not isinstance(configurations, list | tuple):
        bench.problems.add(
            plan.file, plan.line, "no coding_configurations; expected a list of them. Mend it in a copy."
        )
        return None
    found = []
    for configuration in configurations:
        if isinstance(configuration, Unknown):
            bench.problems.add_unknown(configuration, "a coding configuration")
        elif isinstance(configuration, Call):
            found.append(convert_coding(configuration, plan, bench))
        else:
            bench.problems.add(
                plan.file, plan.line, f"{configuration!r} is no coding configuration; expected one. Mend it."
            )
    return [coding for coding in found if coding is not None]


def _add_files_and_ids(value: Call, raw_field: str, plan: dict[str, Any], bench: Workbench) -> None:
    icr_file = read_text_argument(value, "icr_filename", bench.problems)
    if icr_file is not None and "RunIDField" in plan:
        plan["ICRFilename"] = icr_file
    elif icr_file is not None:
        bench.migration.dropped(
            f"icr_filename {icr_file}", f"the plan of {raw_field} has no run_id_field, which a sample needs."
        )
    id_field = read_text_argument(value, "id_field", bench.problems)
    if id_field is not None and id_field != f"{raw_field}_id":
        plan["IDField"] = id_field


def _add_ws_code(value: Call, raw_field: str, plan: dict[str, Any], whole: dict[str, Any], bench: Workbench) -> None:
    code = value.get("ws_code")
    if code is None:
        return
    if isinstance(code, Unknown):
        bench.problems.add_unknown(code, "a code of the WS scheme, or None")
        return
    text = code
    if isinstance(code, Call):
        given = [*code.arguments, *code.keywords.values()]
        text = given[0] if given else None
        scheme = bench.schemes.path_of(code.owner)
        if scheme is not None and Path(scheme).name != whole.get("WSCorrectDatasetScheme"):
            return
    if isinstance(text, str) and (not isinstance(code, Call) or "match_value" in code.name):
        plan["WSCode"] = text
    else:
        reason = find_unknown(code) or Unknown(value.file, value.line, "not a code by its match value")
        bench.migration.to_decide(f"ws_code of {raw_field}", f"{reason}. Write the code's match value as WSCode.")


def _raw_fold(value: Call, raw_field: str, kind: str, bench: Workbench) -> str:
    old = value.get("raw_field_fold_strategy", value.get("raw_field_folding_mode"))
    name = name_fold_strategy(old, bench.evaluator)
    default = "concatenate" if kind == "rqa" else "assert_equal"
    if name is None or name in _RAW_FOLDS:
        return name or default
    bench.migration.to_decide(
        f"raw_field_fold_strategy {name} of {raw_field}",
        f"a function of the project's own; {default} is used. Choose one of the two.",
    )
    return default
