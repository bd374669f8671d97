"""The fetch from KoboToolbox: every submission once, edits and deletions followed, and nobody's number on the disk."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import fake_kobo
from chain_project import ChainProject
from engagement.__main__ import main
from engagement.foundation.errors import ConfigurationError, ServiceError
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import EPISODE_FLOW, SURVEY_FLOW
from fake_kobo import ASSET, TOKEN, Kobo, submission
from fake_kobo import SURVEY as FORM_SURVEY
from fetch_project import FetchProject

EPISODE, SURVEY = "leap_s05", "leap_survey"


@pytest.fixture
def kobo():
    return Kobo({ASSET: [submission(number) for number in range(1, 13)]})


@pytest.fixture
def project(kobo, tmp_path):
    folder = tmp_path / "my project"
    folder.mkdir()
    with fake_kobo.serve(kobo) as address:
        project = FetchProject(folder, "unused.invalid")
        (project.keys / "kobo.txt").write_text(f"{TOKEN}\n")
        project.sources[:] = [
            {
                "SourceType": "KoboToolbox",
                "Server": address,
                "TokenFileURL": "gs://keys/kobo.txt",
                "Country": "KE",
                "SurveyFlowName": SURVEY,
                "Forms": [
                    {
                        "FlowName": EPISODE,
                        "Asset": ASSET,
                        "EpisodeQuestions": [
                            {"Field": "S05", "Keys": ["show/s05"]},
                            {"Field": "Heard", "Keys": ["show/heard"]},
                        ],
                    }
                ],
                "SurveyQuestions": [
                    {"Field": "Age", "Keys": ["about/age"]},
                    {"Field": "Gender", "Keys": ["about/gender"]},
                ],
                "PhoneNumberKeys": ["about/phone"],
            }
        ]
        yield project


def source_of(project):
    return project.sources[0]


def form_of(project):
    return source_of(project)["Forms"][0]


def texts(project, field="S05", flow=EPISODE):
    """A field's answers by submission."""
    found = {}
    for record in project.read(flow):
        values = record.values
        found[int(values[f"run_id - {flow}"]) - 481000] = values.get(f"{field} (Text) - {flow}")
    return found


def people(project, flow=EPISODE):
    return {int(r.values[f"run_id - {flow}"]) - 481000: r.values["avf_phone_id"] for r in project.read(flow)}


def raw_data(project):
    return {path.name: path.read_bytes() for path in (project.data_root / "Raw Data").iterdir()}


def test_the_first_fetch_brings_each_question_to_its_flow(project):
    project.fetch()
    assert texts(project) == {number: f"maji safi {number}" for number in range(1, 13)}
    assert texts(project, "Heard")[1] == "radio friends"
    assert texts(project, "Age", SURVEY) == {number: str(20 + number) for number in range(1, 13)}
    first = project.read(EPISODE)[0].values
    assert first["urn_type"] == "tel" and first["operator_raw"] == "25471"
    assert first[f"S05 (Time) - {EPISODE}"] == "2026-03-02T07:09:00+00:00"
    assert first[f"S05 (Run ID) - {EPISODE}"] == first[f"run_id - {EPISODE}"]
    assert not any("Age" in key for key in first) and people(project) == people(project, SURVEY)


def test_a_fetch_with_nothing_new_asks_for_the_listing_alone_and_changes_no_byte(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.requests.clear()
    project.fetch()
    assert raw_data(project) == before
    assert len(kobo.requests) == 2 and all('"_validation_status"' in path for path in kobo.requests)


def test_an_edited_submission_replaces_itself_and_the_others_keep_their_bytes(project, kobo):
    project.fetch()
    before = project.lines(EPISODE)
    kobo.edit(kobo.rows[4], {"show/s05": "maji machafu"})
    kobo.requests.clear()
    project.fetch()
    after = project.lines(EPISODE)
    assert texts(project)[5] == "maji machafu" and len(after) == 12
    assert [key for key in before if before[key] != after[key]] == [next(k for k in before if str(k) == "481005")]
    assert kobo.asked('"$in"') == 1


def test_a_review_alone_changes_nothing(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_not_approved"}
    project.fetch()
    assert raw_data(project) == before


def test_submissions_that_a_reviewer_rejects_can_be_left_out_and_come_back(project, kobo):
    source_of(project)["ExcludeRejected"] = True
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_not_approved"}
    kobo.rows[5]["_validation_status"] = {"uid": "validation_status_on_hold"}
    project.fetch()
    assert sorted(texts(project)) == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]
    kobo.rows[4]["_validation_status"] = {"uid": "validation_status_approved"}
    kobo.rows[8]["_validation_status"] = {"uid": "validation_status_not_approved"}
    project.fetch()
    assert sorted(texts(project)) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]


