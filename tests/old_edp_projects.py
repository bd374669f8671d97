"""An invented project of the Engagement Data Pipeline, whose parts a test can replace."""

import json
from pathlib import Path

from engagement.desk.project_import.edp.project import import_edp_project
from engagement.desk.project_import.migration import Migration
from engagement.desk.project_import.writing import ImportedProject

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
