"""Put pydantic's errors into words that a person can act on."""

import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from engagement.configuration.model import FLOW_TAGS, Model, models_in
from engagement.configuration.moved_keys import find_place
from engagement.configuration.nearest import nearest
from engagement.configuration.problems import Problem
from engagement.configuration.source_types import SOURCE_TYPES
from engagement.configuration.value_types import REFUSED

_LONGEST_SHOWN = 60
# Keys where people easily paste a secret, or a whole key file, instead of its address.
_SECRETIVE_KEYS = re.compile(r".*FileURL")
# Keys where people put a phone number.
_KEYS_OF_PEOPLE = ("TestContactUUIDs",)
_ADDRESS_STARTS = ("gs://", "file://")
_WANTED = {
    "string_type": "text in double quotation marks",
    "bool_type": "true or false, without quotation marks",
    "int_type": "a whole number, without quotation marks",
    "int_from_float": "a whole number",
    "tuple_type": "a list, in square brackets",
    "model_type": "an object, in curly brackets",
    "model_attributes_type": "an object, in curly brackets",
}


def describe(model: type[Model], error: ValidationError) -> list[Problem]:
    """List the problems of a validation, with their JSON paths."""
    return [_describe(model, found) for found in error.errors() if not _follows_from_another(found)]


def _follows_from_another(found: Mapping[str, Any]) -> bool:
    """Check if a list counts as too short only because its items have problems of their own."""
    return found["type"] == "too_short" and bool(found["input"])


def _describe(model: type[Model], found: Mapping[str, Any]) -> Problem:
    location = [step for step in found["loc"] if step not in FLOW_TAGS]
    path, parents = _find_path(model, location)
    name = location[-1] if location else ""
    match found["type"]:
        case "missing":
            return Problem(path, f"missing; expected it ({_description(parents, name)}). Add it.")
        case "extra_forbidden":
            found_place = find_place(model, str(name), path)
            if found_place is not None:
                place, is_here = found_place
                return Problem(
                    path, f"unknown key; nearest: {place!r}. {'Rename' if is_here else 'Move'} or remove it."
                )
            return Problem(path, f"unknown key{nearest(str(name), _keys(parents))} Rename or remove it.")
        case "union_tag_not_found":
            return Problem(path, f"no 'SourceType'; expected {_join(list(SOURCE_TYPES))}. Add it.")
        case "union_tag_invalid":
            tag = found["ctx"]["tag"]
            kinds = _quoted(found["ctx"]["expected_tags"])
            return Problem(f"{path}.SourceType", f"{tag!r} is no type of source{_one_of(tag, kinds)} Change it.")
    key = next((step for step in reversed(location) if isinstance(step, str)), "")
    return Problem(path, f"{_shown(key, found['input'])} {_say(found, _description(parents, name))}")


def _say(found: Mapping[str, Any], description: str) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind in _WANTED:
        return f"is of the wrong kind; expected {_WANTED[kind]}. Change it."
    match kind:
        case _ if kind == REFUSED:
            return str(context["text"])
        case "string_too_short" | "too_short":
            return f"is empty; expected something ({description}). Fill it in."
        case "string_too_long":
            return f"is too long; expected at most {context['max_length']} character(s). Shorten it."
        case "greater_than_equal":
            return f"is too small; expected at least {context['ge']}. Change it."
        case "enum":
            kinds = _quoted(context["expected"])
            return f"is unknown{_one_of(found['input'], kinds)} Change it."
    message = found["msg"].removeprefix("Input ")
    return f"{message[0].lower()}{message[1:]}; expected {description}. Change it."


def _one_of(value: object, kinds: Sequence[str]) -> str:
    """Name the expected values of a closed set, and the nearest one if there is one."""
    expected = f"; expected {_join(kinds)}"
    near = nearest(str(value), kinds)
    return f"{expected}{near}" if "nearest" in near else f"{expected}."


def _join(kinds: Sequence[str]) -> str:
    return f"{', '.join(map(repr, kinds[:-1]))} or {kinds[-1]!r}"


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _shown(name: str, value: object) -> str:
    if isinstance(value, list):
        return "a list" if value else "[]"
    if isinstance(value, dict):
        return "an object" if value else "{}"
    if not isinstance(value, str):
        return json.dumps(value)
    if value and _SECRETIVE_KEYS.fullmatch(name) and not value.startswith(_ADDRESS_STARTS):
        return "a text that is not shown here, as it may be secret,"
    if value and name in _KEYS_OF_PEOPLE:
        return "a text that is not shown here, as it may be a phone number,"
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _find_path(model: type[Model], location: Sequence[str | int]) -> tuple[str, set[type[Model]]]:
    """Return the location as a JSON path, and the models that the last step's parent may be."""
    path, models, parents = "$", {model}, {model}
    for position, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        inner = {found for parent in models for found in _models_of(parent, step)}
        known = any(step in _keys({parent}) for parent in models)
        if not known and position + 1 < len(location):
            # The tag of a union, which names the model and is not part of the document.
            models = {member for member in models if _has_tag(member, step)}
            parents = models
            continue
        path += f".{step}"
        parents, models = models, inner
    return path, parents


def _has_tag(model: type[Model], tag: str) -> bool:
    return any(tag in typing.get_args(field.annotation) for field in model.model_fields.values())


def _models_of(parent: type[Model], name: str) -> Iterator[type[Model]]:
    for field in parent.model_fields.values():
        if field.alias == name:
            yield from models_in(field.annotation)


def _keys(models: set[type[Model]]) -> list[str]:
    return sorted({field.alias for model in models for field in model.model_fields.values() if field.alias})


def _description(models: set[type[Model]], name: object) -> str:
    for model in sorted(models, key=lambda model: model.__name__):
        for field in model.model_fields.values():
            if field.alias == name and field.description:
                return field.description
    return "a value"
