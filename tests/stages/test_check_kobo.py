"""What a check, a plan and a container make of a KoboToolbox source."""

import re

import pytest

from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError
from fake_kobo import ASSET, submission
from fake_kobo import SURVEY as FORM_SURVEY
from kobo_project import EPISODE, form_of, make_kobo, serve_project, source_of


@pytest.fixture
def kobo():
    return make_kobo()


@pytest.fixture
def project(kobo, tmp_path):
    with serve_project(kobo, tmp_path) as project:
        yield project


def change_source(**settings):
    return lambda source: source.update(settings)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda source: source["Forms"].append({**source["Forms"][0], "FlowName": "leap_s06"}), "form"),
        (lambda source: source["SurveyQuestions"].append({"Field": "Phone", "Keys": ["about/phone"]}), "numbers must not reach the raw data"),
        (change_source(PhoneNumberKeys=["phonenumber"]), "'phonenumber' is the enumerator's"),
        (lambda source: source["SurveyQuestions"].append({"Field": "Who", "Keys": ["_uuid"]}), "'_uuid' is a key of the server's own"),
        (lambda source: source["Forms"][0].update(Asset="kf.kobotoolbox.org/x"), "is no form's id"),
        (lambda source: source["SurveyQuestions"][0].update(Keys=[]), "Keys"),
        (change_source(MessageTime="now"), "MessageTime"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_configuration_is_told(project, change, found):
    change(source_of(project))
    with pytest.raises(ConfigurationError, match=re.escape(found)):
        project.fetch()


def run_plan(project, capsys, status=0):
    arguments = project.arguments()[2:]
    for name in ("--coda-pull-credentials", "--coda-push-credentials"):
        arguments += [name, str(project.folder / "credentials.json")]
    for name in ("backups", "performance-logs"):
        arguments += [f"--{name}-dir", str(project.folder / name)]
    assert main(["plan-run", *arguments, "--first", "2", "--last", "2"]) == status
    return capsys.readouterr().out


def test_a_plan_counts_what_is_held_and_what_the_server_has(project, kobo, capsys):
    assert f"flow '{EPISODE}': 0 runs held; 12 submissions on the server" in run_plan(project, capsys)
    assert not project.data_root.exists()
    project.fetch()
    kobo.rows.append(submission(13))
    assert f"flow '{EPISODE}': 12 runs held; 13 submissions on the server" in run_plan(project, capsys)
    kobo.forms.clear()
    assert "12 runs held; could not find out what is new" in run_plan(project, capsys, status=12)


def check(project, capsys, *options):
    project.arguments()
    credentials = str(project.folder / "credentials.json")
    path = str(project.folder / "pipeline_configuration.json")
    main(["check", path, *options, "--credentials", credentials])
    # The project has no remappings at all.
    lines = [line for line in capsys.readouterr().out.splitlines() if "no remapping reads" not in line]
    return [line for line in lines if "RawDataSources[0]" in line]


def test_a_check_online_looks_for_each_path_in_the_form(project, kobo, capsys):
    source, form = source_of(project), form_of(project)
    form["EpisodeQuestions"] = [
        {"Field": "S05", "Keys": ["s05_old", "show/s05"]},
        {"Field": "Heard", "Keys": ["show/herd"]},
        {"Field": "Tune", "Keys": ["voice"], "Labels": True},
        {"Field": "Kid", "Keys": ["kids_old/kid_age"]},
    ]
    source["SurveyQuestions"][0]["Keys"] = ["about/age", "about/ages"]
    # Earlier versions of the form: a question, and a repeat.
    kobo.rows[0] |= {"s05_old": "maji", "kids_old": [{"kids_old/kid_age": "3"}]}
    lines = check(project, capsys, "--online")
    errors = [line for line in lines if line.startswith("ERROR")]
    assert (
        len(errors) == 1
        and "EpisodeQuestions[1].Keys[0]: no question of the form has the path 'show/herd'" in errors[0]
    )
    assert "nearest: 'show/heard'" in errors[0]
    warnings = [line for line in lines if line.startswith("WARNING")]
    assert sorted(re.search(r"RawDataSources\[0\]\.(\S+): (.{20})", line).groups() for line in warnings) == [
        ("Forms[0]", "3 questions of form "),
        ("Forms[0].EpisodeQuestions[2]", "its answers are file"),
        ("Forms[0].EpisodeQuestions[2].Labels", "its answers are not "),
        ("SurveyQuestions[0].Keys[1]", "no question of the f"),
    ]
    assert "'about/name', 'show/heard', 'show/kids/kid_age'" in "".join(warnings)
    assert not [line for line in lines if "7120" in line or "maji" in line]


@pytest.mark.parametrize(
    ("asset", "found"),
    [
        ({"has_deployment": False}, "Forms[0].Asset: form 'Invented listening group' was never deployed"),
        ({"asset_type": "block"}, "Forms[0].Asset: 'Invented listening group' is a block, template or collection"),
        (
            {"content": {"survey": FORM_SURVEY[2:]}},
            "Forms[0]: form 'Invented listening group' does not note when it is filled in",
        ),
    ],
)
def test_a_check_online_says_what_is_wrong_with_a_form(project, kobo, capsys, asset, found):
    kobo.surveys[ASSET] = asset
    assert found in "".join(check(project, capsys, "--online"))


def test_a_check_says_what_is_odd_in_the_settings(project, capsys):
    assert check(project, capsys) == []
    source_of(project).pop("Country")
    source_of(project)["Server"] = "http://kobo.example.org"
    lines = check(project, capsys)
    assert len(lines) == 2 and "sends the token and all answers unencrypted" in lines[0] and "no Country" in lines[1]


def test_a_container_gets_the_token_and_the_server(project, capsys):
    token = project.folder / "elsewhere.txt"
    source_of(project).update(TokenFileURL=token.as_uri(), Server="eu.kobotoolbox.org")
    assert main(["container-plan", "fetch-raw-data", *project.arguments()]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"mount ro {token}" in lines and "network bridge" in lines
