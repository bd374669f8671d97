"""What all sources of submissions share, seen with the smallest one: lists in JSON files."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration.source_types import SOURCE_TYPES
from engagement.foundation.errors import ConfigurationError, PipelineError, ServiceError
from fetch_project import FetchProject

ROOT = Path(__file__).resolve().parents[2]
TOYS = ROOT / "tests" / "toys"


def row(key: int, text: str = "haa", **more: Any) -> dict[str, Any]:
    time = f"2026-03-0{1 + key // 10}T10:{key % 60:02}:00+03:00"
    return {"Key": str(key), "Version": "1", "Time": time, "Phone": f"+25261500{key:04}", "S05": text, **more}


class ListProject(FetchProject):
    """A project with one list of ten submissions; half of them tell an age."""

    def __init__(self, folder: Path):
        super().__init__(folder, "")
        self.source = {
            "SourceType": "SubmissionList",
            "Forms": [{"FlowName": "leap_s05", "URL": "gs://n/s05.json", "EpisodeQuestions": [{"Field": "S05"}]}],
            "SurveyQuestions": [{"Field": "age"}],
            "SurveyFlowName": "leap_survey",
            "Country": "SO",
        }
        self.sources = [self.source]
        self.rows = [row(key, **({"age": "25"} if key % 2 else {})) for key in range(10)]
        self.put()

    def put(self) -> None:
        path = self.folder / "embedded" / "storage" / "n" / "s05.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.rows))

    def store(self) -> Path:
        return self.data_root / "State" / "fetch" / "SubmissionList leap_s05.sqlite"

    def raw(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.data_root / "Raw Data").iterdir())}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ListProject:
    monkeypatch.syspath_prepend(TOYS)
    monkeypatch.setitem(SOURCE_TYPES, "SubmissionList", "submission_list")
    return ListProject(tmp_path)


def test_answers_become_results_of_two_flows(project: ListProject):
    project.fetch()
    assert project.run_ids("leap_s05") == [str(key) for key in range(10)]
    assert project.run_ids("leap_survey") == ["1", "3", "5", "7", "9"]
    values = project.read("leap_s05")[3].values
    assert values["S05 (Text) - leap_s05"] == values["S05 (Value) - leap_s05"] == "haa"
    assert values["S05 (Time) - leap_s05"] == values["run_created_on - leap_s05"] == "2026-03-01T07:03:00+00:00"
    assert (values["S05 (Run ID) - leap_s05"], values["urn_type"], values["operator_raw"]) == ("3", "tel", "25261")
    assert values["operator_coded"]["CodeID"]
    # Keys have capitals, as those of RapidPro.
    survey = project.read("leap_survey")[1].values
    assert survey["Age (Text) - leap_survey"] == "25"
    assert survey["avf_phone_id"] == values["avf_phone_id"]
    assert "operator_raw" not in survey


def test_nothing_new_changes_no_byte_and_no_file(project: ListProject):
    project.fetch()
    before = project.raw()
    files = {path: path.stat().st_mtime_ns for path in (project.data_root / "Raw Data").iterdir()}
    project.fetch(user="another@example.org")
    assert project.raw() == before
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_edits_deletions_and_additions_are_followed(project: ListProject):
    project.rows += [row(key, age="30") for key in range(10, 30)]
    project.put()
    project.fetch()
    before = project.lines("leap_s05")
    project.rows[4] |= {"Version": "2", "S05": "maya"}
    # Only its version: the service saved it again.
    project.rows[5] |= {"Version": "2"}
    del project.rows[7]
    project.rows.append(row(30, "cusub"))
    project.put()
    project.fetch(user="another@example.org")
    after = project.lines("leap_s05")
    assert set(after) == {str(key) for key in range(31) if key != 7}
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == {"4"}
    assert [record.values["S05 (Text) - leap_s05"] for record in project.read("leap_s05")][4] == "maya"
    assert project.run_ids("leap_survey") == ["1", "3", "5", "9", *(str(key) for key in range(10, 30))]


def test_a_survey_that_is_the_same_is_not_written_again(project: ListProject):
    project.fetch()
    at = project.file("leap_survey").stat().st_mtime_ns
    project.rows[4] |= {"Version": "2", "S05": "maya"}
    project.put()
    project.fetch()
    assert project.file("leap_survey").stat().st_mtime_ns == at


@pytest.mark.parametrize("page", [1, 2, 4])
def test_a_fetch_that_is_killed_between_pages_ends_as_if_it_was_not(project: ListProject, page: int):
    code = "import sys; from engagement.configuration.source_types import SOURCE_TYPES as types; "
    code += "types['SubmissionList'] = 'submission_list'; from engagement.__main__ import main; sys.exit(main(sys.argv[1:]))"
    path = os.pathsep.join([str(ROOT / "src"), str(TOYS)])
    environment = {**os.environ, "PYTHONPATH": path, "KILLED_AFTER": str(page)}
    command = [sys.executable, "-c", code, "fetch-raw-data", *project.arguments()]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -signal.SIGKILL
    with contextlib.closing(sqlite3.connect(project.store())) as connection:
        assert connection.execute("SELECT count(*) FROM submissions").fetchone() == (min(3 * page, 10),)
    project.fetch()
    assert project.run_ids("leap_s05") == [str(key) for key in range(10)]


@pytest.mark.parametrize("damage", ["garbage", "gone", "middle"])
def test_a_damaged_store_is_fetched_again_and_lines_stay(project: ListProject, damage: str):
    project.rows += [row(key) for key in range(10, 50)]
    project.put()
    project.fetch()
    before = project.raw()
    content = project.store().read_bytes()
    middle = len(content) // 2
    damaged = {
        "garbage": b"no database" * 1000,
        "gone": b"",
        "middle": content[:middle] + b"\xff" * 8192 + content[middle + 8192 :],
    }
    project.store().write_bytes(damaged[damage])
    project.fetch(user="another@example.org")
    assert project.raw() == before


def test_other_questions_are_fetched_again(project: ListProject):
    project.fetch()
    project.source["SurveyQuestions"] = [{"Field": "age"}, {"Field": "S05"}]
    project.fetch()
    assert project.run_ids("leap_survey") == [str(key) for key in range(10)]


def test_another_operator_scheme_labels_again_what_is_held_and_fetches_nothing(project: ListProject, caplog: Any):
    project.rows[3]["Phone"] = "+252907000003"
    project.put()
    project.fetch()
    before, survey = project.lines("leap_s05"), project.file("leap_survey").read_bytes()
    project.write_operators("hormud", "telegram")
    project.fetch(user="another@example.org")
    after = project.lines("leap_s05")
    # Only what has another label, and in that only the label: the answer came when it came.
    assert [key for key in before if before[key] != after[key]] == ["3"]
    label, answer = json.loads(after["3"])
    assert label["Data"]["operator_coded"]["CodeID"] == "operator-NC"
    assert (label["Metadata"]["User"], answer["Metadata"]["User"]) == ("another@example.org", "tester@example.org")
    assert answer == json.loads(before["3"])[1]
    assert project.read("leap_s05")[3].values["operator_coded"]["CodeID"] == "operator-NC"
    assert project.file("leap_survey").read_bytes() == survey
    assert "everything is fetched again" not in caplog.text


def test_an_emptied_list_replaces_nothing(project: ListProject):
    project.fetch()
    before = project.raw()
    project.rows = project.rows[:6]
    project.put()
    with pytest.raises(ServiceError, match=r"list leap_s05: 6 submissions, 10 before; expected at least 90 %"):
        project.fetch()
    assert project.raw() == before
    project.fetch("--accept-shrinkage")
    assert len(project.run_ids("leap_s05")) == 6


def test_operators_without_a_code_are_named(project: ListProject, caplog: pytest.LogCaptureFixture):
    project.rows = [row(1) | {"Phone": "+447700900001"}]
    project.put()
    project.fetch()
    assert "1 run of operators without a code, kept as not coded: 44770 (1)" in caplog.text


def test_unreadable_submissions_are_set_aside_and_come_back(project: ListProject, caplog: pytest.LogCaptureFixture):
    project.rows += [row(key) for key in range(10, 50)]
    del project.rows[12]["Time"]
    project.put()
    project.fetch()
    assert "12" not in project.run_ids("leap_s05")
    (listed,) = project.store().parent.glob("*.set_aside.jsonl")
    told = {"flow": "leap_s05", "place": "submission 12", "reason": "it has no time"}
    assert json.loads(listed.read_text()) == told
    assert "it has no time (1)" in caplog.text
    del project.rows[13]["Time"]
    project.rows[13]["Version"] = "2"
    project.put()
    with pytest.raises(ServiceError, match="2 of 51 rows can't be read"):
        project.fetch()
    for key in (12, 13):
        project.rows[key] = row(key)
    project.put()
    project.fetch()
    assert len(project.run_ids("leap_s05")) == 50
    assert not listed.exists()


def test_one_number_is_one_participant_in_every_form(project: ListProject):
    project.rows = [row(1, Phone=phone) for phone in ("+252 61 5000001", "0615000001", "252615000001")]
    for number, one in enumerate(project.rows):
        one["Key"] = str(number)
    project.put()
    project.fetch()
    assert len({record.values["avf_phone_id"] for record in project.read("leap_s05")}) == 1


def test_no_number_reaches_the_disk(project: ListProject):
    project.fetch()
    for path in project.data_root.rglob("*"):
        if path.is_file():
            assert b"61500" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"SurveyFlowName": None}, "SurveyFlowName: is missing"),
        ({"Forms": []}, "Forms: is empty"),
        (
            {"SurveyQuestions": [{"Field": "age"}, {"Field": "Age"}]},
            r"SurveyQuestions\[1\].Field: the same as \[0\].Field",
        ),
        ({"Country": "Kenya"}, "Country: .* is no country"),
    ],
)
def test_settings_that_can_not_be_are_refused(project: ListProject, change: dict[str, Any], told: str):
    project.source |= change
    with pytest.raises(ConfigurationError, match=told):
        project.fetch()


def test_a_store_that_another_fetch_has_open_is_told(project: ListProject):
    project.fetch()
    with contextlib.closing(sqlite3.connect(project.store(), isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(PipelineError, match="another process has it open"):
            project.fetch()


def test_a_few_deleted_of_a_few_are_followed(project: ListProject):
    del project.rows[9:]
    project.put()
    project.fetch()
    # One of nine, then three of eight at once.
    for left in (8, 5):
        del project.rows[left:]
        project.put()
        project.fetch()
        assert len(project.run_ids("leap_s05")) == left


@pytest.mark.parametrize(("before", "left"), [(9, 0), (1, 0), (9, 5), (29, 25), (30, 26)])
def test_many_deleted_of_a_few_are_refused_and_so_are_all(project: ListProject, before: int, left: int):
    project.rows = [row(key) for key in range(before)]
    del project.source["SurveyQuestions"], project.source["SurveyFlowName"]
    project.put()
    project.fetch()
    held = project.raw()
    project.rows = project.rows[:left]
    project.put()
    with pytest.raises(ServiceError, match="before; expected at least 90 %"):
        project.fetch()
    assert project.raw() == held
    project.fetch("--accept-shrinkage")
    assert len(project.run_ids("leap_s05")) == left


def test_answers_that_are_far_too_long_are_set_aside_and_the_rest_goes_on(project: ListProject):
    project.fetch()
    held = project.lines("leap_s05")["4"]
    for key, field in ((2, "S05"), (3, "S05"), (5, "age")):
        project.rows[key] |= {field: "x" * 100_001, "Key": f"new {key}"}
    project.rows[4] |= {"S05": "x" * 100_001, "Version": "2"}
    project.put()
    project.fetch()
    assert project.run_ids("leap_s05") == ["0", "1", "4", "6", "7", "8", "9"]
    # What was there before an edit stays.
    assert project.lines("leap_s05")["4"] == held
    (listed,) = project.store().parent.glob("*.set_aside.jsonl")
    told = [json.loads(line) for line in listed.read_text().splitlines()]
    assert [one["place"] for one in told] == [f"submission {key}" for key in ("4", "new 2", "new 3", "new 5")]
    assert told[0]["reason"] == "too large: the answer to 'S05' has more than 100,000 characters"
    assert "xxx" not in listed.read_text()
    project.rows[4] |= {"S05": "x" * 100_000, "Version": "3"}
    project.put()
    project.fetch()
    assert len(project.read("leap_s05")[2].values["S05 (Text) - leap_s05"]) == 100_000