def test_deletions_and_additions_between_pages_lose_and_double_nothing(project, kobo):
    kobo.most_rows = 5
    kobo.between += [lambda: kobo.rows.pop(0), lambda: kobo.rows.append(submission(13))]
    project.fetch()
    assert sorted(texts(project)) == list(range(2, 14))
    kobo.between += [lambda: kobo.rows.append(submission(14)), lambda: kobo.rows.pop(2)]
    project.fetch()
    project.fetch()
    assert sorted(texts(project)) == [2, 3, *range(5, 15)]
    assert sorted(texts(project, "Age", SURVEY)) == [2, 3, *range(5, 15)]


def test_a_submission_that_arrives_late_with_an_earlier_id_is_fetched(project, kobo):
    late = kobo.rows.pop(3)
    project.fetch()
    kobo.rows.insert(3, late)
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 13))


def test_the_same_answers_twice_are_two_messages_of_one_participant(project, kobo, caplog):
    caplog.set_level("INFO")
    kobo.rows.append(submission(13, {"about/phone": "+254 712 000 001", "show/s05": "maji safi 1"}))
    project.fetch()
    assert texts(project)[1] == texts(project)[13]
    assert people(project)[1] == people(project)[13]
    assert "1 number with several submissions" in caplog.text


def test_a_number_is_the_same_participant_as_by_sms_and_a_bad_one_is_a_participant_of_its_own(project, kobo, caplog):
    for number, told in enumerate(["254712000001", "00254712000001", "712000001"], 13):
        kobo.rows.append(submission(number, {"about/phone": told}))
    bad = [None, "n/a", "-", "2.54712E+11"]
    kobo.rows.extend(submission(number, {"about/phone": told}) for number, told in enumerate(bad, 20))
    project.fetch()
    found = people(project)
    assert len({found[number] for number in (1, 13, 14, 15)}) == 1
    assert len({found[number] for number in (20, 21, 22, 23)} - {found[1]}) == 4
    table = EmbeddedUuidTable(project.folder / "embedded", "PROJECT")
    assert table.find(["254712000001"]) == {"254712000001": found[1]}
    assert table.find([f"kobo:{ASSET}:481020"]) == {f"kobo:{ASSET}:481020": found[20]}
    assert "4 of 19 submissions without a usable phone number" in caplog.text
    assert not any(told in caplog.text for told in bad[1:] if told != "-")
    record = next(r for r in project.read(EPISODE) if r.values["avf_phone_id"] == found[20])
    assert record.values["urn_type"] == record.values["operator_raw"] == "kobo"
    # The same again: each keeps its uid.
    kobo.edit(kobo.rows[15], {"show/s05": "tena"})
    project.fetch()
    assert people(project) == found


def test_a_question_keeps_its_field_when_it_moves_in_the_form(project, kobo, caplog):
    form_of(project)["EpisodeQuestions"][0]["Keys"] = ["s05", "show/s05", "show/s05_001"]
    kobo.rows[0] = submission(1, {"show/s05": None, "s05": "wa kwanza"})
    kobo.rows[1] = submission(2, {"show/s05": None, "show/s05_001": "wa tatu"})
    kobo.rows[2] = submission(3, {"s05": "ya kale", "show/s05_001": "ya mwisho"})
    project.fetch()
    assert [texts(project)[number] for number in (1, 2, 3, 4)] == ["wa kwanza", "wa tatu", "ya mwisho", "maji safi 4"]
    assert "'S05': 1 submission has more than one of its Keys; the last counts" in caplog.text
    assert "no submission" not in caplog.text


def test_keys_found_nowhere_are_warned_of_with_the_nearest(project, kobo, caplog):
    form_of(project)["EpisodeQuestions"][0]["Keys"] = ["show/so5"]
    # A question that the form has, but nobody answered.
    form_of(project)["EpisodeQuestions"].append({"Field": "Kid", "Keys": ["show/kids/kid_age"]})
    source_of(project)["PhoneNumberKeys"].append("about/fone")
    project.fetch()
    warnings = [record.getMessage() for record in caplog.records if "in no submission" in record.getMessage()]
    assert len(warnings) == 2
    assert "'show/so5'" in warnings[0] and "nearest: 'show/s05'" in warnings[0]
    assert "'about/fone'" in warnings[1] and "nearest: 'about/phone'" in warnings[1]
    caplog.clear()
    # Still so on a night with nothing new, for what is wrong; not for what came in earlier nights.
    project.fetch()
    assert caplog.text.count("in no submission") == 2


