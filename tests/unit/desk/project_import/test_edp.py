"""Projects of the Engagement Data Pipeline: each argument is carried over, or named. All names are invented."""

import json
from pathlib import Path

import pytest

from engagement.desk.project_import.edp.project import import_edp_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.writing import ImportedProject
from engagement.foundation.errors import ConfigurationError

HEAD = """
from core_data_modules.cleaners import somali, swahili
from core_data_modules.cleaners.codes import Codes
from dateutil.parser import isoparse
from src.pipeline_configuration_spec import *

"""
FLOWS = """[
            FlowResultConfiguration("garden_s01e01", "rqa_s01e01", "garden_s01e01"),
            FlowResultConfiguration(flow_name="garden_questions", flow_result_field="garden_age", engagement_db_dataset="age"),
        ]"""
DATASETS = """[
            AnalysisDatasetConfiguration(
                engagement_db_datasets=["garden_s01e01"], dataset_type=DatasetTypes.RESEARCH_QUESTION_ANSWER,
                raw_dataset="s01e01_raw",
                coding_configs=[CodingConfiguration(code_scheme=load_code_scheme("rqas/s01e01"), analysis_dataset="s01e01")],
            ),
            AnalysisDatasetConfiguration(
                engagement_db_datasets=["age"], dataset_type=DatasetTypes.DEMOGRAPHIC, raw_dataset="age_raw",
                coding_configs=[
                    CodingConfiguration(code_scheme=load_code_scheme("demographics/age"), analysis_dataset="age"),
                    CodingConfiguration(
                        code_scheme=load_code_scheme("demographics/age_category"), analysis_dataset="age_category",
                        age_category_config=AgeCategoryConfiguration(
                            age_analysis_dataset="age", categories={(10, 17): "10 to 17", (18, 99): "18 to 99"}
                        ),
                    ),
                ],
            ),
        ]"""
CODA = """[
            CodaDatasetConfiguration(
                coda_dataset_id="GARDEN_s01e01", engagement_db_dataset="garden_s01e01", ws_code_match_value="s01e01",
                code_scheme_configurations=[CodeSchemeConfiguration(load_code_scheme("rqas/s01e01"), None, 3)],
            ),
            CodaDatasetConfiguration(
                coda_dataset_id="POOL_age", engagement_db_dataset="age", ws_code_match_value="age",
                code_scheme_configurations=[
                    CodeSchemeConfiguration(code_scheme=load_code_scheme("demographics/age"), auto_coder=AUTO_CODER)
                ],
            ),
        ]"""
PIPELINE = """
PIPELINE_CONFIGURATION = PipelineConfiguration(
    pipeline_name="Garden",
    project_start_date=isoparse("2023-02-01T00:00:00+03:00"),
    project_end_date=isoparse("2023-04-30T24:00:00+03:00"),
    uuid_table=UUIDTableClientConfiguration(
        credentials_file_url="gs://garden/id.json", table_name="garden", uuid_prefix="avf-phone-uuid-"
    ),
    rapid_pro_sources=[RapidProSource(
        rapid_pro=RapidProClientConfiguration(domain="textit.com", token_file_url="gs://garden/token.txt"),
        sync_config=RapidProToEngagementDBConfiguration(flow_result_configurations=FLOWS, SYNC),
    )],
    coda_sync=CodaConfiguration(
        coda=CodaClientConfiguration(credentials_file_url="gs://garden/coda.json"),
        sync_config=CodaSyncConfiguration(
            dataset_configurations=CODA, ws_correct_dataset_code_scheme=load_code_scheme("ws"), CODA_SYNC
        ),
    ),
    analysis=AnalysisConfiguration(dataset_configurations=DATASETS, maps=[], ANALYSIS),
    MORE
)
"""
CONTROL = ("NA", "NC", "NR", "CE", "WS", "STOP")
AGES = ("10 to 17", "18 to 99")


def scheme(name: str, *values: str) -> dict[str, object]:
    codes: list[dict[str, object]] = [
        {"CodeID": f"code-{n}", "CodeType": "Normal", "DisplayText": value, "NumericValue": n, "StringValue": value,
         "VisibleInCoda": True, "MatchValues": [value]}
        for n, value in enumerate(values, start=1)
    ]  # fmt: skip
    codes += [
        {"CodeID": f"code-{code}", "CodeType": "Control", "ControlCode": code, "DisplayText": code, "NumericValue": -n,
         "StringValue": code, "VisibleInCoda": True}
        for n, code in enumerate(CONTROL, start=1)
    ]  # fmt: skip
    return {"SchemeID": f"Scheme-{name}", "Name": name, "Version": "0.0.0.1", "Codes": codes}


