"""The demo's configuration: valid, complete, and about the workspace that the sandbox invents."""

import json
from collections import Counter
from pathlib import Path

import pytest

from engagement.configuration import CodeType, load_project
from engagement.foundation.data_tables import read_table
from engagement.pipeline.coding.cleaning.places import somali_places
from engagement.sandbox.answers import ANY_DATASET
from engagement.sandbox.coder import DATASET_PREFIX
from engagement.sandbox.prepare import DEMO_CONFIGURATION
from engagement.sandbox.rows import result_name
from engagement.sandbox.season import FLOWS_BY_NAME
from engagement.sandbox.workspace import DEFAULT_SEED
from sandbox_season import cached_workspace

PROJECT = load_project(Path(DEMO_CONFIGURATION) / "pipeline_configuration.json")
WORKSPACE = cached_workspace(DEFAULT_SEED, 0)
CODED_IN_CODA = [plan for plan in PROJECT.coding_plans.all if plan.coda_dataset]
SCHEME_FILES = sorted((Path(DEMO_CONFIGURATION) / "code_schemes").glob("*.json"))


def test_every_code_has_an_id_of_its_own_in_all_schemes():
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in SCHEME_FILES]
    ids = Counter(code["CodeID"] for document in documents for code in document["Codes"])
    assert set(ids.values()) == {1}
    assert len({document["SchemeID"] for document in documents}) == len(documents)


def test_every_scheme_file_is_used():
    plans = PROJECT.coding_plans
    used = {configuration.code_scheme_file for plan in plans.all for configuration in plan.coding_configurations}
    used |= {plans.ws_correct_dataset_scheme_file}
    assert {path.name for path in SCHEME_FILES} == used


def test_coders_have_every_control_code():
    for plan in CODED_IN_CODA:
        for configuration in plan.coding_configurations:
            controls = {code.control_code for code in configuration.code_scheme.codes if code.control_code}
            assert {"NA", "NS", "NC", "NR", "NIC", "STOP", "WS", "CE"} <= controls, configuration.code_scheme_file


def test_every_place_has_a_code():
    (plan,) = [plan for plan in CODED_IN_CODA if plan.code_imputation_function == "somalia_location"]
    for configuration, level in zip(plan.coding_configurations, somali_places().levels, strict=True):
        normal = {value for code in configuration.code_scheme.codes if code.is_normal for value in code.match_values}
        assert normal == set(somali_places().codes(level))


def test_every_dataset_can_be_named_as_the_right_one():
    ws_scheme = PROJECT.coding_plans.ws_correct_dataset_scheme
    named = {code.code_id for code in ws_scheme.codes if code.code_type is CodeType.NORMAL}
    assert {plan.ws_code.code_id for plan in CODED_IN_CODA} == named


def test_the_source_is_the_sandbox():
    (source,) = PROJECT.configuration.raw_data_sources
    assert source.domain == "http://127.0.0.1:8010"
    assert source.test_contact_uuids == WORKSPACE.test_contact_uuids
    flows = {flow["name"] for flow in WORKSPACE.flows}
    assert {*source.activation_flow_names, *source.survey_flow_names} < flows


def test_every_result_of_its_flows_is_read():
    (source,) = PROJECT.configuration.raw_data_sources
    read = {remapping.rapid_pro_key for remapping in PROJECT.configuration.rapid_pro_key_remappings}
    for flow in (*source.activation_flow_names, *source.survey_flow_names):
        for key in FLOWS_BY_NAME[flow].results:
            assert {f"{result_name(key)} (Text) - {flow}", f"{result_name(key)} (Time) - {flow}"} <= read


def test_some_runs_lie_outside_the_project_and_most_within():
    start, end = PROJECT.configuration.project_start_date, PROJECT.configuration.project_end_date
    assert start.isoformat() == "2026-08-03T00:00:00+03:00"
    assert max(run["modified_on"] for run in WORKSPACE.runs) < end.isoformat()


@pytest.mark.parametrize("table", ["answers", "themes", "places"])
def test_what_is_said_has_a_code_to_be_labelled_with(table):
    schemes = {
        plan.coda_dataset.removeprefix(DATASET_PREFIX): {
            code.string_value
            for configuration in plan.coding_configurations
            for code in configuration.code_scheme.codes
        }
        for plan in CODED_IN_CODA
    }
    for row in read_table("engagement.sandbox", table):
        dataset = row.get("dataset", "location")
        for name in schemes if dataset == ANY_DATASET else [dataset]:
            assert row["code"] in schemes[name], (name, row["code"])


def test_every_theme_is_drawn_and_can_be_said():
    themes = {(row["dataset"], row["code"]) for row in read_table("engagement.sandbox", "themes")}
    assert themes <= {(row["dataset"], row["code"]) for row in read_table("engagement.sandbox", "answers")}
    for plan in PROJECT.coding_plans.rqa:
        normal = {code.string_value for code in plan.coding_configurations[0].code_scheme.codes if code.is_normal}
        assert normal == {code for dataset, code in themes if dataset == plan.coda_dataset.removeprefix(DATASET_PREFIX)}


def test_every_text_of_the_season_can_be_labelled_wherever_it_was_sent():
    datasets = {plan.coda_dataset.removeprefix(DATASET_PREFIX) for plan in CODED_IN_CODA}
    assert all(set(meaning) <= {*datasets, ANY_DATASET} for meaning in WORKSPACE.meanings.values())
