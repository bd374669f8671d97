"""Every key of old JSON configurations: carried over, renamed, or named in MIGRATION.md. All values are invented."""

import json
from typing import Any

import pytest

from engagement.configuration.pipeline_configuration import PipelineConfiguration
from engagement.desk.project_import.classic.configuration_keys import convert_configuration
from engagement.desk.project_import.configuration_and_plans import settle_with_plans
from engagement.desk.project_import.migration import Migration

WORKSPACE = {
    "SourceType": "RapidPro",
    "Domain": "textit.in",
    "TokenFileURL": "gs://farax/farax-token.txt",
    "ContactsFileName": "farax",
    "ActivationFlowNames": ["farax_s01e01"],
    "SurveyFlowNames": ["farax_demographics"],
    "TestContactUUIDs": ["3c5b7f0e-8d43-4c3e-9b6a-0d4f2a9c7e11"],
}
OLD: dict[str, Any] = {
    "PipelineName": "FARAX",
    "RawDataSources": [WORKSPACE],
    "PhoneNumberUuidTable": {"FirebaseCredentialsFileURL": "gs://farax/id.json", "TableName": "FARAX"},
    "RapidProKeyRemappings": [
        {"RapidProKey": "avf_phone_id", "PipelineKey": "uid"},
        {"RapidProKey": "Rqa_S01E01 (Text) - farax_s01e01", "PipelineKey": "s01e01_raw", "IsActivationMessage": True},
    ],
    "ProjectStartDate": "2020-03-01T00:00:00+03:00",
    "ProjectEndDate": "2020-06-01T00:00:00+03:00",
    "FilterTestMessages": True,
    "MoveWSMessages": False,
}
FLAT = {key: value for key, value in OLD.items() if key != "RawDataSources"}
RANGE = {
    "TimeKey": "received_on",
    "ShowPipelineKeyToRemapTo": "s01e01_raw",
    "RangeStartInclusive": "2020-03-02T00:00+03:00",
}
PLANS = {"RQACodingPlans": [{"RawField": "s01e01_raw"}], "WSCorrectDatasetScheme": "ws.json"}


def convert(old: dict[str, Any], constants: dict[str, object] | None = None) -> tuple[dict[str, Any], Migration]:
    migration = Migration()
    new = convert_configuration(json.loads(json.dumps(old)), constants or {}, migration)
    return new, migration


def test_a_configuration_of_our_own_shape_stays_as_it_is():
    new, migration = convert(OLD)
    assert new == OLD
    assert [migration.lines(name) for name in ("Changed", "Dropped", "To decide")] == [[], [], []]


