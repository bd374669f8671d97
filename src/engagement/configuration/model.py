"""The frozen base of all configuration models."""

import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

# Names the JSON Schema that editors check a file with; it is not part of the file's content.
SCHEMA_KEY = "$schema"
# Pydantic's names, in its errors' places, for the two ways to name a flow; they are not keys of a document.
FLOW_TAGS = ("a flow's name", "a flow by its uuid")
_REQUIRED: Any = ...


class Model(BaseModel):
    """One JSON object of a configuration file: refuses unknown keys, and never changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def alternatives(cls) -> Iterable[type["Model"]]:
        """List the models that an annotation with this one means: a base stands for its subclasses."""
        return (cls,)


def key(name: str, description: str, example: Any, default: Any = _REQUIRED, **constraints: Any) -> Any:
    """Declare an attribute's JSON key, described as in the manual. Without a `default` it is required."""
    return Field(default, alias=name, description=description, examples=[example], **constraints)


def models_in(annotation: Any) -> Iterator[type[Model]]:
    """Find the models in an annotation, e.g. Setting of `tuple[Setting, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield from annotation.alternatives()
    for argument in typing.get_args(annotation):
        yield from models_in(argument)
