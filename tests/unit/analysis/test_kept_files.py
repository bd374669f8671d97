"""What decides an analysis, and when what an earlier one wrote stays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engagement.analysis.reuse import inputs as inputs_module
from engagement.analysis.reuse.inputs import InputDigests, digest_inputs
from engagement.analysis.reuse.kept_files import NOTE, find_kept_counts, keep_tables, note_files
from engagement.analysis.reuse.project_facts import find_analysis_facts
from engagement.configuration import load_project
from example_project import write_project

COUNTS = {"messages": 6, "participants": 5, "charts": 4}
INPUTS = InputDigests("all", "tables")


def write_configuration(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    def give_settings(document: dict[str, Any]) -> None:
        document["AutomatedAnalysis"] = {
            "Maps": [{"Level": "region", "CodedField": "region_coded", "Boundaries": "shapes/regions.shp"}],
            "Statistics": {"BroadcastCalendarFile": "calendar.csv", "PopulationMarginsFile": "margins.csv"},
        }
        change(document)

    write_project(folder, change_configuration=give_settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data root as stages 3 and icr leave it, as far as the digest looks at it, and a configuration in it."""
    write_configuration(tmp_path)
    (tmp_path / "shapes").mkdir()
    for name in ("calendar.csv", "margins.csv", "shapes/regions.shp", "shapes/regions.dbf", "shapes/others.shp"):
        (tmp_path / name).write_text(name)
    for name in ("messages.parquet", "individuals.parquet"):
        (tmp_path / "State" / "analysis").mkdir(parents=True, exist_ok=True)
        (tmp_path / "State" / "analysis" / name).write_text(name)
    write_season(tmp_path)
    (tmp_path / "State" / "agreement").mkdir()
    (tmp_path / "State" / "agreement" / "episode.json").write_text("{}")
    return tmp_path


def write_season(folder: Path, time: str = "2026-04-01", messages: int = 6) -> None:
    document = {"run": {"timestamp": time, "mode": "all-stages"}, "funnel": {"messages": messages}, "version": 2}
    (folder / "State" / "analysis" / "season.json").write_text(json.dumps(document))


def digest(folder: Path) -> InputDigests:
    path = folder / "pipeline_configuration.json"
    return digest_inputs(path, find_analysis_facts(load_project(path)), folder)


def append_to(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).open("a").write(" ")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a message": append_to("State/analysis/messages.parquet"),
    "a participant": append_to("State/analysis/individuals.parquet"),
    "a participant's file is gone": lambda folder: (folder / "State/analysis/individuals.parquet").unlink(),
    "what stage 3 left out": lambda folder: write_season(folder, messages=7),
    "how far coders agree": append_to("State/agreement/episode.json"),
    "another episode's agreement": lambda folder: (folder / "State/agreement/other.json").write_text("{}"),
    "no agreement any more": lambda folder: (folder / "State/agreement/episode.json").unlink(),
    "who made the labels": lambda folder: add_label(folder),
    "the broadcasts": append_to("calendar.csv"),
    "the population": append_to("margins.csv"),
    "the boundaries": append_to("shapes/regions.shp"),
    "the boundaries' names": append_to("shapes/regions.dbf"),
    "a setting": lambda folder: write_configuration(folder, lambda document: document.update(SmallCountThreshold=7)),
    # Imputation and weights are settings of plans and of the configuration.
    "a plan": lambda folder: append_scheme(folder, "coding_plans.json", "AnalysisFileKey", "gender", "sex"),
    "a code": lambda folder: append_scheme(folder, "code_schemes/episode1.json", "DisplayText", None, "renamed"),
}


def add_label(folder: Path) -> None:
    name = load_project(folder / "pipeline_configuration.json").coding_plans.all[0].coda_filename
    (folder / "Coded Coda Files").mkdir()
    (folder / "Coded Coda Files" / str(name)).write_text("[]")


