"""The recipes for a source type and a stage: whoever follows them to the letter gets one that works, from check to fetch."""

import importlib
import json
import re
import shutil
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.configuration.json_schema import make_json_schemas
from engagement.configuration.source_types import SOURCE_TYPES
from engagement.stages.table import STAGES, Stage
from fetch_project import FetchProject

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PARTICIPANT = "avf-phone-uuid-1f0c2a34-53a4-4f6e-9a57-0d7c0a1f6f11"
ANSWERS = [{"Participant": PARTICIPANT, "Text": "haa", "Time": f"2026-03-0{day}T10:00:00+03:00"} for day in (1, 2)]


def steps_of(recipe: str) -> str:
    (steps,) = re.findall(rf"^### {recipe}\n((?:.*\n)*?)(?=^### )", PAGE, re.MULTILINE)
    return steps


def files_of(recipe: str, toy: str) -> list[str]:
    """The files of a toy that a recipe names, in its order."""
    return re.findall(rf"`tests/toys/{toy}/(\w+\.py)`", steps_of(recipe))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make packages of the files that the recipes name, and of no others."""
    folder = tmp_path_factory.mktemp("packages")
    for recipe, toy in (("A source type", "notebook"), ("A stage", "tally")):
        (folder / f"copied_{toy}").mkdir()
        for name in ["__init__.py", *files_of(recipe, toy)]:
            original = ROOT / "tests" / "toys" / toy / name
            copy = folder / f"copied_{toy}" / name
            copy.touch() if name == "__init__.py" else shutil.copy(original, copy)
    return folder


@pytest.fixture
def notebook(packages: Path, monkeypatch: pytest.MonkeyPatch):
    """A source type more in the table that the recipe names."""
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setitem(SOURCE_TYPES, "Notebook", "copied_notebook")
    assert "`src/engagement/configuration/source_types.py`" in steps_of("A source type")


@pytest.fixture
def tally(packages: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage more in the table that the recipe names."""
    monkeypatch.syspath_prepend(packages)
    stage = Stage(
        number=8,
        summary="Count the runs of each flow",
        module="copied_tally.stage",
        needs="copied_tally.needs.add_needs",
        plan="copied_tally.plan.plan_tally",
    )
    monkeypatch.setitem(STAGES, "tally", stage)
    assert "`src/engagement/stages/table.py`" in steps_of("A stage")
    return stage


@pytest.fixture
def project(tmp_path: Path, notebook: None) -> FetchProject:
    """A project whose only source is a notebook of two pages."""
    project = FetchProject(tmp_path, "")
    project.sources = [
        {"SourceType": "Notebook", "EpisodePages": ["gs://n/e1.json"], "SurveyPages": ["gs://n/age.json"]}
    ]
    for name in ("e1", "age"):
        write_page(project, name)
    project.arguments()
    return project


def page_of(project: FetchProject, name: str) -> Path:
    return project.folder / "embedded" / "storage" / "n" / f"{name}.json"


def write_page(project: FetchProject, name: str) -> None:
    page_of(project, name).parent.mkdir(exist_ok=True)
    page_of(project, name).write_text(json.dumps(ANSWERS))


def check(project: FetchProject, *options: str) -> int:
    credentials = str(project.folder / "credentials.json")
    return main(["check", str(project.folder / "pipeline_configuration.json"), *options, "--credentials", credentials])


def plan(project: FetchProject, *options: str) -> int:
    arguments = ["--pipeline-configuration", project.folder / "pipeline_configuration.json"]
    for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, project.folder / "credentials.json"]
    arguments += ["--data-root", project.data_root]
    arguments += ["--backups-dir", project.folder / "backups", "--performance-logs-dir", project.folder / "logs"]
    return main(["plan-run", *map(str, arguments), *options])


@pytest.mark.parametrize(("recipe", "toy"), [("A source type", "notebook"), ("A stage", "tally")])
def test_a_recipe_names_each_file_of_its_toy_once(recipe: str, toy: str):
    there = sorted(path.name for path in (ROOT / "tests" / "toys" / toy).glob("*.py"))
    assert sorted(files_of(recipe, toy)) == there


@pytest.mark.parametrize("source_type", SOURCE_TYPES)
def test_each_source_type_has_the_files_of_the_recipe(source_type: str):
    package = importlib.import_module(SOURCE_TYPES[source_type])
    there = {path.name for folder in package.__path__ for path in Path(folder).glob("*.py")}
    assert set(files_of("A source type", "notebook")) <= there