# Old keys, what they become, and the section with the words that name them.
KEYS = {
    "a flat workspace": (
        FLAT | {"RapidProDomain": "textit.in", "RapidProTokenFileURL": "gs://farax/t.txt", "ActivationFlowNames": ["a"],
                "SurveyFlowNames": ["b"], "RapidProTestContactUUIDs": ["c"], "RecoveryCSVURLs": ["gs://farax/r.csv"]},
        {"RawDataSources": [
            {"SourceType": "RapidPro", "Domain": "textit.in", "TokenFileURL": "gs://farax/t.txt", "ActivationFlowNames": ["a"],
             "SurveyFlowNames": ["b"], "TestContactUUIDs": ["c"], "ContactsFileName": "t_contacts"},
            {"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://farax/r.csv"]},
        ]},
        "Changed", ["RapidProDomain", "RapidProTestContactUUIDs", "RecoveryCSVURLs", "ContactsFileName"],
    ),
    "a server's address": (
        FLAT | {"RapidProBaseURL": "https://app.example.org/", "RapidProTokenFileURL": "gs://farax/t.txt"},
        {"RawDataSources": [{"SourceType": "RapidPro", "Domain": "app.example.org", "TokenFileURL": "gs://farax/t.txt",
                             "ContactsFileName": "t_contacts"}]},
        "Changed", ["RapidProBaseURL"],
    ),
    "SourceKeyRemappings": (
        {key: value for key, value in OLD.items() if key != "RapidProKeyRemappings"}
        | {"SourceKeyRemappings": [{"SourceKey": "avf_phone_id", "PipelineKey": "uid"}]},
        {"RapidProKeyRemappings": [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}]},
        "Changed", ["SourceKeyRemappings", "SourceKey"],
    ),
    "another key of the participant": (
        OLD | {"RapidProKeyRemappings": [{"RapidProKey": "avf_facebook_id", "PipelineKey": "uid"}]},
        {"RapidProKeyRemappings": [{"RapidProKey": "avf_phone_id", "PipelineKey": "uid"}]},
        "Changed", ["avf_facebook_id"],
    ),
    "UuidTable": (
        {key: value for key, value in OLD.items() if key != "PhoneNumberUuidTable"}
        | {"UuidTable": {**OLD["PhoneNumberUuidTable"], "UuidPrefix": "avf-facebook-uuid-"}},
        {"PhoneNumberUuidTable": OLD["PhoneNumberUuidTable"]},
        "To decide", ["UuidPrefix", "avf-facebook-uuid-", "ParticipantPrefix"],
    ),
    "24:00 of the project": (
        OLD | {"ProjectEndDate": "2020-05-31T24:00+03:00"}, {"ProjectEndDate": "2020-06-01T00:00:00+03:00"},
        "Changed", ["ProjectEndDate", "24:00"],
    ),
    "24:00 of a range": (
        OLD | {"TimestampRemappings": [RANGE | {"RangeEndExclusive": "2020-03-08T24:00:00+03:00"}]},
        {"TimestampRemappings": [RANGE | {"RangeEndExclusive": "2020-03-09T00:00:00+03:00"}]},
        "Changed", ["TimestampRemappings[0].RangeEndExclusive", "24:00"],
    ),
    "a range that ends before it starts": (
        OLD | {"TimestampRemappings": [RANGE | {"RangeEndExclusive": "2020-03-01T00:00+03:00"}]},
        {"TimestampRemappings": []}, "To decide", ["TimestampRemappings[0]"],
    ),
    "no dates": (
        {key: value for key, value in OLD.items() if not key.endswith("Date")},
        {"ProjectStartDate": "2000-01-01T00:00:00+03:00", "ProjectEndDate": "2100-01-01T00:00:00+03:00"},
        "To decide", ["ProjectStartDate", "ProjectEndDate"],
    ),
    "a date without an offset": (
        OLD | {"ProjectEndDate": "2020-06-01T00:00:00"}, {"ProjectEndDate": "2020-06-01T00:00:00"},
        "To decide", ["ProjectEndDate", "offset"],
    ),
    "no switches": (
        {key: value for key, value in OLD.items() if not key.endswith("Messages")},
        {"FilterTestMessages": True, "MoveWSMessages": True}, "To decide", ["FilterTestMessages", "MoveWSMessages"],
    ),
    "Kenyan maps": (
        OLD | {"AutomatedAnalysis": {"GenerateCountyThemeDistributionMaps": True,
                                     "GenerateConstituencyThemeDistributionMaps": False,
                                     "GenerateRegionThemeDistributionMaps": False}},
        {"AutomatedAnalysis": {
            "GenerateRegionThemeDistributionMaps": False,
            "Maps": [{"Level": "county", "CodedField": "county_coded", "GenerateThemeDistributionMaps": True},
                     {"Level": "constituency", "CodedField": "constituency_coded"}],
        }},
        "Changed", ["GenerateCountyThemeDistributionMaps", "GenerateConstituencyThemeDistributionMaps"],
    ),
    "a traffic label that ends before it starts": (
        OLD | {"AutomatedAnalysis": {"TrafficLabels": [
            {"StartDate": "2020-03-02T00:00+03:00", "EndDate": "2020-03-01T00:00+03:00", "Label": "Advert"}]}},
        {"AutomatedAnalysis": {"TrafficLabels": []}}, "To decide", ["TrafficLabels[0]", "Advert"],
    ),
    "traced data": (
        OLD | {"DriveUpload": {"MessagesUploadPath": "d/m.csv", "IndividualsTracedDataUploadPath": "d/i.jsonl"}},
        {"DriveUpload": {"MessagesUploadPath": "d/m.csv"}}, "Dropped", ["IndividualsTracedDataUploadPath"],
    ),
    "a bucket alone": (
        OLD | {"DataArchiveUploadURLPrefix": "gs://farax-archive"}, {"DataArchiveUploadURLPrefix": "gs://farax-archive/"},
        "Changed", ["DataArchiveUploadURLPrefix"],
    ),
    "a bucket alone, and a folder": (
        OLD | {"DataArchiveUploadURLPrefix": "gs://farax-archive", "BucketDirPath": "2020/FARAX"},
        {"DataArchiveUploadURLPrefix": "gs://farax-archive/2020/FARAX/"}, "Changed", ["BucketDirPath"],
    ),
    "SourceName": (
        OLD | {"RawDataSources": [WORKSPACE | {"SourceName": "Radio Farax"}]}, {"RawDataSources": [WORKSPACE]},
        "Dropped", ["RawDataSources[0].SourceName", "Radio Farax"],
    ),
    "no ContactsFileName": (
        OLD | {"RawDataSources": [{k: v for k, v in WORKSPACE.items() if k != "ContactsFileName"}]},
        {"RawDataSources": [WORKSPACE | {"ContactsFileName": "farax_contacts"}]}, "Changed", ["ContactsFileName"],
    ),
    "a flow that is listed twice": (
        OLD | {"RawDataSources": [WORKSPACE | {"SurveyFlowNames": ["farax_demographics", "farax_s01e01"]}]},
        {"RawDataSources": [WORKSPACE]}, "Changed", ["farax_s01e01", "twice"],
    ),
    "a file with two endings": (
        OLD | {"RawDataSources": [{"SourceType": "GCloudBucket", "SurveyFlowURLs": ["gs://farax/a.traced.jsonl"]}]},
        {"RawDataSources": [{"SourceType": "GCloudBucket", "SurveyFlowURLs": ["gs://farax/a.traced.jsonl"]}]},
        "Changed", ["a.traced"],
    ),
    "Facebook": (
        OLD | {"RawDataSources": [WORKSPACE, {"SourceType": "Facebook", "PageID": "farax_page"}]},
        {"RawDataSources": [WORKSPACE]}, "To decide", ["Facebook", "farax_page"],
    ),
    "ShaqadoonCSV": (
        OLD | {"RawDataSources": [WORKSPACE, {"SourceType": "ShaqadoonCSV", "URL": "gs://farax/q.csv"}]},
        {"RawDataSources": [WORKSPACE]}, "To decide", ["ShaqadoonCSV", "gs://farax/q.csv"],
    ),
    "OperationsDashboard": (OLD | {"OperationsDashboard": {"URL": "gs://x/y"}}, {}, "Dropped", ["OperationsDashboard"]),
    "flow definitions": (
        OLD | {"FlowDefinitionsUploadURLPrefix": "gs://farax/x-"}, {}, "Dropped", ["FlowDefinitionsUploadURLPrefix"],
    ),
    "beneficiaries": (OLD | {"BeneficiaryFileURLs": ["gs://farax/b.json"]}, {}, "Dropped", ["BeneficiaryFileURLs", "b.json"]),
    "listening groups": (
        OLD | {"ListeningGroupCSVURLs": {"group_1": ["gs://farax/g.csv"]}}, {}, "To decide",
        ["ListeningGroupCSVURLs", "group_1", "g.csv", '"ListeningGroups": ['],
    ),
    "a key that nobody knows": (OLD | {"Colour": "blue"}, {}, "To decide", ["Colour", "blue"]),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_each_old_key_is_carried_over_or_named(name: str):
    old, expected, section, words = KEYS[name]
    new, migration = convert(old)
    assert {key: new[key] for key in expected} == expected
    text = "\n".join(migration.lines(section))
    assert [word for word in words if word not in text] == []
    whole = migration.as_markdown()
    assert [key for key in old if key not in new and key not in whole] == []


