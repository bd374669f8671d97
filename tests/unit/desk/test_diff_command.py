"""What `diff` tells of a changed configuration, against what stage 3 really makes with both."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.desk.previews.runs import temporary_folder
from example_project import (
    DataRoot,
    Document,
    coda_message,
    episode_run,
    label,
    survey_run,
    uid_of,
    write_project,
)

# Each runs stage 3, most of them twice.
pytestmark = pytest.mark.slow

SOURCE = Path(__file__).resolve().parents[3] / "src"
Changes = dict[str, Callable[[Document], object]]


def message_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Desk:
    """An operator with a data root and an idea for its configuration."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = DataRoot(folder)
        self._folder = folder
        self._capsys = capsys

    def change(self, **changes: Callable[[Document], object]) -> Path:
        """The example project, changed."""
        return write_project(self._folder / "new configuration", **changes)

    def diff(self, new: Path, *options: str, status: int = 0) -> str:
        """What is printed; of a failure the error."""
        arguments = ["diff", str(self.root.configuration), str(new), "--data-root", str(self.root.path), "--jobs", "1"]
        found = main([*arguments, *options])
        printed = self._capsys.readouterr()
        assert found == status, printed.err
        return printed.err if status else printed.out

    def findings(self, new: Path, *options: str) -> Document:
        """What differs, as JSON; tables and datasets by their names."""
        document = json.loads(self.diff(new, "--json", *options))
        document["tables"] = {table["file"]: table for table in document["tables"]}
        document["datasets"] = {dataset["dataset"]: dataset for dataset in document["datasets"]}
        return document


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    desk = Desk(tmp_path, capsys)
    desk.root.write_runs(
        episode_run("a", "biyo", time="2026-04-01T10:00:00+03:00"),
        episode_run("a", "dugsi", time="2026-04-10T10:00:00+03:00", run_id=2),
        episode_run("b", "rajo", 2, time="2026-04-02T10:00:00+03:00", run_id=3),
        episode_run("c", "jooji", time="2026-04-02T10:00:00+03:00", run_id=4),
        survey_run("a", gender="naag", age="24 jir", location="baydhabo"),
        survey_run("b", gender="nin", run_id=101),
    )
    desk.root.write_coded(
        "s01e01", coda_message("jooji", label("episode1", "STOP")), coda_message("biyo", label("episode1", "water"))
    )
    desk.root.write_coded("gender", coda_message("naag", label("gender", "woman")))
    desk.root.write_coded("age", coda_message("24 jir", label("age", "24")))
    return desk


def test_the_same_configuration_changes_nothing(desk: Desk):
    assert desk.diff(desk.change()) == "Nothing would change.\n"


def test_cells_are_counted_by_column_with_examples_by_message_id(desk: Desk):
    def rename(schemes: Document) -> None:
        next(code for code in schemes["gender"]["Codes"] if code["StringValue"] == "woman")["StringValue"] = "female"

    findings = desk.findings(desk.change(change_schemes=rename))
    assert [(c["column"], c["cells"]) for c in findings["tables"]["messages.csv"]["columns"]] == [("gender", 2)]
    change = {"before": "woman", "after": "female", "count": 2, "examples": [f"message {message_id('naag')}"]}
    assert findings["tables"]["messages.csv"]["columns"][0]["changes"] == [change]
    change = {"before": "woman", "after": "female", "count": 1, "examples": [f"participant {uid_of('a')}"]}
    assert findings["tables"]["individuals.csv"]["columns"][0]["changes"] == [change]
    text = desk.diff(desk.change(change_schemes=rename))
    assert f"    2 x woman -> female, e.g. message {message_id('naag')}\n" in text


def move_by_time(configuration: Document) -> None:
    configuration["TimestampRemappings"] = [
        {
            "TimeKey": "sent_on",
            "ShowPipelineKeyToRemapTo": "rqa_s01e02_raw",
            "RangeStartInclusive": "2026-04-05T00:00:00+03:00",
        }
    ]


