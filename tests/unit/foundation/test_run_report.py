"""What stages tell of themselves for the run's summary."""

import json

from engagement.__main__ import main
from engagement.foundation.run_report import record_counts


def test_nothing_is_written_unless_a_file_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for value in (None, ""):
        if value is None:
            monkeypatch.delenv("ENGAGEMENT_COUNTS_FILE", raising=False)
        else:
            monkeypatch.setenv("ENGAGEMENT_COUNTS_FILE", value)
        record_counts({"runs": 1})
    assert list(tmp_path.iterdir()) == []


def test_counts_are_added_to_those_told_before_one_a_line(monkeypatch, tmp_path):
    monkeypatch.setenv("ENGAGEMENT_COUNTS_FILE", str(tmp_path / "counts.json"))
    record_counts({"runs": 1})
    record_counts({"messages": 2})
    record_counts({"runs": 3})
    # run_pipeline.sh reads it line by line.
    assert (tmp_path / "counts.json").read_text() == '{\n  "messages": 2,\n  "runs": 3\n}\n'


def test_counts_that_can_not_be_written_fail_no_stage(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("ENGAGEMENT_COUNTS_FILE", str(tmp_path / "missing" / "counts.json"))
    record_counts({"runs": 1})
    assert "counts.json: could not be written" in caplog.text


def test_every_stage_tells_its_peak_memory_also_when_it_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("ENGAGEMENT_COUNTS_FILE", str(tmp_path / "counts.json"))
    assert main(["status", str(tmp_path / "missing")]) == 2
    assert 5 < json.loads((tmp_path / "counts.json").read_text())["peak_memory_mib"] < 100_000
