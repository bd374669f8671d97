"""Seasons share one file of coding plans: a plan that no flow of this season writes has empty columns, and a warning."""

import logging
from pathlib import Path

import pytest

from engagement.analysis.tables.season import load_season
from engagement.configuration import load_project
from engagement.foundation.errors import ConfigurationError
from example_project import DataRoot, episode_run, survey_run, write_project


def this_season_alone(document: dict) -> None:
    document["RapidProKeyRemappings"] = [
        remapping
        for remapping in document["RapidProKeyRemappings"]
        if not remapping["PipelineKey"].startswith(("rqa_s01e02", "location"))
    ]


def test_plans_of_another_season_are_warned_of_and_stay_empty(tmp_path: Path, caplog):
    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", this_season_alone))
    root.write_runs(episode_run("a", "biyo"), survey_run("a", gender="nin", age="22"))
    root.generate()
    told = [
        r.getMessage()
        for r in caplog.records
        if r.levelno == logging.WARNING and "no remapping writes" in r.getMessage()
    ]
    assert [message.partition(";")[0] for message in told] == [
        "coding_plans.json, at $.RQACodingPlans[1].RawField: no remapping writes 'rqa_s01e02_raw'",
        "coding_plans.json, at $.DemographicCodingPlans[2].RawField: no remapping writes 'location_raw'",
    ]
    (message,) = root.table("messages")
    assert (message["rqa_s01e02_raw"], message["rqa_s01e02_NA"], message["location_raw"]) == ("", "1", "")
    assert (message["rqa_s01e01_raw"], message["gender_raw"]) == ("biyo", "nin")
    assert root.coda_file("location") == []
    counts = load_season(load_project(root.configuration), root.path).engagement_counts
    assert counts["Total Messages with Opt-Ins"].to_list() == [1, 0, 1]


def test_a_plan_of_which_only_the_time_is_missing_is_still_an_error(tmp_path: Path):
    def without_time(document: dict) -> None:
        document["RapidProKeyRemappings"] = [
            r for r in document["RapidProKeyRemappings"] if r["PipelineKey"] != "gender_time"
        ]

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", without_time))
    with pytest.raises(
        ConfigurationError, match="none writes 'gender_time', the TimeField of a plan in DemographicCodingPlans"
    ):
        root.generate()
