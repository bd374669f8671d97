"""`import-project` writes a whole new project or nothing, and never touches the old one."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from engagement.__main__ import main
from old_projects import HEAD, OBJECTS, age_plan, code, configuration, plans, scheme, tea_plan, write_old_project

PLANS = "configuration/coding_plans.py"


def run(tmp_path: Path, *options: str) -> int:
    return main(["import-project", str(tmp_path / "old"), str(tmp_path / "new"), *options])


def imported(tmp_path: Path) -> dict[str, Any]:
    assert run(tmp_path) == 0
    assert main(["check", str(tmp_path / "new" / "pipeline_configuration.json")]) == 0
    return json.loads((tmp_path / "new" / "coding_plans.json").read_text())


def section(tmp_path: Path, name: str) -> str:
    return (tmp_path / "new" / "MIGRATION.md").read_text().partition(f"## {name}\n")[2].partition("\n## ")[0]


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_a_project_is_imported_whole_and_the_old_one_stays(tmp_path):
    old = write_old_project(tmp_path / "old")
    before = digests(old)
    found = imported(tmp_path)
    assert digests(old) == before
    tea, age = found["RQACodingPlans"][0], found["DemographicCodingPlans"][0]
    assert (tea["RawField"], tea["CodaFilename"], tea["ICRFilename"]) == ("tea_raw", "SHAAH_tea.json", "tea.csv")
    assert age["WSCode"] == "age"
    assert age["CodingConfigurations"][0]["Cleaner"] == "swahili.age"
    assert found["WSCorrectDatasetScheme"] == "ws.json"
    for file in (old / "code_schemes").iterdir():
        assert (tmp_path / "new" / "code_schemes" / file.name).read_bytes() == file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]
    assert "`check` ran: 0 error(s)" in section(tmp_path, "Done")


@pytest.mark.parametrize(
    ("in_themes", "coding", "expected"),
    [
        (True, "", True),
        (False, "", False),
        (False, ", include_in_theme_distribution=True", True),
        (True, ", include_in_theme_distribution=False", False),
    ],
)
def test_the_class_says_what_an_argument_is_by_default(tmp_path, in_themes, coding, expected):
    files = {
        PLANS: plans(rqa=f"[{tea_plan(coding=coding)}]"),
        "src/lib/configuration_objects.py": OBJECTS.format(in_themes=in_themes),
    }
    write_old_project(tmp_path / "old", files)
    coding_configuration = imported(tmp_path)["RQACodingPlans"][0]["CodingConfigurations"][0]
    assert coding_configuration.get("IncludeInThemeDistribution", True) is expected


@pytest.mark.parametrize(
    ("cleaner", "expected"),
    [
        ("somali.DemographicCleaner.clean_gender", "somali.gender"),
        ("partial(swahili.DemographicCleaner.clean_yes_no)", "swahili.yes_no"),
        ("lambda text: somali.DemographicCleaner.clean_age(text)", "somali.age"),
        ("clean_age_with_range_filter", "swahili.age"),
        ("None", None),
        ("own_cleaner", None),
        ("somali.DemographicCleaner.clean_unheard_of", None),
    ],
)
def test_cleaners_by_their_language_and_field(tmp_path, cleaner, expected):
    write_old_project(tmp_path / "old", {PLANS: plans(demographic=f"[{age_plan(cleaner)}]")})
    assert run(tmp_path) == 0
    found = json.loads((tmp_path / "new" / "coding_plans.json").read_text())
    assert found["DemographicCodingPlans"][0]["CodingConfigurations"][0].get("Cleaner") == expected
    has_stub = cleaner in ("own_cleaner", "somali.DemographicCleaner.clean_unheard_of")
    assert (tmp_path / "new" / "functions.py").exists() is has_stub
    assert ("`cleaner " in section(tmp_path, "To decide")) is has_stub


def test_a_stub_raises_and_is_told(tmp_path):
    write_old_project(
        tmp_path / "old",
        {PLANS: plans(rqa=f"[{tea_plan(', code_imputation_function=code_imputation_functions.impute_tea')}]")},
    )
    assert "CodeImputationFunction" not in imported(tmp_path)["RQACodingPlans"][0]
    names: dict[str, Any] = {}
    exec((tmp_path / "new" / "functions.py").read_text(), names)
    with pytest.raises(NotImplementedError):
        names["impute_tea"](None, None, None)
    assert "impute_tea" in section(tmp_path, "To decide")


@pytest.mark.parametrize(
    ("fold", "expected"),
    [
        ("partial(FoldStrategies.yes_no_amb, CodeSchemes.AGE)", "yes_no_amb"),
        ("FoldStrategies.assert_label_ids_equal", None),
    ],
)
def test_fold_strategies(tmp_path, fold, expected):
    write_old_project(tmp_path / "old", {PLANS: plans(demographic=f"[{age_plan(fold=fold)}]")})
    assert run(tmp_path) == 0
    found = json.loads((tmp_path / "new" / "coding_plans.json").read_text())
    assert found["DemographicCodingPlans"][0]["CodingConfigurations"][0].get("FoldStrategy") == expected


def test_what_check_refuses_stands_under_to_decide(tmp_path):
    fold = "partial(FoldStrategies.yes_no_amb, CodeSchemes.AGE)"
    write_old_project(tmp_path / "old", {PLANS: plans(demographic=f"[{age_plan(fold=fold)}]")})
    assert run(tmp_path) == 0
    assert "`check: ERROR`: coding_plans.json, line" in section(tmp_path, "To decide")


def test_a_fold_of_the_projects_own_is_to_decide(tmp_path):
    write_old_project(tmp_path / "old", {PLANS: plans(demographic=f"[{age_plan(fold='own_cleaner')}]")})
    imported(tmp_path)
    assert "fold_strategy own_cleaner" in section(tmp_path, "To decide")


def test_of_two_plans_with_one_ws_code_the_later_keeps_it(tmp_path):
    code_of = ', ws_code=CodeSchemes.WS_CORRECT_DATASET.get_code_with_match_value("tea")'
    rqa = f"[{tea_plan(code_of)}, {tea_plan(code_of, name='coffee').replace('coffee.csv', 'tea.csv')}]"
    more = [{"RapidProKey": "Rqa_Coffee (Text) - tea_activation", "PipelineKey": "coffee_raw", "IsActivationMessage": True},
            {"RapidProKey": "Rqa_Coffee (Run ID) - tea_activation", "PipelineKey": "coffee_run_id"}]  # fmt: skip
    old = configuration()
    old["RapidProKeyRemappings"] += more
    write_old_project(tmp_path / "old", {PLANS: plans(rqa=rqa), "configuration/pipeline_config.json": json.dumps(old)})
    tea, coffee = imported(tmp_path)["RQACodingPlans"]
    assert (tea.get("WSCode"), coffee.get("WSCode")) == (None, "tea")
    assert (tea["ICRFilename"], coffee["ICRFilename"]) == ("tea.csv", "coffee.csv")
    assert "ws_code tea" in section(tmp_path, "Changed")


def test_schemes_change_as_little_as_labels_allow(tmp_path):
    double = code("black")
    tea = scheme(
        "tea",
        [
            double,
            code("sweet", MetaCode="taste"),
            double,
            {**code("DNS"), "CodeType": "Control", "ControlCode": "DNS"},
            {**code("hello"), "CodeType": "Meta", "MetaCode": "greeting"},
            {**code("salaam"), "CodeType": "Meta", "MetaCode": "greeting"},
        ],
        without=["CE"],
    )
    write_old_project(tmp_path / "old", tea=tea)
    found = imported(tmp_path)
    new = json.loads((tmp_path / "new" / "code_schemes" / "tea.json").read_text())
    assert new["SchemeID"] == "Scheme-tea"
    ids = list(dict.fromkeys(code["CodeID"] for code in tea["Codes"]))
    assert [code["CodeID"] for code in new["Codes"]] == [*ids, "code-CE-1"]
    assert [code.get("MetaCode") for code in new["Codes"][:5]] == [None, None, None, "greeting", "greeting_2"]
    assert found["ControlCodes"] == [{"Code": "DNS", "Meaning": "DNS"}]
    for words in ("tea.json: CE", "tea.json: black", "tea.json: sweet", "tea.json: salaam", "tea.json: DNS"):
        assert words in section(tmp_path, "Changed")


def test_plans_as_attributes_that_a_program_chooses(tmp_path):
    source = f"""{HEAD}
