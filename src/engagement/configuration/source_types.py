"""The table of source types: each is a package that says all there is to know of its sources.

A package's parts are imported when they are asked for. What a project does not use costs it nothing.
"""

import functools
import importlib
from typing import Any

from engagement.configuration.model import Model

SOURCE_TYPES = {
    "RapidPro": "engagement.sources.rapidpro",
    "GCloudBucket": "engagement.sources.gcloud_bucket",
    "RecoveryCSV": "engagement.sources.recovery_csv",
}


def load_part(source_type: str, part: str) -> Any:
    """Import a part of a source type's package: 'model', 'fetch', 'plan', 'check' or 'needs'."""
    return importlib.import_module(f"{SOURCE_TYPES[source_type]}.{part}")


def load_models() -> tuple[type[Model], ...]:
    """The configuration models of all source types: of 'RapidPro' it is `RapidProSource`."""
    return _load_models(tuple(SOURCE_TYPES.items()))


@functools.lru_cache
def _load_models(types: tuple[tuple[str, str], ...]) -> tuple[type[Model], ...]:
    return tuple(getattr(importlib.import_module(f"{package}.model"), f"{name}Source") for name, package in types)
