"""Find the place of a key that is misplaced, or has the name that earlier pipelines gave it."""

import re
import typing
from collections.abc import Iterator
from typing import Any

from engagement.configuration.model import Model, models_in

# Earlier pipelines' names of keys, and their places now.
_EARLIER_NAMES = {
    "RapidProDomain": "RawDataSources[].Domain",
    "RapidProBaseURL": "RawDataSources[].Domain",
    "RapidProTokenFileURL": "RawDataSources[].TokenFileURL",
    "RapidProTestContactUUIDs": "RawDataSources[].TestContactUUIDs",
    "RecoveryCSVURLs": "RawDataSources[].ActivationFlowURLs",
    "SourceKeyRemappings": "RapidProKeyRemappings",
    "SourceKey": "RapidProKeyRemappings[].RapidProKey",
    "UuidTable": "PhoneNumberUuidTable",
    "UuidPrefix": "ParticipantPrefix",
    "RawFieldFoldingMode": "RQACodingPlans[].RawFieldFoldStrategy",
    "FoldingMode": "RQACodingPlans[].CodingConfigurations[].FoldStrategy",
}


def find_place(model: type[Model], name: str, at: str) -> tuple[str, bool] | None:
    """Find the place of a key of `model`, like "RawDataSources[].Domain", if known, but not at `at`.

    Also tells if it is in the same object as `at`: the place is then only the new name. None if no place, or more than one, is
    known.
    """
    folded = {earlier.casefold(): place for earlier, place in _EARLIER_NAMES.items()}
    places = list(dict.fromkeys(_places(model)))
    place = folded.get(name.casefold())
    if place is None:
        alike = [known for known in places if known.rpartition(".")[2] == name]
        place = alike[0] if len(alike) == 1 else None
    parent = re.sub(r"\[\d+\]", "[]", at.removeprefix("$.")).rpartition(".")[0]
    if place not in places or place == f"{parent}.{name}".lstrip("."):
        return None
    new_parent, _, new_name = place.rpartition(".")
    return (new_name, True) if new_parent == parent else (place, False)


def _places(model: type[Model], prefix: str = "") -> Iterator[str]:
    for field in model.model_fields.values():
        place = f"{prefix}{field.alias}"
        yield place
        for inner in models_in(field.annotation):
            yield from _places(inner, f"{place}[]." if _is_list(field.annotation) else f"{place}.")


def _is_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is tuple or any(map(_is_list, typing.get_args(annotation)))
