"""Time ranges that stand in the Python of an old project instead of its JSON configuration."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engagement.desk.project_import.evaluation.evaluator import Evaluator, UnreadableFileError
from engagement.desk.project_import.evaluation.python_values import Call, Function, PythonClass, Scope, Unknown
from engagement.desk.project_import.migration import Migration

_FILE: Final = "src/translate_rapid_pro_keys.py"
_METHOD: Final = re.compile(r"_?remap_radio_show_by_time_range")
_KEYS: Final = ("TimeKey", "ShowPipelineKeyToRemapTo", "RangeStartInclusive", "RangeEndExclusive", "TimeToAdjustTo")
_WORDS: Final = (("time_key",), ("show", "pipeline_key"), ("start",), ("end",), ("adjust",))
_MOST_BYTES: Final = 3_000_000
_LITERAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*|\w+_raw")


def read_radio_show_ranges(evaluator: Evaluator, migration: Migration) -> list[dict[str, Any]]:
    """Read the calls that moved messages of a time range to an episode, as TimestampRemappings."""
    if not (evaluator.root / _FILE).is_file():
        return []
    try:
        module = evaluator.load(Path(_FILE))
    except UnreadableFileError as error:
        migration.to_decide(
            _FILE,
            f"line {error.reason.line}: {error.reason.what}. If time ranges stand in it, add TimestampRemappings.",
        )
        return []
    ranges = []
    for holder in [module.scope, *(v.scope for v in module.scope.names.values() if isinstance(v, PythonClass))]:
        for function in [value for value in holder.names.values() if isinstance(value, Function)]:
            for node, values in _calls(evaluator, function):
                made = _read_call(node, values, function.file, migration)
                if made is not None:
                    ranges.append(made)
    return ranges


def _calls(evaluator: Evaluator, function: Function) -> Iterator[tuple[ast.Call, list[tuple[str | None, object]]]]:
    """Yield the calls of the method with their arguments, keywords by name."""
    scope = Scope(function.file, outer=function.scope)
    for argument in function.node.args.args:
        scope.names[argument.arg] = Unknown(function.file, function.line, "an argument")
    for node in ast.walk(function.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if _METHOD.fullmatch(name):
                values: list[tuple[str | None, object]] = [(None, evaluator.evaluate(a, scope)) for a in node.args]
                yield node, values + [(k.arg, evaluator.evaluate(k.value, scope)) for k in node.keywords]


def _read_call(
    node: ast.Call, values: list[tuple[str | None, object]], file: str, migration: Migration
) -> dict[str, Any] | None:
    # The first two by position are the user and the data.
    by_place = [value for name, value in values if name is None][2:]
    found: dict[str, object] = dict(zip(_KEYS, by_place, strict=False))
    for name, value in values:
        for key, words in zip(_KEYS, _WORDS, strict=True):
            if name is not None and any(word in name for word in words):
                found.setdefault(key, value)
    texts = {key: _text_of(value) for key, value in found.items() if value is not None}
    if not isinstance(texts.get("TimeKey"), str) or not isinstance(texts.get("ShowPipelineKeyToRemapTo"), str):
        return None  # the later version, whose values come from the JSON configuration
    unread = [key for key, text in texts.items() if text is None]
    if unread:
        migration.to_decide(
            f"{file}:{node.lineno}",
            f"{', '.join(unread)} of a time range can't be read; the range is left out. Add it to TimestampRemappings.",
        )
        return None
    migration.changed(
        f"{file}:{node.lineno}",
        f"a time range that stood in translate_rapid_pro_keys; now in TimestampRemappings, to {texts['ShowPipelineKeyToRemapTo']}.",
    )
    return dict(texts)


def _text_of(value: object) -> str | None:
    if isinstance(value, Call) and value.name in ("isoparse", "parse") and value.arguments:
        value = value.arguments[0]
    return value if isinstance(value, str) else None


def tell_edited_stages(evaluator: Evaluator, migration: Migration) -> None:
    """Name the old stages whose functions hold dates or raw fields: what they do with them can't be seen."""
    for path in sorted((evaluator.root / "src").glob("*.py")):
        relative = str(path.relative_to(evaluator.root))
        if relative == _FILE:
            continue
        lines = _lines_with_literals(path)
        if lines:
            migration.to_decide(
                relative,
                f"its code holds dates or raw fields (line {', '.join(map(str, lines[:5]))}), so it may have done something that only "
                "this project did. Read it.",
            )


def _lines_with_literals(path: Path) -> list[int]:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return []
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        return []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return sorted(
        {
            node.lineno
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _LITERAL.fullmatch(node.value)
        }
    )
