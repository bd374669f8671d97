"""Retention in the configuration: periods of whole days, months and years, none too short for what else is kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engagement.configuration.loading import load_project
from engagement.configuration.periods import read_period
from engagement.foundation.errors import ConfigurationError
from example_project import write_project


def write(folder: Path, retention: Any, backup: Any = None) -> Path:
    return write_project(folder, lambda document: document.update(Retention=retention, Backup=backup))


def test_a_right_one_is_taken(tmp_path: Path):
    backup = {"Keep": {"Daily": 7, "Weekly": 8, "Monthly": 12}}
    found = load_project(
        write(
            tmp_path,
            {"Archives": "P1Y", "Logs": "P180D", "Runs": "P180D", "RawTexts": "P3Y", "UuidTable": "P3Y"},
            backup,
        )
    ).configuration
    assert found.retention is not None
    assert {name: period.text for name, period in found.retention.periods.items()} == {
        "Archives": "P1Y",
        "Logs": "P180D",
        "Runs": "P180D",
        "RawTexts": "P3Y",
        "UuidTable": "P3Y",
    }


NO_PERIOD = "is no period of whole days, months and years; expected ISO 8601 text, like 'P90D', 'P6M' or 'P3Y'"


@pytest.mark.parametrize(
    ("retention", "backup", "said"),
    [
        ({}, None, "$.Retention: says nothing; expected 'Archives', 'Logs', 'Runs', 'RawTexts' or 'UuidTable'"),
        ({"Archives": "90 days"}, None, NO_PERIOD),
        ({"Archives": 90}, None, NO_PERIOD),
        ({"Archives": "P"}, None, NO_PERIOD),
        ({"Archives": "P2W"}, None, NO_PERIOD),
        ({"Archives": "P90DT12H"}, None, NO_PERIOD),
        ({"Archives": "PT2400H"}, None, NO_PERIOD),
        ({"Archives": "P1.5Y"}, None, NO_PERIOD),
        ({"Archives": "P-90D"}, None, NO_PERIOD),
        ({"Archives": "P6D1Y"}, None, NO_PERIOD),
        ({"Archives": "P0D"}, None, "'P0D' is no time at all"),
        ({"Logs": "P6D"}, None, "$.Retention.Logs: 'P6D' is too short to look into what failed; expected 'P7D'"),
        ({"Runs": "P1D"}, None, "$.Retention.Runs: 'P1D' is too short"),
        ({"RawTexts": "P6D"}, None, "$.Retention.RawTexts: 'P6D' is too short"),
        (
            {"UuidTable": "P3Y"},
            None,
            "$.Retention.UuidTable: nothing removes messages, and whoever has one stays in the uuid table; expected 'RawTexts' too. Add one, like 'P3Y'",
        ),
        ({"UuidTable": "P6D", "RawTexts": "P6D"}, None, "$.Retention.UuidTable: 'P6D' is too short"),
        (
            {"UuidTable": "P1Y", "RawTexts": "P3Y"},
            None,
            "$.Retention.UuidTable: 'P1Y' is shorter than the 'P3Y' of RawTexts, and whoever has a message stays in the uuid table",
        ),
        (
            {"Archives": "P90D"},
            {"Keep": {"Monthly": 12}},
            "$.Retention.Archives: 'P90D' is shorter than the 12 months of $.Backup.Keep.Monthly; expected 'P12M' or longer",
        ),
        ({"Archives": "P55D"}, {"Keep": {"Weekly": 8}}, "the 8 weeks of $.Backup.Keep.Weekly; expected 'P56D' or longer"),
        ({"Archives": "P13D"}, {"Keep": {"Daily": 14}}, "the 14 days of $.Backup.Keep.Daily; expected 'P14D' or longer"),
        # Three months may have 92 days.
        ({"Archives": "P91D"}, {"Keep": {"Monthly": 3}}, "the 3 months of $.Backup.Keep.Monthly; expected 'P3M' or longer"),
        (
            {"Logs": "P180D", "Runs": "P90D"},
            None,
            "$.Retention.Runs: 'P90D' is shorter than the 'P180D' of Logs, and without a run's record nobody knows whose its log is",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, retention: Any, backup: Any, said: str):
    with pytest.raises(ConfigurationError) as caught:
        load_project(write(tmp_path, retention, backup))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("archives", "keep"),
    [
        ("P92D", {"Monthly": 3}),
        ("P3M", {"Monthly": 3}),
        ("P56D", {"Weekly": 8}),
        ("P12M", {"Monthly": 12}),
        ("P7D", {}),
    ],
)
def test_a_period_that_is_just_long_enough_is_taken(tmp_path: Path, archives: str, keep: dict[str, int]):
    load_project(write(tmp_path, {"Archives": archives}, {"Keep": {**keep, "Daily": 7}}))


@pytest.mark.parametrize(
    ("period", "time", "before"),
    [
        ("P90D", "2026-11-28", "2026-08-30"),
        ("P6M", "2026-08-31", "2026-02-28"),
        ("P6M", "2024-08-31", "2024-02-29"),
        ("P1Y", "2024-02-29", "2023-02-28"),
        ("P1Y6M10D", "2026-03-15", "2024-09-05"),
        ("P12M", "2026-01-01", "2025-01-01"),
        ("P1M", "2026-01-31", "2025-12-31"),
        ("P999Y9999M99999D", "2026-01-31", "0001-01-01"),
    ],
)
def test_a_period_is_counted_back_by_the_calendar(period: str, time: str, before: str):
    def day(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert read_period(period).before(day(time)) == day(before)
