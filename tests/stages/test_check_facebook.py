"""What a check and a plan make of a source of comments."""

import re

import pytest

from engagement.__main__ import main
from facebook_project import FLOW, POSTS, make_page, serve_project
from fake_facebook import PAGE


@pytest.fixture
def page():
    return make_page()


@pytest.fixture
def project(page, tmp_path, caplog):
    with serve_project(page, tmp_path, caplog) as project:
        yield project


@pytest.fixture
def source(project):
    return project.sources[0]


def plan(project, capsys):
    arguments = ["--pipeline-configuration", project.folder / "pipeline_configuration.json"]
    for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, project.folder / "credentials.json"]
    arguments += ["--data-root", project.data_root]
    arguments += ["--backups-dir", project.folder / "backups", "--performance-logs-dir", project.folder / "logs"]
    assert main(["plan-run", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_a_plan_says_what_a_fetch_would_do_and_writes_nothing(project, page, capsys):
    project.arguments()
    told = plan(project, capsys)
    assert f"flow '{FLOW}': 0 comments held" in told
    assert f"post {POSTS[0]}: about 15 comments, all fetched" in told
    assert not project.data_root.exists()


def test_an_online_check_asks_for_each_post(project, page, source, capsys):
    source["Posts"][0]["PostIDs"] = [*POSTS, f"{PAGE}_77"]
    project.arguments()
    credentials = str(project.folder / "credentials.json")
    configuration = str(project.folder / "pipeline_configuration.json")
    assert main(["check", configuration, "--online", "--credentials", credentials]) == 10
    told = capsys.readouterr().out
    assert f"$.RawDataSources[0].Posts[0].PostIDs[2]: post '{PAGE}_77' does not exist" in told
    assert f"The newest posts of the page: {PAGE}_5003 of 2026-04-01" in told


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Posts": [{"FlowName": FLOW, "PostIDs": ["5001"]}]}, "is no post's id"),
        ({"Posts": [{"FlowName": FLOW, "PostIDs": [POSTS[0], POSTS[0]]}]}, "the post's id .* is already at"),
        ({"Posts": [{"FlowName": FLOW, "PostIDs": [POSTS[0], "1_2"]}]}, "posts of 2 pages; expected those of one"),
        ({"Server": "http://graph.example.org/v26.0"}, "is no server's address"),
        ({"GraphVersion": "26"}, "is no version of the Graph API"),
        ({"Server": "http://graph.example.org"}, "WARNING.*http:// sends the token"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(project, source, capsys, change, told):
    source.update(change)
    project.arguments()
    main(["check", str(project.folder / "pipeline_configuration.json")])
    output = capsys.readouterr()
    assert re.search(told, output.out + output.err)
