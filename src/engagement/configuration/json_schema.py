"""JSON Schemas of the configuration's files, made from the models, for editors to check and explain."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from engagement.configuration.code_schemes import CodeScheme
from engagement.configuration.coding_plans import CodingPlansDocument
from engagement.configuration.model import SCHEMA_KEY, Model
from engagement.configuration.pipeline_configuration import PipelineConfiguration

_MODELS: dict[str, type[Model]] = {
    "pipeline_configuration.json": PipelineConfiguration,
    "coding_plans.json": CodingPlansDocument,
    "code_scheme.json": CodeScheme,
}


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out titles, which would only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def make_json_schemas() -> dict[str, dict[str, Any]]:
    """Make the schema of each kind of file, by the schema's file name."""
    return {name: _make_schema(model) for name, model in _MODELS.items()}


def _make_schema(model: type[Model]) -> dict[str, Any]:
    schema = _tidy(model.model_json_schema(by_alias=True, schema_generator=_WithoutTitles))
    schema["properties"] = {
        SCHEMA_KEY: {"type": "string", "description": "where the schema of this file is, for editors"},
        **schema["properties"],
    }
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def _tidy(node: Any) -> Any:
    """Leave out what tells people nothing: defaults of null, empty examples, names of classes."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _tidy(value)
        for key, value in node.items()
        if not (
            (key == "default" and value is None)
            or (key == "examples" and value in ([[]], [{}]))
            or (key == "title" and isinstance(value, str))
        )
    }
