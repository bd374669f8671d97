"""Coding plans of an engagement-database project, from its analysis datasets and Coda's."""

from dataclasses import dataclass, field
from typing import Any, Final

from engagement.desk.project_import.edp.arguments import ArgumentReader, describe, scheme_path
from engagement.desk.project_import.edp.cleaners import find_cleaner
from engagement.desk.project_import.edp.fields import PlannedDataset
from engagement.desk.project_import.edp.schemes import SchemeFolder
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.migration import Migration, paste_ready
from engagement.desk.project_import.scheme_files import SchemeFile
from engagement.desk.project_import.stubs import Stubs

_OF_PLAN: Final = {
    "rapid_pro_non_relevant_field": (
        "dropped",
        "contacts without a relevant answer were marked in this field of RapidPro. Nothing is written back to RapidPro here.",
    ),
}
_LOCATIONS: Final = {
    "MOGADISHU_SUB_DISTRICT": "somalia_location",
    "SOMALIA_DISTRICT": "somalia_location",
    "SOMALIA_REGION": "somalia_location",
    "SOMALIA_STATE": "somalia_location",
    "SOMALIA_ZONE": "somalia_location",
    "KENYA_WARD": "kenya_location",
    "KENYA_CONSTITUENCY": "kenya_location",
    "KENYA_COUNTY": "kenya_location",
}
_OPERATOR: Final = "SOMALIA_OPERATOR"


@dataclass
class CodaDataset:
    """A dataset as it is in Coda. `cleaners` and `copies` are by the path of a code scheme."""

    coda_id: str
    ws_code: str | None
    cleaners: dict[str, object] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)


@dataclass
class EdpBench:
    """What the conversion of all plans shares.

    `fed` are the datasets that sources fill; `asked` are notes about what would fill others, by dataset. `read_by` has the
    raw field of the plan that reads a dataset.
    """

    evaluator: Evaluator
    folder: SchemeFolder
    coda: dict[str, CodaDataset]
    fed: set[str]
    asked: dict[str, str]
    read_by: dict[str, str]
    migration: Migration
    locations: dict[str, str] = field(default_factory=dict)
    stubs: Stubs = field(default_factory=Stubs)


def convert_dataset(
    reader: ArgumentReader, names: list[str], planned: PlannedDataset, bench: EdpBench
) -> dict[str, Any] | None:
    """Convert an AnalysisDatasetConfiguration; None, with a line to decide, for one that no source fills."""
    coda = next((bench.coda[name] for name in names if name in bench.coda), None)
    if len(names) > 1:
        bench.migration.to_decide(
            f"engagement_db_datasets of {planned.raw_field}",
            f"it joined {', '.join(names)}. A plan has one dataset in Coda here: labels of {names[0]!r} count.",
        )
    plan: dict[str, Any] = {"RawField": planned.raw_field, "TimeField": planned.time_field}
    if planned.is_answer:
        plan["RunIDField"] = planned.run_id_field
    if coda is not None:
        plan["CodaFilename"] = f"{coda.coda_id}.json"
        if planned.is_answer:
            plan["ICRFilename"] = f"{planned.base}.csv"
        if coda.ws_code is not None:
            plan["WSCode"] = coda.ws_code
    else:
        bench.migration.to_decide(
            f"{names[0]} (coda_sync)",
            "it is in no dataset of Coda, so nobody can label it. Add its CodaFilename if it is.",
        )
    plan["RawFieldFoldStrategy"] = "concatenate" if planned.is_answer else "assert_equal"
    _add_codings(reader, planned, coda, plan, bench)
    reader.tell_rest(bench.migration, _OF_PLAN)
    if not plan["CodingConfigurations"]:
        bench.migration.to_decide(
            f"{planned.raw_field}", "none of its code schemes is there, so its plan was left out."
        )
        return None
    if _is_left_out(plan, names, planned, reader.place, bench):
        return None
    used = {coding["CodeScheme"] for coding in plan["CodingConfigurations"]}
    for path in coda.copies if coda is not None else ():
        if coda is not None and path not in used:
            bench.migration.to_decide(
                f"code_schemes/{path}",
                f"Coda's dataset {coda.coda_id} has this scheme, and the analysis does not use it: its labels "
                "do not count, as before. Add a coding for it if they should.",
            )
    columns = ", ".join(coding["AnalysisFileKey"] for coding in plan["CodingConfigurations"])
    where = f", labelled in Coda's dataset {coda.coda_id}" if coda is not None else ""
    bench.migration.done(f"Plan of {planned.raw_field}: {columns}{where}.")
    return plan


def _is_left_out(plan: dict[str, Any], names: list[str], planned: PlannedDataset, place: str, bench: EdpBench) -> bool:
    """Leave out a plan that would never get an answer, with its JSON to paste."""
    files = ", ".join(f"code_schemes/{coding['CodeScheme']}" for coding in plan["CodingConfigurations"])
    others = {bench.read_by[name] for name in names}
    if planned.raw_field not in others:
        bench.migration.to_decide(
            f"{planned.raw_field} ({place})",
            f"the plan of {', '.join(sorted(others))} reads {', '.join(names)} already, and answers go to one plan here, so this one "
            f"was left out. Add what you need of it to the other plan's CodingConfigurations, and copy {files}:"
            f"{paste_ready(plan['CodingConfigurations'])}",
        )
        return True
    if bench.fed & set(names):
        return False
    kind = "RQACodingPlans" if planned.is_answer else "DemographicCodingPlans"
    asked = next((bench.asked[name] for name in names if name in bench.asked), None)
    why = f"nothing fills it yet (see {asked} above)" if asked is not None else "no source fills it"
    bench.migration.to_decide(
        f"{', '.join(names)} ({place})",
        f"{why}, so its plan was left out. Once a source does, copy {files} and add the plan to {kind}:{paste_ready(plan)}",
    )
    return True


