"""`import-project` with an old data root: one invented classic project from its folder to the preview."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from engagement.__main__ import main
from example_project import DataRoot, coda_message, episode_run, label, make_configuration, make_schemes, survey_run
from old_projects import OBJECTS

PLANS = """
from core_data_modules.cleaners import somali
from core_data_modules.traced_data.util.fold_traced_data import FoldStrategies
from configuration.code_schemes import CodeSchemes
from src.lib.configuration_objects import CodingConfiguration, CodingModes, CodingPlan

def get_rqa_coding_plans(pipeline_name):
    return [
        CodingPlan(
            raw_field=f"rqa_s01e0{number}_raw", time_field="sent_on", run_id_field=f"rqa_s01e0{number}_run_id",
            coda_filename=f"s01e0{number}.json", icr_filename=f"s01e0{number}.csv",
            coding_configurations=[CodingConfiguration(
                coding_mode=CodingModes.MULTIPLE, code_scheme=scheme, coded_field=f"rqa_s01e0{number}_coded",
                analysis_file_key=f"rqa_s01e0{number}", fold_strategy=lambda x, y: FoldStrategies.list_of_labels(scheme, x, y))],
            ws_code=CodeSchemes.WS.get_code_with_match_value(f"episode {number}"),
            raw_field_fold_strategy=FoldStrategies.concatenate)
        for number, scheme in [(1, CodeSchemes.E1), (2, CodeSchemes.E2)]
    ]

def get_demog_coding_plans(pipeline_name):
    return [CodingPlan(
        raw_field="gender_raw", time_field="gender_time", coda_filename="gender.json",
        coding_configurations=[CodingConfiguration(
            coding_mode=CodingModes.SINGLE, code_scheme=CodeSchemes.GENDER, coded_field="gender_coded",
            analysis_file_key="gender", fold_strategy=FoldStrategies.assert_label_ids_equal,
            cleaner=somali.DemographicCleaner.clean_gender)],
        ws_code=CodeSchemes.WS.get_code_with_match_value("gender"),
        raw_field_fold_strategy=FoldStrategies.assert_equal)]

def get_follow_up_coding_plans(pipeline_name):
    return []

def get_ws_correct_dataset_scheme(pipeline_name):
    return CodeSchemes.WS
"""
SCHEMES = """
import json
from core_data_modules.data_models import CodeScheme

def _open_scheme(filename):
    with open(f"code_schemes/{filename}") as f:
        return CodeScheme.from_firebase_map(json.load(f))

class CodeSchemes(object):
    E1 = _open_scheme("episode1.json")
    E2 = _open_scheme("episode2.json")
    GENDER = _open_scheme("gender.json")
    WS = _open_scheme("ws.json")
"""
GET = """
PROJECT_NAME="EXAMPLE"
DATASETS=("s01e01" "s01e02" "gender")
for DATASET in ${DATASETS[@]}
do
    pipenv run python get.py "$AUTH" "${PROJECT_NAME}_${DATASET}" messages >"$DATA_ROOT/Coded Coda Files/$DATASET.json"
done
"""


@pytest.fixture
def old_project(tmp_path: Path) -> Path:
    folder = tmp_path / "old project"
    configuration = make_configuration()
    del configuration["CodingPlansFile"]
    configuration["RapidProKeyRemappings"] = [
        item
        for item in configuration["RapidProKeyRemappings"]
        if not item["PipelineKey"].startswith(("age", "location"))
    ]
    files = {
        "configuration/pipeline_config.json": json.dumps(configuration),
        "configuration/coding_plans.py": PLANS,
        "configuration/code_schemes.py": SCHEMES,
        "src/lib/configuration_objects.py": OBJECTS.format(in_themes=True),
        "run_scripts/1_coda_get.sh": GET,
        **{f"code_schemes/{name}.json": json.dumps(scheme) for name, scheme in make_schemes().items()},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture
def old_root(tmp_path: Path) -> Path:
    """A data root whose outputs are those of the example project, with its files of labels under their old names."""
    root = DataRoot(tmp_path / "old")
    root.write_runs(episode_run("a", "biyo"), episode_run("b", "dugsi", run_id=2), survey_run("a", gender="rag"))
    root.write_coded("s01e01", coda_message("biyo", label("episode1", "water")))
    root.write_coded("gender", coda_message("rag", label("gender", "man")))
    root.generate()
    for name in ("s01e01", "gender"):
        coded = root.path / "Coded Coda Files"
        (coded / f"EXAMPLE_{name}.json").rename(coded / f"{name}.json")
    shutil.rmtree(root.path / "State")
    return root.path


def listing_of(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_an_old_project_moves_in_with_its_labels_and_data(tmp_path: Path, old_project: Path, old_root: Path):
    before = listing_of(old_project), listing_of(old_root)
    options = ["--data-root", str(old_root), "--coded", str(old_root / "Coded Coda Files")]
    options += ["--compare-with", str(old_root / "Outputs" / "messages.csv")]
    assert main(["import-project", str(old_project), str(tmp_path / "new"), *options]) == 0
    assert (listing_of(old_project), listing_of(old_root)) == before
    text = (tmp_path / "new" / "MIGRATION.md").read_text()
    for said in (
        "`gender.json`: now `EXAMPLE_gender.json`, as the dataset is called in Coda.",
        "Labels that the plan finds, by scheme: gender 1; ws 0.",
        "`messages.csv`: 11 columns will be gone, in their old order: `age`, `age_category`",
        "3 runs of 3 flows and 2 participants verified",
        "`messages.csv`: the same 2 rows, with the same counts in every column.",
        "`EXAMPLE_s01e02.json`: no file of this dataset",
    ):
        assert said in text
    new_root = tmp_path / "new_data_root"
    assert sorted(path.name for path in (new_root / "Coded Coda Files").iterdir()) == [
        "EXAMPLE_gender.json",
        "EXAMPLE_s01e01.json",
    ]


def test_a_damaged_run_leaves_neither_folder_behind(tmp_path: Path, old_project: Path, old_root: Path, capsys):
    (old_root / "Raw Data" / "s01e1_activation.jsonl").write_text('[{"Data": {}}]\n')
    options = ["--data-root", str(old_root), "--new-data-root", str(tmp_path / "new data")]
    assert main(["import-project", str(old_project), str(tmp_path / "new"), *options]) == 11
    assert "s01e1_activation.jsonl, line 1" in capsys.readouterr().err
    assert list(tmp_path.glob("new*")) == []


def test_a_wrong_place_is_a_wrong_argument(tmp_path: Path, old_project: Path, old_root: Path):
    options = ["--data-root", str(old_root), "--new-data-root", str(old_root / "inside")]
    assert main(["import-project", str(old_project), str(tmp_path / "new"), *options]) == 2
    assert list(tmp_path.glob("new*")) == []


@pytest.mark.parametrize("option", ["--data-root", "--coded"])
def test_a_new_project_in_old_data_is_a_wrong_argument(tmp_path: Path, old_project: Path, old_root: Path, option: str):
    before = listing_of(old_root)
    assert main(["import-project", str(old_project), str(old_root / "new"), option, str(old_root)]) == 2
    assert listing_of(old_root) == before


def test_relative_paths_are_those_of_the_working_directory(
    tmp_path: Path, old_project: Path, old_root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--data-root", str(old_root.relative_to(tmp_path)), "--pipeline", "configuration/pipeline_config.json"]
    assert main(["import-project", old_project.name, "new", *options]) == 0
    assert (tmp_path / "new_data_root" / "Raw Data" / "manifest.json").is_file()
