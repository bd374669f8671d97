"""How the last run went, by the summaries that the pipeline leaves. They are invented."""

import fcntl
import json
from datetime import UTC, datetime, timedelta

import pytest

from engagement.__main__ import main


class Runs:
    """A data root with summaries."""

    def __init__(self, folder):
        self.data_root = folder / "data root"
        (self.data_root / "Runs").mkdir(parents=True)

    def add(self, hours_ago, exit_status=0, has_ended=True):
        started = datetime.now(UTC) - timedelta(hours=hours_ago, minutes=10)
        ended = started + timedelta(minutes=10)
        run_id = f"{started:%Y-%m-%dT%H%M%SZ}-unknown"
        summary = {
            "ended": f"{ended:%Y-%m-%dT%H:%M:%SZ}" if has_ended else None,
            "exit_status": exit_status,
            "run_id": run_id,
            "stages": [
                {
                    "counts": {"flows": 2, "new_runs": 17},
                    "exit_status": exit_status,
                    "name": "fetch raw data",
                    "peak_memory_mib": 95,
                    "seconds": 12.34,
                    "stage": 2,
                    "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
                }
            ],
            "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        }
        (self.data_root / "Runs" / f"{run_id}.json").write_text(json.dumps(summary))
        return run_id

    def ask(self, *options):
        return main(["status", str(self.data_root), *options])


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def test_a_run_that_succeeded_is_told_and_exits_0(runs, capsys):
    runs.add(40, exit_status=12)
    run_id = runs.add(3)
    assert runs.ask() == runs.ask("--max-age", "3.5") == 0
    shown = capsys.readouterr().out
    assert f"Run {run_id}\n" in shown
    assert "2 fetch raw data       status   0       12.3 s      95 MiB  flows 2, new runs 17\n" in shown


@pytest.mark.parametrize(
    ("run", "options", "words"),
    [
        (
            {"hours_ago": 3, "exit_status": 12},
            [],
            "ended with status 12, failed in 2 fetch raw data; expected status 0",
        ),
        ({"hours_ago": 30}, ["--max-age", "26"], "ended 30.0 hours ago; expected at most 26. Check whether cron"),
        ({"hours_ago": 3, "has_ended": False}, [], "was killed before its end"),
        ({"hours_ago": -24}, [], "ended in the future, at "),
    ],
)
def test_what_is_wrong_with_the_last_run_exits_11(runs, capsys, run, options, words):
    runs.add(60)
    run_id = runs.add(**run)
    assert runs.ask(*options) == 11
    told = capsys.readouterr()
    assert f"ERROR: Run {run_id}: {words}" in told.err
    assert f"Run {run_id}\n" in told.out


def test_a_run_at_work_is_not_judged(runs, capsys):
    run_id = runs.add(20)
    runs.add(1, has_ended=False)
    with (runs.data_root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert runs.ask("--max-age", "24") == 0
        assert runs.ask("--max-age", "12") == 11
    told = capsys.readouterr().out
    assert told.startswith("A run is at work now; the last one before it:\n")
    assert f"Run {run_id}\n" in told


def test_no_run_at_all_exits_11(runs, capsys):
    assert runs.ask() == 11
    assert "no run has ended yet" in capsys.readouterr().err


def test_a_damaged_summary_exits_11_and_is_named(runs, capsys):
    for text in ("{", "[]", '{"run_id": "a"}'):
        (runs.data_root / "Runs" / "2026-11-22T020511Z-unknown.json").write_text(text)
        assert runs.ask() == 11
        assert "2026-11-22T020511Z-unknown.json" in capsys.readouterr().err


def test_a_data_root_that_is_not_there_exits_2(tmp_path):
    assert main(["status", str(tmp_path / "missing")]) == 2