def test_repeats_and_labels(project, kobo):
    form_of(project)["EpisodeQuestions"][1]["Labels"] = True
    form_of(project)["EpisodeQuestions"].append({"Field": "Kid", "Keys": ["show/kids/kid_age"]})
    source_of(project)["SurveyQuestions"][1]["Labels"] = True
    kobo.rows[0]["show/kids"] = [{"show/kids/kid_age": "3"}, {"show/kids/kid_age": "7"}]
    project.fetch()
    assert texts(project, "Kid")[1] == "3; 7" and texts(project, "Kid")[2] is None
    assert texts(project, "Heard")[1] == "Radio, Friends, family"
    assert texts(project, "Gender", SURVEY)[1] == "Female"


def test_times_of_devices_with_wrong_clocks_are_replaced_and_counted(project, kobo, caplog):
    kobo.rows[0]["end"] = "1970-01-01T03:00:00.000+03:00"
    kobo.rows[1]["end"] = "2033-01-01T03:00:00.000+03:00"
    kobo.rows[2] = submission(3, {"start": None, "end": None})
    project.fetch()
    times = {r.values[f"run_id - {EPISODE}"]: r.values[f"S05 (Time) - {EPISODE}"] for r in project.read(EPISODE)}
    assert [times[key] for key in list(times) if str(key)[-2:] in ("01", "02", "03", "04")] == [
        f"2026-03-02T07:{minute}:00+00:00" for minute in (10, 20, 30, 39)
    ]
    assert "2 submissions filled in by a device with a wrong clock" in caplog.text
    assert "1 submission without a time of the device" in caplog.text


def test_an_older_server_brings_the_same(project, kobo):
    project.fetch()
    before = raw_data(project)
    kobo.era = 2025
    kobo.forms[ASSET] = [submission(number, {"meta/rootUuid": None, "formhub/uuid": None}) for number in range(1, 13)]
    project.fetch()
    assert raw_data(project) == before
    for row in kobo.rows:
        kobo.edit(row, {})
    project.fetch()
    assert raw_data(project) == before


def bad_row(kobo, number):
    kobo.rows[number - 1]["_submission_time"] = "yesterday, 0712000099"


def test_a_submission_that_cannot_be_read_is_set_aside_and_counted(project, kobo, caplog):
    kobo.rows.extend(submission(number) for number in range(13, 151))
    bad_row(kobo, 5)
    project.fetch()
    assert sorted(texts(project)) == [*range(1, 5), *range(6, 151)]
    assert "481005" in "".join(path.read_text() for path in project.data_root.rglob("*.set_aside.jsonl"))
    assert "1 submission" in caplog.text and "0712000099" not in caplog.text
    kobo.edit(kobo.rows[4], {"_submission_time": fake_kobo.write_time(50)})
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 151))
    assert not list(project.data_root.rglob("*.set_aside.jsonl"))


def test_too_many_that_cannot_be_read_are_refused(project, kobo):
    project.fetch()
    before = raw_data(project)
    for number in (2, 3, 4):
        kobo.edit(kobo.rows[number - 1], {"show/s05": "mpya"})
        bad_row(kobo, number)
    with pytest.raises(ServiceError, match="can't be read; expected at most 1 %"):
        project.fetch()
    assert raw_data(project) == before


@pytest.mark.parametrize("left", [0, 8])
def test_a_form_that_was_emptied_replaces_nothing_until_it_is_accepted(project, kobo, left):
    project.fetch()
    before = raw_data(project)
    rows = kobo.rows[:]
    del kobo.rows[left:]
    with pytest.raises(ServiceError, match=rf"{EPISODE}.*{left} submission"):
        project.fetch()
    assert raw_data(project) == before
    kobo.rows[:] = rows
    kobo.requests.clear()
    project.fetch()
    assert raw_data(project) == before and kobo.asked('"show/s05"') == 0
    del kobo.rows[left:]
    project.fetch("--accept-shrinkage")
    assert len(texts(project)) == left


def test_weather_between_pages_delays_and_changes_nothing(project, kobo):
    kobo.most_rows = 4
    kobo.trouble += [
        once(1, lambda request: request.reply(502, b"<html>Bad Gateway</html>", {"Retry-After": "0"}, "text/html")),
        once(3, lambda request: request.reply(429, b"{}", {"Retry-After": "0"})),
        once(6, lambda request: request.break_off()),
    ]
    project.fetch()
    assert sorted(texts(project)) == list(range(1, 13))
    assert not kobo.trouble


def once(skip, answer):
    """Trouble for one request, after letting `skip` pass."""
    left = skip

    def trouble(request):
        nonlocal left
        left -= 1
        return left < 0 and answer(request)

    return trouble


