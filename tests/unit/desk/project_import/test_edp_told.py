"""What is told of an engagement-database project: whatever is not carried over as it is. All names are invented."""

from pathlib import Path

import pytest

import old_edp_projects
from engagement.desk.project_import.edp.project import import_edp_project
from engagement.desk.project_import.migration import Migration
from engagement.foundation.errors import ConfigurationError
from old_edp_projects import CODA, DATASETS, FLOWS, HEAD, PIPELINE, convert

# What is written into the file, and the section and words that tell it.
TOLD = {
    "description": ({"more": 'description="Gardens of the coast"'}, "Dropped", ["description", "Gardens of the coast"]),
    "dashboard": ({"more": 'operations_dashboard=OperationsDashboardConfiguration("gs://garden/o")'}, "Dropped", ["gs://garden/o"]),
    "database": (
        {"more": 'engagement_database=EngagementDatabaseClientConfiguration(credentials_file_url="x", database_path="POOL-X")'},
        "Dropped", ["engagement_database", "POOL-X"],
    ),
    "write-back": ({"more": 'rapid_pro_target=RapidProTarget(sync_config=X(ContactField(key="garden_age")))'}, "To decide",
                   ["rapid_pro_target", "garden_age", '"WriteBack": {']),
    "test participants": ({"more": 'test_participant_uuids=["avf-phone-uuid-x"]'}, "To decide",
                          ["test_participant_uuids", "TestParticipantUUIDs", "avf-phone-uuid-x"]),
    "archive": ({"more": 'archive_configuration=ArchiveConfiguration("gs://garden-archive", "2023/GARDEN/")'}, "Changed",
                ["archive_configuration"]),
    "an argument that nobody knows": ({"more": 'moon_phase="full"'}, "To decide", ["moon_phase", "full", "garden.py:"]),
    "uuid filter": ({"sync": 'uuid_filter=UuidFilter("gs://garden/u.json")'}, "To decide", ["uuid_filter", "gs://garden/u.json"]),
    "creation dates": (
        {"flows": FLOWS.replace('"garden_s01e01")', '"garden_s01e01", isoparse("2023-03-01T00:00:00+03:00"))')}, "To decide",
        ["created_after_inclusive"],
    ),
    "a flow of another project": (
        {"flows": FLOWS.replace("[\n", '[\n            FlowResultConfiguration("other_flow", "x", "other_dataset"),\n', 1)},
        "Dropped", ["other_flow", "other_dataset"],
    ),
    "users": ({"coda_sync": 'project_users_file_url="gs://garden/users.json"'}, "To decide", ["gs://garden/users.json", "CodaUsers"]),
    "default WS dataset": ({"coda_sync": 'default_ws_dataset="old"'}, "To decide", ["default_ws_dataset", "old"]),
    "string values": ({"coda_sync": "set_dataset_from_ws_string_value=True"}, "To decide", ["set_dataset_from_ws_string_value"]),
    "cross tables": ({"analysis": 'cross_tabs=[("age_category", "gender")]'}, "Dropped", ["cross_tabs", "age_category"]),
    "groups": ({"analysis": 'membership_group_configuration=MembershipGroupConfiguration({"g": ["gs://garden/g.csv"]})'},
               "To decide", ["membership_group", "g.csv"]),
    "regression": ({"analysis": "enable_experimental_regression_analysis=True"}, "To decide", ["regression", "Predictors"]),
    "Kobo": (
        {"more": 'kobotoolbox_sources=[KoboToolBoxSource(sync_config=C(asset_uid="aGarden", question_configurations=['
                 'Q(data_column_name="Age", engagement_db_dataset="age")]))]'},
        "To decide", ["kobotoolbox_sources", "aGarden", "age"],
    ),
    "Telegram": ({"more": 'telegram_group_sources=[T(group_ids=["g1"])]'}, "To decide", ["telegram_group_sources", "g1"]),
    "a scheme without a file": (
        {"datasets": DATASETS.replace("demographics/age_category", "demographics/lost")}, "To decide",
        ["code_schemes/demographics/lost.json"],
    ),
    "other age categories": ({"datasets": DATASETS.replace("(18, 99)", "(18, 60)")}, "To decide", ["categories of age_category"]),
    "a dataset that nothing fills": ({"flows": FLOWS.replace('"garden_s01e01")', '"elsewhere")')}, "To decide",
                                     ["garden_s01e01", "s01e01_raw", "RQACodingPlans"]),
    "an auto coder that nobody knows": ({"auto_coder": "lambda x: moon(x)"}, "To decide", ["auto_coder of age", "moon(x)"]),
    "a function around an age": (
        {"auto_coder": "own_age", "before": "def own_age(text):\n    return str(somali.DemographicCleaner.clean_age(text))\n"},
        "Changed", ["auto_coder of age", "own_age", "somali.age"],
    ),
    "a dataset in Coda that nothing reads": (
        {"coda": CODA.replace("[\n", '[\n            CodaDatasetConfiguration(coda_dataset_id="OLD_x", engagement_db_dataset="x"),\n', 1)},
        "Dropped", ["OLD_x"],
    ),
    "a scheme in Coda that nothing uses": (
        {"coda": CODA.replace("[CodeSchemeConfiguration(load", '[CodeSchemeConfiguration(load_code_scheme("old/one")), '
                              "CodeSchemeConfiguration(load")}, "To decide", ["code_schemes/old/one.json", "GARDEN_s01e01"],
    ),
    "copies in Coda": ({"coda": CODA.replace("auto_coder=AUTO_CODER", "coda_code_schemes_count=2")}, "Changed",
                       ["coda_code_schemes_count of age"]),
    "a name that can't be read": ({"more": "pipeline_name=open('x').read()"}, "To decide", ["pipeline_name", "garden.py:"]),
    "flows that can't be read": ({"flows": "open('x').read()"}, "To decide", ["flow_result_configurations", "garden.py:"]),
    "a flow's name that can't be read": (
        {"flows": FLOWS.replace('"garden_s01e01", "rqa', "open('x'), \"rqa")}, "Dropped", ["open('x')", "garden_s01e01"],
    ),
    "files that can't be read": ({"more": "csv_sources=recovered_files()"}, "To decide", ["csv_sources", "garden.py:"]),
    "codings that can't be read": (
        {"datasets": DATASETS.replace('coding_configs=[CodingConfiguration(code_scheme=load_code_scheme("rqas/s01e01"), '
                                      'analysis_dataset="s01e01")]', "coding_configs=codings()")},
        "To decide", ["coding_configs", "garden.py:"],
    ),
    "test participants that can't be read": ({"more": "test_participant_uuids=[uuids()]"}, "To decide", ["test_participant_uuids"]),
    "two plans of one field": ({"datasets": DATASETS.replace('"age_raw"', '"s01e01_raw"')}, "To decide", ["second plan of s01e01_raw"]),
    "two datasets in one": ({"datasets": DATASETS.replace('["age"]', '["age", "age_2022"]')}, "To decide", ["age, age_2022"]),
    "a traffic label that ends before it starts": (
        {"analysis": 'traffic_labels=[TrafficLabel(isoparse("2023-03-02T00:00+03:00"), isoparse("2023-03-01T00:00+03:00"), "Ad")]'},
        "To decide", ["traffic_labels[0]", "Ad"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_an_argument_that_is_not_carried_over_as_it_is_is_told(tmp_path: Path, name: str):
    changes, section, words = TOLD[name]
    _, migration = convert(tmp_path, **changes)
    text = "\n".join(migration.lines(section))
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('PIPELINE_CONFIGURATION = PipelineConfiguration(pipeline_name="Only syncs")', "no analysis"),
        ("OTHER = 1", "PIPELINE_CONFIGURATION"),
        (
            "PIPELINE_CONFIGURATION = PipelineConfiguration("
            "analysis=AnalysisConfiguration(dataset_configurations=open('plans').read()))",
            "dataset_configurations",
        ),
    ],
)
def test_a_file_without_an_analysis_is_refused_in_one_sentence(tmp_path: Path, text: str, word: str):
    file = tmp_path / "sync.py"
    file.write_text(HEAD + text + "\n")
    with pytest.raises(ConfigurationError, match=word):
        import_edp_project(tmp_path, file, Migration())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('ws_code_match_value="age"', 'ws_code_match_value=os.environ["WS"]', "ws_code_match_value of POOL_age"),
        ("None, 3)", "None, COUNT())", "coda_code_schemes_count"),
    ],
)
def test_what_of_coda_cannot_be_read_is_told(tmp_path: Path, old: str, new: str, words: str):
    _, migration = convert(tmp_path, coda=CODA.replace(old, new), before="import os\n")
    assert words in "\n".join(migration.lines("To decide"))


