"""Settings that make a full run: all keys of the pipeline configuration but those that are listed as not read by stage 3."""

import typing
from collections.abc import Iterator
from typing import Any

import pytest

from engagement.configuration import PipelineConfiguration
from engagement.configuration.model import Model, models_in
from engagement.configuration.source_types import load_models
from engagement.processing.reuse.settings import NOT_READ, describe_what_is_read, names_not_read

# A key's attribute with its model, and its place: attributes, and positions in lists.
Step = str | int
Place = tuple[Step, ...]


def fill(model: type[Model]) -> Model:
    """An object of a model with every key, whose lists have an object of each model that may be in them; values are made up."""
    values = {}
    for name, field in model.model_fields.items():
        annotation = (field.annotation, field.metadata)
        inner = [fill(one) for one in models_in(annotation[0])]
        is_list = any(typing.get_origin(part) is tuple for part in parts_of(field.annotation))
        values[name] = (tuple(inner) or (f"{name} 1",)) if is_list else inner[0] if inner else f"{name} 1"
    return model.model_construct(**values)


def parts_of(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from parts_of(argument)


def find_keys(value: Any, place: Place = (), is_read: bool = True) -> Iterator[tuple[Place, bool]]:
    """The place of every key, and whether neither it nor a key around it is listed."""
    if isinstance(value, Model):
        for name in type(value).model_fields:
            read = is_read and name not in names_not_read(type(value))
            yield (*place, name), read
            yield from find_keys(getattr(value, name), (*place, name), read)
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from find_keys(item, (*place, position), is_read)


def change(value: Any, place: Place) -> Any:
    """The same with another value in one place."""
    if not place:
        return "changed"
    first, rest = place[0], place[1:]
    if isinstance(first, int):
        return tuple(change(item, rest) if number == first else item for number, item in enumerate(value))
    return value.model_copy(update={first: change(getattr(value, first), rest)})


FULL = fill(PipelineConfiguration)
KEYS = dict(find_keys(FULL))


@pytest.mark.parametrize("place", KEYS, ids=lambda place: ".".join(map(str, place)))
def test_a_changed_key_makes_a_full_run_unless_it_is_listed(place: Place):
    assert (describe_what_is_read(change(FULL, place)) != describe_what_is_read(FULL)) == KEYS[place]


def test_all_models_of_the_configuration_are_walked():
    met = {".".join(map(str, place)) for place in KEYS}
    assert {"raw_data_sources.0.domain", "raw_data_sources.2.keys.run_id", "automated_analysis.maps.0.level"} <= met
    assert "raw_data_sources.0.activation_flow_choices.0.uuid" in met
    assert sum(KEYS.values()) > 20


def test_only_keys_that_there_are_are_listed():
    for model, names in [*NOT_READ.items(), *((model, names_not_read(model)) for model in load_models())]:
        assert names <= set(model.model_fields), model


def test_the_order_of_a_list_is_read():
    assert describe_what_is_read(("a", "b")) != describe_what_is_read(("b", "a"))
    assert describe_what_is_read(("a, b",)) != describe_what_is_read(("a", "b"))
