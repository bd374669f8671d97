"""Stage 5 as a whole: what it writes, from what, and what is left when it fails or is killed."""

import argparse
import csv
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from engagement.configuration.known_facts import facts_path
from engagement.custody.run_manifests import manifest
from engagement.foundation import file_stamps
from engagement.foundation.errors import ConfigurationError, InputError
from engagement.foundation.files import digest_file
from engagement.pipeline.outputs.columns import COLUMNS
from engagement.stages import automated_analysis, generate_analysis_graphs
from example_project import DataRoot, coda_message, episode_run, label, survey_run, write_project

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
TABLES = (
    "coding_errors", "coding_progress", "demographic_distributions", "engagement_counts", "impact_messages",
    "label_origins", "repeat_participations", "sample_messages", "share_intervals", "texts_with_phone_numbers", "theme_distributions",
    "traffic_analysis", "traffic_per_week", "value_origins",
)  # fmt: skip
STATISTICS = ("crosstabs", "new_and_returning", "retention", "shares", "tests", "traffic_per_day")
HOSTILE = [
    '=HYPERLINK("http://example.org")',
    "+biyo",
    "-dugsi",
    "@mid",
    "\tlaba",
    "</script><script>alert(1)</script>",
]


def make_data_root(folder: Path) -> DataRoot:
    configuration = write_project(
        folder / "configuration",
        change_configuration=lambda document: document.update(AutomatedAnalysis={"ImpactMessageCodes": ["water"]}),
        # Gender alone: every coding is a chart to draw.
        change_plans=lambda document: document.update(DemographicCodingPlans=document["DemographicCodingPlans"][:1]),
    )
    root = DataRoot(folder, configuration)
    write_messages(root)
    root.generate()
    return root


@pytest.fixture
def data_root(tmp_path: Path) -> DataRoot:
    return make_data_root(tmp_path)


@pytest.fixture(scope="module")
def analysed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a data root that was analysed once for all tests: drawing takes seconds."""
    folder = tmp_path_factory.mktemp("analysed")
    analyse(make_data_root(folder))
    return folder


@pytest.fixture
def analysed(analysed_once: Path, tmp_path: Path) -> DataRoot:
    """A test's own copy of the analysed data root."""
    root = DataRoot(tmp_path, tmp_path / "configuration" / "pipeline_configuration.json")
    shutil.copytree(analysed_once, tmp_path, dirs_exist_ok=True)
    return root


def write_messages(root: DataRoot, texts: list[str] = HOSTILE) -> None:
    root.write_runs(
        *(episode_run(f"p{n}", text, run_id=n) for n, text in enumerate(texts)),
        survey_run("p1", gender="nin"),
        survey_run("p2", 101, gender="naag"),
    )
    root.write_coded("s01e01", *(coda_message(text, label("episode1", "water")) for text in texts))
    genders = {"nin": "man", "naag": "woman"}
    root.write_coded("gender", *(coda_message(text, label("gender", code)) for text, code in genders.items()))


def folder_of(root: DataRoot) -> Path:
    return root.outputs / "Automated Analysis"


def options_of(root: DataRoot) -> list[str]:
    return [
        "--user", "tester", "--credentials", str(root.credentials), "--pipeline-configuration", str(root.configuration),
        "--data-root", str(root.path), "--jobs", "1",
    ]  # fmt: skip


def analyse(root: DataRoot, stage: ModuleType = automated_analysis, *options: str) -> None:
    parser = argparse.ArgumentParser()
    stage.add_arguments(parser)
    stage.run(parser.parse_args([*options_of(root), *options]))


def command(root: DataRoot, *options: str) -> list[str]:
    return [sys.executable, "-m", "engagement", "automated-analysis", *options_of(root), *options]