def test_a_type_of_dataset_that_is_not_known_is_told(tmp_path: Path):
    _, migration = convert(tmp_path, datasets=DATASETS.replace("DatasetTypes.DEMOGRAPHIC", "DatasetTypes.POLL"))
    assert any(line.startswith("`dataset_type of age_raw`: `POLL`") for line in migration.lines("To decide"))


@pytest.mark.parametrize("place", ["KENYA_COUNTY", "SOMALIA_ZONE"])
def test_a_map_that_is_left_out_is_told_in_one_line(tmp_path: Path, place: str):
    maps = f'[MapConfiguration(AnalysisLocations.{place}, lambda name: name != "kitui", "lower left")]'
    text = PIPELINE.replace("maps=[]", f"maps={maps}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(old_edp_projects, "PIPELINE", text)
        _, migration = convert(tmp_path)
    (line,) = [line for line in migration.lines("To decide") if "map" in line.casefold()]
    assert line.startswith(f"`maps: {place}`")


def test_an_empty_list_loses_nothing_and_is_not_told(tmp_path: Path):
    _, migration = convert(tmp_path, analysis="cross_tabs=[], membership_groups=()")
    assert not [line for line in [*migration.lines("Dropped"), *migration.lines("To decide")] if "cross_tabs" in line]