class PipelineConfiguration(object):
    RQA_CODING_PLANS = None
    Q1_RQA_CODING_PLANS = [{tea_plan()}]
    FULL_RQA_CODING_PLANS = []
    FULL_RQA_CODING_PLANS += Q1_RQA_CODING_PLANS
    SURVEY_CODING_PLANS = [{age_plan()}]
"""
    program = """
from src.lib import PipelineConfiguration
if __name__ == "__main__":
    with open("x") as f:
        pipeline_configuration = PipelineConfiguration.from_configuration_file(f)
    if pipeline_configuration.pipeline_name in ["SHAAH", "OTHER"]:
        PipelineConfiguration.RQA_CODING_PLANS = PipelineConfiguration.FULL_RQA_CODING_PLANS
    else:
        assert False
"""
    files = {
        PLANS: None,
        "src/lib/pipeline_configuration.py": source,
        "src/lib/__init__.py": "from .pipeline_configuration import PipelineConfiguration",
        "generate_outputs.py": program,
    }
    write_old_project(tmp_path / "old", files)
    found = imported(tmp_path)
    assert [plan["RawField"] for plan in found["RQACodingPlans"]] == ["tea_raw"]
    assert [plan["RawField"] for plan in found["DemographicCodingPlans"]] == ["age_raw"]
    assert found["WSCorrectDatasetScheme"] == "ws.json"
    assert "SURVEY_CODING_PLANS" in section(tmp_path, "To decide")


def test_plans_of_2018_name_their_schemes_themselves(tmp_path):
    source = f"""{HEAD}