@pytest.mark.parametrize("name", KEYS)
def test_no_key_is_left_that_this_pipeline_refuses(name: str):
    new, _ = convert(KEYS[name][0])
    for key in ("AutomatedAnalysis", "RawDataSources"):
        new.setdefault(key, [WORKSPACE] if key == "RawDataSources" else {})
    assert set(new) <= {field.alias for field in PipelineConfiguration.model_fields.values()}


def test_dates_may_be_constants_of_the_old_code():
    old = {key: value for key, value in OLD.items() if key != "ProjectStartDate"}
    new, migration = convert(old, {"PROJECT_START_DATE": "2020-02-29T24:00:00+03:00"})
    assert new["ProjectStartDate"] == "2020-03-01T00:00:00+03:00"
    assert any("PROJECT_START_DATE" in line for line in migration.lines("Changed"))


def test_two_workspaces_get_two_names_for_contacts_and_one_gets_one():
    nameless = {key: value for key, value in WORKSPACE.items() if key != "ContactsFileName"}
    other = nameless | {"TokenFileURL": "gs://farax/other.txt", "ActivationFlowNames": ["x"], "SurveyFlowNames": []}
    again = nameless | {"ActivationFlowNames": ["y"], "SurveyFlowNames": []}
    new, _ = convert(OLD | {"RawDataSources": [nameless, other, again]})
    assert [source["ContactsFileName"] for source in new["RawDataSources"]] == [
        "farax_contacts", "other_contacts", "farax_contacts",
    ]  # fmt: skip


