"""Shapes in which classic projects of 2018 to 2021 wrote the same plans."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from old_projects import (
    HEAD,
    OBJECTS,
    SCHEMES,
    age_plan,
    code,
    configuration,
    plans,
    scheme,
    tea_plan,
    write_old_project,
)

PLANS = "configuration/coding_plans.py"
CLASSES = "src/lib/configuration_objects.py"
SCHEME_CLASS = "configuration/code_schemes.py"
OPEN = 'open(f"code_schemes/{filename}", "r") as f'
DATACLASSES = """
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, List


class CodingModes(Enum):
    SINGLE = "SINGLE"
    MULTIPLE = "MULTIPLE"


@dataclass
class Base:
    coding_mode: Any
    code_scheme: Any
    coded_field: str
    fold_strategy: Any


@dataclass
class CodingConfiguration(Base):
    analysis_file_key: str = None
    cleaner: Any = None
    include_in_theme_distribution: bool = field(default=False)


@dataclass
class CodingPlan:
    raw_field: str
    coding_configurations: List[Any]
    raw_field_fold_strategy: Any
    coda_filename: str = None
    ws_code: Any = None
    time_field: str = None
    run_id_field: str = None
    icr_filename: str = None
    code_imputation_function: Any = None
"""
BY_POSITION = """[CodingPlan("tea_raw", [CodingConfiguration(CodingModes.MULTIPLE.value, CodeSchemes.TEA, "tea_coded",
    partial(FoldStrategies.list_of_labels, CodeSchemes.TEA), "tea")], FoldStrategies.concatenate, "SHAAH_tea.json",
    CodeSchemes.WS_CORRECT_DATASET.get_code_with_match_value("tea"), "sent_on", "tea_run_id", "tea.csv")]"""
DEEP_COPY = f"""
import copy
TEA = {tea_plan()}
COFFEE = copy.deepcopy(TEA)
COFFEE.raw_field = "coffee_raw"
COFFEE.coding_configurations[0].coded_field = "coffee_coded"
COFFEE.coding_configurations[0].analysis_file_key = "coffee"
COFFEE.icr_filename = "coffee.csv"
COFFEE.coda_filename = "SHAAH_coffee.json"
"""
# A configuration's own name is known, though the program reads it from a file that is not opened.
PROGRAM = """
import json
import os
from src.lib.pipeline_configuration import PipelineConfiguration

if __name__ == "__main__":
    with open("pipeline_config.json") as f:
        {read}
    if {name} == "SHAAH":
        PipelineConfiguration.RQA_CODING_PLANS = PipelineConfiguration.TEA_RQA_CODING_PLANS
    else:
        assert {name} == "other"
        PipelineConfiguration.RQA_CODING_PLANS = []
"""
CLASS = """
class PipelineConfiguration(object):
    RQA_CODING_PLANS = None
    TEA_RQA_CODING_PLANS = [{tea}]
    LOCATION_CODING_PLANS = [{age}]
    SURVEY_CODING_PLANS = [{gender}] + LOCATION_CODING_PLANS

    def __init__(self, pipeline_name, sources):
        self.pipeline_name = pipeline_name

    @classmethod
    def from_configuration_file(cls, f):
        found = json.load(f)
        return cls(found["PipelineName"], found["RawDataSources"])
