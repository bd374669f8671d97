"""What becomes of a KoboToolbox submission: who answered, which question, and when."""

import csv

import pytest

import fake_kobo
from chain_project import ChainProject
from engagement.__main__ import main
from engagement.services.uuid_tables.embedded import EmbeddedUuidTable
from example_project import EPISODE_FLOW, SURVEY_FLOW
from fake_kobo import ASSET, TOKEN, submission
from kobo_project import EPISODE, SURVEY, form_of, make_kobo, people, serve_project, source_of, texts


@pytest.fixture
def kobo():
    return make_kobo()


@pytest.fixture
def project(kobo, tmp_path):
    with serve_project(kobo, tmp_path) as project:
        yield project


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
