"""What the cleaners, fold strategies and imputation functions of an old plan are called here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engagement.configuration.function_names import CLEANER_NAMES
from engagement.desk.project_import.evaluation.evaluator import Evaluator
from engagement.desk.project_import.evaluation.python_values import Call, Foreign, Function, Member

_FIELDS: Final[Mapping[str, str]] = {
    "clean_age": "age",
    "clean_age_within_range": "age",
    "clean_gender": "gender",
    "clean_yes_no": "yes_no",
    "clean_urban_rural": "urban_rural",
    "clean_mogadishu_sub_district": "mogadishu_sub_district",
    "clean_somalia_district": "district",
}
_BOTH_DISTRICTS: Final = {"somali.mogadishu_sub_district", "somali.district"}
_DEEPEST: Final = 4


@dataclass(frozen=True)
class NamedCleaner:
    """Our name of an old cleaner, if any. `wraps` if a function of the old project stands between."""

    name: str | None
    old: str
    wraps: bool


def name_of(value: object) -> str:
    """Return what a function is called in the old source; of a partial, what it holds.

    >>> name_of(Foreign("core.FoldStrategies.concatenate"))
    'concatenate'
    """
    if isinstance(value, Call) and value.name == "partial" and value.arguments:
        return name_of(value.arguments[0])
    if isinstance(value, Foreign):
        return value.last
    if isinstance(value, Member) and value.name in ("value", "name") and isinstance(value.owner, str):
        # Of an Enum, whose members are texts here.
        return value.owner
    if isinstance(value, Function | Member | Call):
        return value.name
    return str(value)


def name_cleaner(value: object, evaluator: Evaluator) -> NamedCleaner:
    """Find our name of an old cleaner: that of the library's cleaner which it is, or calls."""
    old = name_of(value)
    if isinstance(value, Foreign):
        return NamedCleaner(_name_of_library(value), old, False)
    if isinstance(value, Call) and value.name == "partial" and value.arguments:
        return name_cleaner(value.arguments[0], evaluator)
    if not isinstance(value, Function):
        return NamedCleaner(None, old, True)
    functions = list(_functions_in(value, evaluator, _DEEPEST))
    own = [function.name for function in functions if isinstance(function, Function)]
    old = own[0] if value.name == "<lambda>" and own else old
    found = {name for function in functions if isinstance(function, Foreign) and (name := _name_of_library(function))}
    if found == _BOTH_DISTRICTS:
        return NamedCleaner("somali.district_unless_mogadishu_sub_district", old, False)
    name = found.pop() if len(found) == 1 else None
    return NamedCleaner(name, old, wraps=bool(own) or value.name != "<lambda>")


def name_fold_strategy(value: object, evaluator: Evaluator) -> str | None:
    """Return the old name of a fold strategy, in small letters; None if there is none."""
    if value is None:
        return None
    if isinstance(value, Function) and value.name == "<lambda>":
        called = evaluator.functions_called(value)
        return name_of(called[0]).lower() if called else value.name
    return name_of(value).lower()


def _functions_in(function: Function, evaluator: Evaluator, depth: int) -> Iterator[object]:
    for called in evaluator.functions_called(function) if depth else ():
        yield called
        if isinstance(called, Function):
            yield from _functions_in(called, evaluator, depth - 1)


def _name_of_library(cleaner: Foreign) -> str | None:
    """Return our name of a cleaner of the library, by its language and its method."""
    *path, method = cleaner.name.split(".")
    field = _FIELDS.get(method)
    names = [f"{part}.{field}" for part in path]
    return next((name for name in names if name in CLEANER_NAMES), None) if field else None