def append_scheme(folder: Path, name: str, key: str, old: str | None, new: str) -> None:
    """Replace the first value of a key, wherever it is."""

    def replace(document: Any) -> bool:
        if isinstance(document, dict) and key in document and old in (None, document[key]):
            document[key] = new
            return True
        parts = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
        return any(map(replace, parts))

    document = json.loads((folder / name).read_text())
    assert replace(document)
    (folder / name).write_text(json.dumps(document))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_an_output_changes_both_digests(folder: Path, change: Callable[[Path], object]):
    before = digest(folder)
    assert digest(folder) == before
    change(folder)
    after = digest(folder)
    assert after.everything != before.everything
    assert after.tables != before.tables


def test_a_file_beside_those_that_are_read_changes_nothing(folder: Path):
    before = digest(folder)
    append_to("shapes/others.shp")(folder)
    assert digest(folder) == before


def test_another_run_with_the_same_results_makes_the_same_tables_under_another_page(folder: Path):
    before = digest(folder)
    write_season(folder, "2026-04-02")
    after = digest(folder)
    assert after.tables == before.tables
    assert after.everything != before.everything


@pytest.mark.parametrize(
    ("name", "result", "are_tables_the_same"),
    [
        ("describe_own_code", (("code", "other"),), False),
        ("_list_packages", ["pandas-99.dist-info"], False),
        ("_list_fonts", ["/usr/share/fonts/NotoSansEthiopic.ttf"], False),
        ("find_revision", "another commit", True),
    ],
)
def test_the_program_and_its_fonts_are_inputs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, result: Any, are_tables_the_same: bool
):
    before = digest(folder)
    monkeypatch.setattr(inputs_module, name, lambda: result)
    after = digest(folder)
    assert after.everything != before.everything
    assert (after.tables == before.tables) == are_tables_the_same


def test_a_damaged_season_is_another_one(folder: Path):
    before = digest(folder)
    for content in ("{", "[]", "{}"):
        (folder / "State" / "analysis" / "season.json").write_text(content)
        assert digest(folder).tables != before.tables


@pytest.fixture
def analysis(tmp_path: Path) -> Path:
    """A folder of an analysis with a note."""
    for name in ("shares.csv", "statistics/tests.csv", "statistics/tests.parquet", "graphs/one.png", "report.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    note_files(tmp_path, INPUTS, COUNTS)
    return tmp_path


def test_the_same_inputs_and_files_are_kept_with_their_counts(analysis: Path):
    assert find_kept_counts(analysis, INPUTS) == COUNTS
    assert find_kept_counts(analysis, InputDigests("others", "tables")) is None
    assert find_kept_counts(analysis / "none", INPUTS) is None


@pytest.mark.parametrize("name", ["shares.csv", "statistics/tests.csv", "graphs/one.png", "report.html"])
def test_a_file_that_was_edited_or_removed_is_made_again(analysis: Path, name: str):
    (analysis / name).write_text("edited")
    assert find_kept_counts(analysis, INPUTS) is None
    (analysis / name).unlink()
    assert find_kept_counts(analysis, INPUTS) is None


def test_a_file_that_was_added_goes(analysis: Path):
    (analysis / "graphs" / "older.png").write_text("")
    assert find_kept_counts(analysis, INPUTS) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"everything": "all", "files": {}}',
        "\xff",
        '{"everything": "all", "tables": "tables", "counts": 3, "files": {}}',
    ],
)
def test_a_note_that_says_nothing_keeps_nothing(analysis: Path, tmp_path: Path, content: str):
    (analysis / NOTE).write_text(content, encoding="latin-1")
    assert find_kept_counts(analysis, INPUTS) is None
    assert keep_tables(analysis, tmp_path / "new", INPUTS) == 0


def test_tables_are_kept_whole_or_not_at_all(analysis: Path, tmp_path_factory: pytest.TempPathFactory):
    target = tmp_path_factory.mktemp("new")
    (analysis / "report.html").write_text("the page does not matter")
    assert keep_tables(analysis, target, InputDigests("others", "tables")) == 3
    found = sorted(path.name for path in target.rglob("*") if path.is_file())
    assert found == ["shares.csv", "tests.csv", "tests.parquet"]
    assert (target / "statistics" / "tests.csv").read_text() == "statistics/tests.csv"
    assert keep_tables(analysis, target, InputDigests("all", "others")) == 0
    (analysis / "statistics" / "tests.csv").write_text("edited")
    assert keep_tables(analysis, tmp_path_factory.mktemp("newer"), INPUTS) == 0
