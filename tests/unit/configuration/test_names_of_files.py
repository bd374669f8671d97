"""Names in a configuration that are one file on some disks."""

import unicodedata
from pathlib import Path

import pytest

from checked_project import case, configuration, plans, write_broken_project
from engagement.__main__ import main

WORKSPACE = {"SourceType": "RapidPro", "Domain": "textit.in", "TokenFileURL": "gs://small-keys/other.txt"}
SHEET = {
    "SourceType": "Spreadsheet",
    "Tables": [
        {
            "FlowName": "SURVEY",
            "URLs": ["gs://group/answers.csv"],
            "TimeColumns": ["time"],
            "PhoneNumberColumn": "phone",
            "EpisodeQuestions": [{"Field": "S01", "Column": "water"}],
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            configuration("$.RawDataSources[0].ActivationFlowNames[1]", "Show"),
            "the flow 'Show' and 'show', at $.RawDataSources[0]",
        ),
        (configuration("$.RawDataSources[1]", SHEET), "the flow 'SURVEY' and 'survey', at"),
        (
            configuration(
                "$.RawDataSources[0].ActivationFlowNames",
                ["show", "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")],
            ),
            "are the same file on many disks",
        ),
        (
            configuration("$.RawDataSources[1]", {**WORKSPACE, "ContactsFileName": "Small_Contacts"}),
            "the contacts' file 'Small_Contacts' and 'small_contacts', at",
        ),
        (plans("$.DemographicCodingPlans[1].CodaFilename", "SMALL_GENDER.json"), "the dataset 'SMALL_GENDER.json' and"),
    ],
)
def test_names_that_are_one_file_on_some_disks_are_refused(tmp_path: Path, capsys, change, told):
    path = write_broken_project(tmp_path / "project", case("same file", change))
    assert main(["check", str(path)]) == 10
    out = capsys.readouterr().out
    assert told in out
    assert "expected names that differ in more than capitals" in out