def test_a_fetch_that_is_killed_goes_on_and_ends_with_the_same_bytes(project, kobo, tmp_path):
    kobo.forms[ASSET] = [submission(number) for number in range(1, 91)]
    kobo.most_rows = 10
    command = [sys.executable, "-m", "engagement", "fetch-raw-data", *project.arguments()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        # The listing has ten pages, the last of them empty.
        kobo.trouble = [once(14, lambda request: process.kill() or True)]
        assert process.wait() == -signal.SIGKILL
    assert kobo.asked('"$in"') == 5
    project.fetch()
    killed = {name: strip_metadata(content) for name, content in raw_data(project).items() if name != "manifest.json"}
    assert kobo.asked('"$in"') <= 6
    shutil.rmtree(project.data_root)
    project.fetch()
    assert killed == {
        name: strip_metadata(content) for name, content in raw_data(project).items() if name != "manifest.json"
    }


def strip_metadata(content):
    """Raw data without the time of the fetch, and what is computed from it."""
    return [[update["Data"] for update in json.loads(line)] for line in content.splitlines()]


def test_no_identity_reaches_the_disk_or_the_log(project, kobo, caplog):
    caplog.set_level("DEBUG")
    kobo.rows.append(submission(13, {"about/phone": "none"}))
    project.fetch()
    kobo.edit(kobo.rows[2], {"show/s05": "mpya"})
    project.fetch()
    secrets = [f"7120{number:05}" for number in range(1, 14)]
    secrets += ["Zzyzx", "enumerator_zz", "799999999", "kobo.invalid", ".m4a", TOKEN, f"kobo:{ASSET}"]
    content = {path: path.read_bytes() for path in project.data_root.rglob("*") if path.is_file()}
    assert len(content) > 3
    assert not [(path.name, secret) for path, data in content.items() for secret in secrets if secret.encode() in data]
    assert not [secret for secret in secrets if secret in caplog.text]
    # Not even asked for.
    assert not [path for path in kobo.requests if "about/name" in path or '"voice"' in path]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda project, kobo: (project.keys / "kobo.txt").write_text("wrong\n"), "the token was refused (status 401"),
        (lambda project, kobo: kobo.forms.clear(), "not found (status 404"),
    ],
)
def test_what_the_server_refuses_is_told_in_one_line(project, kobo, change, found):
    change(project, kobo)
    with pytest.raises(ServiceError, match=re.escape(found)) as refused:
        project.fetch()
    assert "\n" not in str(refused.value)
    assert not (project.data_root / "Raw Data").exists()


def test_several_forms_share_the_questions_about_participants(project, kobo):
    other = "aInventedListenerGrp02"
    kobo.forms[other] = [submission(100 + number, {"about/phone": f"07120{number:05}"}) for number in range(1, 6)]
    source_of(project)["Forms"].append(
        {"FlowName": "leap_s06", "Asset": other, "EpisodeQuestions": [{"Field": "S06", "Keys": ["show/s05"]}]}
    )
    project.fetch()
    assert texts(project, "S06", "leap_s06") == {100 + n: f"maji safi {100 + n}" for n in range(1, 6)}
    assert len(project.read(SURVEY)) == 17
    assert people(project, "leap_s06")[101] == people(project)[1]


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


def test_stage_3_makes_messages_of_submissions(kobo, tmp_path):
    answers = [("biyo", "nin"), ("dugsi", "naag"), ("biyo iyo dugsi", None)]
    kobo.forms[ASSET] = [
        submission(number, {"show/s05": text, "about/gender": gender})
        for number, (text, gender) in enumerate(answers, 1)
    ]
    with fake_kobo.serve(kobo) as address:
        source = {
            "SourceType": "KoboToolbox",
            "Server": address,
            "TokenFileURL": "gs://keys/kobo.txt",
            "Country": "KE",
            "PhoneNumberKeys": ["about/phone"],
            "SurveyFlowName": SURVEY_FLOW,
            "SurveyQuestions": [{"Field": "Gender", "Keys": ["about/gender"]}],
            "Forms": [
                {
                    "FlowName": EPISODE_FLOW.format(1),
                    "Asset": ASSET,
                    "EpisodeQuestions": [{"Field": "Rqa_S01E01_Raw", "Keys": ["show/s05"]}],
                }
            ],
        }
        project = ChainProject(tmp_path / "project", "unused.invalid", RawDataSources=[source])
        (project.embedded / "storage" / "keys" / "kobo.txt").write_text(TOKEN)
        for stage in (2, 3):
            assert main(project.arguments(stage)) == 0
    (messages,) = (project.data_root / "Outputs").rglob("messages.csv")
    rows = list(csv.DictReader(messages.open(newline="")))
    assert sorted((row["rqa_s01e01_raw"], row["gender_raw"]) for row in rows) == [
        ("biyo", "nin"),
        ("biyo iyo dugsi", ""),
        ("dugsi", "naag"),
    ]
    assert len({row["uid"] for row in rows}) == 3


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