"""


def imported(tmp_path: Path, files: dict[str, str | None] | None = None, **schemes: Any) -> dict[str, Any]:
    write_old_project(tmp_path / "old", files, **schemes)
    assert main(["import-project", str(tmp_path / "old"), str(tmp_path / "new")]) == 0
    return json.loads((tmp_path / "new" / "coding_plans.json").read_text())


def section(tmp_path: Path, name: str) -> str:
    return (tmp_path / "new/MIGRATION.md").read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    "source",
    [
        SCHEMES.replace(OPEN, '(Path(__file__).resolve().parent.parent / "code_schemes" / filename).open() as f'),
        SCHEMES.replace(OPEN, 'open(Path("code_schemes").joinpath(filename)) as f'),
        SCHEMES.replace(OPEN, 'open(Path(__file__).parents[1] / "code_schemes" / f"{filename}", encoding="utf-8") as f'),
        SCHEMES.replace(OPEN, 'open(os.path.join(os.path.dirname(__file__), os.pardir, "code_schemes", filename)) as f'),
        SCHEMES.replace(OPEN, 'open(os.getcwd() + "code_schemes/" + filename) as f'),
        SCHEMES.replace("json.load(f)", "json.loads(f.read())"),
        SCHEMES.replace(OPEN, 'open("code_schemes/%s.json" % filename) as f').replace('.json")\n', '")\n'),
    ],
)  # fmt: skip
def test_schemes_are_found_however_their_path_is_put_together(tmp_path, source):
    found = imported(tmp_path, {SCHEME_CLASS: "import os\nfrom pathlib import Path\n" + source})
    assert found["RQACodingPlans"][0]["CodingConfigurations"][0]["CodeScheme"] == "tea.json"


@pytest.mark.parametrize(
    "lists",
    [
        'list(map(one, ["tea"]))',
        'list(filter(lambda plan: plan.raw_field == "tea_raw", [one("tea"), one("coffee")]))',
        'ALL.get(pipeline_name, []) + [plan for name, plan in OTHERS.items() if name == "tea"]',
    ],
)
def test_plans_are_found_however_their_list_is_put_together(tmp_path, lists):
    more = f"""
def one(name, scheme="TEA", *arguments, **others):
    return {tea_plan().replace('"tea', 'name + "').replace("SHAAH_tea", "SHAAH_tea").replace("CodeSchemes.TEA", "getattr(CodeSchemes, scheme)")}

ALL = {{"other": []}}
OTHERS = {{}}
for each in ["tea", "coffee"]:
    OTHERS[each] = one(each)
"""
    found = imported(tmp_path, {PLANS: plans(lists).replace("\ndef get_rqa", more + "\ndef get_rqa")})
    assert [plan["RawField"] for plan in found["RQACodingPlans"]] == ["tea_raw"]


def test_dataclasses_say_order_and_defaults_of_arguments(tmp_path):
    found = imported(tmp_path, {CLASSES: DATACLASSES, PLANS: plans(BY_POSITION)})
    plan = found["RQACodingPlans"][0]
    assert (plan["CodaFilename"], plan["WSCode"], plan["TimeField"]) == ("SHAAH_tea.json", "tea", "sent_on")
    assert plan["CodingConfigurations"][0]["IncludeInThemeDistribution"] is False


def test_arguments_by_position_of_a_class_that_is_missing_are_told(tmp_path, capsys):
    write_old_project(tmp_path / "old", {CLASSES: None, PLANS: plans(BY_POSITION)})
    assert main(["import-project", str(tmp_path / "old"), str(tmp_path / "new")]) == 10
    assert "CodingPlan(…) without names of arguments, and its class is not in the old folder" in capsys.readouterr().err


def test_a_deep_copy_changes_nothing_of_the_plan_it_was_made_of(tmp_path):
    found = imported(tmp_path, {PLANS: plans("[TEA, COFFEE]").replace("\ndef get_rqa", DEEP_COPY + "\ndef get_rqa")})
    assert [plan["RawField"] for plan in found["RQACodingPlans"]] == ["tea_raw", "coffee_raw"]
    keys = [plan["CodingConfigurations"][0]["AnalysisFileKey"] for plan in found["RQACodingPlans"]]
    assert keys == ["tea", "coffee"]


@pytest.mark.parametrize(
    ("read", "name"),
    [
        ("pipeline_configuration = PipelineConfiguration.from_configuration_file(f)", "pipeline_configuration.pipeline_name"),
        ("found = json.load(f)", 'found["PipelineName"]'),
        ("pipeline_name = PipelineConfiguration.from_configuration_file(f).pipeline_name", "pipeline_name"),
    ],
)  # fmt: skip
def test_the_program_chooses_by_the_name_however_it_reads_it(tmp_path, read, name):
    gender = age_plan().replace("age", "gender").replace("CodeSchemes.AGE", "CodeSchemes.TEA")
    holder = CLASS.format(
        tea=tea_plan(), age=age_plan(), gender=gender.replace("clean_gender_with_range_filter", "str")
    )
    files = {
        PLANS: None,
        "src/lib/pipeline_configuration.py": "import json\n" + HEAD + holder,
        "generate_outputs.py": PROGRAM.format(read=read, name=name),
    }
    found = imported(tmp_path, files)
    assert [plan["RawField"] for plan in found["RQACodingPlans"]] == ["tea_raw"]
    # The list of all survey plans says their order, not the shorter one before it.
    assert [plan["RawField"] for plan in found["DemographicCodingPlans"]] == ["gender_raw", "age_raw"]


def test_plans_of_2018_that_code_one_answer_by_several_schemes_become_one(tmp_path):
    district = tea_plan(name="place").replace("place_coded", "district_coded").replace('"place"', '"district"')
    found = imported(tmp_path, {PLANS: plans(demographic=f"[{tea_plan(name='place')}, {district}]")})
    (plan,) = found["DemographicCodingPlans"]
    assert [coding["CodedField"] for coding in plan["CodingConfigurations"]] == ["place_coded", "district_coded"]
    assert "`plans of place_raw`: one plan with a coding configuration each now" in section(tmp_path, "Changed")
    assert '"CodeImputationFunction" is "somalia_location"' in section(tmp_path, "To decide")


def test_an_operator_plan_beside_the_functions_is_not_lost(tmp_path):
    operator = """
