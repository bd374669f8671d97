"""Raw keys become fields, and each answer to an episode a message."""

from pathlib import Path
from typing import Any

import pytest

from engagement.configuration import load_project
from engagement.foundation.errors import InputError
from engagement.pipeline.messages.key_names import KeyNames
from engagement.pipeline.messages.message import Message
from engagement.pipeline.messages.result_keys import find_unanswered_keys
from engagement.provenance import Metadata, TracedData
from example_project import write_project

METADATA = Metadata("tests", "2026-04-01T00:00:00+00:00", "tester")
FIRST, SECOND = "s01e1_activation", "s01e2_activation"


@pytest.fixture
def make_messages(tmp_path: Path):
    def make(run: dict[str, Any], **configuration: Any) -> list[Message]:
        project = load_project(write_project(tmp_path, lambda document: document.update(configuration)))
        record = TracedData.start({"avf_phone_id": "a", **run}, METADATA)
        return KeyNames(project.configuration, project.coding_plans).make_messages(record, METADATA)

    return make


def answer(number: int, text: str | None, time: str = "2026-04-01T10:00:00Z", run_id: int = 7) -> dict[str, Any]:
    result, flow = f"Rqa_S01E0{number}_Raw", f"s01e{number}_activation"
    return {f"{result} (Text) - {flow}": text, f"{result} (Time) - {flow}": time, f"{result} (Run ID) - {flow}": run_id}


def test_an_answer_names_its_episode(make_messages):
    (message,) = make_messages(answer(1, "biyo"))
    assert (message.plan.raw_field, message.text, message.run_id) == ("rqa_s01e01_raw", "biyo", "7")
    values = message.record.values
    assert (values["uid"], values["rqa_message"], values["show_pipeline_key"]) == ("a", "biyo", "rqa_s01e01_raw")


def test_a_run_with_two_answers_becomes_a_message_an_answer(make_messages):
    first, second = make_messages(
        {**answer(1, "biyo", "2026-04-01T10:00:00Z"), **answer(2, "rajo", "2026-04-02T10:00:00Z")}
    )
    assert (first.text, first.record.values["sent_on"]) == ("biyo", "2026-04-01T10:00:00Z")
    assert (second.text, second.record.values["sent_on"]) == ("rajo", "2026-04-02T10:00:00Z")
    assert "rqa_s01e02_raw" not in first.record.values
    assert "rqa_s01e01_raw" not in second.record.values


def test_an_empty_answer_is_an_answer_and_a_null_is_none(make_messages):
    (message,) = make_messages({**answer(1, ""), **answer(2, None)})
    assert message.text == ""
    (message,) = make_messages(answer(1, None))
    assert (message.plan, message.text) == (None, None)


