"""The table of source types: each has all its parts, and what a project does not use is not imported."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import engagement
from engagement.configuration.source_model import RawDataSource
from engagement.configuration.source_types import SOURCE_TYPES, load_models, load_part
from fetch_project import FetchProject

SOURCE = Path(engagement.__file__).resolve().parents[1]
# What each part has to offer, by the names of what it takes.
FUNCTIONS = {
    ("fetch", "fetch_flows"): ["source", "context"],
    ("plan", "plan_fetch"): ["source", "context"],
    ("check", "find_warnings"): ["sources", "configuration"],
    ("check", "find_warnings_in_runs"): ["sources", "lengths"],
    ("check", "ask"): ["placed", "check"],
    ("needs", "add_needs"): ["source", "needs", "credentials"],
}


@pytest.mark.parametrize(("part", "function"), FUNCTIONS)
@pytest.mark.parametrize("source_type", SOURCE_TYPES)
def test_each_part_of_a_type_has_its_functions(source_type: str, part: str, function: str):
    parameters = inspect.signature(getattr(load_part(source_type, part), function)).parameters
    assert list(parameters) == FUNCTIONS[part, function]


def test_models_are_those_of_the_table_in_its_order():
    models = load_models()
    assert [model.model_fields["source_type"].examples for model in models] == [[name] for name in SOURCE_TYPES]
    assert all(issubclass(model, RawDataSource) for model in models)


def test_a_project_without_rapidpro_imports_no_more_of_it_than_its_model(tmp_path: Path):
    project = FetchProject(tmp_path, "")
    recovered = tmp_path / "lost.csv"
    recovered.write_text(
        "Sender,Message,ReceivedOn\navf-phone-uuid-10000000-53a4-4f6e-9a57-0d7c0a1f6f11,haa,26/08/2026 10:00\n"
    )
    project.sources = [{"SourceType": "RecoveryCSV", "ActivationFlowURLs": [recovered.as_uri()]}]
    program = """if True:
        import sys
        from engagement.__main__ import main
        assert main(["fetch-raw-data", *sys.argv[1:]]) == 0
        print(*sorted(name for name in sys.modules if "rapidpro" in name or "gcloud" in name))
    """
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", program, *project.arguments()]
    found = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    packages = [SOURCE_TYPES["GCloudBucket"], SOURCE_TYPES["RapidPro"]]
    assert found == [name for package in packages for name in (package, f"{package}.model")]