SCHEMES = {
    "rqas/s01e01": scheme("s01e01", "seeds", "water"),
    "demographics/age": scheme("age", "20"),
    "demographics/age_category": scheme("age_category", *AGES),
    "demographics/county": scheme("county", "kilifi"),
    "demographics/operator": scheme("operator", "golis"),
    "ws": scheme("ws", "s01e01", "age"),
}


def convert(
    tmp_path: Path, *, flows: str = FLOWS, sync: str = "", coda: str = CODA, coda_sync: str = "", datasets: str = DATASETS,
    analysis: str = "", more: str = "", auto_coder: str = "None", before: str = "",
) -> tuple[ImportedProject, Migration]:  # fmt: skip
    text = PIPELINE
    for word, part in (
        ("CODA_SYNC", coda_sync), ("SYNC", sync), ("FLOWS", flows), ("=CODA,", f"={coda},"), ("DATASETS", datasets),
        ("ANALYSIS", analysis), ("MORE", more), ("AUTO_CODER", auto_coder),
    ):  # fmt: skip
        text = text.replace(word, part).replace(", )", ")").replace(", ,", ",")
    file = tmp_path / "configurations" / "garden.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEAD + before + text)
    for name, document in SCHEMES.items():
        path = tmp_path / "code_schemes" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    migration = Migration()
    project = import_edp_project(tmp_path, file, migration)
    # What is written must be JSON, whatever stood in the file.
    json.dumps([project.configuration, project.coding_plans])
    return project, migration


def all_plans(project: ImportedProject) -> dict[str, dict]:
    return {
        plan["RawField"]: plan
        for kind in ("RQACodingPlans", "DemographicCodingPlans")
        for plan in project.coding_plans[kind]
    }