def convert_operator(reader: ArgumentReader, bench: EdpBench) -> tuple[dict[str, Any], str] | None:
    """Convert an OperatorDatasetConfiguration to its plan and the OperatorScheme."""
    raw_field = reader.take_text("raw_dataset") or "operator_raw"
    plan: dict[str, Any] = {"RawField": raw_field, "RawFieldFoldStrategy": "assert_equal"}
    _add_codings(reader, PlannedDataset(raw_field, False), None, plan, bench)
    reader.tell_rest(bench.migration, _OF_PLAN)
    codings = plan["CodingConfigurations"]
    return (plan, codings[0]["CodeScheme"]) if codings else None


def _add_codings(
    reader: ArgumentReader, planned: PlannedDataset, coda: CodaDataset | None, plan: dict[str, Any], bench: EdpBench
) -> None:
    codings: list[dict[str, Any]] = []
    functions: dict[str, None] = {}
    for coding in reader.take_calls("coding_configs"):
        path = scheme_path(coding.take("code_scheme"))
        scheme = bench.folder.find(path, f"{planned.raw_field} ({coding.place})")
        key = coding.take_text("analysis_dataset") or (path or "").rpartition("/")[2].removesuffix(".json")
        categories = coding.take_call("age_category_config")
        location = coding.take("analysis_location")
        coding.tell_rest(bench.migration, {})
        if scheme is None:
            continue
        scheme.needs |= {"NA", "NC"} if coda is None else {"NA", "NC", "NR", "CE"}
        new = _make_coding(key, scheme, planned, coda, bench)
        if categories is not None:
            functions["age_category"] = None
            _compare_categories(categories, key, scheme, bench)
        if location is not None:
            _add_location(location, new, functions, bench)
        codings.append(new)
    if len(functions) > 1:
        bench.migration.to_decide(
            planned.raw_field, f"a plan has one imputation function here; of {', '.join(functions)} the first stays."
        )
    if functions:
        plan["CodeImputationFunction"] = next(iter(functions))
    plan["CodingConfigurations"] = codings


def _make_coding(
    key: str, scheme: SchemeFile, planned: PlannedDataset, coda: CodaDataset | None, bench: EdpBench
) -> dict[str, Any]:
    path = scheme.name
    copies = coda.copies.get(path, 1) if coda is not None else 1
    is_multiple = planned.is_answer or copies > 1
    if is_multiple and not planned.is_answer:
        bench.migration.changed(
            f"coda_code_schemes_count of {key}",
            f"Coda has the scheme {copies} times, so several labels count: MULTIPLE.",
        )
    new: dict[str, Any] = {
        "CodingMode": "MULTIPLE" if is_multiple else "SINGLE",
        "CodeScheme": path,
        "CodedField": f"{key}_coded",
        "AnalysisFileKey": key,
    }
    if coda is not None and path not in coda.copies:
        # Labels of it follow from the others: Coda has no such scheme, and need not get one.
        new["InCoda"] = False
    elif coda is not None and (old := coda.cleaners.get(path)) is not None:
        cleaner = find_cleaner(old, key, bench.evaluator, bench.stubs, bench.migration)
        if cleaner is not None:
            new["Cleaner"] = cleaner
    return new


def _add_location(location: object, coding: dict[str, Any], functions: dict[str, None], bench: EdpBench) -> None:
    name = describe(location).strip("`").rpartition(".")[2].strip("'\"")
    if name in _LOCATIONS:
        functions[_LOCATIONS[name]] = None
        bench.locations.setdefault(name, coding["CodedField"])
    elif name != _OPERATOR:
        bench.migration.to_decide(
            f"analysis_location of {coding['AnalysisFileKey']}",
            f"{name} is no level of places here, so nothing follows from it.",
        )


def _compare_categories(categories: ArgumentReader, key: str, scheme: SchemeFile, bench: EdpBench) -> None:
    """Note age categories that the scheme's match values do not name: they count here."""
    categories.take("age_analysis_dataset")
    old = categories.take("categories")
    categories.tell_rest(bench.migration, {})
    texts = {str(text) for code in scheme.document["Codes"] for text in code.get("MatchValues") or ()}
    ranges = (
        {f"{k[0]} to {k[1]}": str(v) for k, v in old.items() if isinstance(k, tuple) and len(k) == 2}
        if isinstance(old, dict)
        else {}
    )
    wrong = {ages: name for ages, name in ranges.items() if name != ages or ages not in texts}
    if wrong or not ranges:
        bench.migration.to_decide(
            f"categories of {key}",
            f"ages are read from the match values of {scheme.name}, like '10 to 14'. It was {describe(old)}: compare them.",
        )
