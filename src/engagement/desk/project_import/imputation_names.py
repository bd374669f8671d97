"""What the imputation function of an old plan is called here."""

import ast
from typing import Any, Final

from engagement.configuration.imputation_checks import AGE_RANGE
from engagement.desk.project_import.cleaner_names import name_of
from engagement.desk.project_import.coding_conversion import Workbench
from engagement.desk.project_import.evaluation.python_values import Call, Function, Unknown
from engagement.desk.project_import.scheme_files import SchemeFile

_NAMES: Final = {
    "impute_age_category": "age_category",
    "impute_somalia_location_codes": "somalia_location",
    "impute_kenya_location_codes": "kenya_location",
    "impute_yes_no_reasons_codes": "yes_no_reasons",
}


def convert_imputation(old: Call, plan: dict[str, Any], schemes: list[SchemeFile], bench: Workbench) -> None:
    """Add the CodeImputationFunction of an old plan, if it has one."""
    value = old.get("code_imputation_function")
    if value is None:
        return
    if isinstance(value, Unknown):
        bench.problems.add_unknown(value, "an imputation function, or None")
        return
    if isinstance(value, Function) and value.name == "<lambda>":
        called = [item for item in bench.evaluator.functions_called(value) if name_of(item) in _NAMES]
        value = called[0] if len(called) == 1 else value
    name = name_of(value)
    ours = _NAMES.get(name)
    where = f"{value.file}:{value.line}: " if isinstance(value, Function) else ""
    if ours is None:
        stub = bench.stubs.add(name, where, "CodeImputationFunction", "plan, labels, answer")
        bench.migration.to_decide(
            f"code_imputation_function {name} of {plan['RawField']}",
            f"{where}nothing here is like it, so no codes follow from others in this plan. Fill in {stub}() in functions.py and add "
            f'"CodeImputationFunction": "functions:{stub}", or leave it out.',
        )
        return
    codings = plan["CodingConfigurations"]
    if ours in ("age_category", "yes_no_reasons") and len(codings) != 2:
        bench.migration.to_decide(
            f"code_imputation_function {name} of {plan['RawField']}",
            f"{ours} needs two coding configurations; {len(codings)} are left. It is left out.",
        )
        return
    plan["CodeImputationFunction"] = ours
    if ours == "age_category":
        _compare_ranges(value, schemes[1], name, bench)
    elif ours == "yes_no_reasons":
        _settle_reasons(plan, name, bench)


def _compare_ranges(value: object, scheme: SchemeFile, name: str, bench: Workbench) -> None:
    """Note ages that the old function and the scheme's match values put into different categories."""
    if not isinstance(value, Function):
        return
    old = {
        (key.elts[0].value, key.elts[1].value)
        for node in ast.walk(value.node)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Tuple) and len(key.elts) == 2 and all(isinstance(e, ast.Constant) for e in key.elts)
        if isinstance(key.elts[0], ast.Constant) and isinstance(key.elts[1], ast.Constant)
    }
    texts = [
        text for code in scheme.document["Codes"] for text in code.get("MatchValues") or () if isinstance(text, str)
    ]
    new = {(int(m[1]), int(m[2])) for text in texts if (m := AGE_RANGE.fullmatch(text))}
    if old and old != new:
        bench.migration.to_decide(
            f"{name} ({value.file}:{value.line})",
            f"its ranges were {_show(old)}; the match values of {scheme.name} say {_show(new)}, which count here. Change the match "
            "values if the old ranges are right.",
        )


def _show(ranges: set[tuple[Any, Any]]) -> str:
    return ", ".join(sorted(f"{first} to {last}" for first, last in ranges)) or "none"


def _settle_reasons(plan: dict[str, Any], name: str, bench: Workbench) -> None:
    """Let reasons follow yes and no, as they did, and not the other way round."""
    reasons = next(
        (n for n, coding in enumerate(plan["CodingConfigurations"]) if coding["CodingMode"] == "MULTIPLE"), None
    )
    if reasons is not None:
        plan["CodingConfigurations"][reasons] |= {"ReasonsForYes": [], "ReasonsForNo": []}
    bench.migration.changed(
        f"{name} of {plan['RawField']}",
        "now yes_no_reasons. As before, reasons that nobody reviewed become NC beside a coded yes or no, and a yes or no never "
        "follows from reasons (ReasonsForYes and ReasonsForNo are empty). New: STOP and NC of one scheme reach the other.",
    )