REMAPPINGS = [
    {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
    *({"RapidProKey": f"Rqa_S01E0{n}_Raw ({part}) - s01e{n}_activation", "PipelineKey": key, "IsActivationMessage": part == "Text"}
      for n in (1, 2) for part, key in (("Text", f"rqa_s01e0{n}_raw"), ("Run ID", f"rqa_s01e0{n}_run_id"), ("Time", "sent_on"))),
    *({"RapidProKey": f"{field.title()} ({part}) - {flow}", "PipelineKey": f"{field}_{ending}"}
      for flow in ("older_survey", "newer_survey") for field in ("gender", "age", "location")
      for part, ending in (("Value", "raw"), ("Time", "time"))),
]  # fmt: skip


def survey(flow: str, text: str | None, time: str) -> dict[str, Any]:
    return {f"Gender (Value) - {flow}": text, f"Gender (Time) - {flow}": time}


TWO_SURVEYS = [
    # Of several keys for one field the later in the list wins.
    ("nin", "naag", "naag", "T2"),
    # Unless it is null; its time then does not win either.
    ("nin", None, "nin", "T1"),
    (None, "naag", "naag", "T2"),
    ("nin", "", "", "T2"),
    # What is null in the end is gone, with its time.
    (None, None, None, None),
]


@pytest.mark.parametrize(("older", "newer", "text", "time"), TWO_SURVEYS)
def test_an_answer_and_its_time_travel_together(make_messages, older, newer, text, time):
    run = {**answer(1, "biyo"), **survey("older_survey", older, "T1"), **survey("newer_survey", newer, "T2")}
    # In any order of the remappings of times.
    for remappings in (REMAPPINGS, sorted(REMAPPINGS, key=lambda r: "(Time)" in r["RapidProKey"])):
        (message,) = make_messages(run, RapidProKeyRemappings=remappings)
        assert (message.record.values.get("gender_raw"), message.record.values.get("gender_time")) == (text, time)


WEEK_TWO = {
    "TimeKey": f"Rqa_S01E01_Raw (Time) - {FIRST}",
    "ShowPipelineKeyToRemapTo": "rqa_s01e02_raw",
    "RangeStartInclusive": "2026-04-08T00:00:00+03:00",
    "RangeEndExclusive": "2026-04-15T00:00:00+03:00",
}
TIMES = [
    ("2026-04-07T20:59:59.999999Z", "rqa_s01e01_raw"),
    ("2026-04-07T21:00:00Z", "rqa_s01e02_raw"),
    ("2026-04-14T20:59:59Z", "rqa_s01e02_raw"),
    ("2026-04-14T21:00:00Z", "rqa_s01e01_raw"),
]


@pytest.mark.parametrize(("time", "field"), TIMES)
def test_messages_of_a_time_range_belong_to_another_episode(make_messages, time: str, field: str):
    (message,) = make_messages(answer(1, "biyo", time), TimestampRemappings=[WEEK_TWO])
    assert (message.plan.raw_field, message.text, message.run_id) == (field, "biyo", "7")
    assert message.record.values["show_pipeline_key"] == field
    assert message.record.values["sent_on"] == time
    other = {"rqa_s01e01_raw", "rqa_s01e02_raw"} - {field}
    assert not other & set(message.record.values)


def test_a_time_range_may_set_the_time_and_be_open(make_messages):
    adjusted = {**WEEK_TWO, "TimeToAdjustTo": "2026-04-09T12:00:00+03:00"}
    del adjusted["RangeStartInclusive"], adjusted["RangeEndExclusive"]
    (message,) = make_messages(answer(1, "biyo"), TimestampRemappings=[adjusted])
    assert message.record.values["sent_on"] == "2026-04-09T09:00:00.000000+00:00"
    assert message.record.values[f"Rqa_S01E01_Raw (Time) - {FIRST}"] == message.record.values["sent_on"]


def test_a_time_that_is_none_is_refused(make_messages):
    with pytest.raises(InputError, match="expected ISO 8601"):
        make_messages(answer(1, "biyo", "26/04/2026"), TimestampRemappings=[WEEK_TWO])


def test_recovered_messages_are_answers_with_their_time_and_run_id(make_messages):
    remappings = [
        *REMAPPINGS,
        {"RapidProKey": "message", "PipelineKey": "rqa_s01e01_raw", "IsActivationMessage": True},
        {"RapidProKey": "received_on", "PipelineKey": "sent_on"},
        {"RapidProKey": "run_id", "PipelineKey": "rqa_s01e01_run_id"},
    ]
    run = {"message": "biyo", "received_on": "2026-04-10T10:00:00+03:00", "run_id": "abc"}
    in_second_week = {**WEEK_TWO, "TimeKey": "received_on"}
    (message,) = make_messages(run, RapidProKeyRemappings=remappings, TimestampRemappings=[in_second_week])
    assert (message.plan.raw_field, message.text, message.run_id) == ("rqa_s01e02_raw", "biyo", "abc")


RECOVERED = [
    *REMAPPINGS,
    {"RapidProKey": "message", "PipelineKey": "recovered_raw", "IsActivationMessage": True},
    {"RapidProKey": "received_on", "PipelineKey": "recovered_on"},
    {"RapidProKey": "run_id", "PipelineKey": "recovered_run_id"},
]
IN_SECOND_WEEK = {**WEEK_TWO, "TimeKey": "received_on"}


@pytest.mark.parametrize("time_key", ["received_on", "recovered_on"])
def test_a_recovered_field_of_no_plan_waits_for_a_time_range(make_messages, time_key: str):
    run = {"message": "biyo", "received_on": "2026-04-10T10:00:00+03:00", "run_id": "abc"}
    span = {**IN_SECOND_WEEK, "TimeKey": time_key}
    (message,) = make_messages(run, RapidProKeyRemappings=RECOVERED, TimestampRemappings=[span])
    assert (message.plan.raw_field, message.text, message.run_id) == ("rqa_s01e02_raw", "biyo", "abc")
    assert message.record.values["sent_on"] == run["received_on"]
    assert not {"recovered_raw", "recovered_on", "recovered_run_id"} & set(message.record.values)
    late = {**run, "received_on": "2026-04-20T10:00:00+03:00"}
    (message,) = make_messages(late, RapidProKeyRemappings=RECOVERED, TimestampRemappings=[span])
    assert (message.plan, message.text, message.is_without_answer) == (None, None, False)
    (message,) = make_messages({}, RapidProKeyRemappings=RECOVERED, TimestampRemappings=[span])
    assert (message.plan, message.text, message.is_without_answer) == (None, None, True)


def test_a_set_time_goes_by_the_name_that_the_episode_has_for_it(make_messages):
    run = {"message": "biyo", "received_on": "2026-04-10T10:00:00+03:00", "run_id": "abc"}
    adjusted = {**IN_SECOND_WEEK, "TimeToAdjustTo": "2026-04-09T12:00:00+03:00"}
    (message,) = make_messages(run, RapidProKeyRemappings=RECOVERED, TimestampRemappings=[adjusted])
    assert message.record.values["sent_on"] == "2026-04-09T09:00:00.000000+00:00"
    assert "recovered_on" not in message.record.values


def test_recovered_keys_of_a_source_belong_together(make_messages):
    keys = {"Text": "gender_text", "Time": "gender_on", "RunID": "gender_run"}
    sources = [{"SourceType": "RecoveryCSV", "SurveyFlowURLs": ["gs://recovered/gender.csv"], "Keys": keys}]
    remappings = [
        *REMAPPINGS,
        {"RapidProKey": "gender_text", "PipelineKey": "gender_raw"},
        {"RapidProKey": "gender_on", "PipelineKey": "gender_time"},
    ]
    run = {**answer(1, "biyo"), **survey("older_survey", "nin", "T1"), "gender_on": "T2", "gender_run": "abc"}
    for text, expected in (("naag", ("naag", "T2")), (None, ("nin", "T1"))):
        (message,) = make_messages(
            {**run, "gender_text": text}, RapidProKeyRemappings=remappings, RawDataSources=sources
        )
        assert (message.record.values["gender_raw"], message.record.values["gender_time"]) == expected


def test_what_travels_with_a_null_answer_says_nothing():
    values = {
        **survey("f", None, "T1"),
        "Gender (Category) - f": "Other",
        "avf_phone_id": "a",
        "run_exited_on - f": None,
    }
    assert find_unanswered_keys(values) == {
        "Gender (Value) - f",
        "Gender (Time) - f",
        "Gender (Category) - f",
        "run_exited_on - f",
    }
