"""Turn a JSON document into a configuration model, or list all its problems."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from engagement.configuration.model import SCHEMA_KEY, Model
from engagement.configuration.problems import Problem


def parse_model[M: Model](model: type[M], content: Any) -> tuple[M | None, list[Problem]]:
    """Validate a JSON document: the model and no problems, or None and every problem with its JSON path."""
    # Only errors need the module with their words.
    from engagement.configuration.validation_messages import describe

    if isinstance(content, Mapping):
        content = {name: value for name, value in content.items() if name != SCHEMA_KEY}
    try:
        # Through JSON text, because strict validation takes lists for tuples and strings for enums only from there.
        return model.model_validate_json(json.dumps(content)), []
    except ValidationError as error:
        return None, describe(model, error)
