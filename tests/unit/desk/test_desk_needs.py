"""What the container of a command of the desk sees: what its path arguments name, and no more."""

import json
import shutil
from pathlib import Path

import pytest

from engagement.__main__ import DESK
from engagement.desk.container_plan import plan_container
from engagement.desk.desk_needs import COMMANDS
from engagement.foundation.errors import UsageError

DEMO = Path(__file__).resolve().parents[3] / "configurations" / "demo"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder that commands run in, with a project in it."""
    shutil.copytree(DEMO, tmp_path / "my project")
    (tmp_path / "data root").mkdir()
    (tmp_path / "key.json").write_text(json.dumps({"type": "embedded", "directory": "embedded"}))
    (tmp_path / "codes.csv").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_desk_has_its_needs():
    assert set(COMMANDS) == set(DESK)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["check", "my project/pipeline_configuration.json"], ["mount ro {}/my project"]),
        (
            ["check", "my project/pipeline_configuration.json", "--data-root", "data root"],
            ["mount ro {}/data root", "mount ro {}/my project"],
        ),
        (
            ["diff", "my project/pipeline_configuration.json", "my project/other.json", "--data-root", "data root"],
            ["mount ro {}/data root", "mount ro {}/my project"],
        ),
        (["explain", "data root", "avf-participant-uuid-1"], ["mount ro {}/data root"]),
        (["audit", "data root", "--since", "2026-11-01"], ["mount ro {}/data root"]),
        (["reproduce", "data root", "2026-11-01T020511Z-unknown"], ["mount ro {}/data root"]),
        (["status", "data root"], ["mount ro {}/data root"]),
        (
            ["adjudicate", "data root", "show", "--sheet", "projects/sheet.csv"],
            ["mount rw {}/data root", "mount rw {}/projects"],
        ),
        (
            ["adjudicate", "data root", "show", "--decisions", "codes.csv"],
            ["mount ro {}/codes.csv", "mount rw {}/data root"],
        ),
        (
            [
                "export-participant",
                "my project/pipeline_configuration.json",
                "data root",
                "key.json",
                "--uid",
                "avf-phone-uuid-1",
                "--output",
                "projects/export",
            ],
            [
                "mount ro {}/key.json",
                "mount ro {}/my project",
                "mount rw {}/data root",
                "mount rw {}/embedded",
                "mount rw {}/projects",
            ],
        ),
        (["icr", "codes.csv", "codes.csv"], ["mount ro {}/codes.csv"]),
        (
            [
                "recover",
                "my project/pipeline_configuration.json",
                "data root",
                "key.json",
                "codes.csv",
                "--output",
                "projects/new.csv",
            ],
            [
                "look {}/embedded/storage/demo-credentials/firebase.json",
                "mount ro {}/codes.csv",
                "mount ro {}/data root",
                "mount ro {}/key.json",
                "mount ro {}/my project",
                "mount rw {}/embedded",
                "mount rw {}/projects",
            ],
        ),
        (
            ["de-identify", "codes.csv", "--column", "a", "--table", "A", "--credentials", "key.json"],
            ["mount ro {}/key.json", "mount rw {}", "mount rw {}/embedded"],
        ),
        (
            [
                "de-identify",
                "codes.csv",
                "--column",
                "a",
                "--table",
                "A",
                "--credentials",
                "key.json",
                "--output",
                "projects/a.csv",
            ],
            ["mount ro {}/codes.csv", "mount ro {}/key.json", "mount rw {}/embedded", "mount rw {}/projects"],
        ),
        (["figures", "data root", "--format", "pdf"], ["mount rw {}/data root"]),
        (
            ["figures", "data root", "--format", "pdf", "--folder", "projects"],
            ["mount ro {}/data root", "mount rw {}/projects"],
        ),
        (["compare", "my project", "data root"], ["mount ro {}/my project", "mount rw {}/data root"]),
        (
            ["icr", "codes.csv", "codes.csv", "--data-root", "data root"],
            ["mount ro {}/codes.csv", "mount rw {}/data root"],
        ),
        (
            ["import-project", "my project", "projects/new", "--data-root", "data root", "--pipeline", "old.json"],
            ["mount ro {}/data root", "mount ro {}/my project", "mount rw {}/projects"],
        ),
        (
            ["contacts", "my project/pipeline_configuration.json", "data root", "key.json", "--for", "a"],
            ["mount ro {}/data root", "mount ro {}/key.json", "mount ro {}/my project", "mount rw {}/embedded"],
        ),
        (["evaluate-cleaners", "codes.csv"], ["mount ro {}/codes.csv"]),
        (
            ["evaluate-suggestions", "my project/pipeline_configuration.json", "data root"],
            ["mount ro {}/data root", "mount ro {}/my project"],
        ),
        (
            [
                "suggest-labels",
                "--coda-file",
                "codes.csv",
                "--code-scheme",
                "codes.csv",
                "--output",
                "new/suggested.json",
            ],
            ["mount ro {}/codes.csv", "mount rw {}/new"],
        ),
        (["scheme", "from-csv", "codes.csv"], ["mount rw {}"]),
        (
            ["scheme", "from-csv", "codes.csv", "--output", "schemes/codes.json", "--name", "my project"],
            ["mount ro {}/codes.csv", "mount rw {}/schemes"],
        ),
        (
            ["scheme", "codebook", "my project/pipeline_configuration.json", "code book"],
            ["mount ro {}/my project", "mount rw {}/code book"],
        ),
        (["coda-progress", "--credentials", "key.json"], ["mount ro {}/key.json", "mount rw {}/embedded"]),
        (
            [
                "coda-mend",
                "--credentials",
                "key.json",
                "--pipeline-configuration",
                "my project/pipeline_configuration.json",
            ],
            ["mount ro {}/key.json", "mount ro {}/my project", "mount rw {}/embedded"],
        ),
        (
            ["scheme", "push", "--credentials", "key.json", "my project/pipeline_configuration.json"],
            ["mount ro {}/key.json", "mount ro {}/my project", "mount rw {}/embedded"],
        ),
        (["cluster-certificates", "certificates"], ["mount rw {}/certificates"]),
    ],
)
def test_a_container_sees_what_the_arguments_name(work, options, lines):
    assert plan_container("desk", options) == [*(line.format(work) for line in lines), "network none"]


@pytest.mark.parametrize(("domain", "network"), [("textit.com", "bridge"), ("http://127.0.0.1:8010", "host")])
def test_a_new_project_reaches_the_server_that_its_flows_are_taken_from(work, domain, network):
    options = ["new-project", "Our Show", "--directory", "projects", "--rapid-pro-domain", domain]
    lines = plan_container("desk", [*options, "--rapid-pro-token-file", "key.json"])
    assert lines[:3] == [f"mount ro {work}/key.json", f"mount rw {work}/projects", f"network {network}"]


def test_what_a_project_refers_to_is_seen_as_well(work):
    (work / "plans").mkdir()
    shutil.move(work / "my project" / "coding_plans.json", work / "plans" / "coding_plans.json")
    path = work / "my project" / "pipeline_configuration.json"
    document = json.loads(path.read_text())
    document["CodingPlansFile"] = "../plans/coding_plans.json"
    path.write_text(json.dumps(document))
    assert f"mount ro {work}/plans" in plan_container("desk", ["check", str(path)])


def test_a_path_that_is_not_visible_yet_is_looked_for(work):
    lines = plan_container("desk", ["explain", "/nowhere/data root", "avf-participant-uuid-1"])
    assert lines == ["look /nowhere/data root", "mount ro /nowhere/data root", "network none"]


@pytest.mark.parametrize("options", [[], ["generate-outputs"], ["--help"]])
def test_a_stage_is_no_command_of_the_desk(options):
    with pytest.raises(
        UsageError, match=r"expected one of adjudicate, audit, check, .*coda-progress, .* a script of its own"
    ):
        plan_container("desk", options)


@pytest.mark.parametrize(
    "options",
    [
        ["forget", "my project/pipeline_configuration.json", "data root", "key.json", "--uid", "a"],
        ["check", "my project/pipeline_configuration.json", "--online", "--credentials", "key.json"],
    ],
)
def test_credentials_of_coda_alone_are_seen_with_their_service(work, options):
    (work / "of coda").mkdir()
    (work / "coda.json").write_text('{"type": "embedded", "directory": "of coda"}')
    option = "--coda-credentials" if options[0] == "forget" else "--coda-push-credentials"
    lines = plan_container("desk", [*options, option, "coda.json"])
    assert {f"mount ro {work}/coda.json", f"mount rw {work}/of coda"} <= set(lines)


def test_handing_contacts_over_needs_their_services_and_the_folder_of_the_file(work):
    (work / "handed").mkdir()
    arguments = ["contacts", "my project/pipeline_configuration.json", "data root", "key.json", "--for", "a"]
    lines = plan_container("desk", [*arguments, "--to-file", "handed/a.xlsx"])
    assert {f"mount rw {work}/handed", f"mount rw {work}/data root", "network host"} <= set(lines)
    assert f"mount ro {work}/data root" not in lines
