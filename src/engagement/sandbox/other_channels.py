"""What reaches the demo by other ways: a listening group's workbook, and SMS that a telecom has.

Only the demo's own copy of the configuration reads them: projects begin as copies of the one in the clone.
"""

from pathlib import Path
from typing import Any

from engagement.foundation.files import make_directory
from engagement.sandbox.answers import Meaning
from engagement.sandbox.demo_directory import DemoDirectory
from engagement.sandbox.listening_group import (
    ANSWER_COLUMN,
    DATASET,
    FLOW,
    NUMBER_COLUMN,
    SHEET,
    SURVEY_COLUMNS,
    SURVEY_FLOW,
    TIME_COLUMN,
    TIME_FORMAT,
    make_members,
    meanings_of_members,
    uuids_of_members,
    write_group,
)
from engagement.sandbox.telecom import make_sms, meanings_of_sms, write_export
from engagement.sandbox.workspace import make_season

RECOVERED_DATASET = "s01e03"


def write_incoming_files(demo: DemoDirectory, seed: int) -> None:
    """Write what a partner and the telecom sent, and make the folder for what is recovered."""
    participants, runs = make_season(seed)
    make_directory(demo.incoming)
    write_group(demo.group_file, make_members(seed, participants))
    write_export(demo.telecom_file, make_sms(seed, runs))
    make_directory(demo.recovered_file.parent)


def meanings_of_incoming_files(seed: int) -> dict[str, Meaning]:
    """Return what the texts of these files mean."""
    participants, runs = make_season(seed)
    return {**meanings_of_sms(make_sms(seed, runs)), **meanings_of_members(make_members(seed, participants))}


def uuids_of_group(seed: int) -> dict[str, str]:
    """Return the uuid of each number of the listening group."""
    participants, _ = make_season(seed)
    return uuids_of_members(seed, make_members(seed, participants))


def add_other_channels(document: dict[str, Any], demo: DemoDirectory) -> dict[str, Any]:
    """Add to a configuration the workbook, and the recovered messages once they are there."""
    sources, remappings = [_group_source(demo.group_file)], _remap(FLOW, {DATASET: DATASET.upper()}, is_episode=True)
    remappings += _remap(SURVEY_FLOW, {dataset: dataset.title() for dataset in SURVEY_COLUMNS}, is_episode=False)
    if demo.recovered_file.exists():
        sources.append({"SourceType": "RecoveryCSV", "ActivationFlowURLs": [_url_of(demo.recovered_file)]})
        remappings += [
            {"RapidProKey": "message", "PipelineKey": f"{RECOVERED_DATASET}_raw", "IsActivationMessage": True},
            {"RapidProKey": "run_id", "PipelineKey": f"{RECOVERED_DATASET}_run_id"},
            {"RapidProKey": "received_on", "PipelineKey": "sent_on"},
        ]
    return {
        **document,
        "RawDataSources": [*document["RawDataSources"], *sources],
        "RapidProKeyRemappings": [*document["RapidProKeyRemappings"], *remappings],
        "OriginColumns": ["source", "channel"],
    }


def _group_source(path: Path) -> dict[str, Any]:
    return {
        "SourceType": "Spreadsheet",
        "Country": "SO",
        "SurveyFlowName": SURVEY_FLOW,
        "Tables": [
            {
                "FlowName": FLOW,
                "URLs": [_url_of(path)],
                "Sheet": SHEET,
                "PhoneNumberColumn": NUMBER_COLUMN,
                "TimeColumns": [TIME_COLUMN],
                "TimeFormat": TIME_FORMAT,
                "EpisodeQuestions": [{"Field": DATASET.upper(), "Column": ANSWER_COLUMN}],
            }
        ],
        "SurveyQuestions": [{"Field": dataset.title(), "Column": column} for dataset, column in SURVEY_COLUMNS.items()],
    }


def _remap(flow: str, fields: dict[str, str], is_episode: bool) -> list[dict[str, Any]]:
    remappings: list[dict[str, Any]] = []
    for dataset, field in fields.items():
        time = "sent_on" if is_episode else f"{dataset}_time"
        text = {"RapidProKey": f"{field} (Text) - {flow}", "PipelineKey": f"{dataset}_raw"}
        remappings.append({**text, "IsActivationMessage": True} if is_episode else text)
        remappings.append({"RapidProKey": f"{field} (Time) - {flow}", "PipelineKey": time})
        if is_episode:
            remappings.append({"RapidProKey": f"{field} (Run ID) - {flow}", "PipelineKey": f"{dataset}_run_id"})
    return remappings


def _url_of(path: Path) -> str:
    return path.resolve().as_uri()
