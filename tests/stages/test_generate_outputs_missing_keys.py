"""Stage 3 tells of keys that it reads and no run has, whether it looks at all runs or at the few that changed."""

import logging
from pathlib import Path

import pytest

from example_project import EPISODE_FLOW, DataRoot, episode_run, survey_run, write_project


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING and "run(s)" in r.getMessage()]
    caplog.clear()
    return [message.partition(": ")[2].partition(";")[0] for message in found]


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    def misspell(document: dict) -> None:
        for remapping in document["RapidProKeyRemappings"]:
            remapping["RapidProKey"] = remapping["RapidProKey"].replace("S01E02_Raw (Run", "S01e02_Raw (Run")

    root = DataRoot(tmp_path, write_project(tmp_path / "configuration", misspell))
    answers = {"gender": "nin", "age": "22", "location": "hodan"}
    root.write_runs(
        *(episode_run(f"p{n}", f"biyo {n}", n % 2 + 1, run_id=n) for n in range(20)), survey_run("p1", **answers)
    )
    return root


MISSING = (
    f"none of 10 run(s) of flow {EPISODE_FLOW.format(2)!r} has 'Rqa_S01e02_Raw (Run ID) - {EPISODE_FLOW.format(2)}'"
)


@pytest.mark.parametrize("partitions", [1, 7])
def test_a_key_that_no_run_has_is_a_warning_every_night(root: DataRoot, caplog, partitions: int):
    root.generate(partitions=partitions)
    assert told(caplog) == [MISSING]
    # Nothing changed, so that no run is looked at.
    root.generate(partitions=partitions)
    assert told(caplog) == [MISSING]
    flow = root.path / "Raw Data" / f"{EPISODE_FLOW.format(1)}.jsonl"
    with flow.open("a") as file:
        file.write(episode_run("p0", "mar kale", 1, run_id=77))
    root.generate(partitions=partitions)
    assert told(caplog) == [MISSING]


def test_no_text_of_a_participant_is_told(root: DataRoot, caplog):
    root.generate()
    assert "Rqa_S01e02_Raw" in caplog.text
    assert "; nearest: 'Rqa_S01E02_Raw'. Change it" in caplog.text
    assert "biyo" not in caplog.text