def drop_imputation(plans: Document) -> None:
    del plans["DemographicCodingPlans"][1]["CodeImputationFunction"]


@pytest.mark.parametrize("changes", [{"change_configuration": move_by_time}, {"change_plans": drop_imputation}])
def test_the_counts_are_those_of_the_csvs(desk: Desk, changes: Changes):
    new = desk.change(**changes)
    findings = desk.findings(new)
    versions = []
    for configuration in (desk.root.configuration, new):
        desk.root.configuration = configuration
        desk.root.generate()
        versions.append({name: desk.root.table(name) for name in ("messages", "individuals", "production")})
    for name in versions[0]:
        before, after = versions[0][name], versions[1][name]
        # No row comes or goes, so that the same row is the same message.
        expected = Counter(c for was, becomes in zip(before, after, strict=True) for c in was if was[c] != becomes[c])
        table = findings["tables"][f"{name}.csv"]
        assert {column["column"]: column["cells"] for column in table["columns"]} == expected
        assert (table["rows_coming"]["count"], table["rows_going"]["count"]) == (0, 0)
    assert findings["tables"]["messages.csv"]["columns"]


def test_what_people_wrote_is_not_printed(desk: Desk):
    told = desk.diff(desk.change(change_configuration=move_by_time))
    assert "rqa_s01e01_raw: 1 cell(s) change\n    1 x a text -> no text" in told
    assert "rqa_s01e02_raw: 1 cell(s) change\n    1 x no text -> a text" in told
    assert message_id("dugsi") in told
    for text in ("biyo", "dugsi", "rajo", "naag"):
        assert text not in told


def test_rows_that_go_are_counted_and_named(desk: Desk):
    def end_earlier(configuration: Document) -> None:
        configuration["ProjectEndDate"] = "2026-04-05T00:00:00+03:00"

    findings = desk.findings(desk.change(change_configuration=end_earlier))
    going = {"count": 1, "examples": [f"message {message_id('dugsi')}"]}
    messages = findings["tables"]["messages.csv"]
    assert (messages["rows_before"], messages["rows_after"], messages["rows_going"]) == (3, 2, going)
    assert findings["tables"]["production.csv"]["rows_going"] == going
    assert findings["counts"]["messages kept"] == [4, 3]
    assert findings["counts"]["messages dropped sent outside the project's time range"] == [0, 1]
    assert findings["datasets"]["EXAMPLE_s01e01"]["messages_going"] == {"count": 1, "examples": [message_id("dugsi")]}


def test_rows_that_come_are_those_of_the_other_direction(desk: Desk):
    def begin_later(configuration: Document) -> None:
        configuration["ProjectStartDate"] = "2026-04-05T00:00:00+03:00"

    wide = desk.root.configuration
    desk.root.configuration = desk.change(change_configuration=begin_later)
    findings = desk.findings(wide)
    assert findings["tables"]["messages.csv"]["rows_coming"]["count"] == 2
    assert findings["tables"]["individuals.csv"]["rows_coming"] == {
        "count": 1,
        "examples": [f"participant {uid_of('b')}"],
    }
    assert findings["counts"]["participants who withdrew"] == [0, 1]


