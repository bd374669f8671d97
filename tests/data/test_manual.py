"""The manual lists what there is: scripts, stages, configuration keys, columns, exit statuses."""

import re
from pathlib import Path

from engagement.commands.update_manual import renew
from engagement.outputs.columns import COLUMNS
from example_project import DataRoot, episode_run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_tables_made_from_the_code_are_up_to_date():
    assert renew(README) == README, "run: PYTHONPATH=src .venv/bin/python -m engagement update-manual README.md"


def test_every_run_script_is_listed_and_every_listed_one_is_there():
    listed = set(re.findall(r"`run_scripts/(\w+\.sh)`", README))
    assert listed == {path.name for path in (ROOT / "run_scripts").glob("*.sh")}


def test_every_column_of_the_outputs_is_described(tmp_path: Path):
    root = DataRoot(tmp_path)
    root.write_runs(episode_run("a", "biyo"))
    root.generate()
    families = {
        "<AnalysisFileKey>": r"(gender|age|age_category|sub_district|district|region|state|zone|operator)",
        "<AnalysisFileKey>_<StringValue>": r"rqa_s01e0\d_\w+",
        "<RawField>": r"\w+_raw",
        "<RunIDField>": r"\w+_run_id",
    }
    described = {}
    for column in COLUMNS:
        described.setdefault(column.file, []).append(families.get(column.name, re.escape(column.name)))
    for path in root.outputs.rglob("*.csv"):
        file = "ICR/<ICRFilename>" if path.parent.name == "ICR" else path.name
        for name in path.read_text().splitlines()[0].replace('"', "").split(","):
            assert any(re.fullmatch(pattern, name) for pattern in described[file]), (path.name, name)


def test_every_exit_status_is_explained():
    for status in (0, 1, 2, 4, 10, 11, 12, 13, 14, 130, 143):
        assert f"| {status} |" in README
