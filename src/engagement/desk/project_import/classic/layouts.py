"""Find the coding plans of a classic project: functions, or attributes of a class."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engagement.desk.project_import.evaluation.evaluator import Evaluator, UnreadableFileError
from engagement.desk.project_import.evaluation.python_values import MISSING, Call, Function, PythonClass, Unknown
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.problems import ImportProblems

_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 3_000_000
_SKIPPED: Final = {"venv", "env", "node_modules", "__pycache__", "tests", "test", "site-packages"}
_PLANS: Final = re.compile(r"\bCodingPlan\(|_CODING_PLANS\b|\bdef get_\w*coding_plans\b")
_FUNCTIONS: Final = re.compile(r"get_(\w*?)_?coding_plans?")
_FORCED: Final = {"rqa": "rqa", "demog": "demographic", "demogs": "demographic", "demographic": "demographic",
                  "demographics": "demographic", "location": "demographic", "operator": "demographic",
                  "follow_up": "follow_up", "followup": "follow_up", "survey": "survey", "surveys": "survey",
                  "engagement": "engagement"}  # fmt: skip
_ATTRIBUTES: Final = re.compile(r"(\w+?)_CODING_PLANS?")
_WS_SCHEME: Final = re.compile(r"(\w+_)?WS_(CORRECT_)?DATASET(_SCHEME)?")


@dataclass
class FoundPlans:
    """Values of a project's plans, by kind: "rqa", "demographic", "follow_up", "survey", "engagement"."""

    place: str
    by_kind: dict[str, list[Any]] = field(default_factory=dict)
    ws_scheme: object = None
    constants: dict[str, object] = field(default_factory=dict)


def python_files(root: Path) -> Iterator[Path]:
    """Yield the old folder's Python files in a fixed order, the topmost first; links are not followed."""
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            if name.endswith(".py") and (Path(folder) / name).is_file():
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(folder) / name


