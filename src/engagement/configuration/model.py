"""The frozen base of all configuration models."""

import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

# Names the JSON Schema that editors check a file with; it is not part of what the file says.
SCHEMA_KEY = "$schema"
# How pydantic tells the two ways to name a flow apart, in the places of its errors; they are no keys of a document.
FLOW_TAGS = ("a flow's name", "a flow by its uuid")
_REQUIRED: Any = ...


class Model(BaseModel):
    """One JSON object of a configuration file: unknown keys are refused, nothing changes after it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def alternatives(cls) -> Iterable[type["Model"]]:
        """The models that an annotation with this one speaks of: a base stands for those that derive from it."""
        return (cls,)


def key(name: str, description: str, example: Any, default: Any = _REQUIRED, **constraints: Any) -> Any:
    """Declare the JSON key of an attribute, with what the manual says of it. Without a `default` it is required."""
    return Field(default, alias=name, description=description, examples=[example], **constraints)


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """Find the models that an annotation speaks of, e.g. Setting of `tuple[Setting, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield from annotation.alternatives()
    for argument in typing.get_args(annotation):
        yield from models_in(argument)