class CodingPlan(object):
    def __init__(self, raw_field, coded_field, coda_filename, cleaner=None, code_scheme=None, time_field=None,
                 run_id_field=None, icr_filename=None, analysis_file_key=None, id_field=None,
                 binary_code_scheme=None, binary_coded_field=None, binary_analysis_file_key=None):
        pass


class PipelineConfiguration(object):
    RQA_CODING_PLANS = [CodingPlan(raw_field="tea_raw", coded_field="tea_coded", coda_filename="tea.json",
        code_scheme=CodeSchemes.TEA, time_field="sent_on", run_id_field="tea_run_id", icr_filename="tea.csv",
        analysis_file_key="tea_", binary_code_scheme=CodeSchemes.AGE, binary_coded_field="likes_coded",
        binary_analysis_file_key="likes")]
    SURVEY_CODING_PLANS = [CodingPlan(raw_field="age_raw", coded_field="age_coded", coda_filename="age.json",
        code_scheme=CodeSchemes.AGE, time_field="age_time", analysis_file_key="age",
        cleaner=clean_age_with_range_filter)]
"""
    script = 'PROJECT_NAME="CHAI"\nDATASETS=("tea" "age")\nfor DATASET in ${DATASETS[@]}; do\n'
    script += '  python get.py "$AUTH" "${PROJECT_NAME}_${DATASET}" messages >"Coded/$DATASET.json"\ndone\n'
    files = {PLANS: None, "src/lib/pipeline_configuration.py": source, "run_scripts/1_coda_get.sh": script}
    write_old_project(tmp_path / "old", files)
    assert run(tmp_path) == 0
    found = json.loads((tmp_path / "new" / "coding_plans.json").read_text())
    (tea,), (age,) = found["RQACodingPlans"], found["DemographicCodingPlans"]
    assert [(c["CodingMode"], c["AnalysisFileKey"], c.get("FoldStrategy")) for c in tea["CodingConfigurations"]] == [
        ("SINGLE", "likes", "yes_no_amb"), ("MULTIPLE", "tea", None),
    ]  # fmt: skip
    assert [(c["CodingMode"], c["AnalysisFileKey"]) for c in age["CodingConfigurations"]] == [("SINGLE", "age")]
    assert (tea["CodaFilename"], tea["RawFieldFoldStrategy"]) == ("CHAI_tea.json", "concatenate")
    assert age["RawFieldFoldStrategy"] == "assert_equal"


def test_time_ranges_in_the_code_become_timestamp_remappings(tmp_path):
    source = """
from dateutil.parser import isoparse
class TranslateRapidProKeys(object):
    @classmethod
    def remap_radio_shows(cls, user, data, pipeline_configuration):
        cls._remap_radio_show_by_time_range(user, data, "received_on", "tea_raw",
            range_start_inclusive=isoparse("2021-03-02T00:00:00+03:00"), range_end_exclusive=isoparse("2021-03-02T24:00:00+03:00"))
        for remapping in pipeline_configuration.timestamp_remappings:
            cls._remap_radio_show_by_time_range(user, data, remapping.time_key, remapping.show)
