"""The table of stages, and what can't import it: the run scripts and the manual say the same."""

import re
import subprocess
from pathlib import Path

import pytest

from engagement.stages.table import STAGES, load_function, script_of, stages_of_a_run, title_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "run_scripts"
RUN = {number: title_of(name) for number, name in stages_of_a_run().items()}
PIPELINE = (SCRIPTS / "run_pipeline.sh").read_text()


def test_the_stages_of_a_run_are_numbered_without_gaps():
    assert list(RUN) == list(range(1, len(RUN) + 1))


def test_the_script_of_a_run_has_the_titles_of_the_table():
    (assignment,) = re.findall(r"^stage_titles=\(\n.*?^\)$", PIPELINE, re.MULTILINE | re.DOTALL)
    program = assignment + '\nfor number in "${!stage_titles[@]}"; do echo "$number ${stage_titles[number]}"; done'
    shown = subprocess.run(["bash", "-c", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert shown.splitlines() == [f"{number} {title}" for number, title in RUN.items()]


def test_the_script_of_a_run_accepts_the_numbers_of_the_table_and_lists_them_in_its_help():
    assert f"[1-{max(RUN)}]" in PIPELINE
    usage = " ".join(PIPELINE.split())
    assert f"Run every stage: {', '.join(f'{number} {title}' for number, title in RUN.items())}." in usage


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_has_its_script(name: str):
    script = (SCRIPTS / script_of(name)).read_text()
    assert re.search(rf"^ *run_(project_)?stage {name}\b", script, re.M)


@pytest.mark.parametrize("name", STAGES)
def test_a_script_says_of_its_stage_what_python_says(name: str):
    script = (SCRIPTS / script_of(name)).read_text()
    assert re.search(rf"(\n\n|^purpose=\"){re.escape(STAGES[name].summary)}", script, re.M)


def test_no_script_of_a_stage_is_missing_in_the_table():
    numbered = [name for name, stage in STAGES.items() if not stage.is_optional]
    assert sorted(path.name for path in SCRIPTS.glob("[0-9]_*.sh")) == sorted(map(script_of, numbered))


@pytest.mark.parametrize("name", STAGES)
def test_the_functions_that_the_table_names_are_there(name: str):
    stage = STAGES[name]
    assert all(callable(load_function(path)) for path in (stage.needs, stage.plan) if path is not None)
