"""messages_index.csv: for each row of messages.csv when and how it came, and its ids in Coda."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engagement.foundation.microseconds import count_microseconds
from engagement.pipeline.outputs.index_rows import write_times
from example_project import DataRoot, Document, coda_message, episode_run, label, survey_run, write_project
from stages.test_generate_outputs_golden import fill
from stages.test_generate_outputs_recovered import recovered


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    return DataRoot(tmp_path)


def test_each_row_has_the_ids_that_coda_has_of_its_texts(root: DataRoot):
    fill(root)
    root.generate(partitions=3)
    messages, index = root.table("messages"), root.table("messages_index")
    assert [row["uid"] for row in index] == [row["uid"] for row in messages]
    found = 0
    for name in ("s01e01", "s01e02", "gender", "age", "location"):
        text_of = {message["MessageID"]: message["Text"] for message in root.coda_file(name)}
        field = f"rqa_{name}_raw" if name.startswith("s01") else f"{name}_raw"
        for row, message in zip(index, messages, strict=True):
            if row["uid"] != "STOP":
                message_id = row[f"EXAMPLE_{name}_message_id"]
                assert (text_of[message_id] if message_id else "") == message[field]
                found += message_id != ""
    assert found == 19


def test_a_survey_answer_that_belongs_to_an_episode_has_the_flow_of_the_survey(root: DataRoot):
    root.write_runs(episode_run("a", "biyo", run_id=7), survey_run("a", gender="rajo"))
    root.write_coded("gender", coda_message("rajo", label("gender", "WS"), label("ws", "episode_2")))
    root.generate()
    came = [(row["episode"], row["source"], row["flow"], row["run_id"]) for row in root.table("messages_index")]
    assert came == [
        ("rqa_s01e01", "RapidPro", "s01e1_activation", "7"),
        ("rqa_s01e02", "RapidPro", "s01_demographics", ""),
    ]


def test_nothing_of_those_who_withdrew_is_in_it(root: DataRoot):
    root.write_runs(episode_run("a", "jooji", run_id=51), episode_run("b", "biyo", run_id=52))
    root.write_coded("s01e01", coda_message("jooji", label("episode1", "STOP")))
    root.generate()
    staying, withdrawn = root.table("messages_index")
    assert staying["run_id"] == "52"
    assert set(withdrawn.values()) == {"STOP"}


def add_recovery_file(document: Document) -> None:
    document["RawDataSources"].append({"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/lost.csv"]})
    document["RapidProKeyRemappings"] += [
        {"RapidProKey": "message", "PipelineKey": "rqa_s01e01_raw", "IsActivationMessage": True},
        {"RapidProKey": "received_on", "PipelineKey": "sent_on"},
    ]


def test_a_recovered_message_says_so(root: DataRoot):
    write_project(root.configuration.parent, add_recovery_file)
    root.write_runs()
    root.write_flow("lost", recovered("a", "A", "biyo", "2026-04-01T12:00:00+03:00"))
    root.generate()
    (row,) = root.table("messages_index")
    assert (row["source"], row["flow"], row["time"]) == ("RecoveryCSV", "", "2026-04-01T12:00:00.000000+03:00")


def test_another_time_zone_makes_a_full_run_with_other_times(root: DataRoot, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    root.write_runs(episode_run("a", "biyo", time="2026-04-01T10:00:00+03:00"))
    root.generate()
    before = (root.outputs / "messages.csv").read_bytes()
    write_project(root.configuration.parent, lambda document: document.update(TimeZone="Europe/Berlin"))
    root.generate()
    assert "Full run: the configuration and the time zone's rules changed" in caplog.text
    assert [row["time"] for row in root.table("messages_index")] == ["2026-04-01T09:00:00.000000+02:00"]
    assert (root.outputs / "messages.csv").read_bytes() == before


def test_without_coders_labels_or_where_it_is_turned_off_there_is_none(root: DataRoot):
    root.write_runs(episode_run("a", "biyo"))
    root.generate(mode="auto-code-only")
    assert not (root.outputs / "messages_index.csv").exists()
    root.generate()
    assert (root.outputs / "messages_index.csv").exists()
    write_project(root.configuration.parent, lambda document: document.update(MessagesIndex=False))
    root.generate()
    assert not (root.outputs / "messages_index.csv").exists()
    assert json.loads((root.path / "State" / "analysis" / "season.json").read_text())["run"]["mode"] == "all-stages"


@pytest.mark.parametrize("zone", ["Africa/Mogadishu", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_times_are_those_of_the_zone_when_clocks_change_too(zone: str):
    start = datetime(2026, 3, 29, tzinfo=UTC)
    instants = [start + timedelta(minutes=7 * n, microseconds=n) for n in range(400)]
    instants += [start + timedelta(days=n, hours=n) for n in range(400)]
    expected = [instant.astimezone(ZoneInfo(zone)).isoformat(timespec="microseconds") for instant in instants]
    assert write_times([count_microseconds(instant) for instant in instants], ZoneInfo(zone)) == expected


def test_times_at_the_ends_of_the_calendar_are_no_error():
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    times = write_times([count_microseconds(end) for end in ends], ZoneInfo("Africa/Nairobi"))
    assert len(times) == 2
    assert write_times([], ZoneInfo("UTC")) == []