"""
    write_old_project(tmp_path / "old", {"src/translate_rapid_pro_keys.py": source})
    imported(tmp_path)
    new = json.loads((tmp_path / "new" / "pipeline_configuration.json").read_text())
    assert new["TimestampRemappings"] == [
        {"TimeKey": "received_on", "ShowPipelineKeyToRemapTo": "tea_raw", "RangeStartInclusive": "2021-03-02T00:00:00+03:00",
         "RangeEndExclusive": "2021-03-03T00:00:00+03:00"},
    ]  # fmt: skip


TWO = {"configuration/other_pipeline_config.json": json.dumps(configuration("OTHER"))}


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ({PLANS: None}, 10, ["no coding plans"]),
        (TWO, 2, ["configuration/other_pipeline_config.json", "configuration/pipeline_config.json", "--pipeline"]),
        ({"configuration/pipeline_config.json": None}, 10, ["no pipeline in it"]),
        ({"configuration/pipeline_config.json": "{"}, 10, ["line 1", "not JSON"]),
        ({PLANS: plans() + "\nprint 'x'\n"}, 10, [f"{PLANS}:", "not Python 3"]),
        ({PLANS: plans() + "\nwhile True:\n    pass\n"}, 10, [f"{PLANS}:", "without end"]),
        ({"code_schemes/tea.json": None, "code_schemes/age.json": None}, 10, ["2 problem(s)", "'code_schemes/tea.json'", "'code_schemes/age.json'"]),
        ({"code_schemes/tea.json": "[1"}, 10, ["code_schemes/tea.json:1: not JSON"]),
        ({"code_schemes/tea.json": "[]"}, 10, ["'Codes'"]),
        ({PLANS: plans(rqa="[Unheard(1)]")}, 10, [f"{PLANS}:", "'Unheard' is defined nowhere"]),
        ({PLANS: plans(rqa=f"[[{tea_plan()}], 7]")}, 10, ["2 problem(s)", "no coding plan"]),
        ({PLANS: plans(rqa="[CodingConfiguration(coding_mode=1)]")}, 10, [f"{PLANS}:", "no coding plan"]),
        ({PLANS: plans(rqa="read_plans()", demographic="os.environ['PLANS']")}, 10, ["2 problem(s)", "'read_plans'", "'os'"]),
        ({PLANS: plans(rqa=f"[{tea_plan().replace('CodeSchemes.TEA', 'CodeSchemes.NONE')}]")}, 10, ["has no 'NONE'"]),
        ({PLANS: plans(rqa=f"[{tea_plan().replace('CodingModes.MULTIPLE', 'CodingModes.MANY')}]")}, 10, [f"{PLANS}:"]),
        ({"configuration/code_schemes.py": "from configuration.coding_plans import CodeSchemes"}, 10, ["CodeSchemes"]),
    ],
)  # fmt: skip
def test_bad_input_is_told_with_its_place_and_nothing_is_written(tmp_path, capsys, files, status, words):
    old = write_old_project(tmp_path / "old", files)
    before = digests(old)
    assert run(tmp_path) == status
    told = capsys.readouterr().err
    assert [word for word in words if word not in told] == []
    assert digests(old) == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_links_out_of_the_old_folder_are_not_followed(tmp_path, capsys):
    old = write_old_project(tmp_path / "old")
    for name in ("code_schemes/tea.json", "configuration/code_schemes.py"):
        (old / name).rename(tmp_path / "elsewhere")
        (old / name).symlink_to(tmp_path / "elsewhere")
        assert run(tmp_path) == 10
        assert "link" in capsys.readouterr().err
        (old / name).unlink()
        (tmp_path / "elsewhere").rename(old / name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "new"], "no such folder"),
        (["old", "old/new"], "inside of the old folder"),
        (["old", "there"], "there already"),
        (["old", "new", "--pipeline", "unheard.json"], "no such file"),
        (["old", "new", "--pipeline", "../there/x.json"], "outside"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, capsys, arguments, words):
    write_old_project(tmp_path / "old")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x.json").write_text("{}")
    folders = [str(tmp_path / name) for name in arguments[:2]]
    assert main(["import-project", *folders, *arguments[2:]]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_one_of_several_pipelines_is_chosen_by_its_name(tmp_path):
    chosen = plans(rqa=f"[{tea_plan()}] if pipeline_name == 'OTHER' else []")
    write_old_project(tmp_path / "old", {**TWO, PLANS: chosen})
    assert run(tmp_path, "--pipeline", "configuration/other_pipeline_config.json") == 0
    assert json.loads((tmp_path / "new" / "pipeline_configuration.json").read_text())["PipelineName"] == "OTHER"
    assert len(json.loads((tmp_path / "new" / "coding_plans.json").read_text())["RQACodingPlans"]) == 1
