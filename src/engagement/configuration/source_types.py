"""The table of source types: each is a package with everything about its sources.

A package's parts are imported on first use, so a project pays nothing for types it does not use.
"""

import functools
import importlib
from typing import Any

from engagement.configuration.model import Model

SOURCE_TYPES = {
    "RapidPro": "engagement.sources.rapidpro",
    "GCloudBucket": "engagement.sources.gcloud_bucket",
    "RecoveryCSV": "engagement.sources.recovery_csv",
    "Spreadsheet": "engagement.sources.spreadsheet",
    "KoboToolbox": "engagement.sources.kobo_toolbox",
    "GoogleForms": "engagement.sources.google_forms",
    "FacebookComments": "engagement.sources.facebook_comments",
    "TelegramGroup": "engagement.sources.telegram_group",
}


def load_part(source_type: str, part: str) -> Any:
    """Import a part of a source type's package: 'model', 'fetch', 'plan', 'check' or 'needs'.

    Those whose contacts can be written to have 'write_back' as well, and those that tell phone numbers 'contact_numbers'.
    """
    return importlib.import_module(f"{SOURCE_TYPES[source_type]}.{part}")


def load_models() -> tuple[type[Model], ...]:
    """List the configuration models of all source types, like `RapidProSource` for 'RapidPro'."""
    return _load_models(tuple(SOURCE_TYPES.items()))


@functools.lru_cache
def _load_models(types: tuple[tuple[str, str], ...]) -> tuple[type[Model], ...]:
    return tuple(getattr(importlib.import_module(f"{package}.model"), f"{name}Source") for name, package in types)