def digests(root: DataRoot) -> dict[str, str]:
    return {
        str(path.relative_to(root.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder_of(root).rglob("*"))
        if path.is_file()
    }


def source_of(root: DataRoot) -> dict[str, str]:
    return json.loads((root.path / "State" / "analysis" / "season.json").read_text())["run"]


def test_everything_is_written_and_a_second_run_writes_the_same_bytes(
    data_root: DataRoot, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    analyse(data_root)
    folder = folder_of(data_root)
    assert sorted(path.stem for path in folder.glob("*.csv")) == sorted(TABLES)
    assert list((folder / "graphs").rglob("*.png"))
    assert (folder / "maps").is_dir()
    assert (folder / "report.html").is_file()
    assert json.loads((folder / "made_from.json").read_text()) == {
        "everything else": source_of(data_root),
        "graphs": source_of(data_root),
    }
    assert "Analysing 6 message(s) of 6 participant(s)" in caplog.text
    assert not [text for text in HOSTILE if text in caplog.text]
    before = digests(data_root)
    analyse(data_root)
    assert digests(data_root) == before
    assert sorted(path.name for path in (folder / "statistics").iterdir()) == sorted(
        f"{name}.{kind}" for name in STATISTICS for kind in ("csv", "parquet")
    )
    for name in (*TABLES, *(f"statistics/{name}" for name in STATISTICS)):
        header = (folder / f"{name}.csv").read_text().partition("\n")[0].split(",")
        described = [column.name for column in COLUMNS if column.file == f"Automated Analysis/{name}.csv"]
        plain = [column for column in described if "<" not in column]
        assert header[: len(plain)] == plain, name
        assert (len(header) > len(plain)) == (len(described) > len(plain)), name
    assert sorted(path.name for path in data_root.outputs.iterdir() if path.is_dir()) == [
        "Automated Analysis", "Coda Files", "ICR",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["sample_messages", "impact_messages"])
def test_no_cell_with_a_participants_text_runs_as_a_formula(analysed: DataRoot, name: str):
    with (folder_of(analysed) / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        found = {row["Message"] for row in csv.DictReader(file)}
    assert found == {text if text.startswith("<") else "'" + text for text in HOSTILE}


@pytest.mark.parametrize(
    ("stage", "options"), [(generate_analysis_graphs, []), (automated_analysis, ["--graphs-only"])]
)
def test_the_graphs_alone_leave_everything_else_as_it_was(analysed: DataRoot, stage: ModuleType, options: list[str]):
    before, first = digests(analysed), source_of(analysed)
    write_messages(analysed, ["biyo", "ceel", "roob"])
    analysed.generate()
    analyse(analysed, stage, *options)
    after = digests(analysed)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    prefix = "Outputs/Automated Analysis/"
    assert f"{prefix}made_from.json" in changed
    assert [name for name in changed if name.startswith(f"{prefix}graphs/")]
    assert not [name for name in changed if not name.startswith((f"{prefix}graphs/", f"{prefix}made_from.json"))]
    assert json.loads((folder_of(analysed) / "made_from.json").read_text()) == {
        "everything else": first,
        "graphs": source_of(analysed),
    }


def make_again(root: DataRoot) -> None:
    """Analyse without what the last run noted."""
    (folder_of(root) / "kept_files.json").unlink()
    analyse(root)


def test_nothing_is_written_when_nothing_changed(analysed: DataRoot, caplog: pytest.LogCaptureFixture):
    # What a run leaves that is killed when the new analysis is there and the old one is not gone.
    left = analysed.outputs / "Automated Analysis.partial"
    (left / "graphs").mkdir(parents=True)
    caplog.set_level(logging.INFO)
    before = digests(analysed)
    files = {path: path.stat().st_ino for path in folder_of(analysed).rglob("*")}
    analyse(analysed)
    assert "Nothing changed since the last run" in caplog.text
    assert not left.exists()
    assert {path: path.stat().st_ino for path in folder_of(analysed).rglob("*")} == files
    make_again(analysed)
    assert digests(analysed) == before


_QUIET = """
import sys
from engagement.__main__ import main
assert main(sys.argv[1:]) == 0
sys.exit("pydantic" in sys.modules)
"""


def test_a_known_project_is_kept_without_its_models_and_its_changes_are_noticed(analysed: DataRoot):
    analyse(analysed)
    quiet = [sys.executable, "-c", _QUIET, "automated-analysis", *options_of(analysed)]
    found = subprocess.run(quiet, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert "Nothing changed since the last run" in found.stderr
    document = json.loads(analysed.configuration.read_text())
    analysed.configuration.write_text(json.dumps({**document, "PipelineName": "Another"}))
    analyse(analysed)
    assert "Another" in (folder_of(analysed) / "report.html").read_text()
    analyse(analysed)
    analysed.configuration.write_text(json.dumps({**document, "Notify": {"Odd": 1}}))
    with pytest.raises(ConfigurationError, match="Odd"):
        analyse(analysed)


def test_files_are_noted_by_the_project_that_made_them(analysed: DataRoot, caplog: pytest.LogCaptureFixture):
    analyse(analysed)
    note = facts_path(analysed.path, "analysis")
    known = json.loads(note.read_text())
    # As if the configuration had changed after its facts were recalled.
    known["facts"]["settings"] = "those of another project"
    note.write_text(json.dumps(known))
    analyse(analysed)
    note.unlink()
    caplog.set_level(logging.INFO)
    caplog.clear()
    analyse(analysed)
    assert "Nothing changed since the last run" in caplog.text


def test_files_that_somebody_changed_removed_or_added_are_made_good(analysed: DataRoot):
    before, folder = digests(analysed), folder_of(analysed)
    picture = next((folder / "graphs").rglob("*.png"))
    status, content = picture.stat(), picture.read_bytes()
    # Of the same size and time, as a disk would damage it.
    picture.write_bytes(content[:-40] + bytes(len(content[-40:])))
    os.utime(picture, ns=(status.st_atime_ns, status.st_mtime_ns))
    (folder / "traffic_per_week.csv").write_text("edited\n")
    (folder / "report.html").unlink()
    (folder / "added.csv").write_text("added\n")
    analyse(analysed)
    assert digests(analysed) == before


def test_downloads_that_stage_3_digested_are_not_read_again_unless_they_changed(
    analysed: DataRoot, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.INFO)
    # As if the files had been there for a while.
    monkeypatch.setattr(file_stamps, "TICK_NANOSECONDS", -(10**10))
    analysed.generate()
    analyse(analysed)
    caplog.clear()
    read = []

    def digest(path: Path) -> str:
        read.append(path.name)
        return digest_file(path)

    monkeypatch.setattr(manifest, "digest_file", digest)
    analyse(analysed)
    assert read == []
    assert "Nothing changed since the last run" in caplog.text
    caplog.clear()
    path = analysed.path / "Coded Coda Files" / "EXAMPLE_gender.json"
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"Coder", b"Koder"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    analyse(analysed)
    assert read == [path.name]
    assert "Nothing changed" not in caplog.text


def test_a_new_run_with_the_same_results_keeps_the_tables_and_says_so_on_the_page(
    analysed: DataRoot, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
):
    caplog.set_level(logging.INFO)
    first = source_of(analysed)["timestamp"]
    analysed.generate()
    other = DataRoot(tmp_path_factory.mktemp("other"), analysed.configuration)
    shutil.copytree(analysed.path, other.path, dirs_exist_ok=True)
    analyse(analysed)
    assert "file(s) of tables: what they are made from did not change" in caplog.text
    page = (folder_of(analysed) / "report.html").read_text()
    assert f"Since the outputs of {first[:16].replace('T', ' ')} UTC: 0 new messages" in page
    make_again(other)
    assert {name: digests(analysed)[name] for name in digests(other)} == digests(other)
    analyse(analysed)
    assert (folder_of(analysed) / "report.html").read_text() == page


def test_how_far_coders_agree_is_told_when_nothing_else_changed(analysed: DataRoot):
    estimate = {"value": 0.5, "low": 0.25, "high": 0.75}
    measured = {"messages": 40, "percent_agreement": estimate, "alpha": estimate, "ac1": estimate}
    path = analysed.path / "State" / "agreement" / "rqa_s01e01_raw.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 1, "overall": measured, "by_code": {}}))
    before = digests(analysed)
    analyse(analysed)
    assert (folder_of(analysed) / "statistics" / "agreement.csv").exists()
    path.unlink()
    analyse(analysed)
    assert digests(analysed) == before


def test_what_an_earlier_version_wrote_does_not_stay(analysed: DataRoot):
    before = digests(analysed)
    (folder_of(analysed) / "a_table_of_an_earlier_version.csv").write_text("")
    (folder_of(analysed) / "report.html").write_text("an earlier report")
    analyse(analysed)
    assert digests(analysed) == before


def test_outputs_made_before_coding_are_refused_by_their_mode(analysed: DataRoot):
    before = digests(analysed)
    analysed.generate(mode="auto-code-only")
    assert [path.name for path in (analysed.path / "State" / "analysis").iterdir()] == ["season.json"]
    with pytest.raises(InputError, match="made with --mode 'auto-code-only'; expected 'all-stages'"):
        analyse(analysed)
    assert digests(analysed) == before


def test_a_data_root_without_outputs_is_refused(tmp_path: Path):
    root = DataRoot(tmp_path)
    with pytest.raises(InputError, match="nothing is in Outputs/; expected what stage 3 leaves") as caught:
        analyse(root)
    assert caught.value.exit_status == 11
    assert not root.outputs.exists()


@pytest.mark.parametrize("mode", ["all-stages", "auto-code-only"])
def test_outputs_without_the_files_for_the_analysis_are_refused_by_their_mode(data_root: DataRoot, mode: str):
    data_root.generate(mode=mode)
    shutil.rmtree(data_root.path / "State")
    with pytest.raises(InputError, match=f"Outputs/ was made with --mode '{mode}'"):
        analyse(data_root)


def test_a_stage_killed_at_any_moment_leaves_a_whole_analysis_and_runs_again(analysed: DataRoot):
    whole = [digests(analysed)]
    write_messages(analysed, ["biyo", "ceel", "roob"])
    analysed.generate()
    expected = None
    killed = 0
    for moment in (0.8, 1.4, 2.0, 2.8):
        process = subprocess.Popen(
            command(analysed), env=ENVIRONMENT, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moment)
        if process.poll() is None:
            killed += 1
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        found = digests(analysed)
        if found not in whole:
            assert expected in (None, found)
            expected = found
    assert killed
    analyse(analysed)
    assert expected in (None, digests(analysed))
    assert not [path for path in analysed.outputs.iterdir() if path.name.endswith((".partial", ".old"))]


def test_wrong_usage_exits_2(data_root: DataRoot):
    done = subprocess.run(command(data_root, "--jobs", "0"), env=ENVIRONMENT, capture_output=True, check=False)
    assert done.returncode == 2
