"""Turn the coding configurations of an old plan into ours."""

from dataclasses import dataclass, field
from typing import Any, Final

from engagement.desk.project_import.cleaner_names import name_cleaner, name_fold_strategy, name_of
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.evaluation.python_values import Call, Function, Unknown
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.problems import ImportProblems
from engagement.desk.project_import.scheme_files import SchemeFile, SchemeFiles
from engagement.desk.project_import.stubs import Stubs

_MODES: Final = ("SINGLE", "MULTIPLE")
# Fold strategies and modes of both generations; None is what ours does anyway.
_FOLDS: Final[dict[tuple[str, str], str | None]] = {
    ("SINGLE", "assert_label_ids_equal"): None,
    ("SINGLE", "assert_equal"): None,
    ("SINGLE", "yes_no_amb"): "yes_no_amb",
    ("SINGLE", "control_code_by_precedence"): "control_code_by_precedence",
    ("MULTIPLE", "list_of_labels"): None,
    ("MULTIPLE", "matrix"): None,
}
_KNOWN: Final = {
    "coding_mode", "code_scheme", "coded_field", "fold_strategy", "folding_mode", "analysis_file_key", "cleaner",
    "include_in_theme_distribution", "include_in_individuals_file", "raw_field", "requires_manual_verification",
}  # fmt: skip


@dataclass(frozen=True)
class Workbench:
    """What all steps of the conversion share."""

    evaluator: Evaluator
    schemes: SchemeFiles
    problems: ImportProblems
    migration: Migration
    stubs: Stubs
    local_names: dict[str, str] = field(default_factory=dict)


def convert_coding(call: Call, plan: Call, bench: Workbench) -> tuple[dict[str, Any], SchemeFile] | None:
    """Convert a coding configuration, with its code scheme; None if it is left out or can't be read."""
    raw_field, own_field = plan.get("raw_field"), call.get("raw_field")
    key = call.get("analysis_file_key")
    what = f"coding configuration {key or call.get('coded_field')} of {raw_field}"
    if (own_field is not None and own_field != raw_field) or call.get("requires_manual_verification") is False:
        bench.migration.dropped(
            what,
            f"{call.file}:{call.line}: coded by {own_field or 'a rule'!r} without coders, with {name_cleaner(call.get('cleaner'), bench.evaluator).old}. Here "
            "each coding configuration is about the answer; the column is lost.",
        )
        return None
    scheme = bench.schemes.find(call.get("code_scheme"), call.file, call.line)
    mode = name_of(call.get("coding_mode"))
    if isinstance(unknown := call.get("coding_mode"), Unknown):
        bench.problems.add_unknown(unknown, "SINGLE or MULTIPLE as coding_mode")
    elif mode not in _MODES:
        bench.problems.add(
            call.file, call.line, f"coding_mode {mode!r}; expected SINGLE or MULTIPLE. Mend it in a copy."
        )
    coded_field = read_text_argument(call, "coded_field", bench.problems, needed=True)
    if scheme is None or mode not in _MODES or coded_field is None:
        return None
    new: dict[str, Any] = {"CodingMode": mode, "CodeScheme": scheme.name, "CodedField": coded_field}
    text = read_text_argument(call, "analysis_file_key", bench.problems)
    if text is not None:
        is_older = "folding_mode" in call.keywords
        new["AnalysisFileKey"] = name_column(text, mode, is_older, bench.migration)
    _convert_fold(call, mode, what, new, bench)
    _convert_cleaner(call.get("cleaner"), what, new, bench)
    if call.get("include_in_theme_distribution", True) is False:
        new["IncludeInThemeDistribution"] = False
    if call.get("include_in_individuals_file", True) is False:
        bench.migration.changed(
            f"include_in_individuals_file {key or coded_field}",
            "it was False; here every AnalysisFileKey has its column in individuals.csv too. Take the key away to have neither.",
        )
    tell_unknown_arguments(call, _KNOWN, what, bench.migration)
    return new, scheme


def name_column(key: str, mode: str, is_older: bool, migration: Migration) -> str:
    """Return the AnalysisFileKey, without the `_` that older pipelines needed behind a MULTIPLE one."""
    if mode == "MULTIPLE" and is_older and key.endswith("_") and len(key) > 1:
        migration.changed(
            f"analysis_file_key {key}",
            f"{key[:-1]!r} now: the '_' before a code is added here. Columns keep their names.",
        )
        return key[:-1]
    return key


def read_text_argument(call: Call, name: str, problems: ImportProblems, needed: bool = False) -> str | None:
    """Return an argument that is a text; None, with a problem unless it is not needed, if it is none."""
    value = call.get(name)
    if isinstance(value, str) and value:
        return value
    if isinstance(value, Unknown):
        problems.add_unknown(value, f"a text as {name}")
    elif value is not None or needed:
        problems.add(call.file, call.line, f"{name} is {name_of(value)}; expected a text. Write it out in a copy.")
    return None


def tell_unknown_arguments(call: Call, known: set[str], what: str, migration: Migration) -> None:
    """Note the arguments that nothing here stands for."""
    for name, value in call.keywords.items():
        if name not in known and value is not None:
            was = f" It was {value!r}." if isinstance(value, str | int | float) else ""
            migration.dropped(f"{name} of {what}", f"{call.file}:{call.line}: there is no such argument here.{was}")


def _convert_fold(call: Call, mode: str, what: str, new: dict[str, Any], bench: Workbench) -> None:
    value = call.get("fold_strategy", call.get("folding_mode"))
    name = name_fold_strategy(value, bench.evaluator)
    if name is None:
        bench.migration.changed(
            f"fold_strategy None of {what}",
            "nothing was folded, so the column was of messages alone. Here individuals.csv has it too, folded by "
            f"{_default_fold(mode)}: see Fold strategies in the manual.",
        )
        return
    if (mode, name) in _FOLDS:
        ours = _FOLDS[mode, name]
        if ours is not None:
            new["FoldStrategy"] = ours
        return
    bench.migration.to_decide(
        f"fold_strategy {name_of(value)} of {what}",
        f"{call.file}:{call.line}: a function of the project's own, or not for {mode}. {_default_fold(mode)} is used. Fold strategies "
        "in the manual shows by example what it makes of several labels.",
    )


def _default_fold(mode: str) -> str:
    return "assert_label_ids_equal" if mode == "SINGLE" else "list_of_labels"


def _convert_cleaner(value: object, what: str, new: dict[str, Any], bench: Workbench) -> None:
    if value is None:
        return
    if isinstance(value, Unknown):
        bench.problems.add_unknown(value, "a cleaner, or None")
        return
    cleaner = name_cleaner(value, bench.evaluator)
    where = f"{value.file}:{value.line}: " if isinstance(value, Function | Call) else ""
    if cleaner.name is None:
        stub = bench.stubs.add(cleaner.old, where, "Cleaner", "text")
        bench.migration.to_decide(
            f"cleaner {cleaner.old} of {what}",
            f"{where}no cleaner here is like it, so it is left out: coders see no proposals. To have them, fill in {stub}() in "
            f'functions.py and add "Cleaner": "functions:{stub}".',
        )
        return
    new["Cleaner"] = cleaner.name
    if cleaner.wraps and not cleaner.name.endswith(".age"):
        bench.migration.changed(
            f"cleaner {cleaner.old} of {what}",
            f"{where}now {cleaner.name}, which it called; what it did besides is left out.",
        )
    elif cleaner.wraps:
        bench.migration.changed(f"cleaner {cleaner.old}", f"now {cleaner.name}, which gives only ages from 10 to 99.")
