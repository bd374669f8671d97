"""Questions and remappings of forms, groups and posts that miss each other."""

import pytest

from checked_project import case, configuration, write_broken_project
from engagement.__main__ import main


def sheet(**more):
    table = {
        "FlowName": "group_s01",
        "URLs": ["gs://group/answers.csv"],
        "TimeColumns": ["time"],
        "PhoneNumberColumn": "phone",
        "EpisodeQuestions": [{"Field": "S01", "Column": "water"}, {"Field": "reason", "Column": "why"}],
    }
    return {"SourceType": "Spreadsheet", "Country": "SO", "Tables": [table | more]}


def remap(position, key, field="show_raw"):
    return configuration(f"$.RapidProKeyRemappings[{position}]", {"RapidProKey": key, "PipelineKey": field})


TELEGRAM = {"SourceType": "TelegramGroup", "FlowName": "group", "GroupID": 7, "ExportURLs": ["file:///exports"]}
POSTS = {
    "SourceType": "FacebookComments",
    "TokenFileURL": "gs://keys/page.txt",
    "Posts": [{"FlowName": "posts", "PostIDs": ["104785551234567_5550001"]}],
}


def check(tmp_path, capsys, odd):
    path = write_broken_project(tmp_path / "project", odd)
    status = main(["check", str(path)])
    return status, capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "keys", "told", "untold"),
    [
        (
            sheet(),
            ["S01 (Text) - group_s01", "Reasons (Text) - group_s01"],
            [
                "$.RapidProKeyRemappings[11].RapidProKey: flow 'group_s01' has no answers 'Reasons', so that this reads nothing; "
                "expected a Field of its source; nearest: 'Reason'.",
                "EpisodeQuestions[1]: no remapping reads its answers, 'Reason (Text) - group_s01'; expected one.",
            ],
            ["EpisodeQuestions[0]"],
        ),
        (sheet(), ["S01 (Text) - group_s01", "Reason (Text) - group_s01"], [], ["has no answers", "reads its answers"]),
        # Only RapidPro sorts answers into categories.
        (
            sheet(),
            ["S01 (Text) - group_s01", "Reason (Category) - group_s01"],
            [
                "$.RapidProKeyRemappings[11].RapidProKey: (Category) is in RapidPro's results alone, and flow 'group_s01' is of another "
                "source, so that this reads nothing; expected one of (Text), (Value), (Time), (Run ID). Change it."
            ],
            ["is what RapidPro made"],
        ),
        # Only capitals: that has its own warning.
        (
            sheet(),
            ["S01 (Text) - group_s01", "reason (Text) - group_s01"],
            ["matches no run"],
            ["has no answers", "reads its answers"],
        ),
        # Nothing of the flow is read: one warning, not one a question.
        (sheet(), [], ["no remapping reads a result of flow 'group_s01'"], ["reads its answers"]),
        (TELEGRAM, ["Messages (Text) - group"], ["flow 'group' has no answers 'Messages'", "nearest: 'Message'"], []),
        (POSTS, ["Message (Text) - posts"], ["flow 'posts' has no answers 'Message'", "known: 'Comment'"], []),
        (POSTS, ["Comment (Text) - posts"], [], ["has no answers", "reads its answers"]),
    ],
)
def test_questions_and_remappings_that_miss_each_other_are_warned_of(tmp_path, capsys, source, keys, told, untold):
    changes = [configuration("$.RawDataSources[1]", source)]
    changes += [remap(10 + number, key, "gender_raw") for number, key in enumerate(keys)]
    status, out = check(tmp_path, capsys, case("odd", *changes))
    assert status == 0, out
    assert [text for text in told if text not in out] == [], out
    assert [text for text in untold if text in out] == [], out
