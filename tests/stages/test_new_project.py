"""A new project's folder: written from options or from a workspace, it loads, and the stages run with it."""

import csv
import dataclasses
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from engagement.__main__ import main
from engagement.configuration import load_project
from engagement.sandbox.server import serve
from engagement.sandbox.workspace import DEFAULT_SEED, make_workspace

OFFLINE = (
    *("--country", "somalia", "--rapid-pro-domain", "textit.example.org"),
    *("--start-date", "2026-03-01", "--end-date", "2026-06-01"),
    *("--activation-flow", "s01e01_activation:Rqa_S01E01_Raw"),
    *("--survey-flow", "s01_demographics:Gender, Age, Location"),
)


def create(directory: Path, *options: str, name: str = "Our Show") -> int:
    return main(["new-project", name, "--directory", str(directory), *options])


def configuration_of(directory: Path, name: str = "Our Show") -> Path:
    return directory / name / "pipeline_configuration.json"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch):
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield


def test_options_make_a_folder_without_problems(tmp_path, capsys):
    people = ("--coda-user", "asha@example.org", "--test-contact", "3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11")
    assert create(tmp_path / "configurations", *OFFLINE, *people) == 0
    path = configuration_of(tmp_path / "configurations")
    assert capsys.readouterr().out.splitlines() == [
        str(path),
        "Before the first run:",
        "- the workspace's token has to be at gs://our-show-credentials/rapid-pro-token.txt",
        "- the credentials of the uuid table have to be at gs://our-show-credentials/firebase.json",
        "- these code schemes have no themes yet; make them with 'scheme from-csv': s01e01.json",
    ]
    assert main(["check", str(path)]) == 0
    assert "0 error(s), 0 warning(s)" in capsys.readouterr().out
    project = load_project(path)
    assert project.configuration.activation_flows == ("s01e01_activation",)
    assert project.configuration.survey_flows == ("s01_demographics",)
    assert [plan.raw_field for plan in project.coding_plans.all] == [
        "s01e01_raw", "gender_raw", "age_raw", "location_raw", "operator_raw",
    ]  # fmt: skip
    document = json.loads(path.read_text())
    assert document["ProjectStartDate"] == "2026-03-01T00:00:00+03:00"
    assert document["RawDataSources"][0]["TokenFileURL"] == "gs://our-show-credentials/rapid-pro-token.txt"
    assert {"RapidProKey": "Rqa_S01E01_Raw (Text) - s01e01_activation", "PipelineKey": "s01e01_raw",
            "IsActivationMessage": True} in document["RapidProKeyRemappings"]  # fmt: skip
    assert sorted(tree(tmp_path / "configurations" / "Our Show")) == sorted(
        ["pipeline_configuration.json", "coding_plans.json"]
        + [f"code_schemes/{path.name}" for path in (path.parent / "code_schemes").iterdir()]
    )
    assert [path.name for path in (tmp_path / "configurations").iterdir()] == ["Our Show"]


def test_the_same_options_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        assert create(tmp_path / name, *OFFLINE) == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_an_existing_folder_is_never_touched(tmp_path, capsys):
    folder = tmp_path / "Our Show"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    assert create(tmp_path, *OFFLINE) == 2
    assert "it is there already" in capsys.readouterr().err
    assert tree(tmp_path) == {"Our Show/mine.txt": b"mine"}


def test_what_makes_no_valid_project_leaves_nothing(tmp_path, capsys):
    options = [option if option != "2026-06-01" else "2026-02-01" for option in OFFLINE]
    assert create(tmp_path, *options) == 10
    assert "ProjectEndDate" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_everything_that_is_missing_or_wrong_is_told_at_once(tmp_path, capsys):
    assert create(tmp_path, "--time-zone", "Mogadishu", "--start-date", "soon", "--flows", "s01*") == 2
    error = capsys.readouterr().err
    for part in (
        "no --country; expected one. Add it.",
        "no --rapid-pro-domain; expected one. Add it.",
        "no --end-date; expected one. Add it.",
        "--start-date: 'soon'; expected a date",
        "--time-zone: 'Mogadishu'; expected an IANA name",
        "no flow; expected --rapid-pro-token-file, or --activation-flow and --survey-flow.",
        "--flows: it chooses among a workspace's flows; expected --rapid-pro-token-file.",
    ):
        assert part in error
    assert create(tmp_path, *OFFLINE, "--survey-flow", "s01_evaluation") == 2
    assert "flow 's01_evaluation': no results; expected FLOW:RESULT,RESULT." in capsys.readouterr().err
    assert create(tmp_path, *OFFLINE, name="../elsewhere") == 2
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_asks_for_what_is_missing(tmp_path):
    answers = [
        "atlantis", "kenya", "textit.example.org", "2026-03-01", "2026-06-01",
        "e01:Rqa_E01", "", "demog:Gender,County", "",
    ]  # fmt: skip
    controller, terminal = pty.openpty()
    arguments = [sys.executable, "-m", "engagement", "new-project", "Asked", "--directory", str(tmp_path)]
    with subprocess.Popen(
        arguments,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
        cwd=Path(__file__).resolve().parents[2],
    ) as process:
        os.close(terminal)
        os.write(controller, ("\n".join(answers) + "\n").encode())
        _, error = process.communicate(timeout=60)
    os.close(controller)
    assert process.returncode == 0, error.decode()
    project = load_project(configuration_of(tmp_path, "Asked"))
    assert [plan.raw_field for plan in project.coding_plans.all] == [
        "e01_raw",
        "gender_raw",
        "county_raw",
        "operator_raw",
    ]
    assert project.coding_plans.demographic[0].coding_configurations[0].cleaner == "swahili.gender"