def test_the_old_folder_may_be_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    convert(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    folder = Path(tmp_path.name)
    project = import_edp_project(folder, folder / "configurations" / "garden.py", Migration())
    assert list(all_plans(project)) == ["s01e01_raw", "age_raw"]


def test_an_analysis_dataset_becomes_a_plan(tmp_path: Path):
    project, _ = convert(tmp_path, auto_coder="lambda x: str(swahili.DemographicCleaner.clean_age_within_range(x))")
    assert project.coding_plans == {
        "CodeSchemesDir": "code_schemes",
        "WSCorrectDatasetScheme": "ws.json",
        "RQACodingPlans": [
            {
                "RawField": "s01e01_raw",
                "TimeField": "sent_on",
                "RunIDField": "s01e01_run_id",
                "CodaFilename": "GARDEN_s01e01.json",
                "ICRFilename": "s01e01.csv",
                "WSCode": "s01e01",
                "RawFieldFoldStrategy": "concatenate",
                "CodingConfigurations": [
                    {
                        "CodingMode": "MULTIPLE",
                        "CodeScheme": "rqas/s01e01.json",
                        "CodedField": "s01e01_coded",
                        "AnalysisFileKey": "s01e01",
                    }
                ],
            }
        ],
        "DemographicCodingPlans": [
            {
                "RawField": "age_raw",
                "TimeField": "age_time",
                "CodaFilename": "POOL_age.json",
                "WSCode": "age",
                "RawFieldFoldStrategy": "assert_equal",
                "CodeImputationFunction": "age_category",
                "CodingConfigurations": [
                    {
                        "CodingMode": "SINGLE",
                        "CodeScheme": "demographics/age.json",
                        "CodedField": "age_coded",
                        "AnalysisFileKey": "age",
                        "Cleaner": "swahili.age",
                    },
                    {
                        "CodingMode": "SINGLE",
                        "CodeScheme": "demographics/age_category.json",
                        "CodedField": "age_category_coded",
                        "AnalysisFileKey": "age_category",
                        "InCoda": False,
                    },
                ],
            }
        ],
        "FollowUpCodingPlans": [],
    }
    assert set(project.schemes) == {
        f"{name}.json" for name in ("rqas/s01e01", "demographics/age", "demographics/age_category", "ws")
    }
    assert project.schemes["ws.json"] == (tmp_path / "code_schemes/ws.json").read_bytes()


def test_flows_become_a_source_with_the_keys_of_their_results(tmp_path: Path):
    project, _ = convert(tmp_path)
    (source,) = project.configuration["RawDataSources"]
    assert source["ActivationFlowNames"] == ["garden_s01e01"]
    assert source["SurveyFlowNames"] == ["garden_questions"]
    assert project.configuration["RapidProKeyRemappings"] == [
        {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
        {"RapidProKey": "Rqa_S01E01 (Text) - garden_s01e01", "PipelineKey": "s01e01_raw", "IsActivationMessage": True},
        {"RapidProKey": "Rqa_S01E01 (Run ID) - garden_s01e01", "PipelineKey": "s01e01_run_id"},
        {"RapidProKey": "Rqa_S01E01 (Time) - garden_s01e01", "PipelineKey": "sent_on"},
        {"RapidProKey": "Garden_Age (Text) - garden_questions", "PipelineKey": "age_raw"},
        {"RapidProKey": "Garden_Age (Time) - garden_questions", "PipelineKey": "age_time"},
    ]
    assert project.configuration["ProjectEndDate"] == "2023-05-01T00:00:00+03:00"


CSV = """csv_sources=[
        CSVSource("gs://garden/all.csv", [CSVDatasetConfiguration(
            "garden_s01e01", start_date=isoparse("2023-02-02T00:00:00+03:00"), end_date=isoparse("2023-02-08T24:00:00+03:00")
        )], timezone="Africa/Mogadishu"),
        CSVSource("gs://garden/ages.csv", engagement_db_datasets=[CSVDatasetConfiguration("age")], timezone="Africa/Nairobi"),
    ]"""


def test_a_file_with_dates_becomes_a_source_with_ranges_and_one_without_is_asked_for(tmp_path: Path):
    project, migration = convert(tmp_path, more=CSV)
    assert project.configuration["RawDataSources"][1] == {
        "SourceType": "RecoveryCSV",
        "ActivationFlowURLs": ["gs://garden/all.csv"],
    }
    assert project.configuration["TimestampRemappings"] == [
        {
            "TimeKey": "received_on",
            "ShowPipelineKeyToRemapTo": "s01e01_raw",
            "RangeStartInclusive": "2023-02-02T00:00:00+03:00",
            "RangeEndExclusive": "2023-02-09T00:00:00+03:00",
        }
    ]
    assert project.configuration["TimeZone"] == "Africa/Mogadishu"
    (asked,) = [line for line in migration.lines("To decide") if line.startswith("`csv_sources[1]`")]
    assert "gs://garden/ages.csv" in asked
    assert '"Keys"' in asked


# What is written into the file, and the section and words that tell it.
TOLD = {
    "description": ({"more": 'description="Gardens of the coast"'}, "Dropped", ["description", "Gardens of the coast"]),
    "dashboard": ({"more": 'operations_dashboard=OperationsDashboardConfiguration("gs://garden/o")'}, "Dropped", ["gs://garden/o"]),
    "database": (
        {"more": 'engagement_database=EngagementDatabaseClientConfiguration(credentials_file_url="x", database_path="POOL-X")'},
        "Dropped", ["engagement_database", "POOL-X"],
    ),
    "write-back": ({"more": 'rapid_pro_target=RapidProTarget(sync_config=X(ContactField(key="garden_age")))'}, "To decide",
                   ["rapid_pro_target", "garden_age"]),
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


def test_a_dataset_that_nothing_fills_has_no_plan(tmp_path: Path):
    project, _ = convert(tmp_path, flows=FLOWS.replace('"garden_s01e01")', '"elsewhere")'))
    assert list(all_plans(project)) == ["age_raw"]
    assert project.configuration["RawDataSources"][0]["ActivationFlowNames"] == []


def test_several_copies_of_a_scheme_in_coda_allow_several_labels(tmp_path: Path):
    project, _ = convert(tmp_path, coda=CODA.replace("auto_coder=AUTO_CODER", "coda_code_schemes_count=2"))
    assert all_plans(project)["age_raw"]["CodingConfigurations"][0]["CodingMode"] == "MULTIPLE"


LOCATION = """,
            AnalysisDatasetConfiguration(
                engagement_db_datasets=["place"], dataset_type=DatasetTypes.DEMOGRAPHIC, raw_dataset="place_raw",
                coding_configs=[CodingConfiguration(
                    code_scheme=load_code_scheme("demographics/county"), analysis_dataset="county",
                    analysis_location=AnalysisLocations.KENYA_COUNTY)],
            ),
            OperatorDatasetConfiguration(raw_dataset="operator_raw", coding_configs=[CodingConfiguration(
                code_scheme=load_code_scheme("demographics/operator"), analysis_dataset="operator",
                analysis_location=AnalysisLocations.SOMALIA_OPERATOR)]),
        ]"""
MAPS = "maps=[MapConfiguration(AnalysisLocations.KENYA_COUNTY, region_filter=lambda c: c in {'kilifi'})]"


def place_project(tmp_path: Path) -> tuple[ImportedProject, Migration]:
    return convert(
        tmp_path,
        datasets=DATASETS.rstrip("]").rstrip().rstrip(",") + LOCATION + f", {MAPS}",
        flows=FLOWS.replace(
            "[\n", '[\n            FlowResultConfiguration("garden_questions", "place", "place"),\n', 1
        ),
        analysis='traffic_labels=[TrafficLabel(isoparse("2023-02-01T08:00+03:00"), isoparse("2023-02-01T24:00+03:00"), "Advert")]',
    )


def test_places_operators_maps_and_traffic_are_carried_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "PIPELINE", PIPELINE.replace("maps=[], ", ""))
    project, migration = place_project(tmp_path)
    plans = all_plans(project)
    assert plans["place_raw"]["CodeImputationFunction"] == "kenya_location"
    assert "TimeField" not in plans["operator_raw"]
    assert project.coding_plans["OperatorScheme"] == "demographics/operator.json"
    assert project.configuration["AutomatedAnalysis"] == {
        "Maps": [{"Level": "county", "CodedField": "county_coded", "OnlyIn": ["kilifi"]}],
        "TrafficLabels": [
            {"StartDate": "2023-02-01T08:00+03:00", "EndDate": "2023-02-02T00:00:00+03:00", "Label": "Advert"}
        ],
    }
    # Nobody can label the place: it is in no dataset of Coda.
    assert any(line.startswith("`place (coda_sync)`") for line in migration.lines("To decide"))


def test_a_district_that_was_never_proposed_is_proposed_now(tmp_path: Path):
    coder = (
        "lambda x: somali.DemographicCleaner.clean_somalia_district(x) "
        "if somali.DemographicCleaner.clean_mogadishu_sub_district == Codes.NOT_CODED else Codes.NOT_CODED"
    )
    project, migration = convert(tmp_path, auto_coder=coder)
    coding = all_plans(project)["age_raw"]["CodingConfigurations"][0]
    assert coding["Cleaner"] == "somali.district_unless_mogadishu_sub_district"
    assert any("never" in line for line in migration.lines("Changed"))


def test_a_ws_code_may_be_named_by_its_string_value(tmp_path: Path):
    by_string = CODA.replace('ws_code_match_value="age"', 'ws_code_string_value="age"')
    project, migration = convert(tmp_path, coda=by_string)
    assert all_plans(project)["age_raw"]["WSCode"] == "age"
    assert any("ws_code_string_value" in line for line in migration.lines("Changed"))


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


SECOND_READER = """AnalysisDatasetConfiguration(
    engagement_db_datasets=["age"], dataset_type=DatasetTypes.DEMOGRAPHIC, raw_dataset="age_again_raw",
    coding_configs=[CodingConfiguration(code_scheme=load_code_scheme("demographics/age_category"), analysis_dataset="again")],
)]"""


def flows_of(project: ImportedProject) -> tuple[list[str], list[str]]:
    source = project.configuration["RawDataSources"][0]
    return source["ActivationFlowNames"], source["SurveyFlowNames"]


@pytest.mark.parametrize("results", [("garden_age|age", "rqa|garden_s01e01"), ("rqa|garden_s01e01", "garden_age|age")])
def test_a_flow_with_an_episodes_answer_is_read_as_messages_whatever_comes_first(tmp_path: Path, results):
    names = [result.split("|") for result in results]
    flows = ", ".join(f'FlowResultConfiguration("both", "{name}", "{dataset}")' for name, dataset in names)
    project, _ = convert(tmp_path, flows=f"[{flows}]")
    assert flows_of(project) == (["both"], [])


def test_a_result_that_is_named_twice_is_remapped_once(tmp_path: Path):
    once, _ = convert(tmp_path)
    twice, _ = convert(tmp_path, flows=f"{FLOWS} + {FLOWS}")
    assert twice.configuration == once.configuration


def test_a_dataset_that_two_analyses_read_has_one_plan(tmp_path: Path):
    project, migration = convert(tmp_path, datasets=f"{DATASETS[:-1]}{SECOND_READER}")
    assert list(all_plans(project)) == ["s01e01_raw", "age_raw"]
    (line,) = [line for line in migration.lines("To decide") if "age_again_raw" in line]
    assert "the plan of age_raw reads age already" in line
    assert '"AnalysisFileKey": "again"' in line


@pytest.mark.parametrize(
    ("auto_coder", "stub"),
    [
        ("guess", "guess"),  # a function of the file
        ("lambda text: guess(text)", "guess"),  # one behind a lambda
        ("partial(guess, 3)", "guess"),
        ('lambda text: "20" if text else None', "clean_age"),  # one without a name
        ("clever.Cleaner.clean_all", "clean_all"),  # one of a library that nobody has
    ],
)
def test_an_auto_coder_that_nothing_here_is_like_gets_a_stub(tmp_path: Path, auto_coder: str, stub: str):
    before = "from functools import partial\nimport clever\ndef guess(text):\n    return text\n"
    project, migration = convert(tmp_path, auto_coder=auto_coder, before=before)
    assert project.functions is not None
    compile(project.functions, "functions.py", "exec")
    assert f"def {stub}(text):" in project.functions.decode()
    assert "NotImplementedError" in project.functions.decode()
    assert "Cleaner" not in all_plans(project)["age_raw"]["CodingConfigurations"][0]
    (line,) = [line for line in migration.lines("To decide") if "auto_coder of age" in line]
    assert f'"Cleaner": "functions:{stub}"' in line


def test_without_unknown_functions_there_is_no_file_of_functions(tmp_path: Path):
    assert convert(tmp_path, auto_coder="swahili.DemographicCleaner.clean_age")[0].functions is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        # Dates of a file that answers a question about participants
        ('csv_sources=[CSVSource("gs://g/a.csv", [CSVDatasetConfiguration("age", isoparse("2023-03-01T00:00+03:00"))])],',
         "sent from '2023-03-01T00:00+03:00' answer 'age'. Take out the others"),
        # Datasets by position
        ('kobotoolbox_sources=[Kobo(KoboToolBoxQuestionConfiguration("group/Age", "age"))],', "answers to age are missing"),
        ('facebook_sources=[FacebookSource("page", datasets=[FacebookDataset("comments")])],', "answers to comments are"),
        # Nothing is said of no dataset
        ('facebook_sources=[FacebookSource("page")],', "Its answers are missing"),
    ],
)  # fmt: skip
def test_what_no_source_brings_is_told_with_its_datasets_and_dates(tmp_path: Path, more: str, words: str):
    assert words in "\n".join(convert(tmp_path, more=more)[1].lines("To decide"))