def settled(**changes: Any) -> tuple[dict[str, Any], Migration]:
    new, migration = convert(OLD | changes)
    settle_with_plans(new, PLANS, migration)
    return new, migration


def test_answers_to_episodes_are_marked_and_others_are_not():
    remappings = [
        OLD["RapidProKeyRemappings"][0],
        {"RapidProKey": "A (Text) - f", "PipelineKey": "s01e01_raw"},
        {"RapidProKey": "B (Text) - f", "PipelineKey": "s09e01_raw", "IsActivationMessage": True},
        {"RapidProKey": "C (Text) - f", "PipelineKey": "colour_raw"},
    ]
    new, migration = settled(RapidProKeyRemappings=remappings)
    assert [item.get("IsActivationMessage") for item in new["RapidProKeyRemappings"]] == [None, True, None, None]
    assert "A (Text) - f" in migration.lines("Changed")[0]
    assert "s09e01_raw" in migration.lines("To decide")[0]
    assert any("colour_raw" in line for line in migration.lines("Done"))


@pytest.mark.parametrize("has_range", [True, False])
def test_recovered_messages_wait_for_a_range_if_there_is_one(has_range: bool):
    remappings = [
        OLD["RapidProKeyRemappings"][0],
        {"RapidProKey": "message", "PipelineKey": "recovered_raw", "IsActivationMessage": True},
        {"RapidProKey": "received_on", "PipelineKey": "sent_on"},
    ]
    new, migration = settled(RapidProKeyRemappings=remappings, TimestampRemappings=[RANGE] if has_range else [])
    assert ("IsActivationMessage" in new["RapidProKeyRemappings"][1]) == has_range
    assert any("recovered_raw" in line for line in migration.lines("Done" if has_range else "To decide"))


def test_ranges_and_maps_of_fields_that_the_plans_lack_are_told():
    new, migration = settled(
        TimestampRemappings=[RANGE, RANGE | {"ShowPipelineKeyToRemapTo": "s09e09_raw"}],
        AutomatedAnalysis={"GenerateCountyThemeDistributionMaps": True},
    )
    assert new["TimestampRemappings"] == [RANGE]
    assert new["AutomatedAnalysis"]["Maps"] == []
    assert "s09e09_raw" in migration.lines("Dropped")[0]
    assert "county" in migration.lines("To decide")[0]


def test_a_map_finds_its_field_by_the_level_in_the_name():
    new, migration = convert(OLD | {"AutomatedAnalysis": {"GenerateCountyThemeDistributionMaps": True}})
    plan = {"RawField": "location_raw", "CodingConfigurations": [{"CodedField": "kenya_county_coded"}]}
    settle_with_plans(new, PLANS | {"DemographicCodingPlans": [plan]}, migration)
    assert new["AutomatedAnalysis"]["Maps"][0]["CodedField"] == "kenya_county_coded"


def test_without_a_scheme_for_it_no_answers_move():
    new, migration = convert(OLD | {"MoveWSMessages": True})
    settle_with_plans(new, {"RQACodingPlans": [{"RawField": "s01e01_raw"}]}, migration)
    assert new["MoveWSMessages"] is False
    assert "MoveWSMessages" in migration.lines("Changed")[0]