def test_a_new_source_type_is_fetched(project: FetchProject):
    project.fetch()
    project.fetch()
    for flow in ("e1", "age"):
        assert [run.values[f"Note (Text) - {flow}"] for run in project.read(flow)] == ["haa", "haa"]
        assert [run.values["avf_phone_id"] for run in project.read(flow)] == [PARTICIPANT] * 2


def test_a_new_source_type_is_planned(project: FetchProject, capsys: pytest.CaptureFixture[str]):
    page_of(project, "age").unlink()
    assert plan(project, "--first", "2", "--last", "2") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:4] == ["2 fetch raw data", "page gs://n/e1.json: to be read", "page gs://n/age.json: NOT THERE"]
    assert not project.data_root.exists()


def test_a_new_source_type_is_checked(project: FetchProject, capsys: pytest.CaptureFixture[str]):
    assert check(project) == 0
    assert "page" not in capsys.readouterr().out
    project.sources.append({"SourceType": "Notebook"})
    page_of(project, "age").unlink()
    project.arguments()
    assert check(project, "--online") == 10
    shown = capsys.readouterr().out
    assert re.search(r"ERROR: .* at \$\.RawDataSources\[0\]\.SurveyPages\[0\]: the page is not there;", shown)
    assert re.search(r"WARNING: .* at \$\.RawDataSources\[1\]: no page; expected one\.", shown)


def test_a_new_source_type_says_what_its_container_needs(project: FetchProject, capsys: pytest.CaptureFixture[str]):
    page = project.folder / "elsewhere" / "e2.json"
    project.sources[0]["EpisodePages"] = [page.as_uri()]
    assert main(["container-plan", "fetch-raw-data", *project.arguments()]) == 0
    assert f"mount ro {page}" in capsys.readouterr().out.splitlines()


def test_a_new_source_type_is_known_to_messages_and_to_editors(
    project: FetchProject, capsys: pytest.CaptureFixture[str]
):
    project.sources = [{"SourceType": "Notebok"}, {"SourceType": "Notebook", "EpisodePage": []}, {}]
    project.arguments()
    assert check(project) == 10
    shown = capsys.readouterr().out
    *others, last = map(repr, SOURCE_TYPES)
    known = f"{', '.join(others)} or {last}"
    assert f"'Notebok' is no type of source; expected {known}; nearest: 'Notebook'. Change it." in shown
    assert "RawDataSources[1].EpisodePage: unknown key; nearest: 'EpisodePages'" in shown
    assert f"no 'SourceType'; expected {known}. Add it." in shown
    assert "NotebookSource" in make_json_schemas()["pipeline_configuration.json"]["$defs"]


def test_without_its_line_in_the_table_a_source_type_is_unknown(project: FetchProject, monkeypatch, capsys):
    monkeypatch.delitem(SOURCE_TYPES, "Notebook")
    assert check(project) == 10
    assert "'Notebook' is no type of source; expected 'RapidPro', 'GCloudBucket'" in capsys.readouterr().out
    assert "NotebookSource" not in make_json_schemas()["pipeline_configuration.json"]["$defs"]


def test_a_new_stage_is_in_the_help(tally: Stage, capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    assert re.search(r"^  tally +Count the runs of each flow$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit, match="0"):
        main(["tally", "--help"])
    assert "tally.json" in capsys.readouterr().out


def test_a_new_stage_runs(project: FetchProject, tally: Stage):
    project.fetch()
    configuration = str(project.folder / "pipeline_configuration.json")
    assert main(["tally", "--pipeline-configuration", configuration, "--data-root", str(project.data_root)]) == 0
    assert json.loads((project.data_root / "tally.json").read_text()) == {"e1": 2, "age": 2}


def test_a_new_stage_is_planned(project: FetchProject, tally: Stage, capsys: pytest.CaptureFixture[str]):
    assert plan(project, "--first", "8", "--last", "8") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["8 tally", "    2 flows to count"]


def test_a_new_stage_says_what_its_container_needs(
    project: FetchProject, tally: Stage, capsys: pytest.CaptureFixture[str]
):
    assert main(["container-plan", "tally", "--credentials", str(project.folder / "credentials.json")]) == 0
    assert "network host" in capsys.readouterr().out.splitlines()
