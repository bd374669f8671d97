"""Small old projects in the shapes of earlier pipelines, all invented."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engagement.configuration.control_codes import DEFAULT_CONTROL_CODES

OBJECTS = """
class CodingModes(object):
    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"


class CodingConfiguration(object):
    def __init__(self, coding_mode, code_scheme, coded_field, fold_strategy, analysis_file_key=None, cleaner=None,
                 include_in_theme_distribution={in_themes}):
        pass


class CodingPlan(object):
    def __init__(self, raw_field, coding_configurations, raw_field_fold_strategy, coda_filename=None, ws_code=None,
                 time_field=None, run_id_field=None, icr_filename=None, id_field=None, code_imputation_function=None):
        pass
"""
SCHEMES = """
import json
from core_data_modules.data_models import CodeScheme


def _open_scheme(filename):
    with open(f"code_schemes/{filename}", "r") as f:
        firebase_map = json.load(f)
        return CodeScheme.from_firebase_map(firebase_map)


class CodeSchemes(object):
    TEA = _open_scheme("tea.json")
    AGE = _open_scheme("age.json")
    WS_CORRECT_DATASET = _open_scheme("ws.json")
"""
HEAD = """
from functools import partial
from core_data_modules.cleaners import somali, swahili, Codes
from core_data_modules.traced_data.util.fold_traced_data import FoldStrategies
from configuration import code_imputation_functions
from configuration.code_schemes import CodeSchemes
from src.lib.configuration_objects import CodingConfiguration, CodingModes, CodingPlan


def own_cleaner(text):
    return "black" if "shaah" in text else None


def clean_age_with_range_filter(text):
    age = swahili.DemographicCleaner.clean_age(text)
    return str(age) if type(age) == int and 10 <= age < 100 else Codes.NOT_CODED

"""


def tea_plan(more: str = "", coding: str = "", name: str = "tea") -> str:
    """Source of a plan of what tea people drink."""
    return f'''CodingPlan(raw_field="{name}_raw", time_field="sent_on", run_id_field="{name}_run_id",
    coda_filename="SHAAH_{name}.json", icr_filename="{name}.csv",
    coding_configurations=[CodingConfiguration(coding_mode=CodingModes.MULTIPLE, code_scheme=CodeSchemes.TEA,
        coded_field="{name}_coded", analysis_file_key="{name}",
        fold_strategy=lambda x, y: FoldStrategies.list_of_labels(CodeSchemes.TEA, x, y){coding})],
    raw_field_fold_strategy=FoldStrategies.concatenate{more})'''


def age_plan(
    cleaner: str = "lambda text: clean_age_with_range_filter(text)", fold: str = "FoldStrategies.assert_label_ids_equal"
) -> str:
    """Source of a plan of people's age."""
    return f"""CodingPlan(raw_field="age_raw", time_field="age_time", coda_filename="SHAAH_age.json",
    coding_configurations=[CodingConfiguration(coding_mode=CodingModes.SINGLE, code_scheme=CodeSchemes.AGE,
        coded_field="age_coded", analysis_file_key="age", cleaner={cleaner},
        fold_strategy={fold})],
    ws_code=CodeSchemes.WS_CORRECT_DATASET.get_code_with_match_value("age"),
    raw_field_fold_strategy=FoldStrategies.assert_equal)"""


def plans(rqa: str = f"[{tea_plan()}]", demographic: str = f"[{age_plan()}]") -> str:
    """Source of a file of plans in functions."""
    return f"""{HEAD}
def get_rqa_coding_plans(pipeline_name):
    return {rqa}


def get_demog_coding_plans(pipeline_name):
    return {demographic}


def get_follow_up_coding_plans(pipeline_name):
    return []


def get_ws_correct_dataset_scheme(pipeline_name):
    return CodeSchemes.WS_CORRECT_DATASET
"""


def code(value: str, **more: Any) -> dict[str, Any]:
    """Return a code of an old scheme."""
    return {"CodeID": f"code-{value}", "CodeType": "Normal", "DisplayText": value, "NumericValue": len(value) * 100 + ord(value[-1]),
            "StringValue": value, "VisibleInCoda": True, **more}  # fmt: skip


def scheme(name: str, codes: Sequence[Mapping[str, Any]], without: Sequence[str] = ()) -> dict[str, Any]:
    """Return an old scheme with the usual control codes."""
    controls = [
        {"CodeID": f"code-{control}-1", "CodeType": "Control", "ControlCode": str(control), "DisplayText": str(control),
         "NumericValue": -10 * number, "StringValue": str(control), "VisibleInCoda": True}
        for number, control in enumerate(DEFAULT_CONTROL_CODES, 1) if control not in without
    ]  # fmt: skip
    return {"SchemeID": f"Scheme-{name}", "Name": name, "Version": "0.0.0.1", "Codes": [*codes, *controls]}


def configuration(name: str = "SHAAH", **more: Any) -> dict[str, Any]:
    """Return an old JSON configuration."""
    keys = [
        ("avf_phone_id", "uid"), ("Rqa_Tea (Text) - tea_activation", "tea_raw"),
        ("Rqa_Tea (Time) - tea_activation", "sent_on"), ("Rqa_Tea (Run ID) - tea_activation", "tea_run_id"),
        ("Age (Text) - demog", "age_raw"), ("Age (Time) - demog", "age_time"),
    ]  # fmt: skip
    remappings = [{"RapidProKey": raw, "PipelineKey": field} for raw, field in keys]
    remappings[1] |= {"IsActivationMessage": True}
    return {
        "PipelineName": name,
        "RawDataSources": [{"SourceType": "RapidPro", "Domain": "rapidpro.example.org", "TokenFileURL": "gs://shaah/token.txt",
                            "ContactsFileName": "contacts", "ActivationFlowNames": ["tea_activation"], "SurveyFlowNames": ["demog"],
                            "TestContactUUIDs": ["2b0f6a52-6c52-4d0a-9e55-0d6f0f4c1a11"]}],
        "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://shaah/firebase.json", "TableName": "shaah"},
        "RapidProKeyRemappings": remappings,
        "ProjectStartDate": "2021-03-01T00:00:00+03:00", "ProjectEndDate": "2021-04-01T00:00:00+03:00",
        "FilterTestMessages": True, "MoveWSMessages": True,
        **more,
    }  # fmt: skip


def write_old_project(
    folder: Path, files: Mapping[str, str | None] | None = None, **schemes: Mapping[str, Any]
) -> Path:
    """Write an old project; `files` replaces or adds texts by path, None leaves one out."""
    texts: dict[str, str | None] = {
        "configuration/pipeline_config.json": json.dumps(configuration()),
        "configuration/coding_plans.py": plans(),
        "configuration/code_schemes.py": SCHEMES,
        "configuration/code_imputation_functions.py": "def impute_tea(user, data, codings):\n    pass\n",
        "src/lib/configuration_objects.py": OBJECTS.format(in_themes=True),
        "code_schemes/tea.json": json.dumps(scheme("tea", [code("black"), code("with_milk")])),
        "code_schemes/age.json": json.dumps(scheme("age", [code(str(age), MatchValues=[str(age)]) for age in range(10, 100)])),
        "code_schemes/ws.json": json.dumps(scheme("ws", [code("age", MatchValues=["age"]), code("tea", MatchValues=["tea"])])),
    }  # fmt: skip
    texts |= {f"code_schemes/{name}.json": json.dumps(content) for name, content in schemes.items()}
    for path, text in {**texts, **(files or {})}.items():
        if text is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return folder