def test_columns_that_come_go_and_change_places_are_told(desk: Desk):
    def rename_and_reorder(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["AnalysisFileKey"] = "sex"
        plans["DemographicCodingPlans"].reverse()

    told = desk.diff(desk.change(change_plans=rename_and_reorder))
    assert "  columns that come: sex\n  columns that go: gender\n  the other columns change places\n" in told
    assert "cell(s) change" not in told


def test_automatic_labels_are_compared_by_dataset(desk: Desk):
    def read_english(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0].pop("Cleaner")

    findings = desk.findings(desk.change(change_plans=read_english), "--examples", "1")
    assert list(findings["datasets"]) == ["EXAMPLE_gender"]
    changes = findings["datasets"]["EXAMPLE_gender"]["changes"]
    assert sorted((c["before"], c["after"], c["count"]) for c in changes) == [
        ("gender: man", "no label", 1),
        ("gender: woman", "no label", 1),
    ]
    assert {tuple(change["examples"]) for change in changes} == {(message_id("naag"),), (message_id("nin"),)}


def test_a_dataset_of_another_name_is_one_that_goes_and_one_that_comes(desk: Desk):
    def rename(plans: Document) -> None:
        plans["RQACodingPlans"][1]["CodaFilename"] = "EXAMPLE_hope.json"

    findings = desk.findings(desk.change(change_plans=rename))
    assert findings["datasets"]["EXAMPLE_s01e02"]["is_gone"] is True
    assert findings["datasets"]["EXAMPLE_hope"]["is_new"] is True
    assert findings["datasets"]["EXAMPLE_hope"]["messages_coming"] == {"count": 1, "examples": [message_id("rajo")]}
    assert findings["tables"]["messages.csv"]["columns"] == []


def test_labels_that_would_be_lost_are_counted_by_dataset(desk: Desk):
    def change_ids(schemes: Document) -> None:
        schemes["gender"]["SchemeID"] = "Scheme-sex"
        schemes["episode1"]["Codes"][0]["CodeID"] = "code-new"

    new = desk.change(change_schemes=change_ids)
    lost = desk.findings(new)["labels_lost"]
    assert [(each["dataset"], each["scheme_id"], each["code_id"], each["messages"]) for each in lost] == [
        ("EXAMPLE_s01e01", "Scheme-episode1", "episode1-water", 1),
        ("EXAMPLE_gender", "Scheme-gender", None, 1),
    ]
    printed = desk.diff(new)
    assert "Coded Coda Files/EXAMPLE_gender.json: 1 message(s) are labelled under scheme 'Scheme-gender'" in printed
    assert "Probably it is the code 'water': its name is like that id" in printed


def test_labels_of_a_dataset_of_another_name_would_be_lost_and_those_lost_before_are_not_told(desk: Desk):
    def rename(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodaFilename"] = "EXAMPLE_sex.json"

    coded = desk.root.path / "Coded Coda Files"
    old = {**label("age", "24"), "SchemeID": "Scheme-old"}
    desk.root.write_coded("age", coda_message("24 jir", label("age", "24"), old))
    (coded / "EXAMPLE_left.json").write_text("[]")
    findings = desk.findings(desk.change(change_plans=rename))
    assert [(each["dataset"], each["messages"]) for each in findings["labels_lost"]] == [("EXAMPLE_gender", 1)]


def test_a_flow_that_only_the_new_configuration_names_counts_as_empty(desk: Desk, caplog: pytest.LogCaptureFixture):
    def add_flow(configuration: Document) -> None:
        configuration["RawDataSources"][0]["ActivationFlowNames"].append("s01e03_activation")

    assert desk.diff(desk.change(change_configuration=add_flow)) == "Nothing would change.\n"
    (warning,) = [record.getMessage() for record in caplog.records if "No raw data" in record.getMessage()]
    assert "1 flow(s)" in warning
    assert "'s01e03_activation'" in warning


def test_a_flow_that_the_old_configuration_names_has_to_be_there(desk: Desk):
    (desk.root.path / "Raw Data" / "s01_demographics.jsonl").unlink()
    error = desk.diff(desk.change(), status=11)
    assert error.startswith(f"ERROR: With the old configuration: {desk.root.path / 'Raw Data'}: 1 problem(s):")


def test_a_data_root_of_another_project_is_refused(desk: Desk):
    def rename_flows(configuration: Document) -> None:
        source = configuration["RawDataSources"][0]
        source["ActivationFlowNames"], source["SurveyFlowNames"] = ["other"], []

    assert "no flow of" in desk.diff(desk.change(change_configuration=rename_flows), status=11)


def test_what_stops_stage_3_is_told_with_its_configuration(desk: Desk):
    def fold_strictly(plans: Document) -> None:
        plans["RQACodingPlans"][0]["RawFieldFoldStrategy"] = "assert_equal"

    error = desk.diff(desk.change(change_plans=fold_strictly), status=11)
    assert error.startswith("ERROR: With the new configuration: Folding: 1 problem(s)")
    assert "dugsi" not in error


def test_a_damaged_file_is_named_where_it_lies(desk: Desk):
    path = desk.root.path / "Coded Coda Files" / "EXAMPLE_gender.json"
    path.write_text("[")
    error = desk.diff(desk.change(), status=11)
    assert f"{path}, line 1" in error


def test_a_configuration_with_problems_is_refused_before_anything_runs(desk: Desk, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    new = desk.change(change_configuration=lambda configuration: configuration.pop("ProjectEndDate"))
    assert "ProjectEndDate" in desk.diff(new, status=10)
    assert "Stage 3" not in caplog.text


def test_nothing_is_uploaded(desk: Desk):
    def upload(configuration: Document) -> None:
        configuration["DriveUpload"] = {
            "DriveCredentialsFileURL": "gs://nobody/has.json",
            "ProductionUploadPath": "a/production.csv",
            "MessagesUploadPath": "a/messages.csv",
            "IndividualsUploadPath": "a/individuals.csv",
            "AutomatedAnalysisDir": "a/analysis",
        }

    assert desk.diff(desk.change(change_configuration=upload)) == "Nothing would change.\n"


def test_each_configuration_runs_its_own_code(desk: Desk):
    def use_own_cleaner(plans: Document) -> None:
        plans["DemographicCodingPlans"][0]["CodingConfigurations"][0]["Cleaner"] = "our_cleaners:clean_gender"

    new = desk.change(change_plans=use_own_cleaner)
    desk.root.configuration = write_project(desk.root.configuration.parent, change_plans=use_own_cleaner)
    for path, code in ((desk.root.configuration, "man"), (new, "woman")):
        (path.parent / "our_cleaners.py").write_text(f"def clean_gender(text):\n    return {code!r}\n")
    assert "--allow-project-code" in desk.diff(new, status=10)
    changes = desk.findings(new, "--allow-project-code")["datasets"]["EXAMPLE_gender"]["changes"]
    assert [(c["before"], c["after"], c["count"]) for c in changes] == [("gender: man", "gender: woman", 2)]


def test_nothing_is_written_under_the_data_root_and_nothing_is_left(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")}
    desk.diff(desk.change(change_plans=drop_imputation))
    desk.diff(
        desk.change(change_plans=lambda plans: plans["RQACodingPlans"][0].update(RawFieldFoldStrategy="assert_equal")),
        status=11,
    )
    assert {path: path.stat().st_mtime_ns for path in desk.root.path.rglob("*")} == before
    assert list((tmp_path / "scratch").iterdir()) == []


def test_guarded_formulas_are_changed_cells(desk: Desk):
    desk.root.write_runs(episode_run("a", "=1+1"), episode_run("b", "biyo", run_id=2))
    told = desk.diff(desk.change(change_configuration=lambda document: document.update(GuardFormulas=True)))
    assert "rqa_s01e01_raw: 1 cell(s) change" in told


def test_the_folder_is_this_users_alone_and_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), temporary_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "file").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(desk: Desk, tmp_path: Path, number: signal.Signals):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = ["diff", desk.root.configuration, desk.change(), "--data-root", desk.root.path, "--jobs", "1"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [sys.executable, "-m", "engagement", *map(str, arguments)], env=environment, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not list(scratch.glob("engagement-diff-*")):
        time.sleep(0.002)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    assert list(scratch.iterdir()) == []


def test_a_data_root_that_is_not_there_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diff", "old.json", "new.json", "--data-root", str(tmp_path / "nowhere")]) == 2
    assert "expected the data root" in capsys.readouterr().err
