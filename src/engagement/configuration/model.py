"""The frozen base of all configuration models, and pydantic's errors as lines that a person can act on."""

import difflib
import json
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from engagement.errors import ConfigurationError
from engagement.files import read_text


class Model(BaseModel):
    """One JSON object of a configuration file: unknown keys are refused, nothing changes after it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_REQUIRED: Any = ...


def key(name: str, description: str, example: Any, default: Any = _REQUIRED, **constraints: Any) -> Any:
    """Declare the JSON key of an attribute, with what the manual says of it. Without a `default` it is required."""
    return Field(default, alias=name, description=description, examples=[example], **constraints)


def _parse_instant(value: object) -> datetime:
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is not None and instant.tzinfo is not None:
            return instant
    raise PydanticCustomError("instant", "should be ISO 8601 with an offset, like '2026-08-26T00:00:00+03:00'")


Instant = Annotated[
    datetime,
    BeforeValidator(_parse_instant),
    PlainSerializer(lambda instant: instant.isoformat(), return_type=str),
]
Text = Annotated[str, StringConstraints(min_length=1)]


class RepeatedKeyError(ValueError):
    """A JSON object has the same key twice."""


def read_document(path: Path, what: str) -> Any:
    """Read a JSON file of the configuration.

    Raises
    ------
    ConfigurationError
        The file is missing, is not JSON (line and column), or one of its objects has a key twice.
    """
    text = read_text(path, ConfigurationError, what)
    try:
        return json.loads(text, object_pairs_hook=_refuse_repeated_keys)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}. Mend the file and run this again."
        ) from None
    except RepeatedKeyError as error:
        raise ConfigurationError(
            f"{path}: key {error} stands twice in one object; expected once. Remove one."
        ) from None


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedKeyError(repr(next(name for name in names if names.count(name) > 1)))
    return document


def parse_model[M: Model](model: type[M], document: Any) -> tuple[M | None, list[str]]:
    """Validate a JSON document: the model and no problems, or None and every problem with its JSON path."""
    try:
        # Through JSON text, because strict validation takes lists for tuples and strings for enums only from there.
        return model.model_validate_json(json.dumps(document)), []
    except ValidationError as error:
        return None, [_say(model, problem) for problem in error.errors() if not _follows_from_another(problem)]


def _follows_from_another(problem: Mapping[str, Any]) -> bool:
    """Whether pydantic found a list too short only because its items have problems of their own."""
    return problem["type"] == "too_short" and bool(problem["input"])


def _say(model: type[Model], problem: Mapping[str, Any]) -> str:
    path, place = _json_path(model, problem["loc"])
    kind, found = problem["type"], _shown(problem["input"])
    match kind:
        case "missing":
            return f"at {path}: missing; expected {_description(place, problem['loc'][-1])}. Add it."
        case "extra_forbidden":
            return f"at {path}: unknown key{nearest(str(problem['loc'][-1]), _keys(place))}"
        case "union_tag_not_found":
            return f"at {path}: no 'SourceType'; expected 'RapidPro', 'GCloudBucket' or 'RecoveryCSV'. Add it."
        case "union_tag_invalid":
            tag = problem["ctx"]["tag"]
            return f"at {path}.SourceType: {tag!r} should be {problem['ctx']['expected_tags'].replace(', ', ' or ')}"
        case "string_too_short" | "too_short":
            return f"at {path}: {found} should be non-empty"
        case "string_type":
            return f"at {path}: {found} should be a string"
        case "bool_type":
            return f"at {path}: {found} should be true or false"
        case "tuple_type" | "list_type":
            return f"at {path}: {found} should be a list"
        case "model_type" | "model_attributes_type":
            return f"at {path}: {found} should be an object"
        case _:
            message = problem["msg"]
            message = message.removeprefix("Input ").removeprefix("Value error, ")
            return f"at {path}: {found} {message[0].lower()}{message[1:]}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _json_path(model: type[Model], location: Sequence[str | int]) -> tuple[str, set[type[Model]]]:
    """The location as a JSON path, and the models that the last step's parent may be."""
    path, models, parents = "$", {model}, {model}
    for position, step in enumerate(location):
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        inner = {found for parent in models for found in _models_of(parent, step)}
        known = any(step in _keys({parent}) for parent in models)
        if not known and position + 1 < len(location):
            continue  # the tag of a union, which is not part of the document
        path += f".{step}"
        parents, models = models, inner
    return path, parents


def _models_of(parent: type[Model], name: str) -> Iterator[type[Model]]:
    for field in parent.model_fields.values():
        if field.alias == name:
            yield from models_in(field.annotation)


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """Every configuration model that an annotation speaks of, e.g. Setting of `tuple[Setting, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from models_in(argument)


def _keys(models: set[type[Model]]) -> list[str]:
    return sorted({field.alias for model in models for field in model.model_fields.values() if field.alias})


def _description(models: set[type[Model]], name: object) -> str:
    for model in models:
        for field in model.model_fields.values():
            if field.alias == name and field.description:
                return field.description
    return "a value"


def nearest(name: str, known: Sequence[str]) -> str:
    """Name what was perhaps meant, as the end of a sentence: "; nearest: 'age', 'ages'." or just "."."""
    folded = {candidate.casefold(): candidate for candidate in reversed(known)}
    near = [folded[match] for match in difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)]
    if near:
        return f"; nearest: {', '.join(map(repr, near))}."
    return f"; known: {', '.join(map(repr, known))}." if 0 < len(known) < 10 else "."
