"""The table of bad configurations is the specification of what is refused, and of how it is said."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import FoldStrategy, load_pipeline_configuration, load_project
from engagement.configuration.model import Model, models_in
from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.errors import ConfigurationError
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


def edit(path: str, value: Any) -> Change:
    """Set what a path like "RawDataSources.0.Domain" leads to; `...` takes it away."""
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]

    def change(document: Any) -> None:
        for step in steps:
            document = document[step]
        if value is ...:
            del document[last]
        elif isinstance(document, list) and last == len(document):
            document.append(value)
        else:
            document[last] = value

    return change


BAD_CONFIGURATIONS = [
    (edit("PipelineName", ""), "at $.PipelineName: '' should be non-empty"),
    (edit("PipelineNam", "x"), "at $.PipelineNam: unknown key; nearest: 'PipelineName'."),
    (edit("RawDataSources.0.Domian", "x"), "at $.RawDataSources[0].Domian: unknown key; nearest: 'Domain'."),
    (edit("RawDataSources.0.Domain", ...), "at $.RawDataSources[0].Domain: missing; expected host of"),
    (edit("RawDataSources.0.ActivationFlowNames.0", 17), "at $.RawDataSources[0].ActivationFlowNames[0]: 17 should be a string"),
    (edit("RawDataSources.0.SourceType", "RapidPo"), "at $.RawDataSources[0].SourceType: 'RapidPo' should be 'RapidPro' or"),
    (edit("RawDataSources.0.TokenFileURL", "token.txt"), "at $.RawDataSources[0].TokenFileURL: 'token.txt' string should match"),
    (edit("RawDataSources", []), "at $.RawDataSources: [] should be non-empty"),
    (edit("RawDataSources.0.SurveyFlowNames.1", "s01e1_activation"), "flow 's01e1_activation' is already at"),
    (edit("ProjectStartDate", "2026-03-01"), "at $.ProjectStartDate: '2026-03-01' should be ISO 8601 with an offset"),
    (edit("ProjectStartDate", "2027-03-01T00:00:00Z"), "at $.ProjectEndDate: it is not after $.ProjectStartDate"),
    (edit("TimeZone", "Africa/Nairob"), "at $.TimeZone: 'Africa/Nairob' should be an IANA time zone"),
    (edit("FilterTestMessages", "true"), "at $.FilterTestMessages: 'true' should be true or false"),
    (edit("RapidProKeyRemappings.0.PipelineKey", "id"), "none makes 'uid' of 'avf_phone_id'"),
    (edit("RapidProKeyRemappings.1.PipelineKey", "rqa_s01e03_raw"), "'rqa_s01e03_raw' is no raw field of an RQA plan; nearest: 'rqa_s01e0"),
    (edit("RapidProKeyRemappings.1.IsActivationMessage", False), "it writes the RQA field 'rqa_s01e01_raw'; expected IsActivationMessage true"),
    (edit("RapidProKeyRemappings.7", {"RapidProKey": "a", "PipelineKey": "b"}), "none writes 'gender_raw', the RawField of a plan in DemographicCodingPlans"),
    (edit("TimestampRemappings", [{"TimeKey": "sent_on", "ShowPipelineKeyToRemapTo": "rqa"}]), "at $.TimestampRemappings[0].ShowPipelineKeyToRemapTo: 'rqa' is no raw field"),
]  # fmt: skip

BAD_PLANS = [
    (edit("RQACodingPlans.0.RawFeld", "x"), "at $.RQACodingPlans[0].RawFeld: unknown key; nearest: 'RawField'"),
    (edit("RQACodingPlans.1.RawField", "rqa_s01e01_raw"), "raw field 'rqa_s01e01_raw' is already at $.RQACodingPlans[0].RawField"),
    (edit("RQACodingPlans.1.CodaFilename", "EXAMPLE_gender.json"), "dataset 'EXAMPLE_gender.json' is already at"),
    (edit("RQACodingPlans.1.CodaFilename", "../x.json"), "'../x.json' should be a file name without a folder"),
    (edit("RQACodingPlans.1.ICRFilename", "s01e01.csv"), "ICR file 's01e01.csv' is already at"),
    (edit("RQACodingPlans.1.WSCode", "episode 3"), "'episode 3' is no match value of 'ws.json'; nearest: 'episode 2', 'episode 1'"),
    (edit("RQACodingPlans.1.CodingConfigurations.0.AnalysisFileKey", "rqa_s01e01"), "column 'rqa_s01e01_NA' is already at"),
    (edit("DemographicCodingPlans.0.CodingConfigurations.0.Cleaner", "somali.gendr"), "'somali.gendr' is not a cleaner; nearest: 'somali.gender'"),
    (edit("DemographicCodingPlans.1.CodeImputationFunction", "age_categry"), "is not an imputation function; nearest: 'age_category'"),
    (edit("DemographicCodingPlans.2.CodingConfigurations.4", ...), "4 of them; expected 5 for 'somalia_location', in this order: sub-district"),
    (edit("DemographicCodingPlans.0.CodingConfigurations.0.FoldStrategy", "list_of_labels"), "does not fold labels of mode 'SINGLE'"),
    (edit("DemographicCodingPlans.0.CodingConfigurations.0.FoldStrategy", "yes_no_amb"), "no match value 'ambivalent'"),
    (edit("DemographicCodingPlans.0.CodingConfigurations.0.CodeScheme", "gendr.json"), "gendr.json: no such file; expected a code scheme"),
    (edit("WSCorrectDatasetScheme", ...), "there is no WSCorrectDatasetScheme; expected one beside WS codes"),
]  # fmt: skip

BAD_SCHEMES = [
    (edit("gender.Codes.1.CodeID", "gender-man"), "at $.Codes[1].CodeID: 'gender-man' is also that of $.Codes[0]"),
    (edit("gender.Codes.1.NumericValue", 1), "at $.Codes[1].NumericValue: 1 is also that of $.Codes[0]"),
    (edit("gender.Codes.1.StringValue", "man"), "at $.Codes[1].StringValue: 'man' is also"),
    (edit("gender.Codes.1.MatchValues", ["man"]), "at $.Codes[1].MatchValues: 'man' is also"),
    (edit("gender.Codes.3.ControlCode", "NA"), "at $.Codes[3].ControlCode: 'NA' is also"),
    (edit("gender.Codes.2.ControlCode", ...), "at $.Codes[2]: no 'ControlCode'; expected one on a Control code"),
    (edit("gender.Codes.0.MetaCode", "x"), "at $.Codes[0].MetaCode: 'x' on a Normal code; expected none"),
    (edit("gender.Codes.0.Colour", "x"), "at $.Codes[0].Colour: unknown key; nearest: 'Color'"),
    (edit("gender.Codes.5", ...), "at code scheme 'gender.json': no control code NR"),
    (edit("gender.SchemeID", "Scheme-age"), "'age.json' and 'gender.json' both have SchemeID 'Scheme-age'"),
    (edit("operator.Codes.2", ...), "at code scheme 'operator.json': no control code NA"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BAD_CONFIGURATIONS)
def test_a_bad_configuration_is_refused_with_its_place(tmp_path: Path, change: Change, message: str):
    assert message in refused(tmp_path, change_configuration=change)


@pytest.mark.parametrize(("change", "message"), BAD_PLANS)
def test_bad_coding_plans_are_refused_with_their_place(tmp_path: Path, change: Change, message: str):
    assert message in refused(tmp_path, change_plans=change)


@pytest.mark.parametrize(("change", "message"), BAD_SCHEMES)
def test_a_bad_code_scheme_is_refused_with_its_place(tmp_path: Path, change: Change, message: str):
    assert message in refused(tmp_path, change_schemes=change)


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path):
    text = refused(
        tmp_path,
        change_configuration=edit("Typo", 1),
        change_plans=edit("RQACodingPlans.1.WSCode", "nothing like it"),
        change_schemes=lambda schemes: (
            edit("gender.Codes.1.StringValue", "man")(schemes),
            edit("age.Codes.1.StringValue", "5")(schemes),
        ),
    )
    assert "$.Typo" in text
    assert "nothing like it" in text
    assert text.count("StringValue") == 2
    assert len(re.findall(r"\.json: \d problem", text)) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6: not JSON"),
        ('{"PipelineName": "a", "PipelineName": "b"}', "key 'PipelineName' stands twice"),
        (b"\xff", "it is not UTF-8 text"),
        (None, "no such file"),
    ],
)
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: str | bytes | None, message: str):
    path = tmp_path / "pipeline_configuration.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        load_project(path)


def test_a_missing_coding_plans_file_is_a_configuration_error(tmp_path: Path):
    path = write_project(tmp_path)
    (tmp_path / "coding_plans.json").unlink()
    with pytest.raises(ConfigurationError, match=r"coding_plans\.json: no such file"):
        load_project(path)


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


def every_model(model: type[Model]) -> set[type[Model]]:
    inner = {found for field in model.model_fields.values() for found in models_in(field.annotation)}
    return {model}.union(*map(every_model, inner))


@pytest.mark.parametrize("model", sorted(every_model(PipelineConfiguration), key=lambda model: model.__name__))
def test_every_key_has_a_description_and_an_example(model: type[Model]):
    for name, field in model.model_fields.items():
        assert field.alias and field.description and field.examples is not None, f"{model.__name__}.{name}"
