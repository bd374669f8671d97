"""Loading a project: what it gives, and how everything that is wrong is told. Which faults there are is a table of the check."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import FoldStrategy, load_coding_plans, load_pipeline_configuration, load_project
from engagement.configuration.model import Model, models_in
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.foundation.errors import ConfigurationError
from engagement.sources.rapidpro.model import RapidProSource
from example_project import write_project

Change = Callable[[Any], object]


def test_the_example_project_loads_frozen_with_its_defaults(tmp_path: Path):
    project = load_project(write_project(tmp_path))
    plans = project.coding_plans
    assert [plan.raw_field for plan in plans.all] == [
        "rqa_s01e01_raw", "rqa_s01e02_raw", "gender_raw", "age_raw", "location_raw", "operator_raw",
    ]  # fmt: skip
    assert plans.rqa[0].coding_configurations[0].fold_strategy is FoldStrategy.LIST_OF_LABELS
    assert plans.demographic[0].coding_configurations[0].fold_strategy is FoldStrategy.ASSERT_LABEL_IDS_EQUAL
    assert plans.rqa[0].coda_dataset == "EXAMPLE_s01e01"
    assert plans.rqa[0].id_field == "rqa_s01e01_raw_id"
    assert plans.rqa[0].ws_code.code_id == "ws-episode_1"
    assert str(project.configuration.time_zone) == "Africa/Nairobi"
    with pytest.raises(ValueError, match="frozen"):
        project.configuration.pipeline_name = "other"


def refused(tmp_path: Path, **changes: Change) -> str:
    with pytest.raises(ConfigurationError) as error:
        load_project(write_project(tmp_path, **changes))
    assert error.value.exit_status == 10
    return str(error.value)


def test_the_problems_of_all_files_are_told_at_once_each_file_named_once(tmp_path: Path):
    def repeat_values(schemes: Any) -> None:
        schemes["gender"]["Codes"][1]["StringValue"] = "man"
        schemes["age"]["Codes"][1]["StringValue"] = "5"

    text = refused(
        tmp_path,
        change_configuration=lambda document: document.update(Typo=1),
        change_plans=lambda document: document["RQACodingPlans"][1].update(WSCode="nothing like it"),
        change_schemes=repeat_values,
    )
    assert "line 1, at $.Typo: unknown key" in text
    assert "nothing like it" in text
    assert text.count(".StringValue: ") == 2
    assert len(re.findall(r"\.json: \d problem", text)) == 4


def test_a_file_that_can_not_be_read_is_told_on_one_line(tmp_path: Path):
    path = write_project(tmp_path)
    (tmp_path / "coding_plans.json").unlink()
    with pytest.raises(
        ConfigurationError, match=r"coding_plans\.json: no such file; expected the coding plans\."
    ) as error:
        load_project(path)
    assert "\n" not in str(error.value)


def test_the_pipeline_configuration_alone_is_refused_with_lines_too(tmp_path: Path):
    path = write_project(tmp_path, lambda document: document.update(FilterTestMessages="true"))
    with pytest.raises(ConfigurationError, match=r"line 1, at \$\.FilterTestMessages: 'true' is of the wrong kind"):
        load_pipeline_configuration(path)
    path.write_text('{"PipelineName": "A",}')
    with pytest.raises(ConfigurationError, match="line 1, column 21: a comma after the last entry"):
        load_pipeline_configuration(path)


def test_the_coding_plans_alone_are_refused_with_lines_too(tmp_path: Path):
    write_project(tmp_path, change_plans=lambda document: document["RQACodingPlans"][1].update(CodaFilename="gender"))
    with pytest.raises(
        ConfigurationError, match=r"line 1, at \$\.RQACodingPlans\[1\]\.CodaFilename: 'gender' is no dataset"
    ):
        load_coding_plans(tmp_path / "coding_plans.json")


def test_a_schema_for_editors_is_not_part_of_what_a_file_says(tmp_path: Path):
    def name_schema(document: Any) -> None:
        document["$schema"] = "../schema/some.json"

    def name_schemas(schemes: Any) -> None:
        for scheme in schemes.values():
            name_schema(scheme)

    project = load_project(write_project(tmp_path, name_schema, name_schema, name_schemas))
    scheme = project.coding_plans.rqa[0].coding_configurations[0].code_scheme
    assert "$schema" not in scheme.model_dump(by_alias=True, exclude_unset=True)


def test_missing_ws_and_stop_codes_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    def without_stop(schemes: dict) -> None:
        schemes["gender"]["Codes"] = [c for c in schemes["gender"]["Codes"] if c["StringValue"] not in ("STOP", "WS")]

    load_project(write_project(tmp_path, change_schemes=without_stop))
    assert "'gender.json' has no code WS and no code STOP" in caplog.text


def test_an_existing_configuration_needs_only_the_coding_plans_file_more(tmp_path: Path):
    path = write_project(tmp_path)
    document = json.loads(path.read_text())
    document |= {
        "TimestampRemappings": [],
        "AutomatedAnalysis": {"GenerateRegionThemeDistributionMaps": False},
        "DriveUpload": {
            "DriveCredentialsFileURL": "gs://a/b.json", "ProductionUploadPath": "a", "MessagesUploadPath": "b",
            "IndividualsUploadPath": "c", "AnalysisGraphsDir": "d",
        },
        "MemoryProfileUploadBucket": "gs://a", "DataArchiveUploadBucket": "gs://b", "BucketDirPath": "2026/x/",
    }  # fmt: skip
    path.write_text(json.dumps(document))
    assert load_pipeline_configuration(path).bucket_dir_path == "2026/x/"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"Domain": "TextIt.in"}, "textit.in"),
        ({"Domain": "http://127.0.0.1:8080/"}, "127.0.0.1:8080"),
        ({"Domain": "textit.in", "ContactsFileName": "project_contacts"}, "project_contacts"),
    ],
)
def test_contacts_go_by_their_hosts_name_where_no_other_is_given(keys: dict[str, str], name: str):
    document = {"SourceType": "RapidPro", "TokenFileURL": "gs://keys/token.txt", **keys}
    assert RapidProSource.model_validate_json(json.dumps(document)).contacts_name == name


@pytest.mark.parametrize(
    "time", ["2026-03-31T24:00:00+03:00", "2026-03-31T24:00+03:00", "2026-03-31T24:00:00.000+03:00"]
)
def test_a_day_ends_at_24_00(tmp_path: Path, time: str):
    project = load_project(write_project(tmp_path, lambda document: document.update(ProjectEndDate=time)))
    assert project.configuration.project_end_date.isoformat() == "2026-04-01T00:00:00+03:00"


@pytest.mark.parametrize(
    "time", ["2026-03-31T24:01:00+03:00", "2026-03-31T24:00:00", "9999-12-31T24:00:00Z", "0001-01-01T00:00:00+03:00"]
)
def test_other_times_past_a_days_end_are_refused(tmp_path: Path, time: str):
    with pytest.raises(ConfigurationError, match=r"\$\.ProjectEndDate"):
        load_project(write_project(tmp_path, lambda document: document.update(ProjectEndDate=time)))


def every_model(model: type[Model]) -> set[type[Model]]:
    inner = {found for field in model.model_fields.values() for found in models_in(field.annotation)}
    return {model}.union(*map(every_model, inner))


@pytest.mark.parametrize("model", sorted(every_model(PipelineConfiguration), key=lambda model: model.__name__))
def test_every_key_has_a_description_and_an_example(model: type[Model]):
    for name, field in model.model_fields.items():
        assert field.alias and field.description and field.examples is not None, f"{model.__name__}.{name}"