@pytest.fixture(scope="module")
def workspace():
    return make_workspace(DEFAULT_SEED, 0)


def test_a_workspace_becomes_a_project_that_stages_2_and_3_run(tmp_path, workspace):
    token, credentials = tmp_path / "my token.txt", tmp_path / "credentials.json"
    token.write_text(f"{workspace.token}\n")
    credentials.write_text(json.dumps({"type": "embedded", "directory": str(tmp_path / "embedded")}))
    data_root = tmp_path / "data root"
    with serve(workspace) as address:
        options = ("--country", "somalia", "--start-date", "2026-08-03", "--end-date", "2026-11-01")
        online = ("--rapid-pro-domain", address, "--rapid-pro-token-file", str(token))
        assert create(tmp_path, *options, *online, "--firebase-credentials-url", credentials.as_uri()) == 0
        project = load_project(configuration_of(tmp_path))
        arguments = [
            *("--user", "tester@example.org", "--credentials", str(credentials)),
            *("--pipeline-configuration", str(project.path), "--data-root", str(data_root)),
        ]
        assert main(["fetch-raw-data", *arguments]) == 0
    assert main(["generate-outputs", *arguments, "--jobs", "1"]) == 0
    plans = project.coding_plans
    assert [plan.raw_field for plan in plans.rqa] == ["s01e01_raw", "s01e02_raw", "s01e03_raw"]
    assert [plan.raw_field for plan in plans.survey] == [
        "gender_raw", "age_raw", "location_raw", "household_language_raw", "recently_displaced_raw", "operator_raw",
        "show_helpful_raw",
    ]  # fmt: skip
    with (data_root / "Outputs" / "messages.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 500
    for plan in plans.all:
        assert sum(row[plan.raw_field] not in ("", "STOP") for row in rows) > 50, plan.raw_field
    # What is recognised is read by the cleaners.
    for name, key in (
        ("gender", "gender"),
        ("age", "age"),
        ("location", "district"),
        ("recently_displaced", "recently_displaced"),
    ):
        messages = json.loads((data_root / "Outputs" / "Coda Files" / f"OUR_SHOW_{name}.json").read_text())
        (scheme,) = [
            coding.code_scheme
            for plan in plans.survey
            for coding in plan.coding_configurations
            if coding.analysis_file_key == key
        ]
        labels = [label for message in messages for label in message["Labels"] if label["SchemeID"] == scheme.scheme_id]
        assert len(labels) > 2, name
    assert {path.name for path in (data_root / "Outputs" / "ICR").iterdir()} == {
        "s01e01.csv",
        "s01e02.csv",
        "s01e03.csv",
    }


def test_flows_of_a_workspace_can_be_chosen(tmp_path, workspace, capsys):
    token = tmp_path / "token.txt"
    token.write_text(workspace.token)
    options = ("--country", "somalia", "--start-date", "2026-08-03", "--end-date", "2026-11-01")
    with serve(workspace) as address:
        online = (*options, "--rapid-pro-domain", address, "--rapid-pro-token-file", str(token))
        assert create(tmp_path, *online, "--flows", "demo_s01e0[12]*", "--flows", "demo_s01_demographics") == 0
        assert create(tmp_path, *online, "--survey-flow", "demo_s01_demografics", name="Other") == 2
        assert "nearest: 'demo_s01_demographics'" in capsys.readouterr().err
        token.write_text("wrong")
        assert create(tmp_path, *online, name="Other") == 12
        assert create(tmp_path, *online, "--rapid-pro-token-file", str(tmp_path / "none"), name="Other") == 2
    assert not (tmp_path / "Other").exists()
    configuration = load_project(configuration_of(tmp_path)).configuration
    assert configuration.activation_flows == ("demo_s01e01_activation", "demo_s01e02_activation")
    assert configuration.survey_flows == ("demo_s01_demographics",)


def test_an_anonymous_workspace_becomes_a_project_whose_participants_are_contacts(tmp_path, workspace, capsys):
    token = tmp_path / "token.txt"
    token.write_text(workspace.token)
    options = ("--country", "somalia", "--start-date", "2026-08-03", "--end-date", "2026-11-01")
    hidden = dataclasses.replace(workspace, workspace=workspace.workspace | {"anon": True})
    with serve(hidden) as address:
        assert create(tmp_path, *options, "--rapid-pro-domain", address, "--rapid-pro-token-file", str(token)) == 0
    assert 'the workspace is anonymous, so "Identity" is "contact"' in capsys.readouterr().out
    document = json.loads(configuration_of(tmp_path).read_text())
    assert document["RawDataSources"][0]["Identity"] == "contact"


def test_of_two_flows_of_one_name_none_is_taken_by_chance(tmp_path, workspace, capsys, caplog):
    token = tmp_path / "token.txt"
    token.write_text(workspace.token)
    options = ("--country", "somalia", "--start-date", "2026-08-03", "--end-date", "2026-11-01")
    first = next(row for row in workspace.flows if row["name"] == "demo_s01_demographics")
    other = first | {"uuid": "7b0e2a44-9d1c-4f3a-a6c5-2e8f1d0b9a73"}
    with serve(dataclasses.replace(workspace, flows=(*workspace.flows, other))) as address:
        online = (*options, "--rapid-pro-domain", address, "--rapid-pro-token-file", str(token))
        assert create(tmp_path, *online, "--survey-flow", first["name"]) == 2
        assert create(tmp_path, *online) == 0
    told = capsys.readouterr().err + caplog.text
    assert told.count("2 flows are called 'demo_s01_demographics'") == 2
    assert told.count(first["uuid"]) >= 2 <= told.count(other["uuid"])
    assert first["name"] not in load_project(configuration_of(tmp_path)).configuration.survey_flows