def test_a_plan_that_is_left_out_names_the_source_that_would_fill_it(tmp_path: Path):
    more = 'csv_sources=[CSVSource("gs://g/a.csv", [CSVDatasetConfiguration("age")])],'
    flows = '[FlowResultConfiguration("garden_s01e01", "rqa_s01e01", "garden_s01e01")]'
    lines = convert(tmp_path, flows=flows, more=more)[1].lines("To decide")
    assert any("nothing fills it yet (see csv_sources[0] above), so its plan was left out" in line for line in lines)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("created_after_inclusive", "runs created before '2023-03-01T00:00+03:00' did not count"),
        ("created_before_exclusive", "runs created from '2023-03-01T00:00+03:00' on did not count"),
    ],
)
def test_dates_of_runs_that_no_longer_count_are_told(tmp_path: Path, key: str, words: str):
    flows = f'[FlowResultConfiguration("f", "r", "age", {key}=isoparse("2023-03-01T00:00+03:00"))]'
    assert words in "\n".join(convert(tmp_path, flows=flows)[1].lines("To decide"))


def test_a_dataset_with_two_datasets_in_coda_keeps_the_first_and_tells(tmp_path: Path):
    other = (
        'CodaDatasetConfiguration(coda_dataset_id="OTHER_age", engagement_db_dataset="age", ws_code_match_value="age")'
    )
    project, migration = convert(tmp_path, coda=f"{CODA} + [{other}]")
    assert all_plans(project)["age_raw"]["CodaFilename"] == "POOL_age.json"
    assert any(line.startswith("`coda_sync: OTHER_age`") for line in migration.lines("To decide"))


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
        patch.setitem(globals(), "PIPELINE", text)
        _, migration = convert(tmp_path)
    (line,) = [line for line in migration.lines("To decide") if "map" in line.casefold()]
    assert line.startswith(f"`maps: {place}`")


def test_an_empty_list_loses_nothing_and_is_not_told(tmp_path: Path):
    _, migration = convert(tmp_path, analysis="cross_tabs=[], membership_groups=()")
    assert not [line for line in [*migration.lines("Dropped"), *migration.lines("To decide")] if "cross_tabs" in line]
