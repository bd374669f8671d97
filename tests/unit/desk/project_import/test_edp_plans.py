"""Plans of engagement-database projects. All names are invented."""

from pathlib import Path

import pytest

import old_edp_projects
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.writing import ImportedProject
from old_edp_projects import CODA, DATASETS, FLOWS, PIPELINE, all_plans, convert


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
    monkeypatch.setattr(old_edp_projects, "PIPELINE", PIPELINE.replace("maps=[], ", ""))
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


SECOND_READER = """AnalysisDatasetConfiguration(
    engagement_db_datasets=["age"], dataset_type=DatasetTypes.DEMOGRAPHIC, raw_dataset="age_again_raw",
    coding_configs=[CodingConfiguration(code_scheme=load_code_scheme("demographics/age_category"), analysis_dataset="again")],
)]"""


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


def test_a_dataset_with_two_datasets_in_coda_keeps_the_first_and_tells(tmp_path: Path):
    other = (
        'CodaDatasetConfiguration(coda_dataset_id="OTHER_age", engagement_db_dataset="age", ws_code_match_value="age")'
    )
    project, migration = convert(tmp_path, coda=f"{CODA} + [{other}]")
    assert all_plans(project)["age_raw"]["CodaFilename"] == "POOL_age.json"
    assert any(line.startswith("`coda_sync: OTHER_age`") for line in migration.lines("To decide"))
