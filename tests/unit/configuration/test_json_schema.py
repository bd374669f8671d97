"""The schemas for editors: those that are published are those of the code, and they take what the code takes."""

import json
from pathlib import Path

import pytest

from engagement.configuration.json_schema import make_json_schemas
from engagement.configuration.source_types import SOURCE_TYPES
from engagement.desk.update_schemas import make_schema_files

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "configurations" / "schema"
DEMO = ROOT / "configurations" / "demo"
SCHEMAS = make_json_schemas()


def test_the_published_schemas_are_current():
    published = {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.iterdir()}
    assert published == make_schema_files(), (
        "run: PYTHONPATH=src .venv/bin/python -m engagement update-schemas configurations/schema"
    )


@pytest.mark.parametrize("name", ["pipeline_configuration.json", "coding_plans.json"])
def test_the_demo_names_its_schema(name: str):
    document = json.loads((DEMO / name).read_text(encoding="utf-8"))
    assert (DEMO / document["$schema"]).resolve() == PUBLISHED / name


def properties_in(schema):
    """Every property of every object, with a path to name it by."""
    for name, definition in {"the file": schema, **schema.get("$defs", {})}.items():
        for key, value in definition.get("properties", {}).items():
            yield f"{name}.{key}", value


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_explains_itself_to_an_editor(name: str):
    for key, value in properties_in(SCHEMAS[name]):
        assert value.get("description"), key
    assert all(definition.get("description") for definition in SCHEMAS[name].get("$defs", {}).values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_unknown_keys_are_refused_by_every_object_as_by_the_code(name: str):
    for definition in (SCHEMAS[name], *SCHEMAS[name].get("$defs", {}).values()):
        assert definition.get("additionalProperties", False) is False


def test_closed_sets_are_offered():
    plans = SCHEMAS["coding_plans.json"]["$defs"]
    assert plans["CodingMode"]["enum"] == ["SINGLE", "MULTIPLE"]
    offered = plans["CodingConfigurationDocument"]["properties"]["Cleaner"]["anyOf"][0]["enum"]
    assert "swahili.constituency" in offered
    sources = SCHEMAS["pipeline_configuration.json"]["properties"]["RawDataSources"]["items"]
    assert len(sources["oneOf"]) == len(SOURCE_TYPES)


def documents():
    """The demo's files, each with the name of its schema."""
    yield "pipeline_configuration.json", DEMO / "pipeline_configuration.json"
    yield "coding_plans.json", DEMO / "coding_plans.json"
    for path in sorted((DEMO / "code_schemes").glob("*.json")):
        yield "code_scheme.json", path


def test_the_demo_is_valid():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not among the locked packages")
    for name, path in documents():
        jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
        validator = jsonschema.Draft202012Validator(SCHEMAS[name])
        document = json.loads(path.read_text(encoding="utf-8"))
        assert [f"{path.name}: {error.message}" for error in validator.iter_errors(document)] == []
        assert list(validator.iter_errors({**document, "Typo": 1}))
