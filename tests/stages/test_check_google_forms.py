"""What a check and a plan make of a Google Forms source."""

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError
from fake_google_forms import ACCOUNT, FORBIDDEN
from google_forms_project import COUNT, WATER, answered, answered_project, serve_forms


@pytest.fixture
def server(monkeypatch):
    with serve_forms(monkeypatch) as server:
        yield server


@pytest.fixture
def project(tmp_path, server):
    return answered_project(tmp_path, server)


def run(project, command, *options):
    """Run a command of the desk on the project's configuration."""
    project.arguments()
    configuration = project.folder / "pipeline_configuration.json"
    if command == "check":
        return main(
            ["check", str(configuration), "--online", "--credentials", str(project.folder / "credentials.json")]
        )
    arguments = ["--pipeline-configuration", configuration, "--data-root", project.data_root]
    for name in ("--credentials", "--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, project.folder / "credentials.json"]
    arguments += ["--backups-dir", project.folder / "backups", "--performance-logs-dir", project.folder / "logs"]
    return main([command, *map(str, arguments), *options])


def test_a_plan_tells_what_is_new_and_writes_nothing(project, capsys):
    assert run(project, "plan-run", "--first", "2", "--last", "2") == 0
    assert f"flow 'forms_s05': 0 responses held; {COUNT} new, 0 edited, 0 deleted" in capsys.readouterr().out
    assert not project.data_root.exists()
    project.fetch()
    project.form.remove(3)
    project.form.add(answered(7, edited=500, **{WATER: "maji"}), answered(100), answered(101))
    assert run(project, "plan-run", "--first", "2", "--last", "2") == 0
    assert f"flow 'forms_s05': {COUNT} responses held; 2 new, 1 edited, 1 deleted" in capsys.readouterr().out


def test_a_plan_goes_on_without_the_service(project, server, capsys):
    server.key_is_refused = True
    run(project, "plan-run", "--first", "2", "--last", "2")
    assert "flow 'forms_s05': could not find out what is new" in capsys.readouterr().out


def test_an_online_check_names_questions_that_are_missing_and_those_that_nothing_reads(project, capsys):
    run(project, "check")
    out = capsys.readouterr().out
    assert "$.RawDataSources[0]" not in "".join(line for line in out.splitlines() if line.startswith("ERROR"))
    assert "at $.RawDataSources[0].Forms[0]: nothing reads 'How often? [SMS]' (5a1b0006)" in out
    project.source["SurveyQuestions"][0]["Questions"] = ["How old are yu?"]
    assert run(project, "check") == 10
    out = capsys.readouterr().out
    assert "at $.RawDataSources[0].SurveyQuestions[0].Questions[0]: " in out
    assert "nearest: 'How old are you?'" in out


def test_an_online_check_tells_a_form_that_is_not_shared(project, server, capsys):
    server.fail(1, FORBIDDEN["not shared"])
    assert run(project, "check") != 0
    assert f"{ACCOUNT} may not read this form" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"Forms": [{"FormId": "1FAIpQLSinventedInvented"}]},
            "Forms[0].FormId: '1FAIpQLSinventedInvented' is no form's id",
        ),
        (
            {"Forms": [{"EpisodeQuestions": [{"Field": "S05"}]}]},
            "EpisodeQuestions[0]: neither Questions nor QuestionIds",
        ),
        ({"PhoneNumberQuestions": ["What about water?"]}, "'What about water?' is in PhoneNumberQuestions"),
        ({"Identity": "email"}, "PhoneNumberQuestions: there are some, though Identity is 'email'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(project, change, told):
    form = {**project.source["Forms"][0], **change.pop("Forms", [{}])[0]}
    project.source |= {**change, "Forms": [form]}
    with pytest.raises(ConfigurationError) as refused:
        project.fetch()
    assert told in str(refused.value)