def read_source(path: Path) -> str:
    """Return a file's text, of a very long one its beginning; nothing if it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def find_plans(
    evaluator: Evaluator, configuration_file: Path, pipeline_name: str, problems: ImportProblems, migration: Migration
) -> FoundPlans | None:
    """Find the plans that the old pipeline of this name used; None, with problems, if there are none."""
    mentioning = [path for path in python_files(evaluator.root) if _mentions_plans(path)]
    for is_wanted, read in ((_has_functions, _read_functions), (None, _read_attributes)):
        chosen = [path for path in mentioning if is_wanted is None or is_wanted(path)]
        chosen.sort(key=lambda path: path.parent.resolve() != configuration_file.parent.resolve())
        tried = [_try(read, evaluator, path, pipeline_name) for path in chosen]
        found = [one for one in tried if one.plans is not None]
        if len(found) > 1 and is_wanted is not None:
            near = [one for one in found if one.path.parent.samefile(configuration_file.parent)]
            if len(near) != 1:
                places = ", ".join(one.plans.place for one in found if one.plans is not None)
                problems.add(
                    places, None, "each has coding plans; expected one. Remove the others from a copy of the folder."
                )
                return None
            found = near
        # What only files say that are not taken, like a copy of former plans, stops nothing.
        for one in found[:1] or tried:
            problems.take(one.problems)
            migration.take(one.migration)
        if found:
            return found[0].plans
    if not problems.lines:
        problems.add(
            str(evaluator.root),
            None,
            "no coding plans: no get_rqa_coding_plans(), and no class with RQA_CODING_PLANS; expected the plans of a classic "
            "project. Give its whole folder.",
        )
    return None


def _mentions_plans(path: Path) -> bool:
    return _PLANS.search(read_source(path)) is not None


def _has_functions(path: Path) -> bool:
    return re.search(r"^def get_\w*coding_plans\b", read_source(path), re.MULTILINE) is not None


@dataclass
class _Tried:
    """A file that was looked at, with its plans if it has any."""

    path: Path
    plans: FoundPlans | None = None
    problems: ImportProblems = field(default_factory=ImportProblems)
    migration: Migration = field(default_factory=Migration)


def _try(read: Any, evaluator: Evaluator, path: Path, pipeline: str) -> _Tried:
    tried = _Tried(path)
    try:
        found = read(evaluator, path, pipeline, tried.problems, tried.migration)
    except UnreadableFileError as error:
        tried.problems.add_unknown(error.reason, "coding plans in Python 3, as earlier pipelines have them")
        return tried
    if isinstance(found, FoundPlans) and any(found.by_kind.values()):
        tried.plans = found
    return tried


def _read_functions(
    evaluator: Evaluator, path: Path, pipeline: str, problems: ImportProblems, migration: Migration
) -> FoundPlans | None:
    module = evaluator.load(path)
    found = FoundPlans(module.scope.file, constants=dict(module.scope.names))
    for name, value in module.scope.names.items():
        match = _FUNCTIONS.fullmatch(name)
        if match is None or not isinstance(value, Function) or value.file != module.scope.file:
            continue
        kind = _FORCED.get(match[1])
        if kind is None:
            migration.to_decide(f"{name}()", f"{value.file}:{value.line}: plans of a kind that is not known; left out.")
            continue
        _tell_parameters(value, name, migration)
        takes_name = bool(value.node.args.args)
        plans = evaluator.call_by_name(module, name, [pipeline] if takes_name else [])
        found.by_kind.setdefault(kind, []).extend(_listed(plans, f"{name}({pipeline!r})", value, problems))
    # It stood beside the functions, for the class that put the lists together.
    for name in ("OPERATOR_CODING_PLAN", "OPERATOR_CODING_PLANS"):
        value = module.scope.names.get(name)
        plans = value if isinstance(value, list | tuple) else [value]
        known = {id(plan) for kind in found.by_kind.values() for plan in kind}
        if new := [plan for plan in plans if isinstance(plan, Call) and id(plan) not in known]:
            found.by_kind["demographic"] = [*new, *found.by_kind.get("demographic", [])]
    getter = next((n for n in module.scope.names if re.fullmatch(r"get_ws_correct_dataset_scheme\w*", n)), None)
    if getter is not None:
        value = module.scope.names[getter]
        takes_name = isinstance(value, Function) and bool(value.node.args.args)
        found.ws_scheme = evaluator.call_by_name(module, getter, [pipeline] if takes_name else [])
    return found


def _tell_parameters(function: Function, name: str, migration: Migration) -> None:
    arguments = function.node.args
    named = list(zip(reversed(arguments.args), reversed(function.defaults), strict=False))[::-1]
    named += [(a, v) for a, v in zip(arguments.kwonlyargs, function.keyword_defaults, strict=True) if v is not MISSING]
    for argument, value in named:
        if argument is arguments.args[0]:
            continue
        migration.to_decide(
            f"{name}({argument.arg})",
            f"taken as {value!r}, its default; with another value the old project had other plans.",
        )


def _listed(plans: object, what: str, function: Function, problems: ImportProblems) -> list[Any]:
    if isinstance(plans, Unknown):
        problems.add_unknown(plans, f"a list of coding plans from {what}")
        return []
    if isinstance(plans, Call):
        return [plans]
    if not isinstance(plans, list | tuple):
        problems.add(function.file, function.line, f"{what} gives no list; expected coding plans. Mend it in a copy.")
        return []
    return list(plans)


def _read_attributes(
    evaluator: Evaluator, path: Path, pipeline: str, problems: ImportProblems, migration: Migration
) -> FoundPlans | None:
    module = evaluator.load(path)
    holders = [v for v in module.scope.names.values() if isinstance(v, PythonClass) and v.file == module.scope.file]
    holder = next((h for h in holders if h.find("RQA_CODING_PLANS") is not MISSING), None)
    if holder is None and "RQA_CODING_PLANS" not in module.scope.names:
        return None
    names = holder.scope.names if holder is not None else module.scope.names
    if isinstance(names.get("RQA_CODING_PLANS"), Unknown) or not names.get("RQA_CODING_PLANS"):
        _follow_programs(evaluator, migration)
    found = FoundPlans(module.scope.file, constants={**module.scope.names, **names})
    if names.get("RQA_CODING_PLANS") is None:
        choices = [
            name for name, value in names.items() if name.endswith("RQA_CODING_PLANS") and isinstance(value, list)
        ]
        problems.add(
            module.scope.file,
            holder.line if holder else None,
            f"RQA_CODING_PLANS is None for {pipeline!r}, and no program in the old folder chooses among "
            f"{', '.join(choices) or 'any plans'}; expected generate_outputs.py to. Set it in a copy of the folder.",
        )
    for name, value in names.items():
        match = _ATTRIBUTES.fullmatch(name)
        kind = _FORCED.get(match[1].lower()) if match else None
        if kind is None or value is None:
            continue
        if isinstance(value, Unknown):
            problems.add_unknown(value, f"a list of coding plans in {name}")
        else:
            found.by_kind.setdefault(kind, []).extend(value if isinstance(value, list | tuple) else [value])
    ws_names = [name for name in names if _WS_SCHEME.fullmatch(name)]
    found.ws_scheme = names[ws_names[0]] if len(ws_names) == 1 else None
    return found


def _follow_programs(evaluator: Evaluator, migration: Migration) -> None:
    """Follow the old programs that choose the plans by the pipeline's name."""
    for path in sorted(evaluator.root.glob("*.py")):
        if path.is_file() and re.search(r"\.RQA_CODING_PLANS\s*=", read_source(path)):
            evaluator.load(path, is_main=True)
            migration.changed(
                path.name, "chose the plans by the pipeline's name; this pipeline's are in coding_plans.json."
            )


def find_ws_scheme(names: dict[str, object]) -> object:
    """Find the scheme of right datasets among a project's code schemes, if the plans don't say it."""
    for value in names.values():
        if isinstance(value, PythonClass):
            found = [name for name in value.scope.names if _WS_SCHEME.fullmatch(name)]
            if len(found) == 1:
                return value.scope.names[found[0]]
    return None