OPERATOR_CODING_PLAN = CodingPlan(raw_field="operator_raw", coding_configurations=[
    CodingConfiguration(coding_mode=CodingModes.SINGLE, code_scheme=CodeSchemes.TEA, coded_field="operator_coded",
                        analysis_file_key="operator", fold_strategy=FoldStrategies.assert_label_ids_equal)],
    raw_field_fold_strategy=FoldStrategies.assert_equal)
"""
    found = imported(tmp_path, {PLANS: plans().replace("\ndef get_rqa", operator + "\ndef get_rqa")})
    assert [plan["RawField"] for plan in found["DemographicCodingPlans"]] == ["operator_raw", "age_raw"]
    assert found["OperatorScheme"] == "tea.json"


@pytest.mark.parametrize(
    "cleaner",
    [
        "lambda text: from_here(text)",  # a function that imports its library itself
        "partial(from_here)",
    ],
)
def test_a_cleaner_that_imports_its_library_itself_is_known(tmp_path, cleaner):
    own = "\ndef from_here(text):\n    from core_data_modules.cleaners import english\n    from core_data_modules.cleaners import swahili as s\n    return s.DemographicCleaner.clean_age(text)\n\n"
    found = imported(tmp_path, {PLANS: plans(demographic=f"[{age_plan(cleaner)}]").replace("\ndef get_rqa", own + "\ndef get_rqa")})  # fmt: skip
    assert found["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"] == "swahili.age"


def test_an_imputation_behind_a_lambda_is_known(tmp_path):
    more = ", code_imputation_function=lambda user, data, codings: code_imputation_functions.impute_kenya_location_codes(user, data, codings)"
    functions = {"configuration/code_imputation_functions.py": "def impute_kenya_location_codes(user, data, codings):\n    pass\n"}  # fmt: skip
    found = imported(tmp_path, {PLANS: plans(f"[{tea_plan(more)}]"), **functions})
    assert found["RQACodingPlans"][0]["CodeImputationFunction"] == "kenya_location"


def test_what_former_copies_of_plans_say_stops_nothing(tmp_path):
    files = {
        "scripts/old.py": "print 'RQA_CODING_PLANS'\n",
        "older/coding_plans.py": "print 'x'\ndef get_rqa_coding_plans(name): pass",
    }
    assert imported(tmp_path, files)["RQACodingPlans"]
    assert "older/coding_plans.py" not in (tmp_path / "new/MIGRATION.md").read_text()


def test_a_ws_code_that_cant_be_read_says_why(tmp_path):
    more = ", ws_code=CodeSchemes.WS_CORRECT_DATASET.get_code_with_match_value(nowhere(1))"
    imported(tmp_path, {PLANS: plans(f"[{tea_plan(more)}]")})
    assert "the name 'nowhere' is defined nowhere. Write the code's match value as WSCode." in section(tmp_path, "To decide")  # fmt: skip


def test_a_parameter_of_a_choice_is_told_with_its_own_default(tmp_path):
    source = plans().replace("get_demog_coding_plans(pipeline_name)", "get_demog_coding_plans(pipeline_name, mode='x', *, analysis_mode=False)")  # fmt: skip
    imported(tmp_path, {PLANS: source})
    told = section(tmp_path, "To decide")
    assert "`get_demog_coding_plans(mode)`: taken as 'x'" in told
    assert "`get_demog_coding_plans(analysis_mode)`: taken as False" in told


def test_a_fold_strategy_of_none_is_told(tmp_path):
    imported(tmp_path, {PLANS: plans(demographic=f"[{age_plan(fold='None')}]")})
    assert "`fold_strategy None of coding configuration age of age_raw`: nothing was folded" in section(tmp_path, "Changed")  # fmt: skip


def test_warnings_of_check_are_not_to_decide(tmp_path):
    imported(tmp_path, {CLASSES: OBJECTS.format(in_themes=False)}, tea=scheme("tea", [code("black")], without=["CE"]))
    assert "no WSCode, so that no answer can be moved" in section(tmp_path, "Check")
    assert "WARNING" not in section(tmp_path, "To decide")


@pytest.mark.parametrize(
    "path",
    ["src/pipe.py", "pipe.py", "run_scripts/1_x_coda_get.sh", "pipe.json", "configuration/b_pipeline_config.json"],
)
def test_a_pipe_or_a_circle_of_links_in_the_old_folder_holds_nothing_up(tmp_path, path):
    old = write_old_project(tmp_path / "old")
    (old / path).parent.mkdir(exist_ok=True)
    os.mkfifo(old / path)
    (old / "configuration/circle").symlink_to("../configuration")
    (old / "circle.py").symlink_to("circle.py")
    assert main(["import-project", str(old), str(tmp_path / "new")]) == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"configuration/code_schemes.py": None}, ["configuration/code_schemes.py: can't be found in the old folder"]),
        (
            {PLANS: plans(f"[{tea_plan().replace('CodingModes.MULTIPLE', 'CodingModes.MANY')}]")},
            ["'CodingModes' has no 'MANY'; expected SINGLE or MULTIPLE as coding_mode"],
        ),
        ({PLANS: "print 'x'\n" + plans()}, ["coding_plans.py:1: not Python 3", "Mend the file in a copy of the folder."]),
        (
            {"configuration/code_imputation_functions.py": "a\0b", PLANS: plans(f"[{tea_plan(', code_imputation_function=code_imputation_functions.x')}]")},
            ["code_imputation_functions.py:1: not Python 3", "Mend the file in a copy of the folder."],
        ),
        ({PLANS: plans("['tea']")}, ["tea is no coding plan; expected CodingPlan(raw_field=…)"]),
    ],
)  # fmt: skip
def test_what_cant_be_read_is_told_once_with_what_to_do(tmp_path, capsys, files, words):
    write_old_project(tmp_path / "old", files)
    assert main(["import-project", str(tmp_path / "old"), str(tmp_path / "new")]) == 10
    error = capsys.readouterr().err
    assert all(error.count(word) == 1 for word in words), error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("new*"))


@pytest.mark.parametrize(
    "script",
    ["echo\n" * 120_000, "".join(f"for A{n} in {'a ' * 200}\ndo\n" for n in range(9)) + "echo $A0\n" + "done\n" * 9],
)
def test_a_script_that_is_long_or_has_loops_in_loops_ends_soon(tmp_path, script):
    imported(tmp_path, {"run_scripts/1_coda_get.sh": script})
    assert "`run_scripts/1_coda_get.sh`: no download from Coda was found in it" in section(tmp_path, "To decide")


def test_the_first_upload_to_drive_is_to_decide(tmp_path):
    upload = {"DriveCredentialsFileURL": "gs://shaah/drive.json", "MessagesUploadPath": "shaah/messages.csv"}
    imported(tmp_path, {"configuration/pipeline_config.json": json.dumps(configuration(DriveUpload=upload))})
    assert "stage 3 replaces the old pipeline's files in Drive" in section(tmp_path, "To decide")
